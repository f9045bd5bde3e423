//! The withdrawer closes a bond that holds nothing. Its reputation goes with it, the good and the bad.

use crate::{error::StakingError, event::BondClosed, state::Bond, vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct CloseBond {
    #[account(mut, unsafe(dup), address = bond.withdrawer @ StakingError::NotWithdrawer)]
    pub withdrawer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    #[account(mut, address = bond.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Chosen by the withdrawer; gets what strangers have sent to the vault.
    #[account(mut)]
    pub destination: UncheckedAccount,
    #[account(mut, unsafe(dup), address = bond.rent_payer @ StakingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CloseBond>) -> Result<()> {
    ctx.accounts.bond.require_closable()?;
    let now = Clock::get()?.unix_timestamp;
    let accounts = &ctx.accounts;
    let receiver = *vault::rent_receiver(accounts.rent_payer.account(), accounts.withdrawer.account());
    let swept = vault::balance(accounts.vault.account())?;
    let (vault, bond) = (accounts.vault.account(), accounts.bond.account());
    let token_program = accounts.token_program.address();
    accounts.bond.sign(|signer| {
        if !swept.is_zero() {
            vault::send(vault, accounts.destination.account(), bond, swept, token_program, signer)?;
        }
        vault::close(vault, &receiver, bond, token_program, signer)
    })?;
    emit_event!(
        ctx,
        BondClosed {
            bond: *ctx.accounts.bond.address(),
            owner: ctx.accounts.bond.owner,
            mint: ctx.accounts.bond.mint,
            swept: swept.get().into(),
            at: now.into(),
        }
    );
    ctx.accounts.bond.close(receiver)
}
