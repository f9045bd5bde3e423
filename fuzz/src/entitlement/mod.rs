//! Whoever was wronged and acted in time is whole, nobody honest is slashed, and everybody gets everything out: random histories
//! with wrongs in them. See the README.

mod calls;
mod cast;
mod court;
mod exit;
mod finding;
mod gang;
mod honest;
mod notes;
mod play;
#[cfg(test)]
mod selftest;
mod setting;
mod watch;

use anyhow::{bail, Result};
use cast::Role;
use finding::{Finding, Kind};
use honest::Duty;
use joule_sdk::{
    instruction::registry,
    pda,
    registry::state::{Credential, Criteria, Wanted},
    Pubkey,
};
use joule_tests::Kind as Token;
use play::{By, Play};
use setting::Setting;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        Mutex,
    },
    time::{Duration, Instant},
};

const DAY: i64 = 24 * 60 * 60;
/// Turns of a history in which new things begin, and turns after which it ends at the latest.
const TURNS: usize = 160;
const MOST: usize = 900;
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// What is to be played.
pub struct Options {
    pub seed: u64,
    pub histories: u64,
    pub threads: u64,
    /// Only this one, told in full.
    pub only: Option<u64>,
    /// Goes on when something is found, and says what was found first of each kind.
    pub is_survey: bool,
}

/// What one history has come to.
struct Ending {
    steps: u64,
    done: u64,
    findings: Vec<Finding>,
    log: Vec<String>,
    tried: Tried,
}

/// What the gang has tried how often, and how often it could.
type Tried = BTreeMap<&'static str, (u64, u64)>;

/// The first finding of a kind.
struct First {
    history: u64,
    finding: Finding,
    histories: u64,
    steps: u64,
    after: Duration,
    count: u64,
    log: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    println!("seed {}: {} histories on {} threads", options.seed, options.histories, options.threads);
    if let Some(number) = options.only {
        let settings = [Setting::new(Token::Classic), Setting::new(Token::Token2022)];
        let ending = history(&settings, options.seed, number);
        println!("{}", ending.log.join("\n"));
        for finding in &ending.findings {
            println!("{} at step {}: {}", finding.kind.name(), finding.step, finding.what);
        }
        println!("{} transactions, {} of them done", ending.steps, ending.done);
        return if ending.findings.is_empty() { Ok(()) } else { bail!("somebody was wronged") };
    }
    let (next, played, steps, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let tried = Mutex::new(Tried::new());
    let (stop, firsts) = (AtomicBool::new(false), Mutex::new(BTreeMap::<Kind, First>::new()));
    let started = Instant::now();
    std::thread::scope(|threads| {
        let work = || {
            let settings = [Setting::new(Token::Classic), Setting::new(Token::Token2022)];
            while !stop.load(Relaxed) {
                let number = next.fetch_add(1, Relaxed);
                if number >= options.histories {
                    break;
                }
                let ending = history(&settings, options.seed, number);
                let histories = played.fetch_add(1, Relaxed) + 1;
                let steps = steps.fetch_add(ending.steps, Relaxed) + ending.steps;
                done.fetch_add(ending.done, Relaxed);
                let mut all = tried.lock().expect("no thread has panicked");
                for (name, (times, done)) in &ending.tried {
                    let entry = all.entry(name).or_default();
                    *entry = (entry.0 + times, entry.1 + done);
                }
                drop(all);
                let mut firsts = firsts.lock().expect("no thread has panicked");
                for finding in ending.findings {
                    let log = ending.log.clone();
                    let after = started.elapsed();
                    let first = First { history: number, finding, histories, steps, after, count: 0, log };
                    firsts.entry(first.finding.kind).or_insert(first).count += 1;
                    stop.fetch_or(!options.is_survey, Relaxed);
                }
            }
        };
        let working: Vec<_> = (0..options.threads).map(|_| threads.spawn(work)).collect();
        let mut shown = Instant::now();
        while !working.iter().all(|thread| thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            if shown.elapsed() > PROGRESS_EVERY {
                shown = Instant::now();
                let played = played.load(Relaxed);
                println!("{played} histories, {:.0} a second", played as f64 / started.elapsed().as_secs_f64());
            }
        }
    });
    let (played, steps, done) = (played.load(Relaxed), steps.load(Relaxed), done.load(Relaxed));
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{played} histories, {steps} transactions ({done} done) in {seconds:.0} s: {:.1} histories and {:.0} transactions a second",
        played as f64 / seconds,
        steps as f64 / seconds
    );
    let tried = tried.into_inner().expect("no thread has panicked");
    for (name, (times, done)) in &tried {
        println!("{name:>34} {times:>8} {done:>8}");
    }
    let firsts = firsts.into_inner().expect("no thread has panicked");
    if firsts.is_empty() {
        println!("whoever was wronged and acted in time is whole, nobody honest was slashed, and everybody got everything out");
        return Ok(());
    }
    for (kind, first) in &firsts {
        println!(
            "{}: {} times, first after {} histories, {} transactions, {:.1} s, in history {}: {}",
            kind.name(),
            first.count,
            first.histories,
            first.steps,
            first.after.as_secs_f64(),
            first.history,
            first.finding.what
        );
    }
    if let (false, Some(first)) = (options.is_survey, firsts.values().next()) {
        println!("{}", first.log.join("\n"));
        bail!("somebody was wronged (repeat with --entitlement --seed {} --history {})", options.seed, first.history);
    }
    bail!("somebody was wronged")
}

/// Plays one history, which seed and number alone determine.
fn history(settings: &[Setting; 2], seed: u64, number: u64) -> Ending {
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
    Ending { steps: play.steps, done: play.done, findings: play.findings, log: play.log, tried: play.tried }
}

/// What is there before anybody steals, and what honest people mean to do.
fn begin(play: &mut Play) {
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
        let epoch = joule_sdk::escrow::constants::PANEL_EPOCH;
        let next = (play.now / epoch + 1) * epoch;
        let at = next + play.rng.i64(0..3 * DAY);
        for _ in 0..play.rng.usize(..3) {
            gang::act(play);
        }
        play.set_time(at);
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
        if let Some(dispute) = play.read::<joule_sdk::escrow::state::Dispute>(&pda::dispute(address)) {
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
