//! Stakes that earn and give discounts, and bonds that services may lock and slash.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod call;
pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod instructions;
pub mod penalty;
pub mod state;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
mod vault;

use anchor_lang::prelude::*;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
use instructions::*;

declare_id!("J1ePpcXoHebuRHabdQoopnsnxaQvF2AcpjSBpfbTimf6");

#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
#[program]
pub mod staking {
    use super::*;

    // Where it says `inline(always)`, the compiler sees within the dispatch that no account was walked before, which saves 50 to
    // 150 units. Not everywhere: each makes the stack frame that all share larger.

    /// Creates the pool of an accepted token; the protocol's authority only.
    pub fn create_pool(ctx: &mut Context<CreatePool>, params: state::Params) -> Result<()> {
        create_pool::handler(ctx, params)
    }

    /// Changes how a pool treats its stakes from now on; the protocol's authority only.
    pub fn update_pool(ctx: &mut Context<UpdatePool>, params: state::Params) -> Result<()> {
        update_pool::handler(ctx, params)
    }

    /// Adds to the signer's stake and locks all of it, never for shorter than before.
    pub fn stake(ctx: &mut Context<AddStake>, amount: u64, lock_seconds: u32) -> Result<()> {
        stake::handler(ctx, amount, lock_seconds)
    }

    /// Locks the signer's stake for longer.
    #[inline(always)]
    pub fn extend_lock(ctx: &mut Context<ExtendLock>, lock_seconds: u32) -> Result<()> {
        extend_lock::handler(ctx, lock_seconds)
    }

    /// Anyone brings a stake's rewards up to date, and its weight once its lock has ended.
    pub fn refresh_stake(ctx: &mut Context<RefreshStake>) -> Result<()> {
        refresh_stake::handler(ctx)
    }

    /// Lets a part of an unlocked stake cool; it earns nothing from then on.
    #[inline(always)]
    pub fn unstake(ctx: &mut Context<Unstake>, amount: u64) -> Result<()> {
        unstake::handler(ctx, amount)
    }

    /// Pays what has cooled, and closes a stake that is empty.
    pub fn withdraw_stake(ctx: &mut Context<WithdrawStake>) -> Result<()> {
        withdraw_stake::handler(ctx)
    }

    /// Pays what a stake has earned.
    pub fn claim_rewards(ctx: &mut Context<ClaimRewards>) -> Result<()> {
        claim_rewards::handler(ctx)
    }

    /// Anyone turns what was sent to a pool's vault into rewards.
    pub fn sync_rewards(ctx: &mut Context<SyncRewards>) -> Result<()> {
        sync_rewards::handler(ctx)
    }

    /// Lets a program lock the bonds whose owners name it, ten days later; the protocol's authority only.
    pub fn admit_service(ctx: &mut Context<AdmitService>, admitted: Address, number: u8) -> Result<()> {
        admit_service::handler(ctx, admitted, number)
    }

    /// Lets a service lock a bond, or no longer; the bond's owner or its withdrawer. What it has locked stays its own.
    pub fn name_service(ctx: &mut Context<NameService>, named: bool) -> Result<()> {
        name_service::handler(ctx, named)
    }

    /// Opens the signer's bond in a token and says who alone may take money out of it.
    pub fn open_bond(ctx: &mut Context<OpenBond>, withdrawer: Address) -> Result<()> {
        open_bond::handler(ctx, withdrawer)
    }

    /// Anyone adds to a bond that has the withdrawer it has seen.
    pub fn deposit_bond(ctx: &mut Context<DepositBond>, amount: u64, withdrawer: Address) -> Result<()> {
        deposit_bond::handler(ctx, amount, withdrawer)
    }

    /// The withdrawer sends a free part of the bond on its way out.
    pub fn unbond(ctx: &mut Context<Unbond>, amount: u64) -> Result<()> {
        unbond::handler(ctx, amount)
    }

    /// The withdrawer lets everything on its way out stay after all.
    pub fn cancel_unbond(ctx: &mut Context<CancelUnbond>) -> Result<()> {
        cancel_unbond::handler(ctx)
    }

    /// Pays the withdrawer what has waited long enough.
    pub fn withdraw_bond(ctx: &mut Context<WithdrawBond>) -> Result<()> {
        withdraw_bond::handler(ctx)
    }

    /// The withdrawer closes a bond that holds nothing.
    pub fn close_bond(ctx: &mut Context<CloseBond>) -> Result<()> {
        close_bond::handler(ctx)
    }

    /// A service locks a part of a bond for a subject until a moment; called by the service's program.
    #[inline(always)]
    pub fn lock(ctx: &mut Context<Lock>, subject: Address, amount: u64, until: i64) -> Result<()> {
        lock::handler(ctx, subject, amount, until)
    }

    /// A service gives a part of its claim back to the bond, and says how much of it counts as kept; called by the service's
    /// program.
    pub fn release(ctx: &mut Context<Release>, amount: u64, kept: u64) -> Result<()> {
        release::handler(ctx, amount, kept)
    }

    /// Anyone gives back to a bond what a claim may hold no longer.
    pub fn release_expired(ctx: &mut Context<ReleaseExpired>) -> Result<()> {
        release_expired::handler(ctx)
    }

    /// A service takes a part of its claim out of the bond; called by the service's program.
    pub fn slash(ctx: &mut Context<Slash>, amount: u64, release_rest: bool) -> Result<()> {
        slash::handler(ctx, amount, release_rest)
    }
}

joule_errors::entrypoint!(crate::error::StakingError, joule_treasury::error::TreasuryError);
