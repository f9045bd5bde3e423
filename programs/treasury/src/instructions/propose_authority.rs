//! The authority names its successor, who must accept: a typing error cannot lose the protocol.

use crate::{error::TreasuryError, event::AuthorityProposed, state::Protocol};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct ProposeAuthority {
    pub authority: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl ProposeAuthority {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ProposeAuthority>, next: Address) -> Result<()> {
    ctx.accounts.validate()?;
    ctx.accounts.protocol.propose_authority(next);
    emit_event!(ctx, AuthorityProposed { authority: *ctx.accounts.authority.address(), next });
    Ok(())
}
