//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod register;
pub mod retire;
pub mod set_status;
pub mod update;

pub use register::*;
pub use retire::*;
pub use set_status::*;
pub use update::*;
