//! A provider changes what it states about itself. Jobs it already accepted keep the payout owner they were accepted with.

use crate::{
    error::RegistryError,
    event::ProviderUpdated,
    state::{Profile, Provider},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Update {
    #[account(address = provider.authority @ RegistryError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub provider: Account<Provider>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Update>, profile: Profile) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.provider.update(&profile, now)?;
    emit_event!(
        ctx,
        ProviderUpdated { provider: *ctx.accounts.provider.address(), payout_owner: profile.payout_owner }
    );
    Ok(())
}
