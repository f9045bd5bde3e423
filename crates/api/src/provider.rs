//! Providers, and the bonds that they answer with.

use crate::{decimal, Commitment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// GPUs.
    pub gpu_count: u16,
    /// MiB of memory of each GPU.
    pub vram_mib: u32,
    /// CPU cores.
    pub cpu_cores: u16,
    /// A code from `docs/regions.md`; 0 is unspecified.
    pub region: u16,
    /// MiB of memory.
    pub memory_mib: u32,
    /// GiB of disk.
    pub disk_gib: u32,
    /// Megabits a second.
    pub bandwidth_mbps: u32,
}

/// Somebody who runs jobs, or serves models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// The provider's account.
    pub address: String,
    /// The key that runs it.
    pub authority: String,
    /// Who owns the account that it is paid to.
    pub payout_owner: String,
    /// Whether it takes jobs.
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
    pub earned: u128,
    /// What it answers with: one bond a token, none if it never opened one.
    #[serde(default)]
    pub bonds: Vec<Bond>,
    /// What hardware it says it has.
    pub attributes: Attributes,
    /// Sha-256 of where it is reached.
    pub endpoint_hash: String,
    /// Sha-256 of what it says about itself.
    pub metadata_hash: String,
    /// When it registered.
    pub registered_at: i64,
    /// When its profile changed last.
    pub updated_at: i64,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

/// Money that its owner answers with, in one token. Amounts in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bond {
    pub address: String,
    /// For a provider, the key that runs it.
    pub owner: String,
    pub mint: String,
    /// Alone may take money out.
    pub withdrawer: String,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub amount: u64,
    /// Held by claims.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub locked: u64,
    /// On its way out; can still be locked.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub unbonding: u64,
    /// When that can be withdrawn.
    pub unbonds_at: Option<i64>,
    /// Neither locked nor on its way out.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub free: u64,
    /// Numbers of the services that its owner lets lock it: 0 is the escrow, 1 is billing.
    pub services: Vec<u8>,
    pub reputation: Reputation,
    /// Claims that hold a part of it.
    pub open_claims: u32,
    pub slot: u64,
    pub commitment: Commitment,
}

/// What a bond's owner has kept and failed, in base units. It forgets half of itself every 90 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reputation {
    /// Paid for promises that were kept, each at most what was locked for it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub kept: u64,
    /// Slashed.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub failed: u64,
    /// The moment that both are decayed to.
    pub scored_at: i64,
}

/// A bond, and who holds what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BondWithClaims {
    pub bond: Bond,
    pub claims: Vec<Claim>,
}

/// A service's hold on a part of a bond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claim {
    pub address: String,
    pub bond: String,
    /// Signs for the service's claims.
    pub signer: String,
    /// What it is for: the escrow's are a job, a bid, a vote, or a seat in a panel.
    pub subject: String,
    /// Base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub amount: u64,
    /// When the last of it can be released by anyone.
    pub until: i64,
}
