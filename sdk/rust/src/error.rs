//! What can go wrong, said in the programs' own words.

use crate::refusal;
use anchor_lang::{Error as AnchorError, ErrorCode};
use anchor_lang_idl_spec::Idl;
use solana_client::{
    client_error::{ClientError, ClientErrorKind},
    rpc_request::{RpcError, RpcResponseErrorData},
};
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_transaction_error::TransactionError;
use std::sync::OnceLock;

#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    #[error("{0}")]
    Program(ProgramFailure),
    /// The cluster ran or simulated the transaction and refused it for another reason than a program's own rule.
    #[error("the transaction was refused: {reason}")]
    Refused { reason: String, logs: Vec<String> },
    #[error("{}", refusal::unreachable(.0))]
    Rpc(Box<ClientError>),
    #[error("transaction {signature} was not confirmed in time; look it up before sending it again")]
    Unconfirmed { signature: String },
    #[error("there is no account at {0}")]
    NoAccount(Pubkey),
    #[error("the account's data is not what was expected: wrong kind, or cut short")]
    NotThisAccount,
    #[error("a signature is missing: {0}")]
    Signing(String),
    #[error("the transaction comes to {bytes} bytes, and one holds {most} here")]
    TooLong { bytes: usize, most: usize },
    #[error("no transaction holds this: {0}")]
    Unfit(String),
    #[error("cannot use key file {path}: {reason}")]
    KeyFile { path: String, reason: String },
}

impl SdkError {
    /// The program error's name, such as `ReviewWindowOpen`.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Program(failure) => Some(&failure.name),
            _ => None,
        }
    }

    /// Whether trying again later can help: the node was busy or out of reach.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Rpc(_) | Self::Unconfirmed { .. })
    }
}

/// A rule of a program that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({name})")]
pub struct ProgramFailure {
    /// Index of the instruction in the transaction.
    pub instruction: u8,
    pub code: u32,
    pub name: String,
    pub message: String,
}

/// Anchor's own errors with a code, name and text. No IDL lists them; Anchor knows the codes, and keeps the names for its
/// source alone. Its other errors are the runtime's, which have names.
fn anchors_own() -> &'static [(u32, &'static str, &'static str)] {
    macro_rules! list {
        ($($name:ident: $text:literal,)+) => {
            [$((AnchorError::from(ErrorCode::$name), stringify!($name), $text)),+]
        };
    }
    static OWN: OnceLock<Vec<(u32, &'static str, &'static str)>> = OnceLock::new();
    OWN.get_or_init(|| {
        list! {
            ConstraintMut: "An account must be writable",
            ConstraintHasOne: "An account does not name another one that it should",
            ConstraintRaw: "A constraint of an account does not hold",
            ConstraintRentExempt: "An account holds too few lamports to be exempt from rent",
            ConstraintExecutable: "An account must be a program",
            ConstraintClose: "An account cannot be closed into itself",
            ConstraintAddress: "An account is not the one expected",
            ConstraintZero: "An account must be fresh and zeroed",
            ConstraintSpace: "An account does not have the size expected",
            ConstraintAccountIsNone: "An account that may be left out is needed here",
            ConstraintDuplicateMutableAccount: "One account is in two places, and may be written in one of them",
            RequireViolated: "A condition does not hold",
            RequireEqViolated: "Two values must be equal",
            RequireKeysEqViolated: "Two addresses must be equal",
            RequireNeqViolated: "Two values must differ",
            RequireKeysNeqViolated: "Two addresses must differ",
            RequireGtViolated: "A value must be greater than another",
            RequireGteViolated: "A value must not be less than another",
        }
        .into_iter()
        .filter_map(|(error, name, text)| match error {
            AnchorError::Custom(code) => Some((code, name, text)),
            _ => None,
        })
        .collect()
    })
}

/// Name and text of a program error, or of Anchor's own. Each program's codes lie in a range of their own, so that the code
/// says which.
pub fn explain(code: u32) -> Option<(&'static str, &'static str)> {
    static IDLS: OnceLock<Vec<Idl>> = OnceLock::new();
    let idls = IDLS.get_or_init(|| {
        [
            include_str!("../../../idl/treasury.json"),
            include_str!("../../../idl/registry.json"),
            include_str!("../../../idl/escrow.json"),
            include_str!("../../../idl/staking.json"),
            include_str!("../../../idl/billing.json"),
        ]
        .into_iter()
        .filter_map(|json| serde_json::from_str(json).ok())
        .collect()
    });
    let stated = idls.iter().flat_map(|idl| &idl.errors).find(|error| error.code == code);
    match stated {
        Some(error) => Some((&error.name, error.msg.as_deref().unwrap_or(&error.name))),
        None => anchors_own().iter().find(|(own, ..)| *own == code).map(|(_, name, text)| (*name, *text)),
    }
}

/// Turns what a cluster says about a failed transaction into an error with a name.
pub fn from_transaction(error: &TransactionError, logs: Vec<String>) -> SdkError {
    if let TransactionError::InstructionError(instruction, InstructionError::Custom(code)) = error {
        if let Some((name, message)) = explain(*code) {
            return SdkError::Program(ProgramFailure {
                instruction: *instruction,
                code: *code,
                name: name.to_owned(),
                message: message.to_owned(),
            });
        }
    }
    SdkError::Refused { reason: refusal::words(error, &logs), logs }
}

impl From<ClientError> for SdkError {
    fn from(error: ClientError) -> Self {
        let logs = match error.kind() {
            ClientErrorKind::RpcError(RpcError::RpcResponseError {
                data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
                ..
            }) => result.logs.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        match error.get_transaction_error() {
            Some(refused) => from_transaction(&refused, logs),
            None => Self::Rpc(Box::new(error)),
        }
    }
}
