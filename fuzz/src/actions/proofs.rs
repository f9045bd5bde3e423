//! Lies about bills, and whoever shows them.

use super::{
    channels::channel,
    vouchers::{verify, voucher},
    Action,
};
use crate::{
    model::{Promise, Tab},
    stage::Stage,
};
use joule_sdk::{
    billing::state::{Channel, Verdict},
    instruction::billing as instruction,
    units::Amount,
    voucher::{tree, Format, Receipt},
    Instruction, Pubkey,
};

pub const ACTIONS: &[Action] = &[
    Action { name: "proof: overcharge", weight: 2, plan: overcharge },
    Action { name: "proof: two receipts", weight: 1, plan: two_receipts },
    Action { name: "proof: two vouchers", weight: 1, plan: two_vouchers },
];

fn provider_is_free(tab: &Tab, _: i64) -> bool {
    !tab.has_lost(Verdict::AgainstProvider)
}

/// Whoever paid for the claim behind a channel.
fn claim_payer(stage: &mut Stage, channel: &Channel) -> Pubkey {
    let held = stage.model.holds.get(&channel.claim).map(|hold| hold.rent_payer);
    held.unwrap_or(channel.authority)
}

/// A receipt that was paid for, most often one that asks for too much.
fn overcharge(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let is_fussy = stage.chance(90);
    let all = stage.model.tabs.values().filter_map(|tab| {
        let book = stage.model.books.get(&tab.address)?;
        let leaves = book.tree(&tab.channel.usage_root)?;
        let prices = stage.model.list(&tab.channel.prices)?.prices();
        let suits = |receipt: &&Receipt| !is_fussy || receipt.overcharges(&prices) && provider_is_free(tab, stage.now);
        let receipt = *book.receipts.iter().rev().find(suits)?;
        let leaf = tree::leaf(receipt.as_bytes());
        let index = leaves.iter().position(|other| *other == leaf)?;
        Some((tab.address, receipt, index as u64, leaves.len() as u64, tree::prove(leaves, index)?))
    });
    let all: Vec<_> = all.collect();
    let (address, mut receipt, index, size, proof) =
        (!all.is_empty()).then(|| all[stage.rng.usize(..all.len())].clone())?;
    let channel = stage.model.tabs.get(&address)?.channel;
    let (payer, program) = (claim_payer(stage, &channel), stage.program_of_mint(&channel.mint));
    // One that the provider has signed, and nobody has paid for.
    if stage.chance(10) {
        receipt.amount = Amount::new(receipt.amount.get().get() + 1).into();
    }
    let verify = verify(stage, &channel.authority, receipt.as_bytes())?;
    let proof = (index, size, proof);
    Some(vec![verify, instruction::dispute_receipt(address, &channel, payer, program, proof)])
}

/// A provider signs two receipts under one number.
fn two_receipts(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, provider_is_free)?;
    let one = *stage.model.books.get(&address)?.receipts.last()?;
    let other = match stage.rng.u32(..8) {
        0 => one,
        1 => Receipt { sequence: (one.sequence.get() + 1).into(), ..one },
        _ => Receipt { response_hash: [3; 32], ..one },
    };
    let (payer, program) = (claim_payer(stage, &channel), stage.program_of_mint(&channel.mint));
    let first = verify(stage, &channel.authority, one.as_bytes())?;
    let second = verify(stage, &channel.authority, other.as_bytes())?;
    Some(vec![first, second, instruction::dispute_receipts(address, &channel, payer, program)])
}

/// A payer signs two vouchers under one number.
fn two_vouchers(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let is_rich = |tab: &Tab, _| !tab.has_lost(Verdict::AgainstPayer) && tab.channel.cap != tab.channel.settled;
    let (address, channel) = channel(stage, is_rich)?;
    let promise = Promise { sequence: 7, cumulative: stage.rng.u64(..10_000), expires_at: stage.now + 600 };
    let one = voucher(&address, &promise, [8; 32]);
    let other = match stage.rng.u32(..8) {
        0 => voucher(&address, &Promise { expires_at: stage.now, ..promise }, [8; 32]),
        1 => voucher(&address, &Promise { sequence: 8, ..promise }, [9; 32]),
        2..=4 => voucher(&address, &promise, [9; 32]),
        _ => voucher(&address, &Promise { cumulative: promise.cumulative + 1, ..promise }, [8; 32]),
    };
    let key = channel.session.signer;
    let (first, second) = (verify(stage, &key, one.as_bytes())?, verify(stage, &key, other.as_bytes())?);
    Some(vec![first, second, instruction::dispute_vouchers(address)])
}
