//! A dispute whose votes are all closed, and whose absent members are punished, is closed too, and what was left of the jurors' part is the client's; anyone may see
//! to it. `pay` then pays that out and closes the job.

use crate::{
    error::EscrowError,
    event::DisputeClosed,
    state::{Dispute, Job},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

/// Nobody needs to sign: the dispute says who gets its rent.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseDispute {
    #[account(mut, address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut, close = rent_payer)]
    pub dispute: Account<Dispute>,
    #[account(mut, unsafe(dup), address = dispute.rent_payer @ EscrowError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CloseDispute>) -> Result<()> {
    ctx.accounts.dispute.require_wound_up()?;
    ctx.accounts.job.wind_up();
    emit_event!(ctx, DisputeClosed { job: *ctx.accounts.job.address(), dispute: *ctx.accounts.dispute.address() });
    Ok(())
}
