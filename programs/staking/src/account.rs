//! Accounts that the first of many instructions creates.

use anchor_lang::{find_and_verify_program_address, prelude::*, AccountInitialize};
use bytemuck::{Pod, Zeroable};

/// An account of this program, and its bump if it has just been created.
pub struct Opened<T: Owner + Discriminator + Pod + Zeroable> {
    pub account: Account<T>,
    pub bump: Option<u8>,
}

/// What `init_if_needed` would do, without deriving the address and computing the rent of an account that exists, which cost
/// about 600 compute units. What exists is only known to be a `T` of this program: which one it is, the caller checks by its
/// fields.
///
/// # Safety
/// `view` is not loaded anywhere else: its field is `mut` without `unsafe(dup)`, and this is called once.
#[inline(always)]
pub unsafe fn load_or_create<T: Owner + Discriminator + Pod + Zeroable>(
    view: AccountView,
    payer: &AccountView,
    seeds: [&[u8]; 3],
) -> Result<Opened<T>> {
    if !view.owned_by(&System::id()) {
        // SAFETY: the caller's promise.
        return Ok(Opened { account: unsafe { Account::<T>::load_mut(view)? }, bump: None });
    }
    let bump = find_and_verify_program_address(&seeds, &crate::ID, view.address())?;
    let signer: [&[u8]; 4] = [seeds[0], seeds[1], seeds[2], &[bump]];
    let space = <Account<T> as Space>::INIT_SPACE;
    let account = Account::<T>::create_and_initialize(payer, &view, space, &crate::ID, &(), Some(&signer), None)?;
    Ok(Opened { account, bump: Some(bump) })
}
