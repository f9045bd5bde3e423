//! Once bidding is over, the cheapest bid has the job; anyone may see to it.

use crate::{
    error::EscrowError,
    event::JobAccepted,
    state::{Bid, Job},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: the job names the cheapest bid.
#[event_cpi]
#[derive(Accounts)]
pub struct AwardBid {
    #[account(mut)]
    pub job: Account<Job>,
    #[account(mut, close = bid_payer, address = job.best_bid @ EscrowError::WrongBid)]
    pub bid: Account<Bid>,
    #[account(mut, unsafe(dup), address = bid.rent_payer @ EscrowError::WrongRentPayer)]
    pub bid_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AwardBid>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    require!(now.get() > ctx.accounts.job.bid_until.get(), EscrowError::BidWindowOpen);
    award(&mut ctx.accounts.job, &ctx.accounts.bid, now)?;
    let (bid, price) = (*ctx.accounts.bid.address(), Amount::new(ctx.accounts.bid.price.get()));
    emit_event!(ctx, JobAccepted::of(&ctx.accounts.job, bid, price));
    Ok(())
}

/// Gives the job to whoever made the bid.
#[inline(always)]
pub fn award(job: &mut Account<Job>, bid: &Account<Bid>, now: UnixTime) -> Result<()> {
    require!(address_eq(&bid.job, job.address()), EscrowError::WrongBid);
    job.engage(&bid.engagement(), now)
}
