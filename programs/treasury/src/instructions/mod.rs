//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod accept_authority;
pub mod accept_mint;
pub mod initialize_protocol;
pub mod pause;
pub mod propose_authority;
pub mod set_fee;
pub mod set_guardian;
pub mod unpause;
pub mod update_mint;
pub mod withdraw_fees;

pub use accept_authority::*;
pub use accept_mint::*;
pub use initialize_protocol::*;
pub use pause::*;
pub use propose_authority::*;
pub use set_fee::*;
pub use set_guardian::*;
pub use unpause::*;
pub use update_mint::*;
pub use withdraw_fees::*;
