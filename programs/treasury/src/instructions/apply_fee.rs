//! Anyone lets an announced fee hold once its delay is over; jobs already open keep the fee they were opened with.

use crate::{
    event::FeeChanged,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the authority did when it announced the fee.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyFee {
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ApplyFee>, service: u8) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let (previous, fee) = ctx.accounts.protocol.apply_fee(Service::from_number(service)?, now)?;
    emit_event!(ctx, FeeChanged { service, previous_bps: previous.into(), fee_bps: fee.into() });
    Ok(())
}
