//! A creator changes what it states about a model. Price lists and derived models keep what they were made with.

use crate::{
    error::RegistryError,
    event::ModelUpdated,
    state::{Model, ModelProfile},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct UpdateModel {
    #[account(address = model.creator @ RegistryError::NotCreator)]
    pub creator: Signer,
    #[account(mut)]
    pub model: Account<Model>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<UpdateModel>, profile: ModelProfile) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.model.update(&profile, now)?;
    emit_event!(ctx, ModelUpdated::of(&ctx.accounts.model));
    Ok(())
}
