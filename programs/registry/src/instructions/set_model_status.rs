//! A creator retires a model, or brings it back. Channels that were opened go on.

use crate::{
    error::RegistryError,
    event::ModelUpdated,
    state::{Model, ModelStatus},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct SetModelStatus {
    #[account(address = model.creator @ RegistryError::NotCreator)]
    pub creator: Signer,
    #[account(mut)]
    pub model: Account<Model>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetModelStatus>, status: u8) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.model.set_status(ModelStatus::from_number(status)?, now);
    emit_event!(ctx, ModelUpdated::of(&ctx.accounts.model));
    Ok(())
}
