//! The authority opens a token for staking.

use crate::{
    constants::{POOL_SEED, POOL_VAULT_SEED},
    error::StakingError,
    event::PoolCreated,
    state::{Params, Pool},
    vault,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_treasury::state::{AcceptedMint, Protocol};
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct CreatePool {
    #[account(mut)]
    pub authority: Signer,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    #[account(constraint = protocol.authority == *authority.address() @ StakingError::NotAuthority)]
    pub protocol: Account<Protocol>,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    #[account(address = accepted_mint.mint @ StakingError::WrongMint)]
    pub mint: UncheckedAccount,
    #[account(init, payer = authority, seeds = [POOL_SEED, mint.address().as_ref()], bump)]
    pub pool: Account<Pool>,
    #[account(
        init, payer = authority, space = vault::ACCOUNT_LEN, owner = *token_program.address(),
        seeds = [POOL_VAULT_SEED, pool.address().as_ref()], bump
    )]
    pub vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl CreatePool {
    fn validate(&self) -> Result<()> {
        require!(self.accepted_mint.is_enabled(), StakingError::MintNotAccepted);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CreatePool>, params: Params) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let (mint, vault) = (*ctx.accounts.mint.address(), *ctx.accounts.vault.address());
    let (bump, vault_bump) = (ctx.bumps.pool, ctx.bumps.vault);
    let pool = &mut ctx.accounts.pool;
    pool.create(mint, vault, UnixTime::new(now), bump, vault_bump);
    pool.set_params(&params, UnixTime::new(now))?;
    vault::initialize(
        ctx.accounts.vault.account(),
        ctx.accounts.mint.account(),
        ctx.accounts.pool.address(),
        ctx.accounts.token_program.address(),
    )?;
    let pool = &ctx.accounts.pool;
    emit_event!(
        ctx,
        PoolCreated {
            pool: *pool.address(),
            mint,
            vault,
            max_lock: pool.max_lock,
            cool_down: pool.cool_down,
            drip: pool.drip,
            tier_weights: pool.tier_weights,
            tier_discounts_bps: pool.tier_discounts_bps,
            at: now.into(),
        }
    );
    Ok(())
}
