//! Offers below the budget.

use super::{backing, Provider};
use crate::{
    escrow,
    instruction::{build, SYSTEM_PROGRAM},
    pda,
};
use escrow::{
    accounts, instruction,
    state::{Bid, Job},
    ID,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// `price` in base units, fee included; base units a second where the job is paid by the second.
pub fn place_bid(provider: Provider, job: Pubkey, state: &Job, price: u64) -> Instruction {
    let bid = pda::bid(&job, &pda::provider(&provider.authority));
    let accounts = accounts::PlaceBid {
        payer: provider.payer,
        candidate: provider.candidate(state, bid),
        job,
        bid,
        payout: provider.payout,
        protocol: pda::protocol(),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::PlaceBid { price })
}

pub fn pick_bid(client: Pubkey, bid: Pubkey, state: &Bid) -> Instruction {
    let accounts = accounts::PickBid {
        client,
        job: state.job,
        bid,
        bid_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::PickBid {})
}

/// Needs no signature but the fee payer's.
pub fn award_bid(bid: Pubkey, state: &Bid) -> Instruction {
    let accounts = accounts::AwardBid {
        job: state.job,
        bid,
        bid_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::AwardBid {})
}

/// Needs no signature but the fee payer's. `mint` is the job's.
pub fn withdraw_bid(bid: Pubkey, state: &Bid, mint: Pubkey) -> Instruction {
    let accounts = accounts::WithdrawBid {
        job: state.job,
        bid,
        bid_payer: state.rent_payer,
        backing: backing(&state.authority, &mint, state.claim, state.claim_payer),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::WithdrawBid {})
}
