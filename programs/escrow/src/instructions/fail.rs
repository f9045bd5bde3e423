//! A job that was not delivered in time gives its budget back, and the provider's claim with it; anyone may see to it.

use crate::{
    error::EscrowError,
    groups::*,
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_staking::penalty;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: the job says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Fail {
    pub refund: Nested<Refund>,
    #[account(mut, unsafe(dup), address = refund.job.fee_vault @ EscrowError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    pub backing: Nested<Backing>,
    /// The staking program checks it. Whoever is paid into it must not be spared by that.
    #[account(mut, unsafe(dup))]
    pub bond_vault: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Fail>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let reason = ctx.accounts.refund.job.fail(UnixTime::new(now))?;
    let (claim, exposure) = (ctx.accounts.refund.job.claim, Amount::new(ctx.accounts.refund.job.exposure.get()));
    let slashing = Slashing {
        bond_vault: ctx.accounts.bond_vault.account(),
        destination: ctx.accounts.refund.vault.account(),
        token_program: ctx.accounts.refund.token_program.account(),
        amount: exposure,
        ends: true,
    };
    let slashed = ctx.accounts.backing.slash(&claim, &slashing, ctx.bumps.backing.claim_signer)?;
    ctx.accounts.refund.job.owe_fee(penalty::shares(slashed, false).treasury)?;
    let receipt = ctx.accounts.refund.pay(Some(ctx.accounts.fee_vault.account()))?;
    emit_event!(ctx, ctx.accounts.refund.refunded(&receipt, slashed, reason, now));
    ctx.accounts.refund.close(&receipt)
}
