//! A provider offers to do a job for less than its budget, and binds itself to it.

use crate::{
    constants::BID_SEED,
    error::EscrowError,
    event::BidPlaced,
    groups::*,
    state::{Bid, Job},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::{Protocol, Service};
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct PlaceBid {
    /// Pays the rent of bid and claim and gets it back; may be the provider's authority.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub candidate: Nested<Candidate>,
    #[account(mut)]
    pub job: Account<Job>,
    #[account(
        init, payer = payer, seeds = [BID_SEED, job.address().as_ref(), candidate.provider.address().as_ref()], bump
    )]
    pub bid: Account<Bid>,
    /// Token account of the provider's payout owner that the price would be paid into.
    pub payout: UncheckedAccount,
    pub protocol: Account<Protocol>,
    pub system_program: Program<System>,
}

impl PlaceBid {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Escrow, now), EscrowError::Paused);
        self.job.require_open(now)?;
        require!(now.get() <= self.job.bid_until.get(), EscrowError::BidWindowClosed);
        self.candidate.validate(&self.job, now)?;
        self.candidate.require_payout(self.payout.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<PlaceBid>, price: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let exposure = ctx.accounts.job.exposure(Amount::new(price))?;
    ctx.accounts.candidate.locking.lock(&Lock {
        payer: ctx.accounts.payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: *ctx.accounts.bid.address(),
        amount: exposure,
        // It may be given the job in the last moment.
        until: ctx.accounts.job.bound_until(UnixTime::new(ctx.accounts.job.accept_by.get()))?,
        bump: ctx.bumps.candidate.locking.claim_signer,
    })?;
    let (payout, payer) = (ctx.accounts.payout.address(), ctx.accounts.payer.address());
    let engagement = ctx.accounts.candidate.engagement(payout, payer, Amount::new(price), exposure);
    let (job, bump) = (*ctx.accounts.job.address(), ctx.bumps.bid);
    ctx.accounts.bid.place(job, &engagement, *payer, now.get(), bump);
    let bid = *ctx.accounts.bid.address();
    ctx.accounts.job.note_bid(bid, engagement.price);
    emit_event!(
        ctx,
        BidPlaced {
            job,
            bid,
            provider: *engagement.provider,
            price: price.into(),
            exposure: exposure.get().into(),
            placed_at: now.get().into(),
        }
    );
    Ok(())
}
