//! What is signed when requests are paid one by one: vouchers, batches of them, receipts and orders; the prices and the tree
//! of receipts that they speak of.
//!
//! The same bytes on chain and off: `no_std`, alignment 1, little endian. README.md has the tables.

#![no_std]

#[cfg(any(feature = "std", test))]
extern crate std;

mod batch;
mod context;
mod hash;
mod le;
mod limits;
mod order;
pub mod precompile;
mod prices;
mod receipt;
#[cfg(feature = "std")]
mod signing;
pub mod tree;
mod voucher;

pub use batch::{Batch, Entry, MAX_ENTRIES};
pub use context::{Context, Domain};
pub use hash::{hashv, Hash};
pub use le::{LeAmount, LeTime, LeU64};
pub use limits::{Limits, Refusal};
pub use order::Order;
pub use prices::{Prices, Usage};
pub use receipt::Receipt;
#[cfg(feature = "std")]
pub use signing::{sign, BadSignature, Signature, SigningKey, Verifier};
pub use voucher::Voucher;

use bytemuck::Pod;

/// An ed25519 public key, or an address of the chain.
pub type Key = [u8; 32];

/// A message of fixed size that somebody signs as it lies in memory.
pub trait Format: Pod {
    /// Bytes.
    const LEN: usize = size_of::<Self>();

    /// In place; `None` when it is not of this format's size.
    #[inline(always)]
    fn from_bytes(bytes: &[u8]) -> Option<&Self> {
        const { assert!(align_of::<Self>() == 1, "formats are read where they lie") };
        bytemuck::try_from_bytes(bytes).ok()
    }

    #[inline(always)]
    fn as_bytes(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }
}

impl Format for Voucher {}
impl Format for Receipt {}
impl Format for Order {}
