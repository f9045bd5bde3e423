//! Honest payers and those who sell to them, request by request. What is signed off chain is signed here: a payer that is a rogue
//! signs what it likes besides.

use super::Duty;
use crate::entitlement::{
    cast::Role,
    finding::Kind,
    notes::{root, Batch, Channel, Promise, DISPUTE},
    play::{By, Play},
};
use joule_sdk::{
    billing::state::{ChannelTerms, Payer},
    instruction::billing::{self, batch_context, context, OpenAccounts},
    pda,
    registry::state::PriceList,
    staking::state::{Bond, Claim},
    units::{Amount, UnixTime},
    voucher::{self, tree, Domain, Entry, Format, Receipt, Usage, Voucher},
    Instruction, Pubkey,
};
use joule_tests::{billing::verifying, GENESIS};

const DAY: i64 = 24 * 60 * 60;
/// Receipts of a channel.
const RECEIPTS: usize = 24;

/// The instruction that opens a payer's next channel to a worker.
pub fn opening(play: &mut Play, owner: Pubkey, authority: Pubkey) -> Option<Instruction> {
    let (mint, rng) = (play.cast.mint, &mut play.rng);
    let payer = pda::payer(&owner, &mint);
    let (model, prices) = play.prices[rng.usize(..play.prices.len())];
    let cap = [5_000, 40_000, 1_000_000][rng.usize(..3)];
    let grace = [60, 3_600, 86_400, 30 * 86_400][rng.usize(..4)];
    let backing_bps = [0, 2_500, 10_000, 10_000, 50_000][rng.usize(..5)];
    let number = play.read::<Payer>(&payer)?.next_channel.get();
    let terms = ChannelTerms {
        cap,
        signer: play.cast.of(&owner)?.session,
        limit: if play.chance(80) { cap } else { cap / 2 },
        session_expires_at: play.now + 200 * DAY,
        grace,
        backing_bps,
        max_fee_bps: 10_000,
    };
    let payout = play.tokens_of(&authority);
    let accounts = OpenAccounts { rent_payer: owner, owner, mint, authority, payout, model, prices };
    Some(billing::open(accounts, number, terms))
}

/// Whoever sells to a payer already often does so again.
pub fn known(play: &mut Play, owner: &Pubkey) -> Option<Pubkey> {
    let all = play.channels.values().filter(|channel| channel.state.owner == *owner);
    let all: Vec<Pubkey> = all.map(|channel| channel.state.authority).collect();
    play.pick(&all).filter(|_| play.rng.u32(..100) < 65)
}

pub fn open(play: &mut Play, owner: Pubkey) {
    let workers: Vec<Pubkey> = play.cast.people.iter().filter(|p| p.is_provider()).map(|p| p.key).collect();
    let Some(worker) = known(play, &owner).or_else(|| play.pick(&workers)) else { return };
    let Some(open) = opening(play, owner, worker) else { return };
    let (owner, worker) = (play.cast.name(&owner), play.cast.name(&worker));
    let channel = open.accounts.get(3).map(|meta| meta.pubkey.to_string()).unwrap_or_default();
    let what = format!("{owner} opens a channel to {worker} [{}]", channel.get(..4).unwrap_or_default());
    let _ = play.send(By::Honest, &what, &[open]);
}

/// Requests will be made, and one day the payer leaves.
pub fn channel_opened(play: &mut Play, address: &Pubkey) {
    let state = play.channels[address].state;
    let is_asleep = play.chance(12);
    if let Some(channel) = play.channels.get_mut(address) {
        channel.is_asleep = is_asleep;
    }
    for _ in 0..play.rng.usize(1..6) {
        let at = play.moment(play.now, play.now + 4 * DAY);
        play.plan(at, Duty::Serve { channel: *address });
    }
    if play.cast.is_honest(&state.owner) && play.chance(60) {
        let at = play.moment(play.now + 100, play.now + 10 * DAY);
        play.plan(at, Duty::Leave { channel: *address });
    }
}

/// A worker that must not lose what it has been promised settles; a payer that was lied to says so.
pub fn channel_changed(play: &mut Play, address: &Pubkey, is_news: bool, is_threat: bool) {
    let Some(channel) = play.channels.get(address) else { return };
    let (owner, authority) = (channel.state.owner, channel.state.authority);
    if is_threat && play.cast.is_honest(&authority) {
        let ends = [channel.state.closes_at.get(), channel.state.staged_at.get()];
        let ends = ends.into_iter().filter(|at| *at > play.now).min();
        if let Some(ends) = ends {
            let at = play.moment(play.now, ends - 1);
            play.plan(at, Duty::Settle { channel: *address });
        }
    }
    let Some(channel) = play.channels.get(address) else { return };
    let was_lied_to = channel.bad.iter().any(|place| *place < channel.settled) || channel.twin.is_some();
    let cares = play.cast.is_honest(&owner) && !channel.is_asleep && !channel.is_condemned;
    if is_news && was_lied_to && cares {
        let at = play.moment(play.now, play.now + DISPUTE - 1);
        play.plan(at, Duty::Dispute { channel: *address });
    }
    if is_news && play.cast.is_honest(&authority) {
        let at = play.moment(play.now, play.now + DAY);
        play.plan(at, Duty::Back { channel: *address });
        let at = play.moment(at, at + DAY);
        play.plan(at, Duty::Divide { channel: *address });
    }
}

/// A few requests are made and answered, and promised to be paid for.
pub fn serve(play: &mut Play, address: Pubkey) {
    let Some(channel) = play.channels.get(&address) else { return };
    let (state, prices) = (channel.state, channel.prices);
    let session = state.session.signer;
    let is_ready = channel.is_open
        && state.closes_at.get() == 0
        && state.disputed == 0
        && state.staged_at.get() == 0
        && play.cast.pen(&session).is_some();
    if !is_ready {
        return;
    }
    let is_liar = play.cast.is_rogue(&state.authority);
    let most = state.cap.get().min(state.session.limit.get());
    for _ in 0..play.rng.usize(1..5) {
        let channel = &play.channels[&address];
        let (count, total) = (channel.receipts.len(), channel.total().max(state.settled.get()));
        let tokens = if play.chance(50) { 0 } else { play.rng.u64(..2_000) };
        let usage = Usage { output_tokens: tokens, ..Usage::default() };
        let fair = prices.amount(&usage).map_or(0, |amount| amount.get());
        let is_bad = is_liar && play.chance(25);
        let amount = if is_bad { fair + play.rng.u64(1..=fair + 1) } else { fair };
        if count >= RECEIPTS || total + amount > most {
            break;
        }
        let receipt = Receipt {
            context: context(Domain::Receipt, &GENESIS, &address),
            sequence: (count as u64 + 1).into(),
            request_hash: [1; 32],
            response_hash: [2; 32],
            output_tokens: tokens.into(),
            amount: Amount::new(amount).into(),
            at: UnixTime::new(play.now).into(),
            ..Receipt::default()
        };
        let is_twin = is_liar && play.chance(6);
        let Some(channel) = play.channels.get_mut(&address) else { return };
        if is_bad {
            channel.bad.insert(count);
        }
        if is_twin {
            channel.twin = Some((count, Receipt { response_hash: [3; 32], ..receipt }));
        }
        channel.receipts.push(receipt);
    }
    let expires_at = play.now + [700, 20_000, 9 * DAY][play.rng.usize(..3)];
    let Some(promise) = promise(play, &address, expires_at) else { return };
    if play.chance(55) && promise_batch(play, &address, expires_at) {
        return;
    }
    let message = sign(play, &address, &promise);
    let Some(channel) = play.channels.get_mut(&address) else { return };
    channel.voucher = Some((message, session, promise));
    if play.cast.is_honest(&state.authority) {
        let at = play.moment(play.now, expires_at);
        play.plan(at, Duty::Settle { channel: address });
    }
}

/// What an honest payer promises for all that was served.
fn promise(play: &mut Play, address: &Pubkey, expires_at: i64) -> Option<Promise> {
    let channel = play.channels.get_mut(address)?;
    let (count, cumulative) = (channel.receipts.len(), channel.total());
    (cumulative > channel.state.settled.get()).then_some(())?;
    channel.roots.insert(root(&channel.leaves(count)), count);
    channel.promised = channel.promised.max(cumulative);
    Some(Promise { sequence: count as u64, cumulative, expires_at })
}

pub fn sign(play: &Play, address: &Pubkey, promise: &Promise) -> Vec<u8> {
    let channel = &play.channels[address];
    let voucher = Voucher {
        context: context(Domain::Voucher, &GENESIS, address),
        sequence: promise.sequence.into(),
        cumulative: Amount::new(promise.cumulative).into(),
        units: (promise.sequence * 100).into(),
        expires_at: UnixTime::new(promise.expires_at).into(),
        usage_root: root(&channel.leaves(channel.receipts.len())),
    };
    voucher.as_bytes().to_vec()
}

/// One signature for all channels of a payer to one worker.
fn promise_batch(play: &mut Play, address: &Pubkey, expires_at: i64) -> bool {
    let state = play.channels[address].state;
    let is_honest = play.cast.is_honest(&state.authority);
    let fits = |channel: &&Channel| {
        let other = &channel.state;
        channel.is_open
            && other.payer == state.payer
            && other.authority == state.authority
            && other.session.signer == state.session.signer
            && other.closes_at.get() == 0
            && other.staged_at.get() == 0
            && channel.total() > other.settled.get()
            && channel.total() <= other.cap.get().min(other.session.limit.get())
    };
    let all: Vec<Pubkey> =
        play.channels.iter().filter(|(_, channel)| fits(channel)).map(|(address, _)| *address).collect();
    if !is_honest || all.len() < 2 {
        return false;
    }
    let promises: Vec<(Pubkey, Promise)> =
        all.iter().filter_map(|address| Some((*address, promise(play, address, expires_at)?))).collect();
    let Some(batch_context) = batch_context(&GENESIS, &state.payer, &all) else { return false };
    let leaves: Vec<_> =
        all.iter().flat_map(|address| play.channels[address].leaves(play.channels[address].receipts.len())).collect();
    let batch = voucher::Batch {
        context: batch_context,
        expires_at: UnixTime::new(expires_at).into(),
        usage_root: root(&leaves),
    };
    let entry = |(_, promise): &(Pubkey, Promise)| Entry {
        sequence: promise.sequence.into(),
        cumulative: Amount::new(promise.cumulative).into(),
    };
    let entries: Vec<Entry> = promises.iter().map(entry).collect();
    let Some(message) = batch.to_bytes(&entries) else { return false };
    let Some(channel) = play.channels.get_mut(address) else { return false };
    channel.batch = Some(Batch { message, signer: state.session.signer, promises });
    let at = play.moment(play.now, expires_at);
    play.plan(at, Duty::Batch { channel: *address });
    true
}

/// The chain verifies a signature that the key's owner has made.
pub fn verify(play: &Play, key: &Pubkey, message: &[u8]) -> Option<Instruction> {
    Some(verifying(play.cast.pen(key)?, message))
}

/// What settles the newest voucher of a channel.
pub fn settling(play: &Play, address: &Pubkey) -> Option<Vec<Instruction>> {
    let (message, key, _) = play.channels.get(address)?.voucher.as_ref()?;
    Some(vec![verify(play, key, message)?, billing::settle(*address)])
}

pub fn settle(play: &mut Play, address: Pubkey) {
    let Some(channel) = play.channels.get(&address) else { return };
    let Some((_, key, promise)) = channel.voucher.clone() else { return };
    let must_take = channel.takes(&promise, &key, play.now);
    if !must_take {
        return;
    }
    let Some(settling) = settling(play, &address) else { return };
    let name = play.cast.name(&channel.state.authority);
    if let Err(why) = play.send(By::Honest, &format!("{name} settles {}", promise.cumulative), &settling) {
        play.find(Kind::Refused, format!("a voucher that is good was refused: {why}"));
    }
    earn(play, &address, promise.cumulative);
}

fn earn(play: &mut Play, address: &Pubkey, cumulative: u64) {
    if let Some(channel) = play.channels.get_mut(address) {
        channel.earned = channel.earned.max(cumulative);
    }
}

pub fn settle_batch(play: &mut Play, address: Pubkey) {
    let Some(batch) = play.channels.get(&address).and_then(|channel| channel.batch.clone()) else { return };
    let takes = |(address, promise): &&(Pubkey, Promise)| {
        play.channels.get(address).is_some_and(|channel| channel.takes(promise, &batch.signer, play.now))
    };
    let good: Vec<(Pubkey, Promise)> = batch.promises.iter().filter(takes).copied().collect();
    if good.is_empty() {
        return;
    }
    let all: Vec<Pubkey> = batch.promises.iter().map(|(address, _)| *address).collect();
    let payer = play.channels[&address].state.payer;
    let Some(verify) = verify(play, &batch.signer, &batch.message) else { return };
    let sent = play.send(By::Honest, "a worker settles a batch", &[verify, billing::settle_batch(payer, &all)]);
    let why = sent.err().unwrap_or_default();
    play.mark(if good.len() < all.len() { "batch of which a part is good" } else { "batch that is good" });
    for (address, promise) in &good {
        if play.channels[address].state.settled.get() < promise.cumulative {
            let other = all.len() - good.len();
            play.find(
                Kind::Spoilt,
                format!("a batch was refused ({why}) though {} of it are good; {other} are not", good.len()),
            );
        }
        earn(play, address, promise.cumulative);
    }
}

pub fn back(play: &mut Play, address: Pubkey) {
    let Some(channel) = play.channels.get(&address).filter(|channel| channel.is_open) else { return };
    let state = channel.state;
    let bond = play.read::<Bond>(&pda::bond(&state.authority, &state.mint)).map_or(0, |bond| bond.free().unwrap_or(0));
    let exposure = state.exposure().map_or(0, |exposure| exposure.get());
    if exposure == 0 || exposure > bond {
        return;
    }
    let name = play.cast.name(&state.authority);
    let _ = play.send(By::Honest, &format!("{name} backs"), &[billing::back(state.authority, address, &state)]);
}

pub fn divide(play: &mut Play, address: Pubkey) {
    let Some(divide) = dividing(play, &address) else { return };
    let _ = play.send(By::Honest, "somebody divides", &[divide]);
}

/// The instruction that divides what a channel has earned.
pub fn dividing(play: &Play, address: &Pubkey) -> Option<Instruction> {
    let state = play.channels.get(address).filter(|channel| channel.is_open)?.state;
    let list = play.read::<PriceList>(&state.prices)?;
    Some(billing::distribute(*address, &state, &list, play.cast.program))
}

pub fn leave(play: &mut Play, address: Pubkey) {
    let Some(channel) = play.channels.get(&address).filter(|channel| channel.is_open) else { return };
    let owner = channel.state.owner;
    if channel.state.closes_at.get() == 0 {
        let name = play.cast.name(&owner);
        let _ = play.send(By::Honest, &format!("{name} leaves a channel"), &[billing::request_close(owner, address)]);
    }
}

/// What shows that the provider has lied.
pub fn disputing(play: &Play, address: &Pubkey) -> Option<Vec<Instruction>> {
    let channel = play.channels.get(address)?;
    let (state, program) = (channel.state, play.cast.program);
    let payer = play.read::<Claim>(&billing::claim(address)).map_or(state.authority, |claim| claim.rent_payer);
    if let Some(place) = channel.bad.iter().find(|place| **place < channel.settled) {
        let leaves = channel.leaves(channel.settled);
        let proof = (*place as u64, leaves.len() as u64, tree::prove(&leaves, *place)?);
        let verify = verify(play, &state.authority, channel.receipts[*place].as_bytes())?;
        return Some(vec![verify, billing::dispute_receipt(*address, &state, payer, program, proof)]);
    }
    let (place, twin) = channel.twin?;
    let one = verify(play, &state.authority, channel.receipts[place].as_bytes())?;
    let other = verify(play, &state.authority, twin.as_bytes())?;
    Some(vec![one, other, billing::dispute_receipts(*address, &state, payer, program)])
}

pub fn dispute(play: &mut Play, address: Pubkey) {
    let Some(channel) = play.channels.get(&address).filter(|channel| !channel.is_condemned) else { return };
    let (live, state) = (channel.live(play.now), channel.state);
    let since = channel.backs.last().map_or(0, |(at, _)| play.now - at);
    let Some(disputing) = disputing(play, &address) else { return };
    let name = play.cast.name(&state.owner);
    if let Err(why) = play.send(By::Honest, &format!("{name} shows a lie"), &disputing) {
        // Until then the provider's share waits, if it has to lock anything for it.
        let closes_at = state.closes_at.get();
        let is_uncollected = closes_at == 0 || play.now < closes_at + DISPUTE;
        let is_held = state.backing_bps.get() > 0 && channel_earned(&state) > state.collected.get() && is_uncollected;
        if live > 0 || is_held {
            play.find(Kind::Gone, format!("a lie that was paid for cannot be disputed {since} s after it was backed, with {live} locked: {why}"));
        }
    }
}

fn channel_earned(state: &joule_sdk::billing::state::Channel) -> u64 {
    state.settled.get() + state.accrued.get()
}

/// Payers that are honest, of any role.
pub fn payers(play: &Play) -> Vec<Pubkey> {
    play.cast.with(Role::Payer).filter(|person| !person.is_rogue).map(|person| person.key).collect()
}
