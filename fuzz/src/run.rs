//! One world's run: steps, checks, and the end, at which everything must find its way out.

use crate::{
    actions::{self, time},
    check,
    exit::let_out,
    report::Report,
    stage::Stage,
};
use joule_sdk::Instruction;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// Steps between two checks of the whole world.
const WORLD_EVERY: u64 = 1_000;
/// Steps that are shown when something is wrong.
const SHOWN: usize = 20;

/// What is common to all worlds of a run.
#[derive(Default)]
pub struct Shared {
    pub steps: AtomicU64,
    /// Set by the first world in which something is wrong.
    pub stop: AtomicBool,
}

/// What a world has to tell.
pub struct Ending {
    pub report: Report,
    /// Jobs that were opened.
    pub jobs: u64,
    /// What has come to pass how often.
    pub milestones: BTreeMap<&'static str, u64>,
    /// What went wrong, with the steps before it.
    pub violation: Option<String>,
}

struct Step {
    number: u64,
    now: i64,
    name: &'static str,
    instructions: Vec<Instruction>,
    end: String,
}

/// Plays `steps` steps in a world that `seed` alone determines.
pub fn world(seed: u64, steps: u64, shared: &Shared) -> Ending {
    let mut stage = Stage::new(seed);
    let (mut report, mut last) = (Report::default(), VecDeque::new());
    let mut found = None;
    for number in 1..=steps {
        if shared.stop.load(Relaxed) {
            break;
        }
        time::pass(&mut stage);
        let plan = actions::next(&mut stage);
        let sent = stage.send(&plan.instructions);
        if let Ok(outcome) = &sent {
            report.add(plan.name, outcome);
        }
        let end = match &sent {
            Ok(Ok(())) => "done".to_owned(),
            Ok(Err(name)) => name.clone(),
            Err(_) => "WRONG".to_owned(),
        };
        last.push_back(Step { number, now: stage.now, name: plan.name, instructions: plan.instructions, end });
        if last.len() > SHOWN {
            last.pop_front();
        }
        let whole = if number % WORLD_EVERY == 0 { check::world(&mut stage) } else { Ok(()) };
        shared.steps.fetch_add(1, Relaxed);
        if let Err(violation) = sent.and(whole) {
            found = Some(format!("step {number}: {violation}"));
            break;
        }
    }
    if found.is_none() && !shared.stop.load(Relaxed) {
        let out = let_out(&mut stage).and_then(|()| check::world(&mut stage));
        found = out.err().map(|violation| format!("after the last step, letting everything out: {violation}"));
    }
    let violation = found.map(|what| {
        shared.stop.store(true, Relaxed);
        format!("{what}\n{}", story(&stage, &last))
    });
    Ending { report, jobs: stage.model.opened, milestones: stage.model.milestones, violation }
}

/// The last steps, for people.
fn story(stage: &Stage, last: &VecDeque<Step>) -> String {
    let mut text = String::from("the last steps, accounts as signer (s), writable (w):\n");
    for step in last {
        let _ = writeln!(text, "  {} at {}: {} -> {}", step.number, step.now, step.name, step.end);
        for instruction in &step.instructions {
            let called = stage.listing.find(instruction).map(|(program, listed)| format!("{program}::{}", listed.name));
            let called = called.unwrap_or_else(|| instruction.program_id.to_string());
            let _ = writeln!(text, "      {called} data {:?}", instruction.data);
            for meta in &instruction.accounts {
                let flags = [(meta.is_signer, 's'), (meta.is_writable, 'w')];
                let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| *flag).collect();
                let _ = writeln!(text, "        {} {flags}", meta.pubkey);
            }
        }
    }
    text
}
