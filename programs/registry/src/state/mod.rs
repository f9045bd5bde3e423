//! The accounts, one noun a file.

mod attestations;
mod attestor;
mod provider;
mod requirements;

pub use attestations::{Attestation, Attestations, Statement};
pub use attestor::Attestor;
pub use provider::{Attributes, Profile, Provider, ProviderStatus};
pub use requirements::{Credential, CredentialRule, Criteria, Requirements, Wanted};
