//! The authority lets a program lock bonds: of those who name it, after longer than it takes to leave.

use crate::{constants::SERVICE_SEED, error::StakingError, event::ServiceAdmitted, state::Service};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
#[instruction(admitted: Address, number: u8)]
pub struct AdmitService {
    #[account(mut)]
    pub authority: Signer,
    #[account(constraint = protocol.authority == *authority.address() @ StakingError::NotAuthority)]
    pub protocol: Account<Protocol>,
    #[account(init, payer = authority, seeds = [SERVICE_SEED, &[number]], bump)]
    pub service: Account<Service>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AdmitService>, admitted: Address, number: u8) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    // Only numbers that the protocol knows.
    let known = joule_treasury::state::Service::from_number(number)?;
    let (protocol, bump) = (&ctx.accounts.protocol, ctx.bumps.service);
    ctx.accounts.service.admit(admitted, known, protocol, now, bump)?;
    let service = &ctx.accounts.service;
    emit_event!(
        ctx,
        ServiceAdmitted {
            service: *service.address(),
            program: admitted,
            signer: service.signer,
            at: now.get().into(),
            in_force_at: service.in_force_at,
            number,
        }
    );
    Ok(())
}
