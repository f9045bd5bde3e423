//! The instruction that makes the chain check one signature: data for the ed25519 precompile, in the one layout that Joule
//! writes and reads.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 16 | header: one signature, and where its parts are |
//! | 16 | 32 | key |
//! | 48 | 64 | signature |
//! | 112 | | message |
//!
//! The precompile would take the parts from anywhere, from other instructions too. Whoever reads must know that what was
//! checked is what it reads: so the header is compared whole.

use crate::{Format, Key, LeU64};
use bytemuck::{Pod, Zeroable};

/// `Ed25519SigVerify111111111111111111111111111`.
pub const PROGRAM: Key = [
    3, 125, 70, 214, 124, 147, 251, 190, 18, 249, 66, 143, 131, 141, 64, 255, 5, 112, 116, 73, 39, 244, 138, 100, 252,
    202, 112, 68, 128, 0, 0, 0,
];

/// Bytes in front of the message.
pub const MESSAGE_AT: usize = size_of::<Head>();

const KEY_AT: u64 = 16;
const SIGNATURE_AT: u64 = 48;
/// In the place of an instruction's index: this one.
const HERE: u64 = 0xFFFF;

/// One signature, a zero, the signature's offset and instruction, the key's offset.
const FIRST: u64 = 1 | SIGNATURE_AT << 16 | HERE << 32 | KEY_AT << 48;

/// The key's instruction, the message's offset, its length, its instruction.
#[inline(always)]
const fn second(len: u16) -> u64 {
    HERE | (MESSAGE_AT as u64) << 16 | (len as u64) << 32 | HERE << 48
}

/// Everything but the message.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Head {
    header: [LeU64; 2],
    key: Key,
    signature: [u8; 64],
}

const _: () = assert!(MESSAGE_AT == 112);

/// What stands in front of the key, for a message of `len` bytes.
#[inline(always)]
pub const fn header(len: u16) -> [LeU64; 2] {
    [LeU64::new(FIRST), LeU64::new(second(len))]
}

/// Who signed what, if `data` is that of a precompile instruction in Joule's layout, which the chain has already run.
#[inline(always)]
pub fn read(data: &[u8]) -> Option<(&Key, &[u8])> {
    let (head, message) = data.split_at_checked(MESSAGE_AT)?;
    let head: &Head = bytemuck::from_bytes(head);
    let len = u16::try_from(message.len()).ok()?;
    let as_written = head.header[0].get() == FIRST && head.header[1].get() == second(len);
    as_written.then_some((&head.key, message))
}

/// `read`, for a message of fixed size: what it compares with is known when it is compiled.
#[inline(always)]
pub fn read_format<M: Format>(data: &[u8]) -> Option<(&Key, &M)> {
    const { assert!(size_of::<M>() <= u16::MAX as usize) }
    if data.len() != MESSAGE_AT + size_of::<M>() {
        return None;
    }
    let (head, message) = data.split_at(MESSAGE_AT);
    let head: &Head = bytemuck::from_bytes(head);
    if head.header[0].get() != FIRST || head.header[1].get() != second(size_of::<M>() as u16) {
        return None;
    }
    Some((&head.key, M::from_bytes(message)?))
}

/// Data for an instruction to `PROGRAM`, which takes no accounts. `None` for a message whose length has no place in it.
#[cfg(feature = "std")]
pub fn data(key: &Key, signature: &[u8; 64], message: &[u8]) -> Option<std::vec::Vec<u8>> {
    let header = header(u16::try_from(message.len()).ok()?);
    let head = Head { header, key: *key, signature: *signature };
    Some([bytemuck::bytes_of(&head), message].concat())
}
