//! The promise to pay.

use crate::{Context, Hash, LeAmount, LeTime, LeU64};
use bytemuck::{Pod, Zeroable};

/// Pays for everything on one channel up to here, and takes the place of every voucher before it. Signed by the channel's
/// session key; 96 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Voucher {
    /// `Domain::Voucher` of the channel.
    pub context: Context,
    /// How many receipts it pays for.
    pub sequence: LeU64,
    /// The sum of those receipts' amounts.
    pub cumulative: LeAmount,
    /// The sum of their usage in one number (`Usage::units`), for statistics only.
    pub units: LeU64,
    /// The last second in which it can be settled.
    pub expires_at: LeTime,
    /// The root of the tree over those receipts.
    pub usage_root: Hash,
}

const _: () = assert!(size_of::<Voucher>() == 96);
