//! The clock: it stands still, creeps, lands on a deadline to the second, or leaps.

use crate::stage::Stage;
use joule_sdk::escrow::state::{Job, JobStatus};

/// No leap is longer, in seconds: more than every window that a job may have.
const LEAP: i64 = 100 * 24 * 60 * 60;

pub fn pass(stage: &mut Stage) {
    let now = match stage.rng.u32(..2_000) {
        0..=99 => stage.now + stage.rng.i64(0..60),
        100..=159 => match deadline(stage) {
            Some(deadline) => deadline + stage.rng.i64(-1..=1),
            None => return,
        },
        160 => stage.now + stage.rng.i64(0..LEAP),
        _ => return,
    };
    if now > stage.now {
        stage.set_time(now);
    }
}

/// What some job waits for: the next of these moments, or now and then another one, so that some are missed.
fn deadline(stage: &mut Stage) -> Option<i64> {
    let waits_for = |job: &Job| match job.status {
        status if status == JobStatus::Open as u8 => job.accept_by.get(),
        status if status == JobStatus::Accepted as u8 => job.deliver_by.get(),
        _ => job.settle_after.get(),
    };
    let mut all: Vec<i64> = stage.model.jobs().map(|entry| waits_for(&entry.job)).collect();
    all.retain(|moment| *moment >= stage.now);
    all.sort();
    let place = if stage.chance(80) { 0 } else { stage.rng.usize(..all.len().max(1)) };
    all.get(place).copied()
}
