//! Proofs that a bill, or a payment, is a lie. None needs a signature but the fee payer's: the proofs are signed.

use super::{super::build, claim, signed::instructions};
use crate::{
    billing::{accounts, groups::__client_accounts_condemned::Condemned, instruction, state::Channel, ID},
    pda, staking,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// Comes right after [`super::verify`] of the receipt, which lies at `index` of a tree of `size`, as `proof` shows.
/// `claim_payer` is `Claim::rent_payer` of the claim behind the channel, or anybody when there is none.
pub fn dispute_receipt(
    channel: Pubkey,
    state: &Channel,
    claim_payer: Pubkey,
    token_program: Pubkey,
    (index, size, proof): (u64, u64, Vec<[u8; 32]>),
) -> Instruction {
    let accounts = accounts::DisputeReceipt {
        condemned: condemned(channel, state, claim_payer, token_program),
        prices: state.prices,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DisputeReceipt { index, size, proof })
}

/// Comes right after two [`super::verify`], one for each receipt.
pub fn dispute_receipts(channel: Pubkey, state: &Channel, claim_payer: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::DisputeReceipts {
        condemned: condemned(channel, state, claim_payer, token_program),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DisputeReceipts {})
}

/// Comes right after two [`super::verify`], one for each voucher.
pub fn dispute_vouchers(channel: Pubkey) -> Instruction {
    let accounts = accounts::DisputeVouchers {
        channel,
        instructions: instructions(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DisputeVouchers {})
}

fn condemned(channel: Pubkey, state: &Channel, claim_payer: Pubkey, token_program: Pubkey) -> Condemned {
    let bond = pda::bond(&state.authority, &state.mint);
    Condemned {
        payer: state.payer,
        channel,
        vault: pda::payer_vault(&state.payer),
        cluster: pda::cluster(),
        instructions: instructions(),
        bond,
        claim: claim(&channel),
        claim_payer,
        bond_vault: pda::bond_vault(&bond),
        claim_signer: pda::claim_signer(&ID),
        staking_events: pda::event_authority(&staking::ID),
        staking: staking::ID,
        token_program,
    }
}
