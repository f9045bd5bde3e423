//! Channels: opened, raised, given other sessions, ended and closed.

use super::{payers::wallet, Action};
use crate::{
    model::{Card, Tab},
    stage::Stage,
};
use joule_sdk::{
    billing::state::{Channel, ChannelTerms},
    instruction::billing::{self as instruction, OpenAccounts},
    Instruction, Pubkey,
};

/// No more channels at once, so that each is met often.
const CHANNELS: usize = 40;
/// How often a model is looked for that is sold in the right token.
const TRIES: usize = 12;

pub const ACTIONS: &[Action] = &[
    Action { name: "channel: open", weight: 24, plan: open },
    Action { name: "channel: top up", weight: 5, plan: top_up },
    Action { name: "channel: set session", weight: 4, plan: set_session },
    Action { name: "channel: apply session", weight: 4, plan: apply_session },
    Action { name: "channel: request close", weight: 6, plan: request_close },
    Action { name: "channel: close", weight: 14, plan: close },
];

/// A channel that fits, most often; now and then one that is closed.
pub fn channel(stage: &mut Stage, fits: impl Fn(&Tab, i64) -> bool) -> Option<(Pubkey, Channel)> {
    if stage.chance(3) && !stage.model.shut.is_empty() {
        return stage.model.shut.get(stage.rng.usize(..stage.model.shut.len())).copied();
    }
    let is_strict = stage.chance(92);
    let all = stage.model.tabs.values().filter(|tab| !is_strict || fits(tab, stage.now));
    let all: Vec<Pubkey> = all.map(|tab| tab.address).collect();
    let address = stage.pick(&all)?;
    Some((address, stage.model.tabs.get(&address)?.channel))
}

/// As it is, or now and then with a thief in the place of those who may sign.
pub fn perhaps_robbed(stage: &mut Stage, channel: Channel) -> Channel {
    let thief = stage.person();
    let thief = stage.cast.people[thief].hot;
    match stage.chance(5) {
        true => Channel { owner: thief, authority: thief, ..channel },
        false => channel,
    }
}

pub fn open_ended(tab: &Tab, _: i64) -> bool {
    tab.closed_at.is_none()
}

fn open(stage: &mut Stage) -> Option<Vec<Instruction>> {
    if stage.model.tabs.len() >= CHANNELS {
        return None;
    }
    let (_, wallet) = wallet(stage)?;
    let (owner, mint, free) = (wallet.payer.owner, wallet.payer.mint, wallet.free());
    let (model, prices) = sold(stage, &mint)?;
    let providers: Vec<Pubkey> = stage.model.providers.keys().copied().collect();
    let provider = stage.pick(&providers)?;
    let provider = *stage.model.providers.get(&provider)?;
    if stage.is_leaving(&provider.authority, &mint) && !stage.chance(10) {
        return None;
    }
    let (sponsor, token) = (stage.person(), stage.cast.token(&mint)?);
    let rent_payer = if stage.chance(75) { owner } else { stage.cast.people[sponsor].hot };
    let payout = match stage.rng.u32(..40) {
        0 => super::tokens::some_vault(stage, token),
        1 => stage.any_account(token),
        2 => wallet.payer.vault,
        _ => stage.account_of(&provider.payout_owner, token),
    };
    let next = wallet.payer.next_channel.get();
    let number = if stage.chance(97) { next } else { stage.rng.u64(..next + 2) };
    let accounts = OpenAccounts { rent_payer, owner, mint, authority: provider.authority, payout, model, prices };
    let terms = terms(stage, &owner, free);
    Some(vec![instruction::open(accounts, number, terms)])
}

/// A model, and prices for it in that token; most often the newest.
fn sold(stage: &mut Stage, mint: &Pubkey) -> Option<(Pubkey, Pubkey)> {
    let all: Vec<Pubkey> = stage.model.cards.keys().copied().collect();
    let is_newest = stage.chance(96);
    let price = |card: &Card| match is_newest {
        true => {
            card.is_active.then(|| card.lists.last().filter(|list| list.mint == *mint)).flatten().map(|l| l.address)
        }
        false => card.lists.first().map(|list| list.address),
    };
    (0..TRIES).find_map(|_| {
        let model = stage.pick(&all)?;
        Some((model, price(stage.model.cards.get(&model)?)?))
    })
}

fn terms(stage: &mut Stage, owner: &Pubkey, free: u64) -> ChannelTerms {
    let cap = match stage.rng.u32(..30) {
        0 => free + 1,
        1 => stage.rng.u64(..2_000),
        2 => free,
        _ => stage.rng.u64(1_000.min(free)..=(free / 3).max(1_000.min(free))),
    };
    let backing_bps = match stage.rng.u32(..20) {
        0 => 50_001,
        1..=5 => 0,
        6..=12 => 10_000,
        _ => stage.rng.u16(1..30_000),
    };
    let grace = match stage.rng.u32(..30) {
        0 => stage.rng.u32(..60),
        1 => 30 * 24 * 60 * 60,
        _ => stage.rng.u32(60..5_000),
    };
    ChannelTerms {
        cap,
        signer: session(stage, owner),
        limit: limit(stage, cap),
        session_expires_at: stage.now + stage.rng.i64(-2..300_000),
        grace,
        backing_bps,
        max_fee_bps: if stage.chance(95) { 3_000 } else { stage.rng.u16(..400) },
    }
}

/// The whole cap, most often; or more than there is, as for a session that outlasts a top-up.
fn limit(stage: &mut Stage, cap: u64) -> u64 {
    match stage.rng.u32(..10) {
        0..=5 => cap,
        6..=7 => cap.saturating_mul(3),
        _ => stage.rng.u64(..=cap),
    }
}

/// The owner's own, most often, so that a batch can be for many of its channels.
fn session(stage: &mut Stage, owner: &Pubkey) -> Pubkey {
    let own = stage.cast.people.iter().position(|person| person.hot == *owner);
    let place = match own {
        Some(own) if stage.chance(85) => own,
        _ => stage.person(),
    };
    stage.cast.sessions[place]
}

fn top_up(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, open_ended)?;
    let mut wallet = *stage.model.wallets.get(&channel.payer)?;
    wallet.sync(stage.now);
    let free = wallet.free();
    let amount = if stage.chance(90) { stage.rng.u64(..=free / 5) } else { free + stage.rng.u64(..2) };
    Some(vec![instruction::top_up(address, &perhaps_robbed(stage, channel), amount)])
}

fn set_session(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, open_ended)?;
    let channel = perhaps_robbed(stage, channel);
    let present = channel.session;
    let (signer, limit) = match stage.chance(50) {
        // The same one for longer and more.
        true => (present.signer, channel.cap.get().max(present.limit.get())),
        false => (session(stage, &channel.owner), limit(stage, channel.cap.get())),
    };
    let expires_at = stage.now.max(present.expires_at.get()) + stage.rng.i64(-1_000..200_000);
    Some(vec![instruction::set_session(channel.owner, address, signer, limit, expires_at)])
}

fn apply_session(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let is_early = stage.chance(15);
    let is_due =
        |tab: &Tab, now: i64| tab.channel.staged_at.get() != 0 && (is_early || now >= tab.channel.staged_at.get());
    let (address, _) = channel(stage, is_due)?;
    Some(vec![instruction::apply_session(address)])
}

fn request_close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (address, channel) = channel(stage, open_ended)?;
    let channel = perhaps_robbed(stage, channel);
    let party = if stage.chance(75) { channel.owner } else { channel.authority };
    Some(vec![instruction::request_close(party, address)])
}

fn close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let has_something = |tab: &Tab, now: i64| {
        let closes = tab.is_final() && !tab.is_evidence(now);
        tab.is_closed(now) && (closes || tab.channel.cap != tab.channel.settled)
    };
    let (address, channel) = channel(stage, has_something)?;
    Some(vec![instruction::close(address, &channel)])
}
