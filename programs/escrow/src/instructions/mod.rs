//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod accept;
pub mod appeal;
pub mod approve;
pub mod award_bid;
pub mod cancel;
pub mod challenge;
pub mod close_dispute;
pub mod close_panel;
pub mod close_vote;
pub mod commit_seat;
pub mod commit_vote;
pub mod draw_panel;
pub mod enroll;
pub mod expire;
pub mod fail;
pub mod open;
pub mod pay;
pub mod pick_bid;
pub mod place_bid;
pub mod punish_absent;
pub mod redirect;
pub mod report;
pub mod resolve;
pub mod reveal_vote;
pub mod settle;
pub mod stop;
pub mod submit;
pub mod withdraw_bid;

pub use accept::*;
pub use appeal::*;
pub use approve::*;
pub use award_bid::*;
pub use cancel::*;
pub use challenge::*;
pub use close_dispute::*;
pub use close_panel::*;
pub use close_vote::*;
pub use commit_seat::*;
pub use commit_vote::*;
pub use draw_panel::*;
pub use enroll::*;
pub use expire::*;
pub use fail::*;
pub use open::*;
pub use pay::*;
pub use pick_bid::*;
pub use place_bid::*;
pub use punish_absent::*;
pub use redirect::*;
pub use report::*;
pub use resolve::*;
pub use reveal_vote::*;
pub use settle::*;
pub use stop::*;
pub use submit::*;
pub use withdraw_bid::*;
