//! What the tests and benches share: the real programs on a real SVM, with people, tokens and a clock.

mod refusal;
mod tokens;
mod world;

pub use refusal::{swap, Refusal};
pub use tokens::Kind;
pub use world::{deployed, set_upgrade_authority, World, BREAKER, BUDGET, FEE_BPS, PRICE, RESULT};
