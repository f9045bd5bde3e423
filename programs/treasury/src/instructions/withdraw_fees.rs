//! The authority moves the treasury's own part of the fees to any token account, as far as the breaker allows.

use crate::{
    constants::PROTOCOL_SEED,
    error::TreasuryError,
    event::FeesWithdrawn,
    state::{AcceptedMint, Protocol},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};
use pinocchio::cpi::{Seed, Signer as CpiSigner};

#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawFees {
    pub authority: Signer,
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
    #[account(mut, address = accepted_mint.fee_vault @ TreasuryError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    /// Chosen by the authority; the token program checks that it holds the same token.
    #[account(mut)]
    pub destination: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl WithdrawFees {
    fn validate(&self, amount: u64) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        require!(amount > 0, TreasuryError::ZeroAmount);
        Ok(())
    }
}

/// Moves tokens out of a fee vault.
#[inline(always)]
pub(super) fn transfer(
    protocol: &Account<Protocol>,
    from: &AccountView,
    to: &AccountView,
    amount: Amount,
    token_program: &Address,
) -> Result<()> {
    let bump = [protocol.bump];
    let seeds = [Seed::from(PROTOCOL_SEED), Seed::from(&bump)];
    let (authority, amount) = (protocol.account(), amount.get());
    pinocchio_token_2022::instructions::Transfer { from, to, authority, amount, token_program }
        .invoke_signed(&[CpiSigner::from(&seeds)])
}

#[inline(always)]
pub fn handler(ctx: &mut Context<WithdrawFees>, amount: u64) -> Result<()> {
    ctx.accounts.validate(amount)?;
    let (now, amount) = (UnixTime::new(Clock::get()?.unix_timestamp), Amount::new(amount));
    let balance = joule_token::balance(ctx.accounts.fee_vault.account()).ok_or(TreasuryError::WrongFeeVault)?;
    let accepted = &mut ctx.accounts.accepted_mint;
    accepted.divide(balance)?;
    accepted.withdraw(amount, now)?;
    accepted.invariant(balance.checked_sub(amount).ok_or(TreasuryError::InvariantBroken)?)?;
    transfer(
        &ctx.accounts.protocol,
        ctx.accounts.fee_vault.account(),
        ctx.accounts.destination.account(),
        amount,
        ctx.accounts.token_program.address(),
    )?;
    emit_event!(
        ctx,
        FeesWithdrawn {
            mint: ctx.accounts.accepted_mint.mint,
            destination: *ctx.accounts.destination.address(),
            amount: amount.get().into(),
        }
    );
    Ok(())
}
