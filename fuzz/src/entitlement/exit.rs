//! Everybody goes home. At first without the gang: cranks and honest people alone get out all that is honest people's. Then the
//! gang too, until no account is left that is not meant to stay.

use super::{
    calls,
    finding::Kind,
    honest,
    play::{By, Play, What},
};
use joule_sdk::{
    billing::state::{Channel, Payer, Plan},
    escrow::state::{Bid, Panel},
    instruction::{billing, escrow, registry, staking},
    pda,
    registry::state::{Attestations, PriceList, Provider, Requirements},
    staking::state::{Bond, Claim, Stake},
    Instruction, Pubkey,
};

const DAY: i64 = 24 * 60 * 60;
/// Waits between rounds, in seconds.
const WAITS: [i64; 9] = [3_600, 2 * DAY, 8 * DAY, 31 * DAY, 8 * DAY, 60 * DAY, 310 * DAY, 101 * DAY, 8 * DAY];
/// What everybody had at first, in base units.
const TOKENS: u64 = super::setting::TOKENS;

pub fn leave(play: &mut Play, lamports: &[(Pubkey, u64)]) {
    play.is_over = true;
    play.agenda.clear();
    for wait in WAITS {
        round(play, false);
        play.set_time(play.now + wait);
    }
    round(play, false);
    let is_clean = play.findings.is_empty();
    owed(play);
    if is_clean {
        whole(play, lamports);
    }
    for wait in WAITS {
        round(play, true);
        if remaining(play).is_empty() {
            break;
        }
        play.set_time(play.now + wait);
    }
    for (address, what) in remaining(play) {
        let more = describe(play, &address, what);
        play.find(Kind::Stuck, format!("{what:?}{more} has no way out"));
    }
}

fn describe(play: &Play, address: &Pubkey, what: What) -> String {
    match what {
        What::Channel => play.read::<Channel>(address).map_or(String::new(), |channel| {
            let earned = channel.settled.get() + channel.accrued.get();
            format!(" (earned {earned}, paid {}, collected {})", channel.paid, channel.collected)
        }),
        What::Claim => play.read::<Claim>(address).map_or(String::new(), |claim| format!(" (holds {})", claim.total)),
        _ => String::new(),
    }
}

/// Accounts that should not be there any more.
fn remaining(play: &Play) -> Vec<(Pubkey, What)> {
    let stays = |address: &Pubkey, what: What| match what {
        What::Lasting | What::Payer | What::Service => true,
        // Fees, rewards and deposits stay.
        What::Vault => {
            let owner = crate::chain::purse(&play.svm, address).map(|purse| purse.owner);
            owner.is_some_and(|owner| {
                matches!(play.index.get(&owner), Some(What::Payer | What::Lasting)) || owner == pda::protocol()
            })
        }
        _ => false,
    };
    play.index
        .iter()
        .filter(|(address, what)| !stays(address, **what))
        .map(|(address, what)| (*address, *what))
        .collect()
}

/// What channels make everybody expect.
fn owed(play: &mut Play) {
    let channels: Vec<Pubkey> = play.channels.keys().copied().collect();
    for address in channels {
        let channel = &play.channels[&address];
        let (state, settled) = (channel.state, channel.state.settled.get());
        let (promised, part) = (channel.promised, channel.part(channel.earned.min(settled)));
        let parties: Vec<(Pubkey, u16)> = play
            .read::<PriceList>(&state.prices)
            .map(|list| list.parties().iter().map(|share| (share.owner, share.bps.get())).collect())
            .unwrap_or_default();
        play.owe(&state.owner, -(settled.min(promised) as i128));
        if !play.channels[&address].is_condemned {
            play.owe(&state.payout_owner, part as i128);
        }
        for (owner, bps) in parties {
            play.owe(&owner, (settled as u128 * bps as u128 / 10_000) as i128);
        }
    }
}

/// Honest people have what they should, to the unit and the lamport.
fn whole(play: &mut Play, lamports: &[(Pubkey, u64)]) {
    for (key, had) in lamports {
        let name = play.cast.name(key);
        let bond = play.read::<Bond>(&pda::bond(key, &play.cast.mint)).map_or(0, |bond| bond.amount.get());
        if bond > 0 || play.is_there(&pda::bond(key, &play.cast.mint)) {
            play.find(Kind::Stuck, format!("{name} cannot get its bond out, with {bond} in it"));
            continue;
        }
        let has = play.balance(&play.tokens_of(key)) as i128;
        let due = TOKENS as i128 + play.due.get(key).copied().unwrap_or(0);
        if has < due {
            play.find(Kind::Poorer, format!("{name} has {has}, and should have {due} at least: {} less", due - has));
        }
        if let Some(channel) =
            play.channels.values().find(|channel| channel.is_open && channel.state.rent_payer == *key)
        {
            let (settled, collected) = (channel.state.settled, channel.state.collected);
            let what = format!(
                "{name} cannot have a channel closed that earned {settled}, of which {collected} are collected"
            );
            play.find(Kind::Stuck, what);
            continue;
        }
        let sunk = play.sunk.get(key).copied().unwrap_or(0);
        let left = play.svm.get_balance(key).unwrap_or(0);
        if left + sunk < *had {
            play.find(Kind::Rent, format!("{name} lost {} lamports of rent", had - sunk - left));
        }
    }
}

/// Whatever is possible now. Refusals are normal.
fn round(play: &mut Play, with_gang: bool) {
    let may = |play: &Play, key: &Pubkey| with_gang || play.cast.is_honest(key);
    let send = |play: &mut Play, what: &str, call: Instruction| {
        let _ = play.send(By::Honest, what, &[call]);
    };
    let program = play.cast.program;
    // What has lapsed may be swept away before anybody looks at what it was for, or after.
    let is_swept = play.chance(50);
    if is_swept {
        sweep(play);
    }
    for address in play.all(What::Job) {
        honest::turn(play, &address);
        honest::turn(play, &address);
    }
    if !is_swept {
        sweep(play);
    }
    for address in play.all(What::Channel) {
        channel(play, &address, &may);
    }
    for address in play.all(What::Payer) {
        let Some(payer) = play.read::<Payer>(&address).filter(|payer| may(play, &payer.owner)) else { continue };
        let free = payer.free().unwrap_or(0);
        if free > 0 {
            let to = play.tokens_of(&payer.owner);
            send(play, "exit: reclaim", billing::reclaim(payer.owner, payer.mint, to, program, free));
        }
    }
    for address in play.all(What::Bond) {
        let Some(bond) = play.read::<Bond>(&address).filter(|bond| may(play, &bond.withdrawer)) else { continue };
        let (who, to) = (bond.withdrawer, play.tokens_of(&bond.withdrawer));
        if bond.unbonding.get() > 0 && bond.unbonds_at.get() <= play.now {
            send(play, "exit: withdraw a bond", staking::withdraw_bond(who, address, to, program));
        }
        let Some(bond) = play.read::<Bond>(&address) else { continue };
        let free = bond.free().unwrap_or(0);
        if free > 0 {
            send(play, "exit: unbond", staking::unbond(who, address, free));
        } else if bond.amount.get() == 0 && bond.claims.get() == 0 {
            send(play, "exit: close a bond", staking::close_bond(address, &bond, to, program));
        }
    }
    for address in play.all(What::Stake) {
        let Some(stake) = play.read::<Stake>(&address).filter(|stake| may(play, &stake.owner)) else { continue };
        let (owner, mint, to) = (stake.owner, play.cast.mint, play.tokens_of(&stake.owner));
        if stake.amount.get() > 0 {
            send(play, "exit: unstake", staking::unstake(owner, mint, stake.amount.get()));
        } else {
            send(play, "exit: claim rewards", staking::claim_rewards(owner, mint, to, program));
            send(play, "exit: withdraw a stake", staking::withdraw_stake(&stake, mint, to, program));
        }
    }
    papers(play, &may);
}

/// Bids, panels and claims that are over.
fn sweep(play: &mut Play) {
    let send = |play: &mut Play, what: &str, call: Instruction| {
        let _ = play.send(By::Honest, what, &[call]);
    };
    for address in play.all(What::Bid) {
        let Some(bid) = play.read::<Bid>(&address) else { continue };
        send(play, "exit: withdraw a bid", escrow::withdraw_bid(address, &bid, play.cast.mint));
    }
    for address in play.all(What::Panel) {
        let Some(panel) = play.read::<Panel>(&address) else { continue };
        send(play, "exit: close a panel", escrow::close_panel(address, &panel));
    }
    for address in play.all(What::Claim) {
        let Some(claim) = play.read::<Claim>(&address) else { continue };
        if claim.tranches[..claim.count as usize].iter().any(|tranche| tranche.until.get() <= play.now) {
            send(play, "exit: release a claim", staking::release_expired(address, &claim));
        }
    }
}

/// Providers, credentials and requirements.
fn papers(play: &mut Play, may: &impl Fn(&Play, &Pubkey) -> bool) {
    for address in play.all(What::Provider) {
        let Some(state) = play.read::<Provider>(&address).filter(|state| may(play, &state.authority)) else { continue };
        let _ = play.send(By::Honest, "exit: retire", &[registry::retire(state.authority, state.rent_payer)]);
    }
    for address in play.all(What::Attestations) {
        let Some(state) = play.read::<Attestations>(&address) else { continue };
        let close = registry::close_attestations(state.subject, state.rent_payer);
        let _ = play.send(By::Honest, "exit: close attestations", &[close]);
    }
    for address in play.all(What::Requirements) {
        let Some(state) = play.read::<Requirements>(&address) else { continue };
        for call in calls::discard_requirements(address, &state) {
            let is_free = call.accounts.iter().filter(|meta| meta.is_signer).all(|meta| may(play, &meta.pubkey));
            if is_free {
                let _ = play.send(By::Honest, "exit: be rid of requirements", &[call]);
            }
        }
    }
}

/// Its parties end it, and anybody divides it and gives back the rest.
fn channel(play: &mut Play, address: &Pubkey, may: &impl Fn(&Play, &Pubkey) -> bool) {
    let (program, plan) = (play.cast.program, pda::plan(address));
    let Some(state) = play.read::<Channel>(address) else { return };
    let party = [state.owner, state.authority].into_iter().find(|key| may(play, key));
    if let (Some(found), Some(party)) = (play.read::<Plan>(&plan), party) {
        let _ = play.send(By::Honest, "exit: end a plan", &[billing::terminate_plan(party, *address, &state, &found)]);
    }
    if let (Some(party), true) = (party, state.closes_at.get() == 0) {
        let _ = play.send(By::Honest, "exit: end a channel", &[billing::request_close(party, *address)]);
    }
    if let Some(found) = play.read::<Plan>(&plan) {
        let _ = play.send(By::Honest, "exit: settle a plan", &[billing::settle_plan(*address, &state, &found)]);
    }
    if let Some(divide) = honest::dividing(play, address) {
        let _ = play.send(By::Honest, "exit: divide", &[divide]);
    }
    let Some(state) = play.read::<Channel>(address) else { return };
    let list = play.read::<PriceList>(&state.prices);
    let payees = list.iter().flat_map(|list| list.parties()).map(|share| share.owner);
    let payees: Vec<Pubkey> = payees.chain([state.payout_owner]).collect();
    for (index, owed) in state.owed.iter().enumerate().filter(|(_, owed)| owed.get() > 0) {
        let Some(owner) = payees.get(index.min(payees.len() - 1)).filter(|owner| may(play, owner)) else { continue };
        let (owner, to) = (*owner, play.tokens_of(owner));
        let claim = billing::claim_owed(owner, *address, &state, index as u8, to, program);
        let _ = play.send(By::Honest, &format!("exit: claim {owed}"), &[claim]);
    }
    let _ = play.send(By::Honest, "exit: close a channel", &[billing::close(*address, &state)]);
}
