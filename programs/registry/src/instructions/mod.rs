//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod admit_attestor;
pub mod attest;
pub mod close_attestations;
pub mod close_requirements;
pub mod create_model;
pub mod define_requirements;
pub mod publish_prices;
pub mod register;
pub mod retire;
pub mod retire_requirements;
pub mod revoke;
pub mod set_attestor;
pub mod set_model_status;
pub mod set_status;
pub mod update;
pub mod update_model;

pub use admit_attestor::*;
pub use attest::*;
pub use close_attestations::*;
pub use close_requirements::*;
pub use create_model::*;
pub use define_requirements::*;
pub use publish_prices::*;
pub use register::*;
pub use retire::*;
pub use retire_requirements::*;
pub use revoke::*;
pub use set_attestor::*;
pub use set_model_status::*;
pub use set_status::*;
pub use update::*;
pub use update_model::*;
