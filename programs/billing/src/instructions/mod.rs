//! One file an instruction.

// The accounts derive leaves a copy of each instruction argument unused, and every file has its `handler`.
#![allow(unused_variables, ambiguous_glob_reexports)]

pub mod apply_session;
pub mod back;
pub mod claim_owed;
pub mod close;
pub mod create_payer;
pub mod deposit;
pub mod dispute_receipt;
pub mod dispute_receipts;
pub mod dispute_vouchers;
pub mod distribute;
pub mod initialize;
pub mod open;
pub mod pause_plan;
pub mod reclaim;
pub mod request_close;
pub mod resume_plan;
pub mod set_session;
pub mod settle;
pub mod settle_batch;
pub mod settle_plan;
pub mod start_plan;
pub mod terminate_plan;
pub mod top_up;

pub use apply_session::*;
pub use back::*;
pub use claim_owed::*;
pub use close::*;
pub use create_payer::*;
pub use deposit::*;
pub use dispute_receipt::*;
pub use dispute_receipts::*;
pub use dispute_vouchers::*;
pub use distribute::*;
pub use initialize::*;
pub use open::*;
pub use pause_plan::*;
pub use reclaim::*;
pub use request_close::*;
pub use resume_plan::*;
pub use set_session::*;
pub use settle::*;
pub use settle_batch::*;
pub use settle_plan::*;
pub use start_plan::*;
pub use terminate_plan::*;
pub use top_up::*;
