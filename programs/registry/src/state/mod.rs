//! The accounts, one noun a file.

mod provider;

pub use provider::{Attributes, Profile, Provider, ProviderStatus};
