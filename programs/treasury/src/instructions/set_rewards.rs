//! The authority changes the stakers' share of the fees, and where it goes.

use crate::{
    error::TreasuryError,
    event::RewardsChanged,
    state::{AcceptedMint, Protocol},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct SetRewards {
    pub authority: Signer,
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
    #[account(address = accepted_mint.fee_vault @ TreasuryError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    /// The one until now.
    #[account(address = accepted_mint.reward_vault @ TreasuryError::WrongRewardVault)]
    pub old_vault: UncheckedAccount,
    /// A token account of this mint; or the zero address, which is the system program's, for none.
    pub reward_vault: UncheckedAccount,
}

impl SetRewards {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        require!(address_eq(&self.protocol.authority, self.authority.address()), TreasuryError::NotAuthority);
        let vault = self.reward_vault.account();
        // The present vault may stay whatever its state, and none needs no state.
        if address_eq(vault.address(), &Address::default()) || address_eq(vault.address(), self.old_vault.address()) {
            return Ok(());
        }
        require!(!address_eq(vault.address(), self.fee_vault.address()), TreasuryError::PaysItself);
        if !joule_token::is_receiver(vault, &self.accepted_mint.mint) {
            require!(joule_token::is_of(vault, &self.accepted_mint.mint), TreasuryError::WrongMint);
            return Err(TreasuryError::CannotReceive.into());
        }
        Ok(())
    }

    /// Whether the vault until now waits for something that could be sent to it.
    #[inline(always)]
    fn is_owed(&self) -> bool {
        !self.accepted_mint.owed_rewards.is_zero()
            && joule_token::is_receiver(self.old_vault.account(), &self.accepted_mint.mint)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetRewards>, reward_bps: u16) -> Result<()> {
    ctx.accounts.validate()?;
    let balance = joule_token::balance(ctx.accounts.fee_vault.account()).ok_or(TreasuryError::WrongFeeVault)?;
    let reward_vault = *ctx.accounts.reward_vault.address();
    ctx.accounts.accepted_mint.divide(balance)?;
    let is_owed = ctx.accounts.is_owed();
    ctx.accounts.accepted_mint.set_rewards(reward_vault, reward_bps, is_owed)?;
    emit_event!(
        ctx,
        RewardsChanged { mint: ctx.accounts.accepted_mint.mint, reward_vault, reward_bps: reward_bps.into() }
    );
    Ok(())
}
