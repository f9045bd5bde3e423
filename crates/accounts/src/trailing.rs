//! The accounts after those that an instruction declares, read where the runtime wrote them. Anchor's own walk collects them in
//! a list and gives a copy of it away, which costs more than a hundred compute units.

use anchor_lang::prelude::*;
use core::{mem::MaybeUninit, slice};
use pinocchio::account::{RuntimeAccount, MAX_PERMITTED_DATA_INCREASE, NOT_BORROWED};

/// In front of the accounts: how many there are.
const COUNT: usize = size_of::<u64>();
/// All of an account's record but its data: the header, room to grow, and the rent epoch. Records begin at multiples of eight.
const RECORD: usize = size_of::<RuntimeAccount>() + MAX_PERMITTED_DATA_INCREASE + size_of::<u64>();

/// The accounts after the declared ones; `None` when there are more than there is `room`, or one of them came before. Then
/// `Context::remaining_accounts` has them, which looks at repetitions too.
///
/// # Safety
/// `first` is the first of the instruction's `declared` accounts and `last` the last, which is none that came before. Nobody has
/// borrowed an account after it, or changed the length of its data or theirs.
#[inline(always)]
pub unsafe fn trailing<'a, const N: usize>(
    first: &AccountView,
    last: &AccountView,
    declared: usize,
    room: &'a mut [MaybeUninit<AccountView>; N],
) -> Option<&'a [AccountView]> {
    let mut record = last.account_ptr().cast_mut();
    // SAFETY: the runtime writes the number of accounts in front of the first, and one record after the other. What repeats an
    // earlier account has that one's place where others say that they are not borrowed, and ends the walk.
    unsafe {
        let count = first.account_ptr().byte_sub(COUNT).cast::<u64>().read() as usize;
        let count = count.wrapping_sub(declared);
        if count > N {
            return None;
        }
        for place in &mut room[..count] {
            let end = record.addr().wrapping_add(RECORD).wrapping_add((*record).data_len as usize);
            record = record.with_addr(end.wrapping_add(7) & !7);
            if (*record).borrow_state != NOT_BORROWED {
                return None;
            }
            place.write(AccountView::new_unchecked(record));
        }
        Some(slice::from_raw_parts(room.as_ptr().cast(), count))
    }
}
