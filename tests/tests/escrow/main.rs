//! The escrow on the SVM, one file an instruction: what it does, and every way of misusing it.

mod accept;
mod approve;
mod attacks;
mod cancel;
mod expire;
mod iou;
mod open;
mod redirect;
mod settle;
mod submit;
mod token_2022;
