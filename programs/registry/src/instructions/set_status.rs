//! A provider starts or stops taking work.

use crate::{
    error::RegistryError,
    event::ProviderStatusChanged,
    state::{Provider, ProviderStatus},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct SetStatus {
    #[account(address = provider.authority @ RegistryError::NotAuthority)]
    pub authority: Signer,
    #[account(mut)]
    pub provider: Account<Provider>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetStatus>, status: u8) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.provider.set_status(ProviderStatus::from_number(status)?, now);
    emit_event!(ctx, ProviderStatusChanged { provider: *ctx.accounts.provider.address(), status });
    Ok(())
}
