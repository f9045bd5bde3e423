//! What the instructions before this one have had the chain verify, read where the runtime wrote it.

use crate::error::BillingError;
use anchor_lang::{address_eq, prelude::*};
use joule_voucher::{precompile, Format};

/// `Sysvar1nstructions1111111111111111111111111`.
pub const INSTRUCTIONS: Address = pinocchio::sysvars::instructions::INSTRUCTIONS_ID;
const PRECOMPILE: Address = Address::new_from_array(precompile::PROGRAM);

/// In the sysvar: the number of instructions (u16), where each begins (u16 each), the instructions, and at the end the index
/// (u16) of the one that runs. An instruction is the number of its accounts (u16), 33 bytes for each, its program, the length
/// of its data (u16), and the data.
const OFFSETS: usize = 2;
const PROGRAM: usize = 2;
const DATA_LEN: usize = PROGRAM + 32;
const DATA: usize = DATA_LEN + 2;

/// The data of the instruction `back` places before this one, if it is the ed25519 precompile's and takes no accounts. The
/// transaction would have failed, had the precompile not agreed.
///
/// `sysvar` must be the sysvar [`INSTRUCTIONS`], which the accounts of the instruction check by its address.
#[inline(always)]
fn preceding(sysvar: &AccountView, back: usize) -> Option<&[u8]> {
    let start = sysvar.data_ptr();
    // SAFETY: the runtime alone writes this sysvar, and nobody can borrow it for writing. The offsets in it are within it, and
    // with an instruction of an earlier index before the running one, so are the fields that are read here.
    unsafe {
        let word = |at: usize| u16::from_le_bytes(start.add(at).cast::<[u8; 2]>().read()) as usize;
        let running = word(sysvar.data_len() - 2);
        let place = running.checked_sub(back)?;
        let at = word(OFFSETS + 2 * place);
        let program = &*start.add(at + PROGRAM).cast::<Address>();
        if word(at) != 0 || !address_eq(program, &PRECOMPILE) {
            return None;
        }
        Some(core::slice::from_raw_parts(start.add(at + DATA), word(at + DATA_LEN)))
    }
}

/// A message of fixed size that `key` has signed, verified by the instruction `back` places before this one.
#[inline(always)]
pub fn message<'a, M: Format>(sysvar: &'a AccountView, back: usize, key: &Address) -> Result<&'a M> {
    let read = preceding(sysvar, back).and_then(precompile::read_format::<M>);
    let (signer, message) = read.ok_or(BillingError::NoSignature)?;
    require!(is_same(signer, key.as_array()), BillingError::WrongSigner);
    Ok(message)
}

/// Who has signed what, verified by the instruction before this one.
#[inline(always)]
pub fn bytes(sysvar: &AccountView) -> Result<(&[u8; 32], &[u8])> {
    Ok(preceding(sysvar, 1).and_then(precompile::read).ok_or(BillingError::NoSignature)?)
}

/// Compares 32 bytes as four words, which is cheaper than the memory syscall that comparing arrays becomes.
#[inline(always)]
pub fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    address_eq(bytemuck::cast_ref::<[u8; 32], Address>(a), bytemuck::cast_ref::<[u8; 32], Address>(b))
}

/// `SysvarC1ock11111111111111111111111111111111`.
pub const CLOCK: Address = pinocchio::sysvars::clock::CLOCK_ID;
/// In the clock: slot, the epoch's start, the epoch, the leader schedule's epoch, and then the time in Unix seconds.
const UNIX_TIME: usize = 32;

/// What the sysvar [`CLOCK`] says, in Unix seconds. The accounts of the instruction check that it is it, by its address.
#[inline(always)]
pub fn unix_time(clock: &AccountView) -> i64 {
    // SAFETY: the runtime alone writes this sysvar, nobody can borrow it for writing, and it has 40 bytes.
    i64::from_le_bytes(unsafe { clock.data_ptr().add(UNIX_TIME).cast::<[u8; 8]>().read() })
}
