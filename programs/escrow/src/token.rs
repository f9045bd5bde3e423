//! Moving tokens into and out of a vault in as few calls as possible.

use crate::{error::EscrowError, state::Job};
use anchor_lang::prelude::*;
use joule_token::{data_len, is_classic, is_receiver, Buffers};
use joule_units::Amount;
use pinocchio::cpi::Signer as CpiSigner;
use pinocchio_token::instructions::{InitializeAccount3, IntoBatch, Transfer};
use pinocchio_token_2022::instructions as token_2022;

pub use joule_token::{can_receive, is_owned_by, ACCOUNT_LEN};

/// An account that a job may pay into: it can receive the job's token now, and is not the job's own vault, which could never be
/// emptied into itself, and which stands in another place of whatever pays.
#[inline(always)]
pub fn require_payee(account: &AccountView, job: &Job) -> Result<()> {
    require!(!anchor_lang::address_eq(account.address(), &job.vault), EscrowError::PaysItself);
    require!(is_receiver(account, &job.mint), EscrowError::CannotReceive);
    Ok(())
}

/// What a vault holds, in base units.
#[inline(always)]
pub fn balance(vault: &AccountView) -> Result<Amount> {
    joule_token::balance(vault).ok_or(EscrowError::WrongVault.into())
}

/// Initialises a fresh vault and moves the budget into it.
#[inline(always)]
pub fn fund(
    vault: &AccountView,
    mint: &AccountView,
    job: &AccountView,
    source: &AccountView,
    client: &AccountView,
    amount: Amount,
    token_program: &Address,
) -> Result<()> {
    let (owner, amount) = (job.address(), amount.get());
    if is_classic(token_program) {
        let mut buffers = Buffers::<{ data_len(2, 33 + 9) }, 5>::new();
        let mut batch = buffers.batch()?;
        InitializeAccount3 { account: vault, mint, owner }.into_batch(&mut batch)?;
        Transfer::new(source, vault, client, amount).into_batch(&mut batch)?;
        return batch.invoke();
    }
    token_2022::InitializeAccount3 { account: vault, mint, owner, token_program }.invoke()?;
    token_2022::Transfer { from: source, to: vault, authority: client, amount, token_program }.invoke()
}

/// Moves somebody's deposit into a vault.
#[inline(always)]
pub fn deposit(
    source: &AccountView,
    vault: &AccountView,
    authority: &AccountView,
    amount: Amount,
    token_program: &Address,
) -> Result<()> {
    token_2022::Transfer { from: source, to: vault, authority, amount: amount.get(), token_program }.invoke()
}

/// Pays out of a vault and, when `close_to` is given, closes it.
#[inline(always)]
pub fn pay(
    vault: &AccountView,
    job: &AccountView,
    payments: &[(&AccountView, Amount); 4],
    close_to: Option<&AccountView>,
    token_program: &Address,
    signer: &CpiSigner,
) -> Result<()> {
    let payments = payments.iter().copied();
    joule_token::pay::<{ data_len(5, 4 * 9 + 1) }, 15>(vault, job, payments, close_to, token_program, signer)
}
