//! The authority changes what a service charges.

use crate::{
    error::TreasuryError,
    event::FeeChanged,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct SetFee {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl SetFee {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetFee>, service: u8, fee_bps: u16) -> Result<()> {
    ctx.accounts.validate()?;
    let previous_bps = ctx.accounts.protocol.set_fee(Service::from_number(service)?, fee_bps)?;
    emit_event!(ctx, FeeChanged { service, previous_bps: previous_bps.into(), fee_bps: fee_bps.into() });
    Ok(())
}
