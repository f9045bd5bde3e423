//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod accept_authority;
pub mod accept_mint;
pub mod apply_breaker;
pub mod apply_fee;
pub mod cancel_fee;
pub mod initialize_protocol;
pub mod pause;
pub mod propose_authority;
pub mod set_breaker;
pub mod set_guardian;
pub mod set_rewards;
pub mod share_fees;
pub mod stage_fee;
pub mod unpause;
pub mod update_mint;
pub mod withdraw_fees;

pub use accept_authority::*;
pub use accept_mint::*;
pub use apply_breaker::*;
pub use apply_fee::*;
pub use cancel_fee::*;
pub use initialize_protocol::*;
pub use pause::*;
pub use propose_authority::*;
pub use set_breaker::*;
pub use set_guardian::*;
pub use set_rewards::*;
pub use share_fees::*;
pub use stage_fee::*;
pub use unpause::*;
pub use update_mint::*;
pub use withdraw_fees::*;
