//! Content-addressed storage of job specs, modules, inputs and outputs, each under its sha256.

mod hash;
mod incoming;
mod location;
mod said;
mod spec;
mod store;

pub use bytes::Bytes;
pub use hash::{Hash, ParseHashError};
pub use incoming::{sweep, Incoming};
pub use location::LocationError;
pub use spec::{JobSpec, SpecError};
pub use store::{ArtifactError, ArtifactStore, Lying};

/// Largest module that anybody needs to fetch, in bytes.
pub const MAX_MODULE_BYTES: u64 = 64 << 20;
/// Largest input that anybody needs to fetch, in bytes.
pub const MAX_INPUT_BYTES: u64 = 1 << 30;
/// Largest output that a node stores and a client fetches, in bytes.
pub const MAX_OUTPUT_BYTES: u64 = 64 << 20;
