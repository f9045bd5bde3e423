//! What a compiler for the Solana VM gets wrong first: 128-bit arithmetic, arguments on the stack, memory functions;
//! and what is signed off chain and read on it.
//!
//! The same `compute` runs on the host and, as a program, on the SVM; a test compares the two.

#![cfg_attr(target_os = "solana", no_std)]

use joule_units::{Amount, UnixTime};
use joule_voucher::{
    precompile::{header, read_format, MESSAGE_AT},
    tree, Context, Domain, Format, Hash, Limits, Prices, Receipt, Usage, Voucher,
};

/// How many operations `compute` knows.
pub const OPERATIONS: u8 = 23;

/// The result of operation `op` on `a` and `b`: two numbers of 128 bits.
pub fn compute(op: u8, a: u128, b: u128) -> [u128; 2] {
    let shift = (b % 128) as u32;
    let (ia, ib) = (a as i128, b as i128);
    match op {
        0 => [a.wrapping_add(b), a.wrapping_sub(b)],
        1 => [a.wrapping_mul(b), u128::from(a.checked_mul(b).is_none())],
        2 => [a.checked_div(b).unwrap_or(1), a.checked_rem(b).unwrap_or(2)],
        3 => [ia.checked_div(ib).unwrap_or(3) as u128, ia.checked_rem(ib).unwrap_or(4) as u128],
        4 => [a << shift, a >> shift],
        5 => [(ia >> shift) as u128, ia.wrapping_neg() as u128],
        6 => [u128::from(a < b), u128::from(ia < ib)],
        7 => [u128::from(a.leading_zeros()), u128::from(a.count_ones())],
        8 => [many(a, b, 1, 2, 3, a as u64, b as u64, 7, 8), 0],
        9 => pair(a, b),
        10 => copied(a, b),
        11 => moved(a, b),
        12 => [filled(a as u8, (b % 200) as usize), 0],
        13 => [compared(a, b), 0],
        14 => {
            let (x, y) = (a as i64, b as i64);
            [x.checked_div(y).unwrap_or(6) as u128, x.checked_rem(y).unwrap_or(7) as u128]
        }
        15 => {
            let (x, y) = (a as i32, b as i32);
            [x.checked_div(y).unwrap_or(6) as u128, (a as i16).checked_rem(b as i16).unwrap_or(7) as u128]
        }
        16 => [
            u128::from((a as u64).swap_bytes() ^ u64::from((b as u32).swap_bytes())),
            u128::from((a as u16).swap_bytes()),
        ],
        17 => hashed(a, b),
        18 => proven(a, b),
        19 => [priced(a, b), 0],
        20 => contexts(a, b),
        21 => [u128::from(settled(a, b)), 0],
        _ => [(a as u64).wrapping_mul(b as u64) as u128, u128::from((a as u64).checked_div(b as u64).unwrap_or(5))],
    }
}

/// More arguments than there are registers for.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn many(a: u128, b: u128, c: u64, d: u32, e: u16, f: u64, g: u64, h: u8, i: u64) -> u128 {
    let small = u128::from(c) + u128::from(d) * 3 + u128::from(e) * 5 + u128::from(h) * 7 + u128::from(i) * 11;
    a.rotate_left(d) ^ b.rotate_right(u32::from(h)) ^ (u128::from(f) << 64 | u128::from(g)) ^ small
}

/// A result that does not fit into registers.
#[inline(never)]
fn pair(a: u128, b: u128) -> [u128; 2] {
    [a ^ b.swap_bytes(), a.swap_bytes() & b]
}

fn bytes(a: u128, b: u128) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..16].copy_from_slice(&a.to_le_bytes());
    bytes[16..32].copy_from_slice(&b.to_le_bytes());
    bytes
}

fn folded(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |sum: u128, byte| sum.wrapping_mul(257).wrapping_add(u128::from(*byte)))
}

#[inline(never)]
fn copied(a: u128, b: u128) -> [u128; 2] {
    let from = bytes(a, b);
    let (start, len) = ((a % 32) as usize, (b % 32) as usize);
    let mut to = [0; 64];
    to[..len].copy_from_slice(&from[start..start + len]);
    [folded(&to), folded(&from)]
}

/// Overlapping, in both directions.
#[inline(never)]
fn moved(a: u128, b: u128) -> [u128; 2] {
    let (mut up, mut down) = (bytes(a, b), bytes(a, b));
    up.copy_within(0..40, 1 + (a % 20) as usize);
    down.copy_within(20..60, (b % 20) as usize);
    [folded(&up), folded(&down)]
}

#[inline(never)]
fn filled(byte: u8, len: usize) -> u128 {
    let mut bytes = [1; 200];
    bytes[..len].fill(byte);
    folded(&bytes)
}

#[inline(never)]
fn compared(a: u128, b: u128) -> u128 {
    let (x, y) = (a.to_be_bytes(), b.to_be_bytes());
    let len = (b % 17) as usize;
    x.cmp(&y) as i8 as u8 as u128 | u128::from(x[..len] == y[..len]) << 8
}

fn halves(hash: Hash) -> [u128; 2] {
    let half = |at: usize| folded(&hash[at..at + 16]);
    [half(0), half(16)]
}

fn receipt(a: u128, b: u128) -> Receipt {
    let [fields, more] = [bytes(a, b), bytes(b, a)];
    let mut receipt = [0; Receipt::LEN];
    receipt[20..84].copy_from_slice(&fields);
    receipt[84..148].copy_from_slice(&more);
    Receipt::from_bytes(&receipt).copied().unwrap_or_default()
}

#[inline(never)]
fn hashed(a: u128, b: u128) -> [u128; 2] {
    halves(tree::node(&tree::leaf(receipt(a, b).as_bytes()), &tree::leaf(&bytes(a, b))))
}

/// A proof in a tree of three: whole, and with a byte of it changed.
#[inline(never)]
fn proven(a: u128, b: u128) -> [u128; 2] {
    let entry = receipt(a, b);
    let mut proof = [tree::leaf(&a.to_le_bytes()), tree::leaf(&b.to_le_bytes())];
    let root = tree::node(&tree::node(&proof[0], &tree::leaf(entry.as_bytes())), &proof[1]);
    let holds = |proof: &[Hash]| u128::from(tree::verify(&root, entry.as_bytes(), 1, 3, proof));
    let whole = holds(&proof);
    proof[(a % 2) as usize][(b % 32) as usize] ^= 1;
    [whole, holds(&proof)]
}

#[inline(never)]
fn priced(a: u128, b: u128) -> u128 {
    let [input, output, image, second] = [a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64];
    let prices = Prices {
        per_request: Amount::new(input >> 20),
        per_million_input: Amount::new(input),
        per_million_output: Amount::new(output),
        per_image: Amount::new(image >> 40),
        per_second: Amount::new(second >> 30),
    };
    let shift = (b % 64) as u32;
    let usage = Usage {
        input_tokens: second >> shift,
        output_tokens: image >> shift,
        images: output % 1_000,
        milliseconds: input >> shift,
    };
    prices.amount(&usage).map_or(u128::MAX, |amount| u128::from(amount.get()))
}

#[inline(never)]
fn contexts(a: u128, b: u128) -> [u128; 2] {
    let keys = [tree::leaf(&a.to_le_bytes()), tree::leaf(&b.to_le_bytes()), [7; 32]];
    let [genesis, program, channel] = &keys;
    let one = Context::of(Domain::Voucher, genesis, program, channel);
    let all = Context::batch(genesis, program, channel, keys.iter().cycle().take((a % 66) as usize));
    let [x, y] = halves(*one.bytes());
    let [v, w] = all.map_or([1, 2], |all| halves(*all.bytes()));
    [x ^ v, y ^ w]
}

/// A voucher as the precompile leaves it, against limits that about half of them keep.
#[inline(never)]
fn settled(a: u128, b: u128) -> u64 {
    let voucher = Voucher {
        context: Context::new([1; 32]),
        sequence: (a as u64).into(),
        cumulative: Amount::new(b as u64).into(),
        ..Voucher::default()
    };
    let mut data = [0; MESSAGE_AT + Voucher::LEN];
    data[..16].copy_from_slice(bytemuck::bytes_of(&header(Voucher::LEN as u16)));
    data[MESSAGE_AT..].copy_from_slice(voucher.as_bytes());
    data[(a % 64) as usize] ^= (b >> 127) as u8;
    let limits = Limits {
        context: voucher.context,
        settled: Amount::new(1),
        most: Amount::new(u64::MAX / 2),
        session_expires_at: UnixTime::new(0),
    };
    let Some((key, read)) = read_format::<Voucher>(&data) else { return 0 };
    let refused = limits.check(read, UnixTime::new(0)).map_or_else(|refusal| refusal as u64 + 1, |()| 99);
    refused << 8 | u64::from(key[(b % 32) as usize])
}

/// Instruction data: the operation, `a` and `b` in little endian. Returns the result as return data.
#[cfg(all(target_os = "solana", not(feature = "no-entrypoint")))]
mod program {
    use pinocchio::{error::ProgramError, AccountView, Address, ProgramResult};

    pinocchio::program_entrypoint!(process);
    pinocchio::default_allocator!();
    pinocchio::nostd_panic_handler!();

    fn process(_: &Address, _: &mut [AccountView], data: &[u8]) -> ProgramResult {
        let number = |at: usize| -> Result<u128, ProgramError> {
            let bytes = data.get(at..at + 16).and_then(|b| b.try_into().ok());
            bytes.map(u128::from_le_bytes).ok_or(ProgramError::InvalidInstructionData)
        };
        let op = *data.first().ok_or(ProgramError::InvalidInstructionData)?;
        let [x, y] = super::compute(op, number(1)?, number(17)?);
        let mut result = [0; 32];
        result[..16].copy_from_slice(&x.to_le_bytes());
        result[16..].copy_from_slice(&y.to_le_bytes());
        // SAFETY: the syscall reads 32 bytes, which `result` has.
        unsafe { pinocchio::syscalls::sol_set_return_data(result.as_ptr(), 32) };
        Ok(())
    }
}
