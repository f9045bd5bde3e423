//! What the indexer's REST API answers, as types that the server, the node, the CLI and the tests share, and a client.
//!
//! Money and ids are `u64` on chain and decimal strings in JSON, so that a JavaScript reader loses no digit.
//! Times are Unix seconds, addresses base58, hashes lower-case hex.

mod client;
mod decimal;

pub use client::{ApiError, Client};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a job stands. `Settled` and `Refunded` are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waiting for a provider.
    Open,
    /// A provider is working on it.
    Accepted,
    /// The result is in; the review window runs.
    Delivered,
    /// The provider was paid.
    Settled,
    /// The budget went back to the client.
    Refunded,
}

/// How sure the chain is of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    Processed,
    Confirmed,
    Finalized,
}

/// One escrowed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    pub address: String,
    pub client: String,
    /// The client's number for it; never used twice.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "7")]
    pub id: u64,
    pub status: JobStatus,
    /// Address of the `Provider` account, once accepted.
    pub provider: Option<String>,
    /// The key that runs the provider, once accepted.
    pub provider_authority: Option<String>,
    pub mint: String,
    /// What the client put into the vault, in base units of `mint`.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "1000000")]
    pub budget: u64,
    /// What the provider asked for, fee included; 0 while open.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "900000")]
    pub price: u64,
    /// The protocol's share of `price`, in basis points, fixed when the job was opened.
    pub fee_bps: u16,
    pub spec_hash: String,
    pub input_hash: String,
    pub result_hash: Option<String>,
    pub opened_at: i64,
    /// Last moment at which it can be accepted.
    pub accept_by: i64,
    /// Seconds a provider has from accepting to delivering.
    pub work_window: u32,
    pub deliver_by: Option<i64>,
    /// Seconds the client has to look at the result.
    pub review_window: u32,
    /// From this moment anyone may settle it.
    pub settle_after: Option<i64>,
    /// What has been paid out so far, in base units.
    pub paid: Payout,
    /// What is still owed because an account could not receive it, in base units.
    pub owed: Payout,
    /// True once the account is gone from the chain.
    pub closed: bool,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

/// Amounts in base units, by party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payout {
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub provider: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub fee: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub client: u64,
}

/// Whether a provider takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    Active,
    Paused,
    /// Its account was closed.
    Retired,
}

/// Advertised hardware; the program stores it, nobody has attested it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attributes {
    /// A code from `docs/gpu-models.md`; 0 is none.
    pub gpu_model: u16,
    pub gpu_count: u16,
    pub vram_mib: u32,
    pub cpu_cores: u16,
    /// A code from `docs/regions.md`; 0 is unspecified.
    pub region: u16,
    pub memory_mib: u32,
    pub disk_gib: u32,
    pub bandwidth_mbps: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    pub address: String,
    pub authority: String,
    pub payout_owner: String,
    pub status: ProviderStatus,
    /// Jobs it says it can run at once.
    pub capacity: u32,
    /// Jobs accepted and not yet delivered, settled or refunded.
    pub jobs_running: u64,
    pub jobs_settled: u64,
    /// Jobs accepted that ended in a refund.
    pub jobs_failed: u64,
    /// Sum of its shares of settled jobs, in base units, over all mints.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub earned: u64,
    pub attributes: Attributes,
    pub endpoint_hash: String,
    pub metadata_hash: String,
    pub registered_at: i64,
    pub updated_at: i64,
    pub slot: u64,
    pub commitment: Commitment,
}

/// An open job as one provider should see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenJob {
    pub job: Job,
    /// What the provider would receive at the full budget, fee deducted, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub pay: u64,
    /// Seconds left to accept.
    pub seconds_left: i64,
    /// Why it is offered and ranked where it is.
    pub reasons: Vec<String>,
}

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
    /// `escrow`, `registry` or `treasury`.
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
    /// `job`, `client`, `provider`, `attestor`, `attestations`, `requirements`, `protocol`, `accepted_mint`, or
    /// `undecodable`.
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

/// Sums over everything settled and in flight, per mint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MintTotals {
    pub mint: String,
    pub jobs_open: u64,
    pub jobs_accepted: u64,
    pub jobs_delivered: u64,
    pub jobs_settled: u64,
    pub jobs_refunded: u64,
    /// Sitting in vaults now.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub escrowed: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_to_providers: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid_in_fees: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub refunded: u64,
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
    /// What is wrong, if anything.
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
