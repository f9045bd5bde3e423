//! The authority lets a program lock bonds.

use crate::{constants::SERVICE_SEED, error::StakingError, event::ServiceAdmitted, state::Service};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
#[instruction(admitted: Address, number: u8)]
pub struct AdmitService {
    #[account(mut)]
    pub authority: Signer,
    #[account(constraint = protocol.authority == *authority.address() @ StakingError::NotAuthority)]
    pub protocol: Account<Protocol>,
    #[account(init, payer = authority, seeds = [SERVICE_SEED, admitted.as_ref()], bump)]
    pub service: Account<Service>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AdmitService>, admitted: Address, number: u8) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    // Only numbers that the protocol knows.
    joule_treasury::state::Service::from_number(number)?;
    ctx.accounts.service.admit(admitted, number, now, ctx.bumps.service);
    let service = &ctx.accounts.service;
    emit_event!(
        ctx,
        ServiceAdmitted {
            service: *service.address(),
            program: admitted,
            signer: service.signer,
            at: now.into(),
            number,
        }
    );
    Ok(())
}
