//! An owner takes out what its stake has earned.

use crate::{
    error::StakingError,
    event::RewardsClaimed,
    state::{Pool, Stake},
    vault,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct ClaimRewards {
    #[account(address = stake.owner @ StakingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = stake.pool @ StakingError::WrongPool)]
    pub pool: Account<Pool>,
    #[account(mut)]
    pub stake: Account<Stake>,
    #[account(mut, address = pool.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Chosen by the owner; the token program checks that it holds the same token.
    #[account(mut)]
    pub destination: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ClaimRewards>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let amount = ctx.accounts.stake.claim(&mut ctx.accounts.pool, UnixTime::new(now))?;
    let accounts = &ctx.accounts;
    accounts.pool.sign(|signer| {
        vault::send(
            accounts.vault.account(),
            accounts.destination.account(),
            accounts.pool.account(),
            amount,
            accounts.token_program.address(),
            signer,
        )
    })?;
    let stake = &ctx.accounts.stake;
    emit_event!(
        ctx,
        RewardsClaimed {
            pool: stake.pool,
            stake: *stake.address(),
            owner: stake.owner,
            destination: *ctx.accounts.destination.address(),
            amount: amount.get().into(),
            at: now.into(),
        }
    );
    Ok(())
}
