//! Transactions that must fail, with the error that must be named and nothing changed.

use crate::{Kind, World};
use joule_sdk::{error::explain, Instruction, Keypair, Pubkey};
use litesvm::types::FailedTransactionMetadata;
use solana_instruction::error::InstructionError;
use solana_system_interface::error::SystemError;
use solana_transaction_error::TransactionError;
use spl_token_2022_interface::error::TokenError;

/// Why the SVM refused a transaction.
#[derive(Debug)]
pub struct Refusal {
    /// A program error's name, which for other people's programs says whose it is, or the runtime's name for its own.
    pub name: String,
    pub logs: Vec<String>,
}

impl From<FailedTransactionMetadata> for Refusal {
    fn from(failed: FailedTransactionMetadata) -> Self {
        let logs = failed.meta.logs;
        let name = match &failed.err {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => match explain(*code) {
                Some((name, _)) => {
                    assert_eq!(named(&logs), [(name, *code)], "what the log names is what was returned: {logs:#?}");
                    name.to_owned()
                }
                None => foreign(*code, &logs).unwrap_or_else(|| format!("Custom({code})")),
            },
            TransactionError::InstructionError(_, other) => format!("{other:?}"),
            other => format!("{other:?}"),
        };
        Self { name, logs }
    }
}

/// Names and numbers of errors in a log, as Anchor's clients find them.
pub fn named(logs: &[String]) -> Vec<(&str, u32)> {
    let lines = logs.iter().filter_map(|line| line.strip_prefix("Program log: AnchorError occurred. Error Code: "));
    let parts = lines.map(|line| {
        let (name, rest) = line.split_once(". Error Number: ").expect("a number");
        let (number, text) = rest.split_once(". Error Message: ").expect("a text");
        assert!(text.ends_with('.') && text.len() > 1, "{line}");
        (name, number.parse().expect("a number"))
    });
    parts.collect()
}

/// The name of a token program's or the system program's own error. Their codes all start from 0, so that only the log
/// tells whose it is: the program that refused is the first to be named there as failed.
fn foreign(code: u32, logs: &[String]) -> Option<String> {
    let (program, _) = logs.iter().find_map(|line| line.strip_prefix("Program ")?.split_once(" failed: "))?;
    if [Kind::Classic, Kind::Token2022].iter().any(|kind| kind.program().to_string() == program) {
        return TokenError::try_from(code).ok().map(|error| format!("TokenError::{error:?}"));
    }
    let is_system = program == solana_system_interface::program::ID.to_string();
    is_system.then(|| SystemError::try_from(code).ok().map(|error| format!("SystemError::{error:?}")))?
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
        self.refuse_all(&[instruction], signers, expected);
    }

    /// The same for several instructions in one transaction.
    #[track_caller]
    pub fn refuse_all(&mut self, instructions: &[Instruction], signers: &[&Keypair], expected: &str) {
        let name = self.refusal(instructions, signers);
        assert_eq!(name, expected);
    }

    /// Why the transaction fails, which leaves every account it names as it was to the byte.
    #[track_caller]
    pub fn refusal(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> String {
        let addresses: Vec<Pubkey> = instructions.iter().flat_map(|i| &i.accounts).map(|a| a.pubkey).collect();
        let before: Vec<_> = addresses.iter().map(|a| self.svm.get_account(a)).collect();
        let name = match self.attempt(instructions, signers) {
            Ok(_) => panic!("it was accepted, and should fail"),
            Err(refusal) => refusal.name,
        };
        let after: Vec<_> = addresses.iter().map(|a| self.svm.get_account(a)).collect();
        assert_eq!(before, after, "a refused transaction changed an account");
        name
    }
}
