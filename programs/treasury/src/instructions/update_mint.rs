//! The authority changes the terms of a token, or retires it for new work; running jobs end as they began.

use crate::{
    error::TreasuryError,
    event::MintUpdated,
    state::{AcceptedMint, Protocol},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct UpdateMint {
    pub authority: Signer,
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
}

impl UpdateMint {
    fn validate(&self, min_amount: u64) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        require!(min_amount > 0, TreasuryError::ZeroAmount);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<UpdateMint>, enabled: bool, min_amount: u64) -> Result<()> {
    ctx.accounts.validate(min_amount)?;
    ctx.accounts.accepted_mint.update(enabled, min_amount);
    emit_event!(
        ctx,
        MintUpdated { mint: ctx.accounts.accepted_mint.mint, enabled: enabled as u8, min_amount: min_amount.into() }
    );
    Ok(())
}
