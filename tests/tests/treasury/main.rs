//! The treasury on the SVM, one file a subject: what it does, and every way of misusing it.

mod breaker;
mod fee;
mod mint;
mod pause;
mod protocol;
mod rewards;
mod withdraw;

use joule_sdk::{
    pda,
    treasury::state::{AcceptedMint, Protocol},
};
use joule_tests::{World, FEE_BPS};

const FEES: [u16; 8] = [FEE_BPS, FEE_BPS, 0, 0, 0, 0, 0, 0];
const DAY: i64 = 86_400;

fn protocol(w: &World) -> Protocol {
    w.get(&pda::protocol())
}

fn accepted(w: &World) -> AcceptedMint {
    w.get(&pda::accepted_mint(&w.mint))
}

/// Tokens come into the fee vault, as fees do.
fn earn(w: &mut World, amount: u64) {
    let vault = w.fee_vault();
    w.mint_to(&vault, amount);
}

fn pass(w: &mut World, seconds: i64) {
    w.set_time(w.now() + seconds);
}
