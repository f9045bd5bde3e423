//! Channels, as payers and workers of the gang see them, and as anybody does.

use super::{some, Action};
use crate::entitlement::{
    honest,
    notes::Promise,
    play::{Play, What},
};
use joule_sdk::{
    billing::state::{Channel as State, Payer, Plan},
    instruction::billing,
    pda,
    units::Amount,
    voucher::{Domain, Format, Voucher},
    Instruction, Pubkey,
};
use joule_tests::GENESIS;

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] = &[
    ("deposit", 1, deposit),
    ("open a channel", 6, open),
    ("top up", 1, top_up),
    ("set a session", 7, set_session),
    ("apply a session", 6, apply_session),
    ("start a plan", 3, start_plan),
    ("pause a plan", 1, pause_plan),
    ("resume a plan", 1, resume_plan),
    ("end a plan", 2, end_plan),
    ("settle a plan", 2, settle_plan),
    ("settle", 14, settle),
    ("settle what one likes", 3, settle_own),
    ("back", 10, back),
    ("distribute", 12, distribute),
    ("contradict oneself", 1, contradict),
    ("show a lie", 1, show),
    ("ask to close", 5, request_close),
    ("distribute once more", 4, distribute),
    ("close", 10, close),
    ("claim what is owed", 1, claim_owed),
    ("reclaim", 2, reclaim),
];

fn channel(play: &mut Play) -> Option<(Pubkey, State)> {
    let address = some(play, What::Channel)?;
    Some((address, play.read::<State>(&address)?))
}

fn deposit(play: &mut Play) -> Planned {
    let (who, tokens) = play.rogue()?;
    let payer = some(play, What::Payer)?;
    Some(vec![billing::deposit(who, payer, tokens, play.cast.program, play.rng.u64(1..1_000_000))])
}

fn open(play: &mut Play) -> Planned {
    if play.all(What::Channel).len() > 8 {
        return None;
    }
    let (owner, _) = play.rogue_that(|person| person.pays_by_request())?;
    let workers: Vec<Pubkey> = play.cast.people.iter().filter(|p| p.is_provider()).map(|p| p.key).collect();
    let worker = honest::known(play, &owner).or_else(|| play.pick(&workers))?;
    Some(vec![honest::channel_opening(play, owner, worker)?])
}

fn top_up(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::top_up(address, &state, play.rng.u64(1..100_000))])
}

fn set_session(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let session = play.cast.people[play.rng.usize(..play.cast.people.len())].session;
    let signer = if play.chance(40) { state.session.signer } else { session };
    let limit = if play.chance(60) { state.session.limit.get() } else { play.rng.u64(..=state.cap.get()) };
    let expires_at = play.now + [100, 40_000, 20_000_000][play.rng.usize(..3)];
    Some(vec![billing::set_session(state.owner, address, signer, limit, expires_at)])
}

fn apply_session(play: &mut Play) -> Planned {
    let (address, _) = channel(play)?;
    Some(vec![billing::apply_session(address)])
}

fn start_plan(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::start_plan(state.owner, address, &state, play.rng.u64(1..5), play.rng.u32(1..100_000))])
}

fn pause_plan(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::pause_plan(address, &state)])
}

fn resume_plan(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::resume_plan(address, &state)])
}

fn end_plan(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let plan = play.read::<Plan>(&pda::plan(&address))?;
    let party = play.pick(&[state.owner, state.authority])?;
    Some(vec![billing::terminate_plan(party, address, &state, &plan)])
}

fn settle_plan(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let plan = play.read::<Plan>(&pda::plan(&address))?;
    Some(vec![billing::settle_plan(address, &state, &plan)])
}

/// With what the payer has signed.
fn settle(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let (.., promise) = play.channels.get(&address)?.voucher.as_ref()?;
    let is_new = promise.cumulative > state.settled.get();
    if is_new || play.chance(5) {
        honest::settling(play, &address)
    } else {
        None
    }
}

fn voucher(play: &Play, address: &Pubkey, promise: Promise, root: [u8; 32]) -> Option<(Pubkey, Vec<u8>)> {
    let state = play.channels.get(address)?.state;
    let owner = play.cast.people.iter().find(|person| person.session == state.session.signer)?;
    owner.is_rogue.then_some(())?;
    let voucher = Voucher {
        context: billing::context(Domain::Voucher, &GENESIS, address),
        sequence: promise.sequence.into(),
        cumulative: Amount::new(promise.cumulative).into(),
        units: 1.into(),
        expires_at: joule_sdk::units::UnixTime::new(promise.expires_at).into(),
        usage_root: root,
    };
    Some((state.session.signer, voucher.as_bytes().to_vec()))
}

/// A payer of the gang signs for any sum, in small steps or large ones.
fn settle_own(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let left = state.cap.get().saturating_sub(state.settled.get());
    let more = if play.chance(60) { play.rng.u64(..4) } else { play.rng.u64(..=left) };
    let sequence = if play.chance(90) { state.sequence.get().saturating_add(1) } else { u64::MAX };
    let promise = Promise { sequence, cumulative: state.settled.get() + more, expires_at: play.now + 600 };
    let (key, message) = voucher(play, &address, promise, [8; 32])?;
    Some(vec![honest::verify(play, &key, &message)?, billing::settle(address)])
}

fn back(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::back(state.authority, address, &state)])
}

fn distribute(play: &mut Play) -> Planned {
    let (address, _) = channel(play)?;
    Some(vec![honest::dividing(play, &address)?])
}

fn contradict(play: &mut Play) -> Planned {
    let (address, _) = channel(play)?;
    let promise = Promise { sequence: 7, cumulative: play.rng.u64(..1_000), expires_at: play.now + 600 };
    let (key, one) = voucher(play, &address, promise, [8; 32])?;
    let (_, other) = voucher(play, &address, promise, [9; 32])?;
    Some(vec![
        honest::verify(play, &key, &one)?,
        honest::verify(play, &key, &other)?,
        billing::dispute_vouchers(address),
    ])
}

/// Lies of honest people are not to be had: these are the gang's own.
fn show(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let is_own = play.cast.is_rogue(&state.owner);
    if is_own {
        honest::disputing(play, &address)
    } else {
        None
    }
}

fn request_close(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let party = if play.cast.is_rogue(&state.authority) && play.chance(70) { state.authority } else { state.owner };
    Some(vec![billing::request_close(party, address)])
}

fn close(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    Some(vec![billing::close(address, &state)])
}

fn claim_owed(play: &mut Play) -> Planned {
    let (address, state) = channel(play)?;
    let (who, tokens) = play.rogue()?;
    Some(vec![billing::claim_owed(who, address, &state, play.rng.u8(..8), tokens, play.cast.program)])
}

fn reclaim(play: &mut Play) -> Planned {
    let (owner, tokens) = play.rogue_that(|person| person.pays_by_request())?;
    let payer = play.read::<Payer>(&pda::payer(&owner, &play.cast.mint))?;
    let free = payer.free().ok().filter(|free| *free > 0)?;
    Some(vec![billing::reclaim(owner, play.cast.mint, tokens, play.cast.program, play.rng.u64(1..=free))])
}
