//! The escrow on the SVM, one file an instruction: what it does, and every way of misusing it.

mod accept;
mod approve;
mod attacks;
mod bids;
mod cancel;
mod electorate;
mod expire;
mod fail;
mod fees;
mod iou;
mod leftovers;
mod limits;
mod lots;
mod metered;
mod named_twice;
mod open;
mod panel;
mod quorum;
mod redirect;
mod reputation;
mod seats;
mod settle;
mod submit;
mod thefts;
mod token_2022;
mod withheld;
