//! The client gives its job to a bidder of its choice.

use crate::{
    error::EscrowError,
    event::JobAccepted,
    instructions::award_bid::award,
    state::{Bid, Job},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct PickBid {
    #[account(address = job.client @ EscrowError::NotClient)]
    pub client: Signer,
    #[account(mut)]
    pub job: Account<Job>,
    /// Never changes once it is placed, so that its address is all the client agrees to.
    #[account(mut, close = bid_payer)]
    pub bid: Account<Bid>,
    #[account(mut, unsafe(dup), address = bid.rent_payer @ EscrowError::WrongRentPayer)]
    pub bid_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<PickBid>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    award(&mut ctx.accounts.job, &ctx.accounts.bid, now)?;
    let (bid, price) = (*ctx.accounts.bid.address(), Amount::new(ctx.accounts.bid.price.get()));
    emit_event!(ctx, JobAccepted::of(&ctx.accounts.job, bid, price));
    Ok(())
}
