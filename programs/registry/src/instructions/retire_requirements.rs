//! A client retires requirements: no new job can name them from then on. Jobs that name them go on, and are judged by them.

use crate::{error::RegistryError, event::RequirementsRetired, state::Requirements};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct RetireRequirements {
    #[account(address = requirements.client @ RegistryError::NotClient)]
    pub client: Signer,
    #[account(mut)]
    pub requirements: Account<Requirements>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<RetireRequirements>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.requirements.retire(now)?;
    emit_event!(
        ctx,
        RequirementsRetired {
            requirements: *ctx.accounts.requirements.address(),
            client: *ctx.accounts.client.address(),
            at: now.get().into(),
        }
    );
    Ok(())
}
