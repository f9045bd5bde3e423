//! The authority announces what a service will charge.

use crate::{
    error::TreasuryError,
    event::FeeStaged,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct StageFee {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl StageFee {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<StageFee>, service: u8, fee_bps: u16) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let effective_at = ctx.accounts.protocol.stage_fee(Service::from_number(service)?, fee_bps, now)?;
    emit_event!(
        ctx,
        FeeStaged {
            service,
            present_bps: ctx.accounts.protocol.fee_bps[service as usize],
            fee_bps: fee_bps.into(),
            effective_at: effective_at.into(),
        }
    );
    Ok(())
}
