//! Anyone closes an account of credentials of which none can be asked for any more; its rent returns to whoever paid it.

use crate::{error::RegistryError, event::AttestationsClosed, state::Attestations};
use anchor_lang::prelude::*;
use joule_events::emit_event;

/// Nobody needs to sign: nothing that counts is lost.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseAttestations {
    #[account(mut, close = rent_payer)]
    pub attestations: Account<Attestations>,
    #[account(mut, address = attestations.rent_payer @ RegistryError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CloseAttestations>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    require!(!ctx.accounts.attestations.is_needed(now), RegistryError::StillAttested);
    emit_event!(
        ctx,
        AttestationsClosed {
            attestations: *ctx.accounts.attestations.address(),
            subject: ctx.accounts.attestations.subject,
        }
    );
    Ok(())
}
