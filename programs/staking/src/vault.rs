//! Token accounts that the program is the authority of, under either token program.

use crate::error::StakingError;
use anchor_lang::prelude::*;
use joule_units::Amount;
use pinocchio::cpi::Signer as CpiSigner;
use pinocchio_token_2022::instructions::{CloseAccount, InitializeAccount3, Transfer};

pub use joule_token::ACCOUNT_LEN;

/// What a token account holds, in base units.
#[inline(always)]
pub fn balance(view: &AccountView) -> Result<Amount> {
    joule_token::balance(view).ok_or(StakingError::WrongVault.into())
}

/// Makes a fresh account the token account of `owner`.
pub fn initialize(account: &AccountView, mint: &AccountView, owner: &Address, token_program: &Address) -> Result<()> {
    InitializeAccount3 { account, mint, owner, token_program }.invoke()
}

/// Moves tokens from somebody else's account into a vault. Returns how many arrived.
pub fn receive(
    from: &AccountView,
    vault: &AccountView,
    authority: &AccountView,
    amount: u64,
    token_program: &Address,
) -> Result<Amount> {
    let before = balance(vault)?;
    Transfer { from, to: vault, authority, amount, token_program }.invoke()?;
    Ok(balance(vault)?.checked_sub(before).ok_or(StakingError::InvariantBroken)?)
}

/// Moves tokens out of a vault.
#[inline(always)]
pub fn send(
    vault: &AccountView,
    to: &AccountView,
    authority: &AccountView,
    amount: Amount,
    token_program: &Address,
    signer: &CpiSigner,
) -> Result<()> {
    Transfer { from: vault, to, authority, amount: amount.get(), token_program }
        .invoke_signed(core::slice::from_ref(signer))
}

/// Closes an empty vault.
pub fn close(
    vault: &AccountView,
    rent_receiver: &AccountView,
    authority: &AccountView,
    token_program: &Address,
    signer: &CpiSigner,
) -> Result<()> {
    CloseAccount { account: vault, destination: rent_receiver, authority, token_program }
        .invoke_signed(core::slice::from_ref(signer))
}

/// Whoever paid the rent; but not once that address has become a program, whose lamports no caller of ours would see come. Then
/// `otherwise`.
#[inline(always)]
pub fn rent_receiver<'a>(rent_payer: &'a AccountView, otherwise: &'a AccountView) -> &'a AccountView {
    if rent_payer.executable() {
        otherwise
    } else {
        rent_payer
    }
}
