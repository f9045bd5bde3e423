//! A provider leaves. Its accepted jobs carry all they need and end as they began.

use crate::{error::RegistryError, event::ProviderRetired, state::Provider};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Retire {
    #[account(address = provider.authority @ RegistryError::NotAuthority)]
    pub authority: Signer,
    #[account(mut, close = rent_payer)]
    pub provider: Account<Provider>,
    #[account(mut, unsafe(dup), address = provider.rent_payer @ RegistryError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Retire>) -> Result<()> {
    emit_event!(
        ctx,
        ProviderRetired { provider: *ctx.accounts.provider.address(), authority: *ctx.accounts.authority.address() }
    );
    Ok(())
}
