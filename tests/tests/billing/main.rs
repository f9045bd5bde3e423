//! The billing program, one instruction at a time.

mod attacks;
mod batch;
mod bills;
mod closing;
mod deposit;
mod dispute;
mod evidence;
mod exits;
mod iou;
mod open;
mod plan;
mod property;
mod random;
mod session;
mod settle;
mod together;
