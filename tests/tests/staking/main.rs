//! The staking program on the SVM, one file a subject: what it does, and every way of misusing it.

mod attacks;
mod bond;
mod claim;
mod pool;
mod property;
mod rewards;
mod service;
mod slash;
mod stake;
mod token_2022;
mod unstake;
