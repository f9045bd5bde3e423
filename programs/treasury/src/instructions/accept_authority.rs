//! The proposed authority takes over.

use crate::{error::TreasuryError, event::AuthorityChanged, state::Protocol};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAuthority {
    pub next: Signer,
    #[account(mut)]
    pub protocol: Account<Protocol>,
}

impl AcceptAuthority {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.pending_authority == *self.next.address(), TreasuryError::NotPendingAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AcceptAuthority>) -> Result<()> {
    ctx.accounts.validate()?;
    let previous = ctx.accounts.protocol.accept_authority();
    emit_event!(ctx, AuthorityChanged { previous, authority: *ctx.accounts.next.address() });
    Ok(())
}
