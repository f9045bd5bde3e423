//! What the tests and benches share: the real programs on a real SVM, with people, tokens and a clock.

pub mod billing;
mod crowd;
mod disputes;
pub mod idl;
mod models;
pub mod pages;
mod prepared;
mod refusal;
pub mod scenes;
pub mod staking;
pub mod together;
mod tokens;
mod world;

pub use disputes::{DISSENT, EXPOSURE, PANEL_STEP, STEP, TRUTH};
pub use refusal::{named, swap, Refusal};
pub use tokens::Kind;
pub use world::{deployed, key, set_upgrade_authority, World, BOND, BREAKER, BUDGET, FEE_BPS, GENESIS, PRICE, RESULT};
