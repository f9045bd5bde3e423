//! Reading accounts of other programs that a call is about to change, so that no borrow of them may outlive the look.

#![no_std]

use anchor_lang::{bytemuck, prelude::*, Discriminator};

/// Shows `look` an account that `owner`'s program made; anything else is `wrong`.
#[inline(always)]
pub fn read<T: bytemuck::Pod + Discriminator, R>(
    view: &AccountView,
    owner: &Address,
    wrong: impl Into<ProgramError>,
    look: impl FnOnce(&T) -> Result<R>,
) -> Result<R> {
    if !view.owned_by(owner) {
        return Err(wrong.into());
    }
    let data = view.try_borrow()?;
    match data.strip_prefix(T::DISCRIMINATOR).and_then(|body| body.get(..size_of::<T>())) {
        // Accounts are made of alignment-1 types, so that any place in memory will do.
        Some(body) => match bytemuck::try_from_bytes(body) {
            Ok(found) => look(found),
            Err(_) => Err(wrong.into()),
        },
        None => Err(wrong.into()),
    }
}
