//! x402's standard scheme `exact` on Solana: a transaction that the client has signed pays for one request.
//! `specs/schemes/exact/scheme_exact_svm.md` of the specification is the source of the names.

use crate::{wire::decimal, Base58};
use joule_units::Amount;
use serde::{Deserialize, Serialize};

pub const SCHEME: &str = "exact";

/// How to pay for one request by a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    pub scheme: String,
    /// CAIP-2.
    pub network: String,
    /// What the transfer must be of, to the base unit.
    #[serde(with = "decimal")]
    pub amount: Amount,
    /// The mint.
    pub asset: Base58,
    /// Owner of the associated token account that gets it.
    pub pay_to: Base58,
    pub max_timeout_seconds: u64,
    pub extra: Extra,
}

/// What only this scheme knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extra {
    /// Who pays the transaction's fee, and signs last.
    pub fee_payer: Base58,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Base64 of the transaction, without the fee payer's signature.
    pub transaction: String,
}
