//! Spoiling an instruction, as far as somebody without other people's keys could.

use crate::stage::Stage;
use joule_sdk::{Instruction, Pubkey};

pub fn spoil(stage: &mut Stage, instruction: &mut Instruction) {
    if instruction.accounts.is_empty() {
        return scratch(stage, instruction);
    }
    let place = stage.rng.usize(..instruction.accounts.len());
    match stage.rng.u32(..13) {
        0..=3 => put(stage, instruction, place, None),
        4..=5 => {
            let other = instruction.accounts[stage.rng.usize(..instruction.accounts.len())].pubkey;
            put(stage, instruction, place, Some(other));
        }
        6 => {
            let address = instruction.accounts[place].pubkey;
            instruction.accounts.iter_mut().filter(|meta| meta.pubkey == address).for_each(|m| m.is_signer = false);
        }
        7 => instruction.accounts[place].is_writable = false,
        8 => {
            // The system program would let the crank make its own account useless.
            if instruction.program_id == solana_system_interface::program::ID {
                return;
            }
            scratch(stage, instruction);
        }
        9 => {
            instruction.accounts.pop();
        }
        // Somebody else signs.
        _ => {
            let impostor = stage.person();
            let impostor = stage.cast.people[impostor].hot;
            if let Some(place) = instruction.accounts.iter().position(|meta| meta.is_signer) {
                put(stage, instruction, place, Some(impostor));
            }
        }
    }
}

/// Writes another byte into the data.
fn scratch(stage: &mut Stage, instruction: &mut Instruction) {
    let place = stage.rng.usize(..instruction.data.len().max(1));
    if let Some(byte) = instruction.data.get_mut(place) {
        *byte = stage.rng.u8(..);
    }
}

/// Puts another address in an account's place; it signs only if somebody has its key.
fn put(stage: &mut Stage, instruction: &mut Instruction, place: usize, address: Option<Pubkey>) {
    let address = address.unwrap_or_else(|| any(stage));
    let keys = stage.cast.keys();
    let meta = &mut instruction.accounts[place];
    meta.pubkey = address;
    meta.is_signer &= keys.contains(&address);
}

/// Any address that plays a part somewhere.
fn any(stage: &mut Stage) -> Pubkey {
    let token = stage.rng.usize(..stage.cast.tokens.len());
    let job = stage.job(&[]);
    let keys = stage.cast.keys();
    let known = stage.model.addresses();
    match (stage.rng.u32(..14), job) {
        (9..=13, _) => known[stage.rng.usize(..known.len())],
        (0, Some((address, _))) => address,
        (1, Some((_, job))) => job.vault,
        (2, Some((_, job))) => job.provider,
        (3, _) => stage.cast.tokens[token].fee_vault,
        (4, _) => stage.cast.tokens[token].mint,
        (5, _) => stage.cast.tokens[token].program,
        (6, _) => stage.cast.tokens[token].accepted,
        (7, _) => stage.any_account(token),
        _ => keys[stage.rng.usize(..keys.len())],
    }
}
