//! An owner takes out what has cooled.

use crate::{
    error::StakingError,
    event::StakeWithdrawn,
    state::{Pool, Stake},
    vault,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawStake {
    #[account(mut, unsafe(dup), address = stake.owner @ StakingError::NotOwner)]
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
    #[account(mut, unsafe(dup), address = stake.rent_payer @ StakingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<WithdrawStake>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (pool, stake) = (&mut ctx.accounts.pool, &mut ctx.accounts.stake);
    let amount = stake.withdraw(pool, UnixTime::new(now))?;
    let closes = stake.is_empty();
    if closes {
        pool.inherit(stake.fraction.get())?;
    }
    if !amount.is_zero() {
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
    }
    let stake = &ctx.accounts.stake;
    emit_event!(
        ctx,
        StakeWithdrawn {
            pool: stake.pool,
            stake: *stake.address(),
            owner: stake.owner,
            destination: *ctx.accounts.destination.address(),
            amount: amount.get().into(),
            at: now.into(),
            closed: closes as u8,
        }
    );
    if closes {
        let rent_payer = ctx.accounts.rent_payer.account();
        let receiver = *vault::rent_receiver(rent_payer, ctx.accounts.owner.account());
        ctx.accounts.stake.close(receiver)?;
    }
    Ok(())
}
