//! A provider takes an open job and locks a part of its bond behind it.

use crate::{error::EscrowError, event::JobAccepted, groups::*, state::Job};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::{Protocol, Service};
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Accept {
    /// Pays the rent of the claim and gets it back; may be the provider's authority.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub candidate: Nested<Candidate>,
    #[account(mut)]
    pub job: Account<Job>,
    /// Token account of the provider's payout owner that the price will be paid into.
    pub payout: UncheckedAccount,
    pub protocol: Account<Protocol>,
    pub system_program: Program<System>,
}

impl Accept {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Escrow, now), EscrowError::Paused);
        self.job.require_open(now)?;
        require!(self.job.bid_until.get() == 0, EscrowError::TakesBids);
        self.candidate.validate(&self.job, now)?;
        self.candidate.require_payout(self.payout.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Accept>, price: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let exposure = ctx.accounts.job.exposure(Amount::new(price))?;
    ctx.accounts.candidate.locking.lock(&Lock {
        payer: ctx.accounts.payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: *ctx.accounts.job.address(),
        amount: exposure,
        until: ctx.accounts.job.bound_until(now)?,
        bump: ctx.bumps.candidate.locking.claim_signer,
    })?;
    let (payout, payer) = (ctx.accounts.payout.address(), ctx.accounts.payer.address());
    let engagement = ctx.accounts.candidate.engagement(payout, payer, Amount::new(price), exposure);
    ctx.accounts.job.engage(&engagement, now)?;
    emit_event!(ctx, JobAccepted::of(&ctx.accounts.job, Address::default(), engagement.price));
    Ok(())
}
