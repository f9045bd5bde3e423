//! Version 1 transactions (SIMD-0385): 4,096 bytes and 64 addresses, and no lookup tables.
//!
//! What one may use stands in its head, and a limit that is left out is zero and no default: it computes nothing, and loads no
//! account. So there are no limits here without numbers, and those are found by rehearsing ([`crate::Chain::send`] does).
//! Instructions to the compute budget program do nothing in it.
//!
//! It has at least twelve bytes more than the same transaction without a version, which is sent as long as it fits.

use crate::SdkError;
use solana_instruction::Instruction;
use solana_message::{v1, Hash, VersionedMessage};
use solana_pubkey::Pubkey;

/// The longest transaction.
pub const MAX_BYTES: usize = v1::MAX_TRANSACTION_SIZE;
/// The most addresses that one names, programs included.
pub const MAX_ADDRESSES: usize = v1::MAX_ADDRESSES as usize;

/// There is an account here on every cluster where the feature was ever asked for.
pub const FEATURE: Pubkey = Pubkey::from_str_const("txv1aq4pp281K9um3tnPgkfX8UqtFT6wcVW3hNezGLL");
const FEATURE_PROGRAM: Pubkey = Pubkey::from_str_const("Feature111111111111111111111111111111111111");

/// What accounts cost is counted in pages of this many bytes.
const PAGE: u32 = 32 * 1024;

/// What a transaction may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub compute_units: u32,
    /// Of all accounts that it names, and 64 more for each; of a program, its code too.
    pub loaded_bytes: u32,
    /// A multiple of 1,024; `None` is 32 KiB, the one limit with a default.
    pub heap_bytes: Option<u32>,
    /// Lamports for all of it, not millionths for each compute unit.
    pub priority_fee: u64,
}

impl Limits {
    /// The most that any cluster grants, for a rehearsal.
    pub const MOST: Self =
        Self { compute_units: 1_400_000, loaded_bytes: 64 * 1024 * 1024, heap_bytes: None, priority_fee: 0 };

    /// What a rehearsal has used, and room for what accounts become before the transaction runs: an eighth of the compute
    /// units and a thousand more, and a page.
    pub fn around(compute_units: u64, loaded_bytes: u32) -> Self {
        let roomy = compute_units.saturating_add(compute_units / 8).saturating_add(1_000);
        let pages = loaded_bytes.div_ceil(PAGE).saturating_add(1);
        Self {
            compute_units: u32::try_from(roomy).unwrap_or(u32::MAX).min(Self::MOST.compute_units),
            loaded_bytes: pages.saturating_mul(PAGE).min(Self::MOST.loaded_bytes),
            ..Self::MOST
        }
    }

    fn config(self) -> v1::TransactionConfig {
        v1::TransactionConfig {
            priority_fee: (self.priority_fee > 0).then_some(self.priority_fee),
            compute_unit_limit: Some(self.compute_units),
            loaded_accounts_data_size_limit: Some(self.loaded_bytes),
            heap_size: self.heap_bytes,
        }
    }
}

/// Not every SVM that runs it refuses what is too long, so that is done here.
pub fn message(
    payer: &Pubkey,
    instructions: &[Instruction],
    limits: Limits,
    blockhash: Hash,
) -> Result<VersionedMessage, SdkError> {
    let config = limits.config();
    let message = v1::Message::try_compile_with_config(payer, instructions, blockhash, config);
    let message = message.map_err(|error| SdkError::Unfit(error.to_string()))?;
    message.validate().map_err(|error| SdkError::Unfit(error.to_string()))?;
    let message = VersionedMessage::V1(message);
    match crate::transaction::len(&message) {
        bytes if bytes > MAX_BYTES => Err(SdkError::TooLong { bytes, most: MAX_BYTES }),
        _ => Ok(message),
    }
}

/// Whether a transaction of these instructions holds them.
pub fn fits(instructions: &[Instruction], payer: &Pubkey) -> bool {
    message(payer, instructions, Limits::MOST, Hash::default()).is_ok()
}

/// Whether an account at [`FEATURE`] says that the cluster takes them: the feature's slot is written when it begins.
pub(crate) fn is_active(owner: &Pubkey, data: &[u8]) -> bool {
    *owner == FEATURE_PROGRAM && data.first() == Some(&1)
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        table::plain_len,
        transaction::{read, write, VersionedTransaction},
        Signature,
    };
    use solana_instruction::AccountMeta;

    fn key(n: u8) -> Pubkey {
        Pubkey::new_from_array([n; 32])
    }

    /// One that names `accounts` of its own and has `data` bytes for its program.
    fn instruction(accounts: u8, data: usize) -> Instruction {
        let accounts = (0..accounts).map(|n| AccountMeta::new(key(100 + n), false)).collect();
        Instruction { program_id: key(1), accounts, data: vec![7; data] }
    }

    fn len(instructions: &[Instruction], limits: Limits) -> usize {
        crate::transaction::len(&message(&key(9), instructions, limits, Hash::default()).unwrap())
    }

    #[test]
    fn it_is_never_the_shorter_one() {
        for data in [0, 1, 127, 128, 300] {
            for count in [1, 2, 10] {
                let instructions = vec![instruction(3, data); count];
                let (plain, v1) = (plain_len(&instructions, &key(9)), len(&instructions, Limits::MOST));
                assert!(v1 >= plain + 12, "{count} of {data} bytes: {plain} and {v1}");
            }
        }
    }

    #[test]
    fn what_is_too_long_or_names_too_much_is_an_error_before_it_is_sent() {
        let overhead = len(&[instruction(0, 0)], Limits::MOST);
        let most = MAX_BYTES - overhead;
        assert_eq!(len(&[instruction(0, most)], Limits::MOST), MAX_BYTES);
        let over = message(&key(9), &[instruction(0, most + 1)], Limits::MOST, Hash::default());
        assert!(matches!(over, Err(SdkError::TooLong { bytes: 4_097, most: 4_096 })), "{over:?}");
        assert!(fits(&[instruction(62, 0)], &key(9)), "with the payer and the program, 64 addresses");
        let over = message(&key(9), &[instruction(63, 0)], Limits::MOST, Hash::default());
        assert!(matches!(&over, Err(SdkError::Unfit(why)) if why.contains("64")), "{over:?}");
    }

    #[test]
    fn every_limit_is_written_down_but_a_fee_that_nobody_pays() {
        let config = Limits::around(80_000, 300_000).config();
        assert_eq!((config.compute_unit_limit, config.priority_fee, config.heap_size), (Some(91_000), None, None));
        assert_eq!(config.loaded_accounts_data_size_limit, Some(11 * 32 * 1024));
        assert_eq!(Limits::around(u64::MAX, u32::MAX), Limits::MOST);
    }

    #[test]
    fn it_comes_back_from_the_wire_as_it_was_and_is_not_mistaken_for_another_version() {
        let message = message(&key(9), &[instruction(3, 2_000)], Limits::MOST, Hash::default()).unwrap();
        let transaction = VersionedTransaction { signatures: vec![Signature::default()], message };
        let bytes = write(&transaction);
        assert_eq!(bytes.len(), crate::transaction::len(&transaction.message));
        assert_eq!((bytes[0], read(&bytes)), (0x81, Some(transaction)));
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None, "something behind it");
    }

    #[test]
    fn a_feature_is_active_once_its_slot_is_written() {
        let since = [[1].as_slice(), &447_120_000_u64.to_le_bytes()].concat();
        assert!(is_active(&FEATURE_PROGRAM, &since));
        assert!(!is_active(&FEATURE_PROGRAM, &[0; 9]), "asked for, and not begun");
        assert!(!is_active(&key(1), &since), "anybody can make an account of another program");
        assert!(!is_active(&FEATURE_PROGRAM, &[]));
    }
}
