//! Settling: what was signed off chain, and the instruction that has the chain verify the signature.

use super::super::build;
use crate::{
    billing::{accounts, instruction, ID},
    voucher::{precompile, Context, Domain},
};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

const INSTRUCTIONS: Pubkey = Pubkey::from_str_const("Sysvar1nstructions1111111111111111111111111");
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
const PRECOMPILE: Pubkey = Pubkey::new_from_array(precompile::PROGRAM);

/// What a channel's vouchers, receipts and orders begin with.
pub fn context(domain: Domain, genesis_hash: &[u8; 32], channel: &Pubkey) -> Context {
    Context::of(domain, genesis_hash, ID.as_array(), channel.as_array())
}

/// What a batch for these channels of one payer account begins with; `None` for too many of them.
pub fn batch_context(genesis_hash: &[u8; 32], payer: &Pubkey, channels: &[Pubkey]) -> Option<Context> {
    let channels = channels.iter().map(|channel| channel.as_array());
    Context::batch(genesis_hash, ID.as_array(), payer.as_array(), channels)
}

/// Has the chain verify that `key` has signed `message`; goes right before the instruction that reads it. `None` for a message
/// that is too long.
pub fn verify(key: &Pubkey, signature: &[u8; 64], message: &[u8]) -> Option<Instruction> {
    let data = precompile::data(key.as_array(), signature, message)?;
    Some(Instruction { program_id: PRECOMPILE, accounts: Vec::new(), data })
}

/// Needs no signature but the fee payer's; comes right after [`verify`] of the voucher.
pub fn settle(channel: Pubkey) -> Instruction {
    let accounts = accounts::Settle { channel, instructions: INSTRUCTIONS, clock: CLOCK };
    build(ID, accounts, instruction::Settle {})
}

/// Needs no signature but the fee payer's; comes right after [`verify`] of the batch, whose channels are given in its order.
pub fn settle_batch(payer: Pubkey, channels: &[Pubkey]) -> Instruction {
    let accounts = accounts::SettleBatch { instructions: INSTRUCTIONS };
    let mut instruction = build(ID, accounts, instruction::SettleBatch { payer });
    instruction.accounts.extend(channels.iter().map(|channel| AccountMeta::new(*channel, false)));
    instruction
}

pub(super) const fn instructions() -> Pubkey {
    INSTRUCTIONS
}
