//! A client drops requirements that it needs no more. Jobs that name them can be accepted only once they are defined again.

use crate::{error::RegistryError, event::RequirementsDropped, state::Requirements};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct DropRequirements {
    #[account(address = requirements.client @ RegistryError::NotClient)]
    pub client: Signer,
    #[account(mut, close = rent_payer)]
    pub requirements: Account<Requirements>,
    #[account(mut, unsafe(dup), address = requirements.rent_payer @ RegistryError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DropRequirements>) -> Result<()> {
    emit_event!(
        ctx,
        RequirementsDropped {
            requirements: *ctx.accounts.requirements.address(),
            client: *ctx.accounts.client.address(),
        }
    );
    Ok(())
}
