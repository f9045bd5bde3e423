//! Requests paid one by one: deposits, channels, and standing payments on them.

use crate::{decimal, Commitment, Distribution};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody's deposit in one token, that many channels reserve parts of. Never closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payer {
    pub address: String,
    /// Alone may spend it, and take back what is free.
    pub owner: String,
    pub mint: String,
    pub vault: String,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub balance: u64,
    /// For channels and plans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub reserved: u64,
    /// Neither reserved nor spent, as of the payer's last change: what plans made since is not in it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub free: u64,
    /// What all running plans make together, in base units a second.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rate: u64,
    /// Until then the running plans are reserved for.
    pub synced_at: i64,
    /// The number that the next channel must have.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub next_channel: u64,
    pub open_channels: u32,
    pub slot: u64,
    pub commitment: Commitment,
}

/// Where a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelStatus {
    Open,
    /// Nothing can be settled from `closes_at` on.
    Closing,
    /// Everybody is paid, its account gone.
    Closed,
}

/// A key that signs vouchers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The key.
    pub signer: String,
    /// The most that may be settled under it, everything before it included.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub limit: u64,
    /// Until when it may sign.
    pub expires_at: i64,
}

/// A session that is to follow the one that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StagedSession {
    /// The key that will sign.
    #[serde(flatten)]
    pub session: Session,
    /// From when on it signs.
    pub holds_at: i64,
}

/// What a party is due and could not be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Owed {
    /// Its place: 0 to 5 the shares of the price list, 6 the protocol, 7 the provider.
    pub party: u8,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub amount: u64,
}

/// What went out of payers' vaults, by whom it went to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaidOut {
    /// Everybody whom price lists name.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub shares: u64,
    /// To the protocol.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub fee: u64,
    /// To the provider.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub provider: u64,
}

/// The same of many channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaidSums {
    /// Everybody whom price lists name.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub shares: u128,
    /// To the protocol.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub fee: u128,
    /// To the provider.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub provider: u128,
}

/// Who was proven wrong about a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// It overcharged, or billed one request twice.
    Provider,
    /// It promised two things under one number.
    Payer,
    /// One of them each.
    Both,
}

impl Against {
    /// Whether the other is among those who were proven wrong.
    pub fn includes(self, other: Self) -> bool {
        self == other || self == Self::Both
    }
}

/// What the disputes about a bill came to: one against each party at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillDispute {
    /// Who was proven wrong.
    pub against: Against,
    /// Out of the provider's bond.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slashed: u64,
    /// The payer's again: what the provider had not been paid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub returned: u64,
    /// What the payer lost: it counts as settled.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub forfeited: u64,
    /// Of the last, in Unix seconds.
    pub at: i64,
}

/// One payer's spending at one provider, on one version of a model's prices. Amounts are sums from the channel's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// The channel's account.
    pub address: String,
    /// The deposit that it is paid from.
    pub payer: String,
    /// The payer's owner.
    pub owner: String,
    /// The payer's number for it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub number: u64,
    /// Where it stands.
    pub status: ChannelStatus,
    /// The provider's account.
    pub provider: String,
    /// The provider's key: signs receipts, backs bills, may close.
    pub authority: String,
    /// Token account that the provider is paid into; unknown if the account was never seen.
    pub payout: Option<String>,
    /// The model that is asked.
    pub model: String,
    /// The price list.
    pub prices: String,
    /// The token that it is paid in.
    pub mint: String,
    /// The key that signs vouchers.
    pub session: Session,
    /// The key that is to follow.
    pub staged: Option<StagedSession>,
    /// The most that vouchers may ever pay; once closed, what is spent.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub cap: u64,
    /// What vouchers have paid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub settled: u64,
    /// What plans have paid.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub accrued: u64,
    /// How many requests the newest settled voucher pays for.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub requests: u64,
    /// Tokens, images and seconds in one number, as that voucher states them.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub units: u64,
    /// How much of what is earned the provider has locked a claim for.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub backed: u64,
    /// How much of what is earned the shares of all but the provider were computed on.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid: u64,
    /// How much of what is earned the provider's share was computed on.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub collected: u64,
    /// Whoever could not be paid yet.
    pub owed: Vec<Owed>,
    /// What of the payer's reserve is this channel's.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub held: u64,
    /// What went out, of confirmed state only.
    pub paid_out: PaidOut,
    /// What went back to the payer because the provider has lost a dispute, of confirmed state only.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub returned: u64,
    /// When it was opened.
    pub opened_at: i64,
    /// From when on it can be closed, once that was asked for.
    pub closes_at: Option<i64>,
    /// How long the provider has to settle once the owner wants to close, in seconds.
    pub grace: u32,
    /// The protocol's.
    pub fee_bps: u16,
    /// What the price list's shares take together.
    pub share_bps: u16,
    /// What the provider locks of its bond before it collects, of what is earned.
    pub backing_bps: u16,
    /// The claim on the provider's bond.
    pub claim: Option<String>,
    /// Whether a plan pays through it.
    pub has_plan: bool,
    /// What disputes about a bill came to.
    pub dispute: Option<BillDispute>,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

/// A channel with its plan and where its money went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelWithPlan {
    pub channel: Channel,
    /// The newest one, ended or not.
    pub plan: Option<Plan>,
    /// The newest distributions, the newest first, of confirmed state only; the rest are under `/v1/distributions`.
    pub distributions: Vec<Distribution>,
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Flows for as long as the deposit can pay for all of the payer's plans.
    Running,
    /// The provider has stopped it, until the owner resumes it.
    Paused,
    /// Its notice runs, paid out of the lockup.
    Terminated,
    /// Its account is gone.
    Ended,
}

/// A standing payment on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The plan's account.
    pub address: String,
    /// The channel that it pays through.
    pub channel: String,
    /// The deposit that it is paid from.
    pub payer: String,
    /// Where it stands.
    pub status: PlanStatus,
    /// Base units a second.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rate: u64,
    /// What is left of the notice's money.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub lockup: u64,
    /// The notice, in seconds.
    pub period: u32,
    /// When it began.
    pub started_at: i64,
    /// Until then everything is on the channel.
    pub settled_until: i64,
    /// When the notice ends or ended.
    pub ends_at: Option<i64>,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}
