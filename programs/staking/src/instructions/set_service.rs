//! The authority stops a service from locking, or lets it again. Without a claim on anybody's money there is no exit to
//! close: what the service holds it can still release and slash.

use crate::{error::StakingError, event::ServiceChanged, state::Service};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
pub struct SetService {
    pub authority: Signer,
    #[account(constraint = protocol.authority == *authority.address() @ StakingError::NotAuthority)]
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub service: Account<Service>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetService>, enabled: bool) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.service.enabled = enabled as u8;
    let service = &ctx.accounts.service;
    emit_event!(
        ctx,
        ServiceChanged {
            service: *service.address(),
            program: service.program,
            at: now.into(),
            enabled: service.enabled,
        }
    );
    Ok(())
}
