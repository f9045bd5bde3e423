//! The billing program, one instruction at a time.

mod settle;
