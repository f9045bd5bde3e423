//! What the runtime and programs that are not ours refuse, in words.

use crate::{token_program, Pubkey};
use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::rpc_request::RpcError;
use solana_instruction::error::InstructionError;
use solana_transaction_error::TransactionError;

const SYSTEM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");
const LAMPORTS: u64 = 1_000_000_000;

/// Errors of the token programs, by code.
const TOKEN: [(u32, &str); 9] = [
    (0, "an account would hold too little SOL for its rent"),
    (1, "a token account holds fewer tokens than are to be sent"),
    (2, "the token's mint is not one"),
    (3, "a token account is for another token"),
    (4, "a token account belongs to somebody else"),
    (6, "a token account exists already"),
    (9, "a token account is not there yet"),
    (11, "a token account still holds tokens, and cannot be closed"),
    (17, "a token account is frozen by the token's issuer"),
];

/// The system program's, by code.
const SYSTEMS: [(u32, &str); 2] =
    [(0, "an account that it would make exists already"), (1, "whoever pays has too little SOL")];

/// Why a transaction was refused that broke no rule of our programs. `logs` say which program it was; without them the reason
/// is as good as its error says.
pub fn words(error: &TransactionError, logs: &[String]) -> String {
    match error {
        TransactionError::AccountNotFound | TransactionError::InsufficientFundsForFee => {
            "whoever pays the fee has too little SOL for it".into()
        }
        TransactionError::InsufficientFundsForRent { .. } => {
            "an account would be left with too little SOL for its rent: whoever pays needs more".into()
        }
        TransactionError::BlockhashNotFound => "it came too late to the cluster: try again".into(),
        TransactionError::InstructionError(_, error) => instruction(error, logs),
        other => lower(&other.to_string()),
    }
}

fn instruction(error: &InstructionError, logs: &[String]) -> String {
    match error {
        InstructionError::Custom(code) => custom(*code, logs),
        InstructionError::ComputationalBudgetExceeded => "it takes more computing than a transaction may".into(),
        InstructionError::MissingRequiredSignature => "somebody's signature is missing that it needs".into(),
        InstructionError::UninitializedAccount | InstructionError::InvalidAccountOwner => {
            "an account that it needs is not there, or is another program's".into()
        }
        InstructionError::InsufficientFunds => "an account holds too little for it".into(),
        InstructionError::UnsupportedProgramId | InstructionError::ProgramFailedToComplete => {
            "a program that it calls is not there, or broke down".into()
        }
        other => lower(&other.to_string()),
    }
}

fn custom(code: u32, logs: &[String]) -> String {
    let Some(program) = failed(logs) else {
        return "a program that is not ours refused it, and the node does not say which".into();
    };
    let known: &[(u32, &str)] = match program {
        program if program == SYSTEM => &SYSTEMS,
        program if program == token_program::CLASSIC || program == token_program::TOKEN_2022 => &TOKEN,
        _ => &[],
    };
    if let Some(both) = lamports(logs).filter(|_| program == SYSTEM && code == 1) {
        return both;
    }
    let known = known.iter().find(|(own, _)| *own == code);
    known.map_or_else(
        || format!("program {program} refused it, by its own rule number {code}"),
        |(_, text)| (*text).into(),
    )
}

/// The innermost program that failed: it says so first.
fn failed(logs: &[String]) -> Option<Pubkey> {
    let program = logs.iter().find_map(|line| line.strip_prefix("Program ")?.split_once(" failed: "))?.0;
    program.parse().ok()
}

/// What the system program found and wanted.
fn lamports(logs: &[String]) -> Option<String> {
    let rest = logs.iter().find_map(|line| line.split_once("insufficient lamports "))?.1;
    let (has, needs) = rest.split_once(", need ")?;
    let (has, needs) = (has.parse().ok()?, needs.parse().ok()?);
    Some(format!("whoever pays has {}, and {} are needed", sol(has), sol(needs)))
}

/// Lamports as people read them.
pub fn sol(lamports: u64) -> String {
    let (whole, fraction) = (lamports / LAMPORTS, format!("{:09}", lamports % LAMPORTS));
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} SOL"),
        fraction => format!("{whole}.{fraction} SOL"),
    }
}

/// What an RPC node said instead of an answer, or why it said nothing; the last cause alone, which the others lead to.
pub fn unreachable(error: &ClientError) -> String {
    match error.kind() {
        ClientErrorKind::Reqwest(error) => {
            let place = error.url().map(|url| format!(" at {url}")).unwrap_or_default();
            format!("the RPC node{place} does not answer: {}", last_cause(error))
        }
        ClientErrorKind::RpcError(RpcError::RpcResponseError { message, .. }) => {
            format!("the RPC node says: {}", lower(message))
        }
        // Where an account was asked for, the client has made a sentence of the cause.
        ClientErrorKind::RpcError(RpcError::ForUser(said)) => match unsent(said) {
            Some(url) => format!("the RPC node at {url} does not answer"),
            None => format!("the RPC node does not answer as expected: {said}"),
        },
        other => format!("the RPC node does not answer as expected: {}", last_cause(other)),
    }
}

/// The address that a request could not be sent to.
fn unsent(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("error sending request for url (")?;
    Some(rest.split_once(')')?.0)
}

/// The cause that has no other, without the number that the operating system has for it.
pub fn last_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    lower(text.split(" (os error").next().unwrap_or_default())
}

/// A sentence as it goes on after a colon; words that are more than their first letter in capitals stay.
fn lower(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    let mut letters = sentence.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(sentence.chars().skip(1)).collect()
        }
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u32, logs: &[&str]) -> String {
        let logs: Vec<String> = logs.iter().map(|line| (*line).to_owned()).collect();
        words(&TransactionError::InstructionError(0, InstructionError::Custom(code)), &logs)
    }

    #[test]
    fn the_innermost_program_that_failed_says_what_its_code_means() {
        let ours = "Program 4yYd6Psd5nUvB8Y8xZy3b2rXzmC4dZ1D6uCk3mM7XwZc failed: custom program error: 0x1";
        let token = format!("Program {} failed: custom program error: 0x1", token_program::CLASSIC);
        assert_eq!(
            said(1, &["Program x invoke [1]", &token, ours]),
            "a token account holds fewer tokens than are to be sent"
        );
        let system = format!("Program {SYSTEM} failed: custom program error: 0x1");
        assert_eq!(said(1, &[&system]), "whoever pays has too little SOL");
        assert_eq!(
            said(1, &["Transfer: insufficient lamports 890880, need 1500000000", &system]),
            "whoever pays has 0.00089088 SOL, and 1.5 SOL are needed"
        );
        assert!(said(9_999, &[&token]).contains("rule number 9999"));
        assert!(said(1, &[]).contains("does not say which"));
    }

    #[test]
    fn no_reason_is_a_number_or_a_name_of_the_source() {
        for error in [
            TransactionError::AccountNotFound,
            TransactionError::InsufficientFundsForRent { account_index: 3 },
            TransactionError::BlockhashNotFound,
            TransactionError::AlreadyProcessed,
            TransactionError::InstructionError(1, InstructionError::MissingRequiredSignature),
            TransactionError::InstructionError(1, InstructionError::InvalidArgument),
        ] {
            let said = words(&error, &[]);
            assert!(!said.contains("0x") && !said.contains("nstruction 1") && !said.contains("Error"), "{said}");
        }
        assert_eq!([sol(0), sol(1), sol(2_500_000_000)], ["0 SOL", "0.000000001 SOL", "2.5 SOL"].map(String::from));
    }

    #[test]
    fn a_node_that_is_away_is_named() {
        let said = "AccountNotFound: pubkey=x: error sending request for url (http://127.0.0.1:9/)";
        assert_eq!(unsent(said), Some("http://127.0.0.1:9/"));
        let error = ClientError::from(RpcError::ForUser(said.into()));
        assert_eq!(unreachable(&error), "the RPC node at http://127.0.0.1:9/ does not answer");
    }

    #[test]
    fn a_cause_is_the_last_and_has_no_number() {
        let os = std::io::Error::from_raw_os_error(111);
        assert_eq!(last_cause(&os), "connection refused");
    }
}
