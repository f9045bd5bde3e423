//! Somebody makes a model known, with the one it derives from.

use crate::{
    constants::MODEL_SEED,
    event::ModelCreated,
    state::{Birth, Model, ModelProfile},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct CreateModel {
    /// Pays the rent, for good; may be the creator itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub creator: Signer,
    /// What it derives from; left out when it derives from nothing. Its creator need not agree: it has its royalty.
    pub base: Option<Account<Model>>,
    #[account(init, payer = payer, seeds = [MODEL_SEED, creator.address().as_ref(), &id.to_le_bytes()], bump)]
    pub model: Account<Model>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CreateModel>, id: u64, royalty_bps: u16, profile: ModelProfile) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let birth = Birth { creator: *ctx.accounts.creator.address(), id, royalty_bps, bump: ctx.bumps.model };
    let base = ctx.accounts.base.as_ref().map(|base| (base.address(), &**base));
    ctx.accounts.model.create(&birth, &profile, base, now)?;
    let model = &ctx.accounts.model;
    emit_event!(
        ctx,
        ModelCreated {
            model: *model.address(),
            creator: model.creator,
            base: model.base,
            payout_owner: model.payout_owner,
            id: model.id,
            royalty_bps: model.royalty_bps,
        }
    );
    Ok(())
}
