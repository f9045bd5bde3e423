//! Jobs, bids, and what fits a provider.

use crate::{decimal, Commitment};
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
    /// Somebody says that the result is wrong; jurors decide.
    Challenged,
    /// The provider was paid.
    Settled,
    /// The budget went back to the client.
    Refunded,
}

impl JobStatus {
    /// How far a job has come, from 0; what is further is newer. Statuses are numbered in the order in which they were thought of.
    pub const fn progress(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Accepted => 1,
            Self::Delivered => 2,
            Self::Challenged => 3,
            Self::Settled | Self::Refunded => 4,
        }
    }
}

/// Who decides whether a challenged result is right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Nobody: it cannot be challenged.
    #[default]
    Review,
    /// Any number of bonded providers.
    Quorum,
    /// Resolvers drawn by lot.
    Panel,
}

/// What a price means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pricing {
    /// For the whole job.
    #[default]
    Fixed,
    /// For each reported second.
    PerSecond,
}

/// One escrowed job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// The job's account.
    pub address: String,
    /// Who posted it and pays.
    pub client: String,
    /// The client's number for it; never used twice.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "7")]
    pub id: u64,
    /// Where it stands.
    pub status: JobStatus,
    /// Address of the `Provider` account, once accepted.
    pub provider: Option<String>,
    /// The key that runs the provider, once accepted.
    pub provider_authority: Option<String>,
    /// The token that it is paid in.
    pub mint: String,
    /// What the client put into the vault, in base units of `mint`.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "1000000")]
    pub budget: u64,
    /// What the price means.
    pub pricing: Pricing,
    /// What the provider asked for, fee included; 0 while open. By the second, what it has earned, once delivered or stopped.
    #[serde(with = "decimal")]
    #[schema(value_type = String, example = "900000")]
    pub price: u64,
    /// Base units for each reported second; 0 when the price is fixed, and while open.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rate: u64,
    /// Paid by the second: the most that a provider may ask for one, in base units, as long as its account was ever seen; 0
    /// when the price is fixed.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub max_rate: u64,
    /// Seconds of work that the provider has reported so far, where it is paid by the second.
    pub reported: u32,
    /// The protocol's share of `price`, in basis points, fixed when the job was opened.
    pub fee_bps: u16,
    /// What a provider locks of its bond, in basis points of the price, or of the budget where it is paid by the second.
    pub bond_bps: u16,
    /// What the provider has locked of its bond, in base units; 0 while open. A challenger puts in as much.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub exposure: u64,
    /// Address of the `Requirements` account that a provider must meet, if there are any.
    pub requirements: Option<String>,
    /// Who decides whether a challenged result is right.
    pub verification: Verification,
    /// Members of a first panel, or votes that a quorum needs; 0 where nothing can be challenged.
    pub jurors: u8,
    /// Seconds of each step of a dispute; 0 where nothing can be challenged.
    pub vote_window: u32,
    /// Sha-256 of the job's spec: the module and its limits.
    pub spec_hash: String,
    /// Sha-256 of the input.
    pub input_hash: String,
    /// Sha-256 of the output, once delivered.
    pub result_hash: Option<String>,
    /// When it was posted.
    pub opened_at: i64,
    /// Last moment at which it can be accepted.
    pub accept_by: i64,
    /// Last moment at which bids are taken. Without bidding, whoever accepts first has the job.
    pub bid_until: Option<i64>,
    /// Address of the cheapest `Bid` so far.
    pub best_bid: Option<String>,
    /// Base units, or base units a second, of the cheapest bid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub best_price: u64,
    /// Seconds a provider has from accepting to delivering.
    pub work_window: u32,
    /// Last moment at which the result can be delivered, once accepted.
    pub deliver_by: Option<i64>,
    /// Seconds the client has to look at the result.
    pub review_window: u32,
    /// From this moment anyone may settle it.
    pub settle_after: Option<i64>,
    /// Who says that the result is wrong.
    pub challenger: Option<String>,
    /// Address of the `Dispute` account, once challenged.
    pub dispute: Option<String>,
    /// How the dispute ended.
    pub verdict: Option<crate::Verdict>,
    /// True from a challenge until its last vote is wound up.
    pub disputed: bool,
    /// What challenger and appellant have put into the vault so far, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub deposited: u64,
    /// What has come into the vault out of bonds so far, in base units: the provider's and jurors'.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slashed: u64,
    /// What has been paid out so far, in base units.
    pub paid: Payout,
    /// What is still owed, because an account could not receive it or a dispute is not wound up, in base units.
    pub owed: Payout,
    /// What is in the vault by all that, in base units: budget, deposits and what was slashed, less what was paid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub escrowed: u64,
    /// True once the account is gone from the chain.
    pub closed: bool,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

/// Amounts in base units, by party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payout {
    /// To the provider.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub provider: u64,
    /// To the protocol.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub fee: u64,
    /// To whoever challenged.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub challenger: u64,
    /// All jurors together.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub jurors: u64,
    /// To the client.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub client: u64,
}

impl Payout {
    /// All parties together.
    pub fn total(&self) -> u128 {
        [self.provider, self.fee, self.challenger, self.jurors, self.client].into_iter().map(u128::from).sum()
    }
}

/// A provider's binding offer to do a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bid {
    pub address: String,
    pub job: String,
    /// Address of the `Provider` account.
    pub provider: String,
    /// The key that runs the provider.
    pub authority: String,
    /// Base units, or base units a second, fee included.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub price: u64,
    /// What the provider has locked of its bond for it, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub exposure: u64,
    pub placed_at: i64,
}

/// An open job as one provider should see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenJob {
    pub job: Job,
    /// What the provider would receive at the full budget, fee deducted, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub pay: u64,
    /// What it would lock of its bond at the full budget, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub exposure: u64,
    /// True when it takes bids: `place_bid` instead of `accept`.
    pub takes_bids: bool,
    /// Seconds left to accept, or to bid.
    pub seconds_left: i64,
    /// Why it is offered and ranked where it is.
    pub reasons: Vec<String>,
}

/// An open job that a provider cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedJob {
    /// Address of the job.
    pub job: String,
    /// Every rule that it fails by.
    pub reasons: Vec<String>,
}
