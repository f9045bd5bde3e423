//! The accounts, one noun a file.

mod attestations;
mod attestor;
mod model;
mod prices;
mod provider;
mod requirements;

pub use attestations::{Attestation, Attestations, Statement};
pub use attestor::Attestor;
pub use model::{Birth, Model, ModelProfile, ModelStatus, Royalty};
pub use prices::{Listing, Part, PriceList, Share, Tariff};
pub use provider::{Attributes, Profile, Provider, ProviderStatus};
pub use requirements::{Credential, CredentialRule, Criteria, Requirements, Wanted};
