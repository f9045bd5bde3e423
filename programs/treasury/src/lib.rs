//! The protocol's own account: who governs it, which tokens it takes, what each service costs, and where fees go.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod instructions;
pub mod state;

use anchor_lang::prelude::*;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
use instructions::*;

declare_id!("DWWKynR5NJY7B1gcQzj4cGms9cE17fcmUwmUEYsqJVP6");

#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
#[program]
pub mod treasury {
    use super::*;

    // Where it says `inline(always)`, the compiler sees within the dispatch that no account was walked before, which saves 50 to
    // 150 units. Not everywhere: each makes the stack frame that all share larger.

    /// Creates the protocol; only the program's upgrade authority can.
    #[inline(always)]
    pub fn initialize_protocol(
        ctx: &mut Context<InitializeProtocol>,
        guardian: Address,
        fee_bps: [u16; 8],
    ) -> Result<()> {
        initialize_protocol::handler(ctx, guardian, fee_bps)
    }

    /// Names the next authority, who has to take it over with `accept_authority`.
    pub fn propose_authority(ctx: &mut Context<ProposeAuthority>, next: Address) -> Result<()> {
        propose_authority::handler(ctx, next)
    }

    /// Takes the protocol over; signed by the proposed authority.
    pub fn accept_authority(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
        accept_authority::handler(ctx)
    }

    /// Replaces the guardian, who may pause and nothing else.
    pub fn set_guardian(ctx: &mut Context<SetGuardian>, guardian: Address) -> Result<()> {
        set_guardian::handler(ctx, guardian)
    }

    /// Announces what one service will charge: a small step, days ahead.
    pub fn stage_fee(ctx: &mut Context<StageFee>, service: u8, fee_bps: u16) -> Result<()> {
        stage_fee::handler(ctx, service, fee_bps)
    }

    /// Anyone lets an announced fee hold once its delay is over; jobs already open keep the fee they were opened with.
    pub fn apply_fee(ctx: &mut Context<ApplyFee>, service: u8) -> Result<()> {
        apply_fee::handler(ctx, service)
    }

    /// Takes an announced fee back.
    pub fn cancel_fee(ctx: &mut Context<CancelFee>, service: u8) -> Result<()> {
        cancel_fee::handler(ctx, service)
    }

    /// Admits a token and creates its fee vault; at most `outflow_limit` may leave that within `outflow_window` seconds.
    pub fn accept_mint(
        ctx: &mut Context<AcceptMint>,
        min_amount: u64,
        outflow_limit: u64,
        outflow_window: u32,
    ) -> Result<()> {
        accept_mint::handler(ctx, min_amount, outflow_limit, outflow_window)
    }

    /// Changes the smallest payment in a token, or stops taking it for new work.
    pub fn update_mint(ctx: &mut Context<UpdateMint>, enabled: bool, min_amount: u64) -> Result<()> {
        update_mint::handler(ctx, enabled, min_amount)
    }

    /// Stops new work in a service for 7 days; guardian or authority. Every exit that returns money stays open.
    pub fn pause(ctx: &mut Context<Pause>, service: u8) -> Result<()> {
        pause::handler(ctx, service)
    }

    /// Lets a paused service take new work again at once; authority only.
    pub fn unpause(ctx: &mut Context<Unpause>, service: u8) -> Result<()> {
        unpause::handler(ctx, service)
    }

    /// Changes how much may leave a fee vault: less at once, more after a delay. What was announced before is forgotten.
    pub fn set_breaker(ctx: &mut Context<SetBreaker>, limit: u64, window: u32) -> Result<()> {
        set_breaker::handler(ctx, limit, window)
    }

    /// Anyone lets a looser breaker hold once its delay is over.
    pub fn apply_breaker(ctx: &mut Context<ApplyBreaker>) -> Result<()> {
        apply_breaker::handler(ctx)
    }

    /// Changes the stakers' share of the fees, and where it goes; authority only. What came in before is shared as before.
    #[inline(always)]
    pub fn set_rewards(ctx: &mut Context<SetRewards>, reward_bps: u16) -> Result<()> {
        set_rewards::handler(ctx, reward_bps)
    }

    /// Anyone has the stakers' share of the fees sent to their reward vault.
    pub fn share_fees(ctx: &mut Context<ShareFees>) -> Result<()> {
        share_fees::handler(ctx)
    }

    /// Moves the treasury's own part of the fees out of a fee vault; authority only.
    pub fn withdraw_fees(ctx: &mut Context<WithdrawFees>, amount: u64) -> Result<()> {
        withdraw_fees::handler(ctx, amount)
    }
}

joule_errors::entrypoint!(crate::error::TreasuryError);
