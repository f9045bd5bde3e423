//! The permission to begin.

use crate::{Context, Hash, LeAmount, LeTime, LeU64};
use bytemuck::{Pod, Zeroable};

/// Asks for one request to be served, before it is paid. Signed by the channel's session key; 88 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Order {
    /// `Domain::Order` of the channel.
    pub context: Context,
    /// Never used twice on one channel.
    pub nonce: LeU64,
    /// sha256 of the request's body as it is sent.
    pub request_hash: Hash,
    /// The most that the receipt may ask for.
    pub max_amount: LeAmount,
    /// The last second in which the request may begin.
    pub expires_at: LeTime,
}

const _: () = assert!(size_of::<Order>() == 88);
