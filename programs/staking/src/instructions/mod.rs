//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod admit_service;
pub mod cancel_unbond;
pub mod claim_rewards;
pub mod close_bond;
pub mod create_pool;
pub mod deposit_bond;
pub mod extend_lock;
pub mod lock;
pub mod name_service;
pub mod open_bond;
pub mod refresh_stake;
pub mod release;
pub mod release_expired;
pub mod slash;
pub mod stake;
pub mod sync_rewards;
pub mod unbond;
pub mod unstake;
pub mod update_pool;
pub mod withdraw_bond;
pub mod withdraw_stake;

pub use admit_service::*;
pub use cancel_unbond::*;
pub use claim_rewards::*;
pub use close_bond::*;
pub use create_pool::*;
pub use deposit_bond::*;
pub use extend_lock::*;
pub use lock::*;
pub use name_service::*;
pub use open_bond::*;
pub use refresh_stake::*;
pub use release::*;
pub use release_expired::*;
pub use slash::*;
pub use stake::*;
pub use sync_rewards::*;
pub use unbond::*;
pub use unstake::*;
pub use update_pool::*;
pub use withdraw_bond::*;
pub use withdraw_stake::*;
