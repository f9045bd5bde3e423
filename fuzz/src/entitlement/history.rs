//! One history from beginning to end.

use super::{
    cast::Role,
    exit,
    finding::Finding,
    gang, honest,
    honest::Duty,
    notes,
    play::{By, Play},
    setting::Setting,
};
use joule_sdk::{
    escrow::{constants::PANEL_EPOCH, state::Dispute},
    instruction::registry,
    pda,
    registry::state::{Credential, Criteria, Wanted},
    Pubkey,
};
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * 60;
/// Turns in which new things begin, and turns after which it ends at the latest.
const TURNS: usize = 160;
const MOST: usize = 900;

/// What a history has come to.
pub struct Ending {
    /// Transactions that were sent, and those that succeeded.
    pub steps: u64,
    pub done: u64,
    pub findings: Vec<Finding>,
    pub log: Vec<String>,
    /// What the gang has tried how often, and how often it could.
    pub tried: BTreeMap<&'static str, (u64, u64)>,
    /// What has come about how often.
    pub marks: BTreeMap<&'static str, u64>,
    /// Why honest people were refused what.
    pub refused: BTreeMap<String, u64>,
}

/// Plays one history, which seed and number alone determine.
pub fn history(settings: &[Setting; 2], seed: u64, number: u64) -> Ending {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number.wrapping_mul(0xd1b5_4a32_d192_ed03));
    let mut play = Play::new(&settings[(mixed >> 7) as usize % 2], mixed);
    let lamports: Vec<(Pubkey, u64)> = play
        .cast
        .people
        .iter()
        .filter(|person| !person.is_rogue)
        .map(|person| (person.key, play.svm.get_balance(&person.key).unwrap_or(0)))
        .collect();
    let rogues: Vec<&str> = play.cast.people.iter().filter(|p| p.is_rogue).map(|p| p.name.as_str()).collect();
    let rogues = format!("the gang: {}", rogues.join(", "));
    play.log.push(rogues);
    gang::forget(&mut play);
    play.is_lazy = play.chance(12);
    play.is_contrary = play.chance(20);
    play.fashion = [None, Some(1), Some(2)][play.rng.usize(..3)];
    begin(&mut play);
    for turn in 0..MOST {
        if turn >= TURNS && play.agenda.is_empty() {
            break;
        }
        let acts = if turn < TURNS { 55 } else { 35 };
        if play.chance(acts) {
            gang::act(&mut play);
        } else {
            pass(&mut play);
        }
    }
    // Whoever has promised something still keeps it.
    play.is_ending = true;
    for _ in 0..MOST {
        let Some((at, _)) = play.agenda.keys().next().copied() else { break };
        play.set_time(at);
        keep_promises(&mut play);
    }
    if play.is_lazy {
        let late = play.rng.i64(0..150 * DAY);
        play.set_time(play.now + late);
    }
    exit::leave(&mut play, &lamports);
    Ending {
        steps: play.steps,
        done: play.done,
        findings: play.findings,
        log: play.log,
        tried: play.tried,
        marks: play.marks,
        refused: play.refused,
    }
}

/// What is there before anybody steals, and what honest people mean to do.
pub fn begin(play: &mut Play) {
    let keys = |play: &Play, role: Role| -> Vec<Pubkey> { play.cast.with(role).map(|person| person.key).collect() };
    let attestors = keys(play, Role::Attestor);
    for attestor in &attestors {
        for worker in keys(play, Role::Worker) {
            if play.chance(60) {
                honest::perform(play, Duty::Attest { attestor: *attestor, subject: worker });
            }
        }
    }
    for role in [Role::Publisher, Role::Client] {
        let client = keys(play, role)[0];
        let mut wanted = Wanted { min_bond: play.rng.u64(1..1_000), ..Wanted::default() };
        if play.chance(60) {
            let attestor = pda::attestor(&attestors[play.rng.usize(..2)]);
            wanted.all_of[0] = Credential { attestor, schema: 1 };
        }
        play.papers.insert(pda::requirements(&client, &wanted.hash()), Criteria::from(&wanted));
        let define = registry::define_requirements(client, client, wanted);
        let _ = play.send(By::Honest, "requirements are published", &[define]);
    }
    if play.chance(85) {
        for resolver in keys(play, Role::Resolver) {
            honest::perform(play, Duty::Enrol { resolver });
            if play.chance(15) {
                gang::act(play);
            }
        }
        let epoch = PANEL_EPOCH;
        let next = (play.now / epoch + 1) * epoch;
        let at = next + play.rng.i64(0..3 * DAY);
        for _ in 0..play.rng.usize(..3) {
            gang::act(play);
        }
        advance(play, at);
        for resolver in keys(play, Role::Resolver) {
            if play.cast.is_honest(&resolver) && play.chance(50) {
                let at = play.rng.i64(play.now..next + epoch);
                play.plan(at, Duty::Enrol { resolver });
            }
        }
    }
    let spread = [1_800, DAY / 3, 3 * DAY][play.rng.usize(..3)];
    for client in keys(play, Role::Client) {
        for _ in 0..play.rng.usize(1..6) {
            if play.cast.is_honest(&client) {
                let at = play.moment(play.now, play.now + spread);
                play.plan(at, Duty::Open { client });
            }
        }
    }
    for owner in honest::payers(play) {
        for _ in 0..play.rng.usize(1..4) {
            let at = play.moment(play.now, play.now + DAY);
            play.plan(at, Duty::Channel { owner });
        }
    }
    for who in keys(play, Role::Staker) {
        if play.cast.is_honest(&who) {
            play.plan(play.now, Duty::Stake { who });
        }
    }
}

/// Time goes by, up to whatever somebody honest is about to do next.
fn pass(play: &mut Play) {
    let next = play.agenda.keys().next().copied();
    let to = match (play.rng.u32(..20), next) {
        (0..=12, Some((at, _))) => at,
        (13..=15, _) => play.now + play.rng.i64(1..200),
        (16..=18, _) => deadline(play).unwrap_or(play.now + 60),
        _ => play.now + play.rng.i64(60..DAY),
    };
    let Some((at, _)) = next.filter(|(at, _)| *at <= to) else { return play.set_time(to) };
    play.set_time(at);
    // Whoever wants to be there first is.
    if play.chance(20) {
        gang::act(play);
    }
    keep_promises(play);
}

/// Time goes by, and honest people do what they had meant to do meanwhile.
fn advance(play: &mut Play, to: i64) {
    while let Some((at, _)) = play.agenda.keys().next().copied().filter(|(at, _)| *at <= to) {
        play.set_time(at);
        keep_promises(play);
    }
    play.set_time(to);
}

/// Honest people do what they had meant to do by now.
fn keep_promises(play: &mut Play) {
    while let Some((key, duty)) = play.agenda.first_key_value().map(|(key, duty)| (*key, *duty)) {
        if key.0 > play.now {
            break;
        }
        play.agenda.remove(&key);
        honest::perform(play, duty);
    }
}

/// A moment that changes what may be done about something, or the second before or after it.
fn deadline(play: &mut Play) -> Option<i64> {
    let mut all = Vec::new();
    for (address, job) in &play.jobs {
        let state = &job.state;
        all.extend([state.accept_by, state.bid_until, state.deliver_by, state.settle_after].map(|at| at.get()));
        if let Some(dispute) = play.read::<Dispute>(&pda::dispute(address)) {
            all.extend([dispute.draw_by, dispute.commit_by, dispute.reveal_by, dispute.final_at].map(|at| at.get()));
        }
    }
    for channel in play.channels.values() {
        let closes = channel.state.closes_at.get();
        all.extend([closes, closes + notes::DISPUTE, channel.state.staged_at.get()]);
        all.extend(channel.backs.iter().map(|(at, _)| at + notes::DISPUTE));
    }
    all.retain(|at| *at > play.now);
    all.sort_unstable();
    let place = if play.chance(70) { 0 } else { play.rng.usize(..all.len().clamp(1, 5)) };
    Some(all.get(place)? + play.rng.i64(-1..=1))
}
