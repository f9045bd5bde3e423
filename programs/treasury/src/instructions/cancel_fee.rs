//! The authority takes an announced fee back.

use crate::{
    error::TreasuryError,
    event::FeeCancelled,
    state::{Protocol, Service},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct CancelFee {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl CancelFee {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CancelFee>, service: u8) -> Result<()> {
    ctx.accounts.validate()?;
    let fee_bps = ctx.accounts.protocol.cancel_fee(Service::from_number(service)?)?;
    emit_event!(ctx, FeeCancelled { service, fee_bps: fee_bps.into() });
    Ok(())
}
