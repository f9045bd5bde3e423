//! The authority moves collected fees to any token account.

use crate::{
    constants::PROTOCOL_SEED,
    error::TreasuryError,
    event::FeesWithdrawn,
    state::{AcceptedMint, Protocol},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use pinocchio::cpi::{Seed, Signer as CpiSigner};

#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawFees {
    pub authority: Signer,
    pub protocol: Account<Protocol>,
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

    fn transfer(&self, amount: u64) -> Result<()> {
        let bump = [self.protocol.bump];
        let seeds = [Seed::from(PROTOCOL_SEED), Seed::from(&bump)];
        pinocchio_token_2022::instructions::Transfer {
            from: self.fee_vault.account(),
            to: self.destination.account(),
            authority: self.protocol.account(),
            amount,
            token_program: self.token_program.address(),
        }
        .invoke_signed(&[CpiSigner::from(&seeds)])
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<WithdrawFees>, amount: u64) -> Result<()> {
    ctx.accounts.validate(amount)?;
    ctx.accounts.transfer(amount)?;
    emit_event!(
        ctx,
        FeesWithdrawn {
            mint: ctx.accounts.accepted_mint.mint,
            destination: *ctx.accounts.destination.address(),
            amount: amount.into(),
        }
    );
    Ok(())
}
