//! An owner adds to its stake.

use crate::{
    constants::STAKE_SEED,
    error::StakingError,
    event::Staked,
    state::{Pool, Stake},
    vault,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_accounts::{load_or_create, Opened};
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct AddStake {
    /// Pays the rent of a first stake and gets it back; may be the owner itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owns `source`, or may spend from it; the token program checks that.
    pub owner: Signer,
    #[account(mut)]
    pub pool: Account<Pool>,
    /// PDA `["stake", pool, owner]`: created by the first stake, and proven by its fields in later ones.
    #[account(mut)]
    pub stake: UncheckedAccount,
    #[account(mut, address = pool.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(mut)]
    pub source: UncheckedAccount,
    pub accepted_mint: Account<AcceptedMint>,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl AddStake {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(address_eq(&self.accepted_mint.mint, &self.pool.mint), StakingError::WrongMint);
        require!(self.accepted_mint.is_enabled(), StakingError::MintNotAccepted);
        require!(amount > 0, StakingError::ZeroAmount);
        Ok(())
    }

    #[inline(always)]
    fn stake(&self) -> Result<Account<Stake>> {
        let (view, pool, owner) = (*self.stake.account(), *self.pool.address(), *self.owner.address());
        let seeds = [STAKE_SEED, pool.as_ref(), owner.as_ref()];
        // SAFETY: `stake` is `mut` without `unsafe(dup)`, and loaded here only.
        let Opened::<Stake> { account: mut stake, bump } =
            unsafe { load_or_create(view, self.payer.account(), seeds)? };
        if let Some(bump) = bump {
            stake.open(pool, owner, *self.payer.address(), bump);
        }
        // Only this program makes stakes, and for each pool and owner at one address.
        require!(address_eq(&stake.owner, &owner), StakingError::NotOwner);
        require!(address_eq(&stake.pool, &pool), StakingError::WrongPool);
        Ok(stake)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AddStake>, amount: u64, lock_seconds: u32) -> Result<()> {
    ctx.accounts.validate(amount)?;
    let now = Clock::get()?.unix_timestamp;
    let mut stake = ctx.accounts.stake()?;
    let arrived = vault::receive(
        ctx.accounts.source.account(),
        ctx.accounts.vault.account(),
        ctx.accounts.owner.account(),
        amount,
        ctx.accounts.token_program.address(),
    )?;
    stake.add(&mut ctx.accounts.pool, arrived, lock_seconds, UnixTime::new(now))?;
    require!(stake.amount.get() >= ctx.accounts.accepted_mint.min_amount.get(), StakingError::AmountTooSmall);
    emit_event!(
        ctx,
        Staked {
            pool: stake.pool,
            stake: *stake.address(),
            owner: stake.owner,
            added: arrived.get().into(),
            amount: stake.amount,
            weight: stake.weight,
            lock_end: stake.lock_end,
            at: now.into(),
        }
    );
    Ok(())
}
