//! Accounts that the first of many instructions creates, and accounts that come after the declared ones.

#![no_std]

mod trailing;

pub use trailing::trailing;

use anchor_lang::{find_and_verify_program_address, prelude::*, AccountInitialize};
use bytemuck::{Pod, Zeroable};

/// An account of a program's own, and its bump if it has just been created.
pub struct Opened<T: Owner + Discriminator + Pod + Zeroable> {
    pub account: Account<T>,
    pub bump: Option<u8>,
}

/// What `init_if_needed` would do, without deriving the address and computing the rent of an account that exists, which cost
/// about 600 compute units. What exists is only known to be a `T` of its program: which one it is, the caller checks by its
/// fields.
///
/// # Safety
/// `view` is not loaded anywhere else: its field is `mut` without `unsafe(dup)`, and this is called once.
#[inline(always)]
pub unsafe fn load_or_create<T: Owner + Discriminator + Pod + Zeroable, const N: usize>(
    view: AccountView,
    payer: &AccountView,
    seeds: [&[u8]; N],
) -> Result<Opened<T>> {
    // Whatever a program has created holds a discriminator.
    if view.data_len() > 0 {
        // SAFETY: the caller's promise.
        return Ok(Opened { account: unsafe { Account::<T>::load_mut(view)? }, bump: None });
    }
    let bump = find_and_verify_program_address(&seeds, &T::OWNER, view.address())?;
    let bump_seed = [bump];
    const { assert!(N < 4, "make room for more seeds") };
    let mut signer: [&[u8]; 4] = [&bump_seed; 4];
    signer[..N].copy_from_slice(&seeds);
    let space = <Account<T> as Space>::INIT_SPACE;
    let account = Account::<T>::create_and_initialize(payer, &view, space, &T::OWNER, &(), Some(&signer[..=N]), None)?;
    Ok(Opened { account, bump: Some(bump) })
}
