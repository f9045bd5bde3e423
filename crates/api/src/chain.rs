//! Accounts, events, totals, and how the indexer itself is doing.

use crate::{decimal, Commitment, PaidSums};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fact that a program stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    pub signature: String,
    /// Index of the top-level instruction in its transaction.
    pub instruction: u32,
    /// Index among that instruction's inner instructions.
    pub inner: u32,
    pub slot: u64,
    pub block_time: Option<i64>,
    /// `escrow`, `billing`, `staking`, `registry` or `treasury`.
    pub program: String,
    /// Such as `JobOpened`.
    pub name: String,
    /// The account the event is about.
    pub subject: String,
    /// The event's fields.
    pub data: serde_json::Value,
    pub commitment: Commitment,
}

/// One account of ours with its history, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    pub address: String,
    /// Such as `job`, `bond` or `provider`; `undecodable` where the bytes make no sense.
    pub kind: String,
    pub program: String,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub lamports: u64,
    pub closed: bool,
    pub slot: u64,
    /// The decoded fields.
    pub data: serde_json::Value,
    pub history: Vec<Event>,
}

/// Sums over everything settled and in flight, per mint. Over the years they may be more than any one amount: up to 2^127 - 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MintTotals {
    pub mint: String,
    pub jobs_open: u64,
    pub jobs_accepted: u64,
    pub jobs_delivered: u64,
    pub jobs_challenged: u64,
    pub jobs_settled: u64,
    pub jobs_refunded: u64,
    /// Sitting in jobs' vaults now.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub escrowed: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_to_providers: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_in_fees: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_to_challengers: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_to_jurors: u128,
    /// Taken out of bonds for jobs and votes.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slashed: u128,
    /// Put in by challengers and appellants.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub deposited: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub refunded: u128,
    pub channels_open: u64,
    pub channels_closing: u64,
    pub channels_closed: u64,
    /// In payers' vaults now, reserved or free.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub prepaid: u128,
    /// What channels have earned and was divided.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub billed: u128,
    /// What channels have paid out.
    pub billed_paid: PaidSums,
    /// What went back to payers because a provider has lost a dispute about a bill.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub billed_returned: u128,
    /// Requests that were settled.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub requests: u128,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub units: u128,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    pub slot: u64,
    pub providers_active: u64,
    pub providers_total: u64,
    pub mints: Vec<MintTotals>,
}

/// One page; pass `next_cursor` back to get the following one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// `GET /healthz`: 200 when `ok`, 503 otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    pub ok: bool,
    /// `starting`, `snapshot`, `live`, `reconnecting` or `stopping`.
    pub phase: String,
    /// Newest slot seen on the stream.
    pub tip_slot: u64,
    /// Everything up to here is stored, without a gap.
    pub checkpoint_slot: u64,
    /// Slots from the checkpoint to where the cluster must be by the clock.
    #[serde(default)]
    pub lag_slots: u64,
    /// Since the last update of the stream.
    #[serde(default)]
    pub silent_seconds: u64,
    /// What is wrong, if anything.
    pub reason: Option<String>,
    /// The gRPC endpoints that are followed, all at once: one that lives is enough.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// A gRPC endpoint that the indexer follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// Host and port.
    pub endpoint: String,
    /// It is connected and has said something within the last ten seconds.
    pub live: bool,
    /// Newest slot that it has told of.
    pub tip_slot: u64,
    /// Why it is not live.
    pub reason: Option<String>,
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A stable code, such as `not_found` or `bad_cursor`.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}
