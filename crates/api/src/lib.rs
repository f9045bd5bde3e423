//! What the indexer's REST API answers, as types that the server, the node, the CLI and the tests share, and a client.
//!
//! Money and ids are `u64` on chain and decimal strings in JSON, so that a JavaScript reader loses no digit.
//! Times are Unix seconds, addresses base58, hashes lower-case hex.

mod chain;
mod channel;
mod client;
mod decimal;
mod dispute;
mod job;
mod model;
mod provider;
mod revenue;

pub use chain::{Account, Endpoint, ErrorBody, Event, Health, MintTotals, Page, Totals};
pub use channel::{
    Against, BillDispute, Channel, ChannelStatus, ChannelWithPlan, Owed, PaidOut, PaidSums, Payer, Plan, PlanStatus,
    Session, StagedSession,
};
pub use client::{ApiError, Client};
pub use dispute::{Case, Dispute, DisputeStatus, Member, Side, Tally, Verdict, Vote};
pub use job::{Bid, Job, JobStatus, OpenJob, Payout, Pricing, RefusedJob, Verification};
pub use model::{Model, ModelStatus, ModelWithLineage, PriceList, Royalty, Share};
pub use provider::{Attributes, Bond, BondWithClaims, Claim, Provider, ProviderStatus, Reputation};
pub use revenue::{Distribution, Revenue, RevenueBy, RevenueReport};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How sure the chain is of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    Processed,
    Confirmed,
    Finalized,
}
