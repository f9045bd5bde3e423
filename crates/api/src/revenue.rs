//! What channels have earned: each division of it, and sums by model, creator, provider and day.

use crate::{decimal, Commitment, PaidOut, PaidSums};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a channel has earned was divided, and paid where it could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Distribution {
    /// The transaction that divided it.
    pub signature: String,
    /// Index of the top-level instruction in its transaction.
    pub instruction: u32,
    /// Index among that instruction's inner instructions.
    pub inner: u32,
    /// The channel that earned it.
    pub channel: String,
    /// Vouchers, from the channel's beginning.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub settled: u64,
    /// Plans, from the channel's beginning.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub accrued: u64,
    /// How much of what is earned the provider's share was computed on by then.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub collected: u64,
    /// What was paid now.
    pub paid: PaidOut,
    /// What went back to the payer because the provider has lost a dispute.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub returned: u64,
    /// Of its block; 0 where the node did not know it.
    pub at: i64,
    /// Slot of the transaction.
    pub slot: u64,
    pub commitment: Commitment,
}

/// What revenue is summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevenueBy {
    Model,
    /// Of models.
    Creator,
    Provider,
    /// In UTC.
    Day,
}

/// Sums by one thing, over some days. Of confirmed state only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevenueReport {
    pub by: RevenueBy,
    /// The first second that is counted; `null` when it begins at the beginning.
    pub from: Option<i64>,
    /// The first second that is not counted any more; `null` when it goes up to now.
    pub to: Option<i64>,
    /// By day: the newest first. Otherwise: what earned most first, token by token.
    pub rows: Vec<Revenue>,
    /// Rows that `limit` left out.
    pub left_out: u64,
}

/// What was earned in one token. Over many channels that may be more than any one amount: up to 2^127 - 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revenue {
    /// Address of the model, creator or provider; `null` by day, and for the creator of a model that was never seen.
    pub key: Option<String>,
    /// The first second of the day; `null` unless by day.
    pub day: Option<i64>,
    pub mint: String,
    /// What was earned and divided, of which `paid` is what was paid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub amount: u128,
    /// How much of what was earned the provider's share was computed on.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub collected: u128,
    pub paid: PaidSums,
    /// What went back to payers because the provider has lost a dispute.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub returned: u128,
    /// Requests that were settled.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub requests: u128,
    /// Tokens, images and seconds in one number, as vouchers state them.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub units: u128,
}
