//! Token accounts as bytes, and moving tokens out of a vault in as few calls as possible.

use crate::error::EscrowError;
use anchor_lang::prelude::*;
use core::mem::MaybeUninit;
use joule_units::Amount;
use pinocchio::{
    cpi::{CpiAccount, Signer as CpiSigner},
    instruction::InstructionAccount,
};
use pinocchio_token::instructions::{Batch, CloseAccount, InitializeAccount3, IntoBatch, Transfer};
use pinocchio_token_2022::instructions as token_2022;

/// Length of a token account without extensions.
pub const ACCOUNT_LEN: usize = 165;

const MINT: core::ops::Range<usize> = 0..32;
const OWNER: core::ops::Range<usize> = 32..64;
const AMOUNT: core::ops::Range<usize> = 64..72;
const STATE: usize = 108;
const STATE_INITIALIZED: u8 = 1;
/// Token-2022 writes what kind of account it is after the base layout, then its extensions: type, length, value.
const KIND: usize = ACCOUNT_LEN;
const KIND_ACCOUNT: u8 = 2;
const EXTENSIONS: usize = KIND + 1;
/// A Multisig belongs to the token programs too, and its signers could spell a token account; no token account is as long.
const MULTISIG_LEN: usize = 355;
/// The extensions of a token account that never make a plain transfer into it fail: `ImmutableOwner`, `CpiGuard`.
const HARMLESS: [u16; 2] = [7, 11];

/// Whether a plain transfer of `mint` into `view` will succeed. Without this, a payee could make the whole payment fail.
#[inline(always)]
pub fn can_receive(view: &AccountView, mint: &Address, token_program: &Address) -> bool {
    view.owned_by(token_program) && view.try_borrow().is_ok_and(|data| takes(&data, mint))
}

/// Whether a plain transfer of `mint` into `view` would succeed now, whichever token program it belongs to.
#[inline(always)]
pub fn is_receiver(view: &AccountView, mint: &Address) -> bool {
    can_receive(view, mint, &pinocchio_token::ID) || can_receive(view, mint, &pinocchio_token_2022::ID)
}

#[inline(always)]
fn takes(data: &[u8], mint: &Address) -> bool {
    data.len() >= ACCOUNT_LEN
        && holds_address(data, MINT, mint)
        && data[STATE] == STATE_INITIALIZED
        && extensions_are_harmless(data)
}

/// Compares 32 bytes as four words, which is cheaper than the memory syscall that comparing slices becomes.
#[inline(always)]
fn holds_address(data: &[u8], range: core::ops::Range<usize>, address: &Address) -> bool {
    data.get(range)
        .and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok())
        .is_some_and(|bytes| anchor_lang::address_eq(bytemuck::cast_ref::<[u8; 32], Address>(bytes), address))
}

#[inline(always)]
fn extensions_are_harmless(data: &[u8]) -> bool {
    if data.len() == ACCOUNT_LEN {
        return true;
    }
    if data.len() == MULTISIG_LEN || data[KIND] != KIND_ACCOUNT {
        return false;
    }
    let mut rest = &data[EXTENSIONS..];
    while let [t0, t1, l0, l1, tail @ ..] = rest {
        let (kind, len) = (u16::from_le_bytes([*t0, *t1]), u16::from_le_bytes([*l0, *l1]) as usize);
        // Type 0 is unused space.
        if kind == 0 {
            return true;
        }
        if !HARMLESS.contains(&kind) || tail.len() < len {
            return false;
        }
        rest = &tail[len..];
    }
    true
}

/// Whether `owner` may spend from the token account.
#[inline(always)]
pub fn is_owned_by(view: &AccountView, owner: &Address) -> bool {
    view.try_borrow().is_ok_and(|data| holds_address(&data, OWNER, owner))
}

/// What a token account holds, in base units.
#[inline(always)]
pub fn balance(view: &AccountView) -> Result<Amount> {
    let data = view.try_borrow()?;
    let bytes = data.get(AMOUNT).and_then(|b| b.try_into().ok()).ok_or(EscrowError::WrongVault)?;
    Ok(Amount::new(u64::from_le_bytes(bytes)))
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
