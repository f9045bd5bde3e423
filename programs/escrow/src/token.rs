//! Moving tokens into and out of a vault in as few calls as possible.

use crate::{error::EscrowError, state::Job};
use anchor_lang::prelude::*;
use core::mem::MaybeUninit;
use joule_units::Amount;
use pinocchio::{
    cpi::{CpiAccount, Signer as CpiSigner},
    instruction::InstructionAccount,
};
use pinocchio_token::instructions::{Batch, CloseAccount, InitializeAccount3, IntoBatch, Transfer};
use pinocchio_token_2022::instructions as token_2022;

use joule_token::is_receiver;
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

#[inline(always)]
fn is_classic(token_program: &Address) -> bool {
    anchor_lang::address_eq(token_program, &pinocchio_token::ID)
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
    let signers = core::slice::from_ref(signer);
    let payments = payments.iter().filter(|(_, amount)| !amount.is_zero());
    if is_classic(token_program) {
        let mut buffers = Buffers::<{ data_len(5, 4 * 9 + 1) }, 15>::new();
        let mut batch = buffers.batch()?;
        for (to, amount) in payments {
            Transfer::new(vault, to, job, amount.get()).into_batch(&mut batch)?;
        }
        if let Some(destination) = close_to {
            CloseAccount::new(vault, destination, job).into_batch(&mut batch)?;
        }
        return batch.invoke_signed(signers);
    }
    for (to, amount) in payments {
        token_2022::Transfer { from: vault, to, authority: job, amount: amount.get(), token_program }
            .invoke_signed(signers)?;
    }
    if let Some(destination) = close_to {
        token_2022::CloseAccount { account: vault, destination, authority: job, token_program }
            .invoke_signed(signers)?;
    }
    Ok(())
}

/// Bytes of batch data for `count` instructions whose own data is `len` long in all.
const fn data_len(count: usize, len: usize) -> usize {
    1 + 2 * count + len
}

/// Room on the stack for a batch.
struct Buffers<'a, const DATA: usize, const ACCOUNTS: usize> {
    data: [MaybeUninit<u8>; DATA],
    instruction_accounts: [MaybeUninit<InstructionAccount<'a>>; ACCOUNTS],
    accounts: [MaybeUninit<CpiAccount<'a>>; ACCOUNTS],
}

impl<'a, const DATA: usize, const ACCOUNTS: usize> Buffers<'a, DATA, ACCOUNTS> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            data: [const { MaybeUninit::uninit() }; DATA],
            instruction_accounts: [const { MaybeUninit::uninit() }; ACCOUNTS],
            accounts: [const { MaybeUninit::uninit() }; ACCOUNTS],
        }
    }

    #[inline(always)]
    fn batch(&mut self) -> Result<Batch<'a, '_>> {
        Batch::new(&mut self.data, &mut self.instruction_accounts, &mut self.accounts)
    }
}
