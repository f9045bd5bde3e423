//! The authority replaces the guardian.

use crate::{error::TreasuryError, event::GuardianChanged, state::Protocol};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct SetGuardian {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl SetGuardian {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetGuardian>, guardian: Address) -> Result<()> {
    ctx.accounts.validate()?;
    let previous = core::mem::replace(&mut ctx.accounts.protocol.guardian, guardian);
    emit_event!(ctx, GuardianChanged { previous, guardian });
    Ok(())
}
