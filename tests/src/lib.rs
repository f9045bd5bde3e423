//! What the tests and benches share: the real programs on a real SVM, with people, tokens and a clock.

mod crowd;
pub mod idl;
mod refusal;
pub mod scenes;
mod tokens;
mod world;

pub use refusal::{swap, Refusal};
pub use tokens::Kind;
pub use world::{deployed, key, set_upgrade_authority, World, BUDGET, FEE_BPS, PRICE, RESULT};
