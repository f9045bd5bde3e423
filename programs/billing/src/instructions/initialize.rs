//! The protocol's authority writes down which cluster this is.

use crate::{constants::CLUSTER_SEED, error::BillingError, event::ClusterInitialized, state::Cluster};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::Protocol;

#[event_cpi]
#[derive(Accounts)]
pub struct Initialize {
    /// Pays the rent, for good.
    #[account(mut, address = protocol.authority @ BillingError::NotAuthority)]
    pub authority: Signer,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    #[account(init, payer = authority, seeds = [CLUSTER_SEED], bump)]
    pub cluster: Account<Cluster>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Initialize>, genesis_hash: [u8; 32]) -> Result<()> {
    ctx.accounts.cluster.genesis_hash = genesis_hash;
    ctx.accounts.cluster.bump = ctx.bumps.cluster;
    emit_event!(ctx, ClusterInitialized { genesis_hash });
    Ok(())
}
