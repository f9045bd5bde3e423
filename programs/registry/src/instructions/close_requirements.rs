//! Requirements that no job can name any more give their rent back; anyone may see to it.

use crate::{error::RegistryError, event::RequirementsClosed, state::Requirements};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: nothing that counts is lost.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseRequirements {
    #[account(mut, close = rent_payer)]
    pub requirements: Account<Requirements>,
    #[account(mut, address = requirements.rent_payer @ RegistryError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CloseRequirements>) -> Result<()> {
    ctx.accounts.requirements.require_closable(UnixTime::new(Clock::get()?.unix_timestamp))?;
    emit_event!(
        ctx,
        RequirementsClosed {
            requirements: *ctx.accounts.requirements.address(),
            client: ctx.accounts.requirements.client,
        }
    );
    Ok(())
}
