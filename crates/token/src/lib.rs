//! Token accounts as bytes: whose they are, what they hold, and whether a plain transfer into them can fail.

#![no_std]

mod pay;
mod transfers;

pub use pay::{data_len, is_classic, pay, Buffers};
pub use transfers::Transfers;

use anchor_lang::{address_eq, bytemuck};
use joule_units::Amount;
use pinocchio::{
    account::{AccountView, Ref},
    Address,
};

/// Length of a token account without extensions.
pub const ACCOUNT_LEN: usize = 165;

const MINT: core::ops::Range<usize> = 0..32;
const OWNER: core::ops::Range<usize> = 32..64;
const AMOUNT: core::ops::Range<usize> = 64..72;
const STATE: usize = 108;
const STATE_INITIALIZED: u8 = 1;
/// Whether there is a close authority, which then follows.
const CLOSE_AUTHORITY: core::ops::Range<usize> = 129..133;
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
    owned_data(view, token_program).is_some_and(|data| takes(data, mint))
}

/// Whether a plain transfer of `mint` into `view` would succeed now, whichever token program it belongs to.
#[inline(always)]
pub fn is_receiver(view: &AccountView, mint: &Address) -> bool {
    can_receive(view, mint, &pinocchio_token::ID) || can_receive(view, mint, &pinocchio_token_2022::ID)
}

/// Whether a plain transfer of `mint` into `view` will succeed, and reach `owner`.
#[inline(always)]
pub fn reaches(view: &AccountView, owner: &Address, mint: &Address, token_program: &Address) -> bool {
    let pays = |data: &[u8]| takes(data, mint) && holds_address(data, OWNER, owner);
    owned_data(view, token_program).is_some_and(pays)
}

/// What the program's own account holds, for as long as nothing else is done.
#[inline(always)]
fn owned_data<'a>(view: &'a AccountView, token_program: &Address) -> Option<&'a [u8]> {
    if !view.owned_by(token_program) || view.is_borrowed_mut() {
        return None;
    }
    // SAFETY: nobody holds it for writing, and the two callers let the bytes go before anything runs that could. To count this
    // reader in and out again would cost as much as a comparison of addresses.
    Some(unsafe { view.borrow_unchecked() })
}

/// A token account that a plain transfer of its mint reaches now, borrowed once for whatever else is asked of it.
pub struct Receiver<'a>(Ref<'a, [u8]>);

impl<'a> Receiver<'a> {
    /// `None` where [`is_receiver`] says no.
    #[inline(always)]
    pub fn of(view: &'a AccountView, mint: &Address) -> Option<Self> {
        if !view.owned_by(&pinocchio_token::ID) && !view.owned_by(&pinocchio_token_2022::ID) {
            return None;
        }
        let data = view.try_borrow().ok()?;
        takes(&data, mint).then_some(Self(data))
    }

    /// Whether `owner` may spend from it.
    #[inline(always)]
    pub fn is_owned_by(&self, owner: &Address) -> bool {
        holds_address(&self.0, OWNER, owner)
    }

    /// Whether nobody but its owner can close it. A close authority that is named stays when the owner changes.
    #[inline(always)]
    pub fn has_no_close_authority(&self) -> bool {
        self.0.get(CLOSE_AUTHORITY) == Some(&[0; 4])
    }
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
        .is_some_and(|bytes| address_eq(bytemuck::cast_ref::<[u8; 32], Address>(bytes), address))
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

/// Whether the token account holds `mint`.
#[inline(always)]
pub fn is_of(view: &AccountView, mint: &Address) -> bool {
    view.try_borrow().is_ok_and(|data| holds_address(&data, MINT, mint))
}

/// Whether `owner` may spend from the token account.
#[inline(always)]
pub fn is_owned_by(view: &AccountView, owner: &Address) -> bool {
    view.try_borrow().is_ok_and(|data| holds_address(&data, OWNER, owner))
}

/// What a token account holds, in base units; `None` where there is no token account.
#[inline(always)]
pub fn balance(view: &AccountView) -> Option<Amount> {
    let data = view.try_borrow().ok()?;
    let bytes = data.get(AMOUNT)?.try_into().ok()?;
    Some(Amount::new(u64::from_le_bytes(bytes)))
}
