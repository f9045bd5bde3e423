//! Models, what requests to them cost, and who shares in that.

use crate::{decimal, Commitment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether anything new is made with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    Active,
    /// No new price list, channel or derived model; what was opened goes on.
    Retired,
}

/// What its creator states, and what it owes. Lineage is a promise, no proof: whoever declares no base owes nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    /// The model's account.
    pub address: String,
    /// Who published it.
    pub creator: String,
    /// The creator's own number for it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub id: u64,
    /// Owner of the token accounts that its creator is paid into.
    pub payout_owner: String,
    /// Whether it takes new channels.
    pub status: ModelStatus,
    /// The model that it derives from.
    pub base: Option<String>,
    /// How many models it derives from, one through another.
    pub depth: u8,
    /// What every model that derives from it owes, in basis points.
    pub royalty_bps: u16,
    /// What it owes to those it derives from.
    pub lineage: Vec<Royalty>,
    /// Version of the newest price list; 0 when there is none.
    pub version: u32,
    /// Sha-256 of where it is served.
    pub endpoint_hash: String,
    /// Sha-256 of what is said about it.
    pub metadata_hash: String,
    /// When it was published.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Royalty {
    /// Who has it.
    pub owner: String,
    /// Of all that the derived model earns, in basis points.
    pub bps: u16,
}

/// A model with where it comes from and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelWithLineage {
    pub model: Model,
    /// What it derives from, the nearest first.
    pub bases: Vec<Model>,
    /// The newest price list, if there is one.
    pub prices: Option<PriceList>,
}

/// What requests to a model cost, for good. Prices in base units of the mint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceList {
    pub address: String,
    pub model: String,
    pub mint: String,
    pub version: u32,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub per_request: u64,
    /// For a million tokens of input.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub per_million_input: u64,
    /// For a million tokens of output.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub per_million_output: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub per_image: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub per_second: u64,
    /// Those of the lineage first, then the creator's, then others'. The rest is for whoever runs the model, less the
    /// protocol's fee.
    pub shares: Vec<Share>,
    pub created_at: i64,
    pub slot: u64,
    pub commitment: Commitment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    pub owner: String,
    /// Token account that it is paid into.
    pub account: String,
    /// Of all that is earned, in basis points.
    pub bps: u16,
}
