//! A dispute's verdict moves the money; anyone may see to it. Decided in one step, whatever the number of votes: they are
//! rewarded and slashed one by one afterwards.

use crate::{
    error::EscrowError,
    event::DisputeResolved,
    groups::*,
    math::{self, Stakes},
    payout::Names,
    state::{Dispute, Verdict},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, Bps, UnixTime};

/// Nobody needs to sign: job and dispute say who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Resolve {
    pub earnings: Nested<Earnings>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    /// Compared with the job when it is paid.
    #[account(mut, unsafe(dup))]
    pub challenger: UncheckedAccount,
    pub backing: Nested<Backing>,
    /// The staking program checks it. A payee may have named it, and then must not keep itself from being slashed.
    #[account(mut, unsafe(dup))]
    pub bond_vault: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Resolve>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    require!(ctx.accounts.dispute.job == *ctx.accounts.earnings.job.address(), EscrowError::WrongDispute);
    let verdict = ctx.accounts.dispute.decide(ctx.accounts.earnings.job.settle_after.get(), now)?;
    let slashed = take_bond(ctx, verdict)?;
    let (job, dispute) = (&mut ctx.accounts.earnings.job, &mut ctx.accounts.dispute);
    dispute.name_third(verdict);
    let stakes = Stakes {
        price: Amount::new(job.price.get()),
        fee: Bps::new(job.fee_bps.get()).ok_or(EscrowError::InvariantBroken)?,
        deposit: Amount::new(dispute.deposit.get()),
        slashed,
        appeal: dispute.appeal_made(),
        is_heard: dispute.is_heard(),
        is_second_lot: dispute.verdict_of(0).is_none(),
        has_winners: [dispute.winners(0, verdict) > 0, dispute.winners(1, verdict) > 0],
    };
    let awards = math::awards(verdict, &stakes).ok_or(EscrowError::Overflow)?;
    job.resolve(&awards, verdict.pays_provider())?;
    dispute.resolve(verdict, awards.jurors, now);
    let receipt = ctx.accounts.earnings.pay(Some(ctx.accounts.challenger.account()), Names::Exact)?;
    let (job, dispute) = (&ctx.accounts.earnings.job, &ctx.accounts.dispute);
    emit_event!(ctx, DisputeResolved::of(job, dispute, slashed, &awards, &receipt));
    Ok(())
}

/// Slashes the provider's claim if the verdict is against it, and lets go of it if not. Returns what was slashed.
#[inline(always)]
fn take_bond(ctx: &Context<Resolve>, verdict: Verdict) -> Result<Amount> {
    let (earnings, backing) = (&ctx.accounts.earnings, &ctx.accounts.backing);
    let (claim, bump) = (earnings.job.claim, ctx.bumps.backing.claim_signer);
    if verdict.pays_provider() {
        let (_, price) = earnings.job.earned();
        let kept = if verdict == Verdict::Stands { price } else { Amount::ZERO };
        backing.release(&claim, kept, bump)?;
        return Ok(Amount::ZERO);
    }
    let slashing = Slashing {
        bond_vault: ctx.accounts.bond_vault.account(),
        destination: earnings.vault.account(),
        token_program: earnings.token_program.account(),
        amount: Amount::new(earnings.job.exposure.get()),
        ends: true,
    };
    backing.slash(&claim, &slashing, bump)
}
