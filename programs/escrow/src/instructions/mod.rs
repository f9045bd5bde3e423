//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod accept;
pub mod approve;
pub mod cancel;
pub mod expire;
pub mod open;
pub mod redirect;
pub mod settle;
pub mod submit;

pub use accept::*;
pub use approve::*;
pub use cancel::*;
pub use expire::*;
pub use open::*;
pub use redirect::*;
pub use settle::*;
pub use submit::*;
