//! Vouchers for many channels under one signature.

use crate::{Context, Hash, LeAmount, LeTime, LeU64};
use bytemuck::{Pod, Zeroable};

/// The most channels in one batch. A transaction can name no more accounts than that.
pub const MAX_ENTRIES: usize = 64;

/// The head of a batch: what its entries have in common. Signed, with its entries, by the session key that all the channels
/// share; 72 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Batch {
    /// `Context::batch` of the payer account and its channels.
    pub context: Context,
    /// The last second in which it can be settled.
    pub expires_at: LeTime,
    /// The root of a tree over the receipts of all its channels.
    pub usage_root: Hash,
}

/// What a voucher says, for one channel of a batch; 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Entry {
    /// How many of the channel's receipts are paid for.
    pub sequence: LeU64,
    /// The sum of those receipts' amounts.
    pub cumulative: LeAmount,
}

const _: () = assert!(size_of::<Batch>() == 72);
const _: () = assert!(size_of::<Entry>() == 16);

impl Batch {
    /// In place. `None` without an entry, with more than `MAX_ENTRIES`, or with a part of one.
    #[inline(always)]
    pub fn from_bytes(bytes: &[u8]) -> Option<(&Self, &[Entry])> {
        let (head, entries) = bytes.split_at_checked(size_of::<Self>())?;
        let entries: &[Entry] = bytemuck::try_cast_slice(entries).ok()?;
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            return None;
        }
        Some((bytemuck::from_bytes(head), entries))
    }

    /// What is signed. `None` without an entry, or with more than `MAX_ENTRIES`.
    #[cfg(feature = "std")]
    pub fn to_bytes(&self, entries: &[Entry]) -> Option<std::vec::Vec<u8>> {
        (1..=MAX_ENTRIES)
            .contains(&entries.len())
            .then(|| [bytemuck::bytes_of(self), bytemuck::cast_slice(entries)].concat())
    }
}
