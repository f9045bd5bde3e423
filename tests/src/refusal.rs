//! Transactions that must fail, with the error that must be named and nothing changed.

use crate::World;
use joule_sdk::{error::explain, Instruction, Keypair, Pubkey};
use litesvm::types::FailedTransactionMetadata;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

/// Why the SVM refused a transaction.
#[derive(Debug)]
pub struct Refusal {
    /// A program error's name, or the runtime's name for its own.
    pub name: String,
    pub logs: Vec<String>,
}

/// Codes of Anchor's that no IDL lists.
const ANCHOR: [(u32, &str); 3] =
    [(2000, "ConstraintMut"), (2012, "ConstraintAddress"), (2040, "ConstraintDuplicateMutableAccount")];

impl From<FailedTransactionMetadata> for Refusal {
    fn from(failed: FailedTransactionMetadata) -> Self {
        let name = match &failed.err {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => explain(*code)
                .map(|(name, _)| name.to_owned())
                .or_else(|| ANCHOR.iter().find(|(c, _)| c == code).map(|(_, name)| (*name).to_owned()))
                .unwrap_or_else(|| format!("Custom({code})")),
            TransactionError::InstructionError(_, other) => format!("{other:?}"),
            other => format!("{other:?}"),
        };
        Self { name, logs: failed.meta.logs }
    }
}

/// The instruction with one account replaced by another.
pub fn swap(mut instruction: Instruction, old: Pubkey, new: Pubkey) -> Instruction {
    let mut found = false;
    for account in instruction.accounts.iter_mut().filter(|a| a.pubkey == old) {
        account.pubkey = new;
        found = true;
    }
    assert!(found, "{old} is not an account of the instruction");
    instruction
}

impl World {
    /// The transaction fails with the error named, and every account it names stays as it was to the byte.
    #[track_caller]
    pub fn refuse(&mut self, instruction: Instruction, signers: &[&Keypair], expected: &str) {
        let addresses: Vec<Pubkey> = instruction.accounts.iter().map(|a| a.pubkey).collect();
        let before: Vec<_> = addresses.iter().map(|a| self.svm.get_account(a)).collect();
        match self.attempt(&[instruction], signers) {
            Ok(_) => panic!("it was accepted, and should fail with {expected}"),
            Err(refusal) => assert_eq!(refusal.name, expected, "{:#?}", refusal.logs),
        }
        let after: Vec<_> = addresses.iter().map(|a| self.svm.get_account(a)).collect();
        assert_eq!(before, after, "a refused transaction changed an account");
    }
}
