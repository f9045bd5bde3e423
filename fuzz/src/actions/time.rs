//! The clock: it stands still, creeps, lands on a deadline to the second or on a new epoch, or leaps.

use crate::{
    model::{Entry, Tab, Trial},
    stage::Stage,
};
use joule_sdk::{
    billing::constants::DISPUTE_PERIOD,
    escrow::{constants::PANEL_EPOCH, state::JobStatus},
    Pubkey,
};

/// No leap is longer, in seconds: more than every window that a job may have.
const LEAP: i64 = 100 * 24 * 60 * 60;

/// How many of the next deadlines may be jumped to.
const NEAR: usize = 6;

pub fn pass(stage: &mut Stage) {
    let now = match stage.rng.u32(..12_000) {
        0..=479 => stage.now + stage.rng.i64(0..60),
        480..=1_079 => match deadline(stage) {
            Some(deadline) => deadline + stage.rng.i64(-1..=1),
            None => return,
        },
        1_080..=1_085 => (stage.now / PANEL_EPOCH + 1) * PANEL_EPOCH,
        1_086 => stage.now + stage.rng.i64(0..LEAP),
        _ => return,
    };
    // Jurors do what they can before their time is over, most often.
    let is_hasty = !stage.model.trials.values().any(|trial| waits(stage, trial)) || stage.chance(30);
    if now > stage.now && is_hasty {
        stage.set_time(now);
    }
}

/// Whether somebody could open a vote now.
fn waits(stage: &Stage, trial: &Trial) -> bool {
    let is_time = !trial.is_drawing && stage.now > trial.commit_by && stage.now <= trial.reveal_by;
    let mut sealed = trial.ballots.iter().filter(|(_, ballot)| ballot.choice.is_none() && ballot.round == trial.round);
    let will_open = |vote: &Pubkey| stage.seals.get(vote).is_some_and(|seal| !seal.is_withheld);
    is_time && trial.verdict.is_none() && sealed.any(|(vote, _)| will_open(vote))
}

/// What some job or channel waits for: the next of these moments, or now and then a later one, so that some are missed.
fn deadline(stage: &mut Stage) -> Option<i64> {
    let jobs = stage.model.jobs.values().filter_map(|entry| waits_for(stage, entry));
    let tabs = stage.model.tabs.values().filter_map(|tab| comes(stage, tab));
    let mut all: Vec<i64> = jobs.chain(tabs).collect();
    all.retain(|moment| *moment >= stage.now);
    all.sort();
    let place = if stage.chance(85) { 0 } else { stage.rng.usize(..all.len().clamp(1, NEAR)) };
    all.get(place).copied()
}

/// The next moment, in Unix seconds, that changes what may be done about a job.
fn waits_for(stage: &Stage, entry: &Entry) -> Option<i64> {
    let (job, now) = (&entry.job, stage.now);
    match job.status {
        status if status == JobStatus::Open as u8 => {
            Some([job.bid_until.get(), job.accept_by.get()].into_iter().find(|at| *at >= now)?)
        }
        status if status == JobStatus::Accepted as u8 => Some(job.deliver_by.get()),
        status if status == JobStatus::Delivered as u8 => Some(job.settle_after.get()),
        _ => {
            let trial = stage.model.trials.get(&entry.address)?;
            let drawn = [trial.commit_by, trial.reveal_by, trial.final_at];
            match trial.is_drawing {
                true => Some(trial.draw_by),
                false => drawn.into_iter().find(|at| *at >= now),
            }
        }
    }
}

/// The next moment, in Unix seconds, that changes what may be done about a channel or its plan.
fn comes(stage: &Stage, tab: &Tab) -> Option<i64> {
    let notice = stage.model.flows.get(&tab.address).map_or(0, |flow| flow.plan.ends_at.get());
    let undisputed = tab.closed_at.map_or(0, |at| at + DISPUTE_PERIOD as i64);
    let claimed = tab.channel.claimed_until.get();
    let moments = [tab.closed_at.unwrap_or(0), undisputed, claimed, tab.channel.staged_at.get(), notice];
    moments.into_iter().filter(|at| *at >= stage.now).min()
}
