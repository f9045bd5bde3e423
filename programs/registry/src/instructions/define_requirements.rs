//! A client writes down what it wants of whoever works for it, once for any number of jobs.

use crate::{
    constants::REQUIREMENTS_SEED,
    event::RequirementsDefined,
    state::{Requirements, Wanted},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
#[instruction(wanted: Wanted)]
pub struct DefineRequirements {
    /// Pays the rent and gets it back; may be the client itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub client: Signer,
    #[account(init, payer = payer, seeds = [REQUIREMENTS_SEED, client.address().as_ref(), &wanted.hash()], bump)]
    pub requirements: Account<Requirements>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DefineRequirements>, wanted: Wanted) -> Result<()> {
    let (client, payer) = (*ctx.accounts.client.address(), *ctx.accounts.payer.address());
    let bump = ctx.bumps.requirements;
    ctx.accounts.requirements.define(client, payer, &wanted, bump)?;
    emit_event!(ctx, RequirementsDefined { requirements: *ctx.accounts.requirements.address(), client });
    Ok(())
}
