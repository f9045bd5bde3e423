//! Pays for requests one by one: signed, cumulative vouchers off chain, settled rarely on it.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod groups;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod instructions;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
mod signed;
pub mod state;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
mod token;

use anchor_lang::prelude::*;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
use instructions::*;

declare_id!("2VULbT983sw78YGyXRPjNoHiG2rokHHYjBeYmKtyPFLj");

/// One byte says which instruction it is: settling is what happens most, and eight would cost it time.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
#[program]
pub mod billing {
    use super::*;

    // Where it says `inline(always)`, the compiler sees within the dispatch that no account was walked before.

    /// Anyone brings a voucher that pays more than a channel has settled, whose signature the instruction before this one verifies.
    #[discrim = 0]
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        settle::handler(ctx)
    }

    /// Anyone brings vouchers for many channels of one payer under one signature.
    #[discrim = 1]
    #[inline(always)]
    pub fn settle_batch(ctx: &mut Context<SettleBatch>, payer: Address) -> Result<()> {
        settle_batch::handler(ctx, &payer)
    }

    /// The provider locks its bond for what a channel has earned, so that it can be paid.
    #[discrim = 2]
    pub fn back(ctx: &mut Context<Back>) -> Result<()> {
        back::handler(ctx)
    }

    /// Anyone has what a channel has earned paid to all who share in it.
    #[discrim = 3]
    #[inline(always)]
    pub fn distribute(ctx: &mut Context<Distribute>) -> Result<()> {
        distribute::handler(ctx)
    }

    /// Writes down which cluster this is, once; the protocol's authority only.
    #[discrim = 4]
    pub fn initialize(ctx: &mut Context<Initialize>, genesis_hash: [u8; 32]) -> Result<()> {
        initialize::handler(ctx, genesis_hash)
    }

    /// Somebody who wants to pay makes its account and vault in a token.
    #[discrim = 5]
    pub fn create_payer(ctx: &mut Context<CreatePayer>) -> Result<()> {
        create_payer::handler(ctx)
    }

    /// Anyone adds to a payer's deposit.
    #[discrim = 6]
    pub fn deposit(ctx: &mut Context<Deposit>, amount: u64) -> Result<()> {
        deposit::handler(ctx, amount)
    }

    /// The owner takes back what is free of its deposit.
    #[discrim = 7]
    pub fn reclaim(ctx: &mut Context<Reclaim>, amount: u64) -> Result<()> {
        reclaim::handler(ctx, amount)
    }

    /// The owner reserves a part of its deposit for a provider, on one version of a model's prices.
    #[discrim = 8]
    pub fn open(ctx: &mut Context<Open>, number: u64, terms: state::ChannelTerms) -> Result<()> {
        open::handler(ctx, number, terms)
    }

    /// The owner reserves more for a channel.
    #[discrim = 9]
    pub fn top_up(ctx: &mut Context<TopUp>, amount: u64) -> Result<()> {
        top_up::handler(ctx, amount)
    }

    /// The owner names the key that signs vouchers, and how much it may spend until when.
    #[discrim = 10]
    pub fn set_session(ctx: &mut Context<SetSession>, signer: Address, limit: u64, expires_at: i64) -> Result<()> {
        set_session::handler(ctx, signer, limit, expires_at)
    }

    /// Anyone lets a staged session hold once the provider has had its grace.
    #[discrim = 11]
    pub fn apply_session(ctx: &mut Context<ApplySession>) -> Result<()> {
        apply_session::handler(ctx)
    }

    /// The owner of a share takes what it is owed to another account of its own.
    #[discrim = 12]
    pub fn claim_owed(ctx: &mut Context<ClaimOwed>, index: u8) -> Result<()> {
        claim_owed::handler(ctx, index)
    }

    /// The owner ends a channel after the grace; the provider ends it at once.
    #[discrim = 13]
    pub fn request_close(ctx: &mut Context<RequestClose>) -> Result<()> {
        request_close::handler(ctx)
    }

    /// Anyone gives what a closed channel did not spend back to its payer, and closes the account once everybody is paid.
    #[discrim = 14]
    pub fn close(ctx: &mut Context<Close>) -> Result<()> {
        close::handler(ctx)
    }

    /// The owner pays a channel by the second from now on.
    #[discrim = 15]
    pub fn start_plan(ctx: &mut Context<StartPlan>, rate: u64, period: u32) -> Result<()> {
        start_plan::handler(ctx, rate, period)
    }

    /// The provider stops a plan until the owner wants it again.
    #[discrim = 16]
    pub fn pause_plan(ctx: &mut Context<PausePlan>) -> Result<()> {
        pause_plan::handler(ctx)
    }

    /// The owner lets a paused plan go on.
    #[discrim = 17]
    pub fn resume_plan(ctx: &mut Context<ResumePlan>) -> Result<()> {
        resume_plan::handler(ctx)
    }

    /// Owner or provider ends a plan; its lockup pays for the notice.
    #[discrim = 18]
    pub fn terminate_plan(ctx: &mut Context<TerminatePlan>) -> Result<()> {
        terminate_plan::handler(ctx)
    }

    /// Anyone brings what a plan has made to its channel, and closes a plan that has ended.
    #[discrim = 19]
    pub fn settle_plan(ctx: &mut Context<SettlePlan>) -> Result<()> {
        settle_plan::handler(ctx)
    }

    /// Anyone shows a receipt that was paid for and asked for more than the price list does.
    #[discrim = 20]
    pub fn dispute_receipt(
        ctx: &mut Context<DisputeReceipt>,
        index: u64,
        size: u64,
        proof: alloc::vec::Vec<[u8; 32]>,
    ) -> Result<()> {
        dispute_receipt::handler(ctx, index, size, &proof)
    }

    /// Anyone shows two different receipts of one number.
    #[discrim = 21]
    pub fn dispute_receipts(ctx: &mut Context<DisputeReceipts>) -> Result<()> {
        dispute_receipts::handler(ctx)
    }

    /// Anyone shows two vouchers of one number that pay different sums, or for different receipts.
    #[discrim = 22]
    pub fn dispute_vouchers(ctx: &mut Context<DisputeVouchers>) -> Result<()> {
        dispute_vouchers::handler(ctx)
    }
}

joule_errors::entrypoint!(crate::error::BillingError);
