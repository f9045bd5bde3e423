//! Requests are served and paid for off chain; the newest vouchers are brought on it, and others.

use super::{channels::channel, Action};
use crate::{
    model::{root, Book, Promise, Tab},
    stage::Stage,
};
use joule_sdk::{
    billing::state::Channel,
    instruction::billing::{self as instruction, batch_context, context},
    units::{Amount, UnixTime},
    voucher::{Batch, Domain, Entry, Format, Receipt, Voucher},
    Instruction, Pubkey,
};
use joule_tests::{billing::verifying, GENESIS};

/// Receipts of a channel; with more of them trees get slow and nothing new happens.
const RECEIPTS: usize = 40;
/// Channels of a batch.
const BATCH: usize = 5;

pub const ACTIONS: &[Action] = &[
    Action { name: "voucher: settle", weight: 50, plan: settle },
    Action { name: "voucher: settle batch", weight: 12, plan: settle_batch },
];

/// Has the chain verify that `key` has signed `message`, which it does.
pub fn verify(stage: &mut Stage, key: &Pubkey, message: &[u8]) -> Option<Instruction> {
    let verify = verifying(stage.cast.pen(key)?, message);
    stage.model.signed.add(*key, message);
    Some(verify)
}

fn takes_vouchers(tab: &Tab, now: i64) -> bool {
    let Channel { session, cap, settled, .. } = &tab.channel;
    !tab.is_closed(now) && now < session.expires_at.get() && settled.get() < cap.get().min(session.limit.get())
}

/// A few requests more are served, as long as the session can pay for them.
fn serve(stage: &mut Stage, address: &Pubkey, channel: &Channel) -> Option<Book> {
    let mut book = stage.model.books.get(address).cloned().unwrap_or_default();
    let prices = stage.model.list(&channel.prices)?.prices;
    for _ in 0..stage.rng.usize(1..4) {
        let most = channel.cap.get().min(channel.session.limit.get()).saturating_sub(book.total);
        if book.receipts.len() >= RECEIPTS || most < prices.per_request.get() {
            break;
        }
        let per_million = prices.per_million_output.get();
        let wanted = stage.rng.u64(..=most / 4) as u128 * 1_000_000;
        let tokens = wanted.checked_div(per_million as u128).unwrap_or(9) as u64;
        let fair = prices.per_request.get() + (tokens as u128 * per_million as u128).div_ceil(1_000_000) as u64;
        let amount = if stage.chance(97) { fair } else { fair + stage.rng.u64(1..100) };
        book.enter(Receipt {
            context: context(Domain::Receipt, &GENESIS, address),
            sequence: (book.receipts.len() as u64 + 1).into(),
            request_hash: [1; 32],
            response_hash: [2; 32],
            output_tokens: tokens.into(),
            amount: Amount::new(amount).into(),
            at: UnixTime::new(stage.now).into(),
            ..Receipt::default()
        });
    }
    if stage.model.tabs.contains_key(address) {
        stage.model.books.insert(*address, book.clone());
    }
    Some(book)
}

/// What the session honestly signs: as much as was served, or at most what it may.
fn promised(stage: &Stage, channel: &Channel, book: &Book) -> Promise {
    let expires_at = (stage.now + 600).min(channel.session.expires_at.get());
    let promise = book.promise(expires_at);
    let most = channel.cap.get().min(channel.session.limit.get());
    Promise { cumulative: promise.cumulative.min(most), ..promise }
}

pub fn voucher(address: &Pubkey, promise: &Promise, usage_root: [u8; 32]) -> Voucher {
    Voucher {
        context: context(Domain::Voucher, &GENESIS, address),
        sequence: promise.sequence.into(),
        cumulative: Amount::new(promise.cumulative).into(),
        units: (promise.sequence * 100).into(),
        expires_at: UnixTime::new(promise.expires_at).into(),
        usage_root,
    }
}

fn settle(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, takes_vouchers)?;
    let again = stage.model.books.get(&address).and_then(|book| book.vouchers.front().cloned());
    if let (Some((key, message)), true) = (again, stage.chance(4)) {
        return Some(vec![verify(stage, &key, &message)?, instruction::settle(address)]);
    }
    let honesty = if stage.chance(92) { Honesty::Honest } else { Honesty::Forged };
    settling(stage, &address, &channel, honesty)
}

/// Whether a voucher is what was served.
#[derive(Clone, Copy, PartialEq)]
pub enum Honesty {
    Honest,
    Forged,
}

/// A few requests, and the newest voucher for a channel.
pub fn settling(stage: &mut Stage, address: &Pubkey, channel: &Channel, honesty: Honesty) -> Option<Vec<Instruction>> {
    let book = serve(stage, address, channel)?;
    let mut voucher = voucher(address, &promised(stage, channel, &book), root(&book.leaves));
    let mut key = channel.session.signer;
    let is_honest = honesty == Honesty::Honest;
    if !is_honest {
        forge(stage, channel, &mut voucher, &mut key);
    }
    let verify = verify(stage, &key, voucher.as_bytes())?;
    if let Some(book) = stage.model.books.get_mut(address) {
        book.commit(voucher.usage_root, book.leaves.clone());
        book.keep(key, voucher.as_bytes().to_vec());
    }
    let settle = instruction::settle(*address);
    Some(match stage.rng.u32(..40) {
        0 if !is_honest => vec![settle, verify],
        1 if !is_honest => vec![verify, instruction::apply_session(*address), settle],
        _ => vec![verify, settle],
    })
}

/// What a liar signs, or a thief.
fn forge(stage: &mut Stage, channel: &Channel, voucher: &mut Voucher, key: &mut Pubkey) {
    let (person, other) = (stage.person(), stage.model.tabs.keys().next().copied().unwrap_or_default());
    let amount = |amount: u64| Amount::new(amount).into();
    let time = |at: i64| UnixTime::new(at).into();
    match stage.rng.u32(..10) {
        0 => voucher.cumulative = amount(channel.cap.get() + 1),
        1 => voucher.cumulative = amount(channel.session.limit.get() + 1),
        2 => voucher.cumulative = amount(channel.settled.get()),
        3 => voucher.sequence = u64::MAX.into(),
        4 => voucher.expires_at = time(stage.now - 1),
        5 => voucher.expires_at = time(channel.session.expires_at.get() + 1),
        6 => voucher.context = context(Domain::Voucher, &[1; 32], &other),
        7 => voucher.context = context(Domain::Voucher, &GENESIS, &other),
        8 => *key = stage.cast.people[person].hot,
        _ => *key = stage.cast.sessions[person],
    }
}

fn settle_batch(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (_, first) = channel(stage, takes_vouchers)?;
    let key = first.session.signer;
    let is_strict = stage.chance(90);
    let fits = |tab: &&Tab| {
        let is_its = tab.channel.payer == first.payer && tab.channel.session.signer == key;
        !is_strict || is_its && takes_vouchers(tab, stage.now)
    };
    let mut all: Vec<(Pubkey, Channel)> =
        stage.model.tabs.values().filter(fits).map(|tab| (tab.address, tab.channel)).collect();
    stage.rng.shuffle(&mut all);
    all.truncate(BATCH);
    let (mut entries, mut leaves) = (Vec::new(), Vec::new());
    let mut expires_at = stage.now + 600;
    for (address, channel) in &all {
        let book = serve(stage, address, channel)?;
        let promise = promised(stage, channel, &book);
        expires_at = expires_at.min(promise.expires_at);
        leaves.extend(book.leaves);
        let extra = if stage.chance(97) { 0 } else { channel.cap.get() };
        let cumulative = Amount::new(promise.cumulative + extra).into();
        entries.push(Entry { sequence: promise.sequence.into(), cumulative });
    }
    let mut channels: Vec<Pubkey> = all.iter().map(|(address, _)| *address).collect();
    let usage_root = root(&leaves);
    for address in &channels {
        if let Some(book) = stage.model.books.get_mut(address) {
            book.commit(usage_root, leaves.clone());
        }
    }
    let batch = Batch {
        context: batch_context(&GENESIS, &first.payer, &channels)?,
        expires_at: UnixTime::new(expires_at).into(),
        usage_root,
    };
    // Another order than was signed.
    if stage.chance(3) {
        channels.reverse();
    }
    let verify = verify(stage, &key, &batch.to_bytes(&entries)?)?;
    Some(vec![verify, instruction::settle_batch(first.payer, &channels)])
}
