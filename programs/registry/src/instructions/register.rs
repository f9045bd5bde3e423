//! Somebody enrols as a provider.

use crate::{
    constants::PROVIDER_SEED,
    event::ProviderRegistered,
    state::{Profile, Provider},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Register {
    /// Pays the rent; may be the authority itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub authority: Signer,
    #[account(init, payer = payer, seeds = [PROVIDER_SEED, authority.address().as_ref()], bump)]
    pub provider: Account<Provider>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Register>, profile: Profile) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (authority, payer) = (*ctx.accounts.authority.address(), *ctx.accounts.payer.address());
    let bump = ctx.bumps.provider;
    ctx.accounts.provider.register(authority, payer, &profile, now, bump)?;
    emit_event!(
        ctx,
        ProviderRegistered {
            provider: *ctx.accounts.provider.address(),
            authority,
            payout_owner: profile.payout_owner,
        }
    );
    Ok(())
}
