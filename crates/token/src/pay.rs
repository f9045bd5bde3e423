//! Moving tokens out of a vault in as few calls as possible.

use core::mem::MaybeUninit;
use joule_units::Amount;
use pinocchio::{
    account::AccountView,
    cpi::{CpiAccount, Signer},
    error::ProgramError,
    instruction::InstructionAccount,
    Address, ProgramResult,
};
use pinocchio_token::instructions::{Batch, CloseAccount, IntoBatch, Transfer};
use pinocchio_token_2022::instructions as token_2022;

/// Whether the program takes batches.
#[inline(always)]
pub fn is_classic(token_program: &Address) -> bool {
    anchor_lang::address_eq(token_program, &pinocchio_token::ID)
}

/// Pays out of a vault and, when `close_to` is given, closes it. `DATA` and `ACCOUNTS` are the room that a batch of all of it
/// takes: [`data_len`], and three accounts for each call.
#[inline(always)]
pub fn pay<'a, const DATA: usize, const ACCOUNTS: usize>(
    vault: &'a AccountView,
    authority: &'a AccountView,
    payments: impl Iterator<Item = (&'a AccountView, Amount)>,
    close_to: Option<&'a AccountView>,
    token_program: &Address,
    signer: &Signer,
) -> ProgramResult {
    let signers = core::slice::from_ref(signer);
    let payments = payments.filter(|(_, amount)| !amount.is_zero());
    if is_classic(token_program) {
        let mut buffers = Buffers::<DATA, ACCOUNTS>::new();
        let mut batch = buffers.batch()?;
        for (to, amount) in payments {
            Transfer::new(vault, to, authority, amount.get()).into_batch(&mut batch)?;
        }
        if let Some(destination) = close_to {
            CloseAccount::new(vault, destination, authority).into_batch(&mut batch)?;
        }
        return batch.invoke_signed(signers);
    }
    for (to, amount) in payments {
        token_2022::Transfer { from: vault, to, authority, amount: amount.get(), token_program }
            .invoke_signed(signers)?;
    }
    if let Some(destination) = close_to {
        token_2022::CloseAccount { account: vault, destination, authority, token_program }.invoke_signed(signers)?;
    }
    Ok(())
}

/// Bytes of batch data for `count` instructions whose own data is `len` long in all.
pub const fn data_len(count: usize, len: usize) -> usize {
    1 + 2 * count + len
}

/// Room on the stack for a batch.
pub struct Buffers<'a, const DATA: usize, const ACCOUNTS: usize> {
    data: [MaybeUninit<u8>; DATA],
    instruction_accounts: [MaybeUninit<InstructionAccount<'a>>; ACCOUNTS],
    accounts: [MaybeUninit<CpiAccount<'a>>; ACCOUNTS],
}

impl<'a, const DATA: usize, const ACCOUNTS: usize> Buffers<'a, DATA, ACCOUNTS> {
    #[allow(clippy::new_without_default)]
    #[inline(always)]
    pub fn new() -> Self {
        Self {
            data: [const { MaybeUninit::uninit() }; DATA],
            instruction_accounts: [const { MaybeUninit::uninit() }; ACCOUNTS],
            accounts: [const { MaybeUninit::uninit() }; ACCOUNTS],
        }
    }

    #[inline(always)]
    pub fn batch(&mut self) -> Result<Batch<'a, '_>, ProgramError> {
        Batch::new(&mut self.data, &mut self.instruction_accounts, &mut self.accounts)
    }
}
