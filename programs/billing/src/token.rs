//! Token accounts that payers are the authority of, under either token program.

use crate::{error::BillingError, state::Payer};
use anchor_lang::prelude::*;
use joule_units::Amount;
use pinocchio_token_2022::instructions::{InitializeAccount3, Transfer};

pub use joule_token::{can_receive, is_owned_by, is_receiver, reaches, Transfers, ACCOUNT_LEN};

/// What a token account holds, in base units.
#[inline(always)]
pub fn balance(view: &AccountView) -> Result<Amount> {
    joule_token::balance(view).ok_or(BillingError::WrongVault.into())
}

/// Makes a fresh account the token account of `owner`.
#[inline(always)]
pub fn initialize(account: &AccountView, mint: &AccountView, owner: &Address, token_program: &Address) -> Result<()> {
    InitializeAccount3 { account, mint, owner, token_program }.invoke()
}

/// Moves tokens from somebody else's account into a vault. Returns how many arrived.
#[inline(always)]
pub fn receive(
    from: &AccountView,
    vault: &AccountView,
    authority: &AccountView,
    amount: Amount,
    token_program: &Address,
) -> Result<Amount> {
    let before = balance(vault)?;
    Transfer { from, to: vault, authority, amount: amount.get(), token_program }.invoke()?;
    Ok(balance(vault)?.checked_sub(before).ok_or(BillingError::InvariantBroken)?)
}

/// Pays one amount out of a payer's vault.
#[inline(always)]
pub fn pay(
    vault: &AccountView,
    payer: &Account<Payer>,
    to: &AccountView,
    amount: Amount,
    token_program: &Address,
) -> Result<()> {
    // Under the other program nothing would be paid, whatever it says.
    require!(vault.owned_by(token_program), BillingError::WrongTokenProgram);
    payer.sign(|signer| {
        Transfer { from: vault, to, authority: payer.account(), amount: amount.get(), token_program }
            .invoke_signed(core::slice::from_ref(signer))
    })
}
