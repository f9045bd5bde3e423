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
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        let vault = self.reward_vault.account();
        // The present vault may stay whatever its state, and none needs no state.
        if address_eq(vault.address(), &Address::default()) || address_eq(vault.address(), self.old_vault.address()) {
            return Ok(());
        }
        require!(!address_eq(vault.address(), self.fee_vault.address()), TreasuryError::PaysItself);
        require!(joule_token::is_of(vault, &self.accepted_mint.mint), TreasuryError::WrongMint);
        require!(joule_token::is_receiver(vault, &self.accepted_mint.mint), TreasuryError::CannotReceive);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SetRewards>, reward_bps: u16) -> Result<()> {
    ctx.accounts.validate()?;
    let balance = joule_token::balance(ctx.accounts.fee_vault.account()).ok_or(TreasuryError::WrongFeeVault)?;
    let reward_vault = *ctx.accounts.reward_vault.address();
    let old_receives = joule_token::is_receiver(ctx.accounts.old_vault.account(), &ctx.accounts.accepted_mint.mint);
    let accepted = &mut ctx.accounts.accepted_mint;
    accepted.divide(balance)?;
    accepted.set_rewards(reward_vault, reward_bps, old_receives)?;
    accepted.invariant(balance)?;
    emit_event!(
        ctx,
        RewardsChanged { mint: ctx.accounts.accepted_mint.mint, reward_vault, reward_bps: reward_bps.into() }
    );
    Ok(())
}
