//! Address lookup tables: how a transaction names more accounts than it has room for, on a cluster without version 1
//! ([`crate::v1`]), which needs none.
//!
//! An address costs 32 bytes of a transaction's 1,232, and one in the table. A table is an account of its own: it is made, can be
//! used from the next slot on, and gives its rent back 512 blocks after it was given up.

use crate::{transaction::len, SdkError};
use solana_address_lookup_table_interface::{instruction, state::AddressLookupTable};
use solana_instruction::Instruction;
use solana_message::{v0, AddressLookupTableAccount, Hash, VersionedMessage};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use std::collections::BTreeSet;

/// Blocks that a table can still be used for after it was given up, and not be closed.
pub const COOLING_BLOCKS: u64 = 513;

/// A table that is on chain, as the transactions need it that use it.
#[derive(Debug, Clone)]
pub struct Table(AddressLookupTableAccount);

impl Table {
    pub fn address(&self) -> Pubkey {
        self.0.key
    }

    /// What makes and fills it in one transaction; `recent_slot` is a confirmed one. `owner` pays for it, may give it up, and
    /// gets its rent back.
    pub(crate) fn new(owner: Pubkey, recent_slot: u64, addresses: Vec<Pubkey>) -> (Self, [Instruction; 2]) {
        let (create, key) = instruction::create_lookup_table(owner, owner, recent_slot);
        let extend = instruction::extend_lookup_table(key, owner, Some(owner), addresses.clone());
        (Self(AddressLookupTableAccount { key, addresses }), [create, extend])
    }

    /// A version 0 message that names what it can by its place in this table.
    pub(crate) fn message(
        &self,
        payer: &Pubkey,
        instructions: &[Instruction],
        blockhash: Hash,
    ) -> Result<VersionedMessage, SdkError> {
        let compiled = v0::Message::try_compile(payer, instructions, std::slice::from_ref(&self.0), blockhash);
        Ok(VersionedMessage::V0(compiled.map_err(|error| SdkError::Signing(error.to_string()))?))
    }
}

/// What a table may name for these instructions: neither signers nor the programs that they call.
pub fn looked_up(instructions: &[Instruction]) -> Vec<Pubkey> {
    let called: BTreeSet<_> = instructions.iter().map(|instruction| instruction.program_id).collect();
    let accounts = || instructions.iter().flat_map(|instruction| &instruction.accounts);
    let signers: BTreeSet<_> = accounts().filter(|account| account.is_signer).map(|account| account.pubkey).collect();
    let all: BTreeSet<_> = accounts().map(|account| account.pubkey).collect();
    all.into_iter().filter(|address| !called.contains(address) && !signers.contains(address)).collect()
}

/// How many bytes a transaction of these instructions has by itself, `payer` being the one who signs.
pub fn plain_len(instructions: &[Instruction], payer: &Pubkey) -> usize {
    let message = Transaction::new_with_payer(instructions, Some(payer)).message;
    len(&VersionedMessage::Legacy(message))
}

/// How many it has with a table of all that it may look up.
pub fn len_with_table(instructions: &[Instruction], payer: &Pubkey) -> Result<usize, SdkError> {
    let (table, _) = Table::new(*payer, 0, looked_up(instructions));
    Ok(len(&table.message(payer, instructions, Hash::default())?))
}

/// How far a table is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// Given up just now or earlier; it can be closed after this slot at the earliest.
    Cooling { until: u64 },
    /// Its rent is back.
    Closed,
}

/// What comes next for a table that nobody needs any more.
pub(crate) fn retire(
    address: Pubkey,
    data: &[u8],
    owner: &Pubkey,
    slot: u64,
) -> Result<(Option<Instruction>, Retired), SdkError> {
    let table = AddressLookupTable::deserialize(data).map_err(|_| SdkError::NotThisAccount)?;
    let given_up = table.meta.deactivation_slot;
    let (next, retired) = match given_up {
        u64::MAX => {
            let until = slot.saturating_add(COOLING_BLOCKS);
            (Some(instruction::deactivate_lookup_table(address, *owner)), Retired::Cooling { until })
        }
        _ if slot <= given_up.saturating_add(COOLING_BLOCKS) => {
            (None, Retired::Cooling { until: given_up.saturating_add(COOLING_BLOCKS) })
        }
        _ => (Some(instruction::close_lookup_table(address, *owner, *owner)), Retired::Closed),
    };
    Ok((next, retired))
}

/// The slot in which the table was filled; it can be used in later ones.
pub(crate) fn filled_at(data: &[u8]) -> Result<u64, SdkError> {
    Ok(AddressLookupTable::deserialize(data).map_err(|_| SdkError::NotThisAccount)?.meta.last_extended_slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{billing::state::Channel, instruction::billing, token_program, transaction::MAX_BYTES};
    use bytemuck::Zeroable as _;
    use joule_voucher::{Format as _, Receipt};

    fn key(n: u8) -> Pubkey {
        Pubkey::new_from_array([n; 32])
    }

    fn verify() -> Instruction {
        billing::verify(&key(1), &[2; 64], Receipt::zeroed().as_bytes()).unwrap()
    }

    /// A proof that `levels` hashes lead from a receipt to the root, as the channel's owner sends it.
    fn overcharge(levels: usize) -> [Instruction; 2] {
        let mut state = Channel::zeroed();
        (state.payer, state.prices, state.authority, state.mint) = (key(3), key(4), key(1), key(5));
        let proof = (0, 1 << levels, vec![[6; 32]; levels]);
        [verify(), billing::dispute_receipt(key(7), &state, key(8), token_program::CLASSIC, proof)]
    }

    #[test]
    fn an_overcharge_among_a_million_receipts_fits_with_a_table() {
        let levels = |receipts: u64| receipts.next_power_of_two().ilog2() as usize;
        let bytes = |levels| {
            let both = overcharge(levels);
            (plain_len(&both, &key(9)), len_with_table(&both, &key(9)).unwrap())
        };
        for receipts in [100, 200, 10_000, 1_000_000] {
            println!("dispute_receipt, {receipts} receipts: {:?} bytes", bytes(levels(receipts)));
        }
        assert!(bytes(levels(10_000)).0 > MAX_BYTES, "or no table would be needed");
        assert!(bytes(levels(10_000)).1 <= MAX_BYTES);
        assert!(bytes(levels(1_000_000)).1 <= MAX_BYTES);
        assert!(bytes(levels(1 << 21)).1 <= MAX_BYTES);
        assert!(bytes(levels((1 << 21) + 1)).1 > MAX_BYTES, "the most is known");
    }

    #[test]
    fn two_receipts_of_one_number_fit_with_a_table() {
        let both = {
            let state = Channel::zeroed();
            [verify(), verify(), billing::dispute_receipts(key(7), &state, key(8), token_program::CLASSIC)]
        };
        println!("dispute_receipts: {} and {:?} bytes", plain_len(&both, &key(9)), len_with_table(&both, &key(9)));
        assert!(len_with_table(&both, &key(9)).unwrap() <= MAX_BYTES);
    }

    #[test]
    fn a_table_names_neither_signers_nor_programs_and_its_making_fits() {
        let both = overcharge(20);
        let addresses = looked_up(&both);
        assert!(!addresses.contains(&crate::billing::ID) && addresses.contains(&crate::staking::ID));
        assert_eq!(addresses.len(), 15);
        let (_, make) = Table::new(key(9), 1, addresses);
        assert!(plain_len(&make, &key(9)) <= MAX_BYTES);
    }

    #[test]
    fn a_table_is_given_up_once_and_closed_when_it_is_cold() {
        let mut data = [1_u32.to_le_bytes().as_slice(), &u64::MAX.to_le_bytes()].concat();
        data.resize(56, 0);
        let (next, retired) = retire(key(1), &data, &key(9), 100).unwrap();
        assert_eq!((next.is_some(), retired), (true, Retired::Cooling { until: 613 }));
        data[4..12].copy_from_slice(&100_u64.to_le_bytes());
        assert_eq!(retire(key(1), &data, &key(9), 613).unwrap(), (None, Retired::Cooling { until: 613 }));
        let (next, retired) = retire(key(1), &data, &key(9), 614).unwrap();
        assert_eq!((next.is_some(), retired), (true, Retired::Closed));
        assert!(retire(key(1), &data[..20], &key(9), 614).is_err());
    }
}
