//! What the gang does: anything that its keys can sign, alone or several things in one transaction, about one matter or about
//! none. It knows which instructions there are and what they are for, and no theft.

mod bills;
mod courts;
mod gifts;
mod jobs;
mod people;
mod power;

use super::play::{By, Play, What};
use joule_sdk::Instruction;

pub type Plan = fn(&mut Play) -> Option<Vec<Instruction>>;

/// Something that may be done: its name, how often it is thought of, and what is sent.
pub type Action = (&'static str, u32, Plan);

/// In the order in which things mostly happen.
const MATTERS: [&[Action]; 6] =
    [gifts::ACTIONS, people::ACTIONS, jobs::ACTIONS, courts::ACTIONS, bills::ACTIONS, power::ACTIONS];
/// Instructions of one transaction.
const BUNDLE: usize = 6;

/// Forgets some of what there is to be done, for a history.
pub fn forget(play: &mut Play) {
    let percent = [0, 20, 45][play.rng.usize(..3)];
    for (name, ..) in MATTERS.iter().flat_map(|matter| matter.iter()) {
        if play.chance(percent) {
            play.forgotten.insert(name);
        }
    }
}

/// Does something.
pub fn act(play: &mut Play) {
    if play.rogue().is_none() {
        return;
    }
    choose_focus(play);
    let count = if play.chance(60) { 1 } else { play.rng.usize(2..=BUNDLE) };
    let mut chosen = Vec::new();
    for _ in 0..count * 3 {
        if chosen.len() == count {
            break;
        }
        chosen.extend(one(play));
    }
    // Most often in the order in which they make sense.
    match play.chance(65) {
        true => chosen.sort_by_key(|(rank, ..)| *rank),
        false => play.rng.shuffle(&mut chosen),
    }
    if chosen.is_empty() {
        return;
    }
    let names: Vec<&str> = chosen.iter().map(|(_, name, _)| *name).collect();
    let all: Vec<Instruction> = chosen.iter().flat_map(|(.., instructions)| instructions.clone()).collect();
    let about = play.focus.map_or(String::new(), |focus| format!(" [{}]", &focus.to_string()[..4]));
    let sent = play.send(By::Gang, &format!("{}{about}", names.join(" + ")), &all);
    for (_, name, _) in &chosen {
        let tried = play.tried.entry(name).or_default();
        *tried = (tried.0 + 1, tried.1 + sent.is_ok() as u64);
    }
    if sent.is_err() && chosen.len() > 1 && play.chance(60) {
        for (_, name, instructions) in chosen {
            let is_done = play.send(By::Gang, name, &instructions).is_ok();
            play.tried.entry(name).or_default().1 += is_done as u64;
        }
    }
}

/// A job or a channel that the gang is after for a while.
fn choose_focus(play: &mut Play) {
    let keeps = play.focus.is_some_and(|focus| play.is_there(&focus)) && play.chance(60);
    if !keeps {
        let what = if play.chance(55) { What::Job } else { What::Channel };
        let all = play.all(what);
        play.focus = play.pick(&all);
    }
}

type Chosen = (usize, &'static str, Vec<Instruction>);

fn one(play: &mut Play) -> Option<Chosen> {
    let is_about = |play: &Play, what: What| play.focus.and_then(|focus| play.index.get(&focus).copied()) == Some(what);
    let mut matters: Vec<usize> = (0..MATTERS.len()).collect();
    if play.chance(75) {
        match (is_about(play, What::Job), is_about(play, What::Channel)) {
            (true, _) => matters = vec![0, 2, 3, 3, 2, 3, 3],
            (_, true) => matters = vec![0, 4, 4, 4, 4, 4],
            _ => {}
        }
    }
    let matter = play.pick(&matters)?;
    let total: u32 = MATTERS[matter].iter().map(|(_, weight, _)| weight).sum();
    let mut left = play.rng.u32(..total);
    for (place, (name, weight, plan)) in MATTERS[matter].iter().enumerate() {
        if left < *weight {
            if play.forgotten.contains(name) {
                return None;
            }
            let instructions = plan(play)?;
            let signers = Play::signers(&instructions);
            let can = signers.iter().all(|key| play.cast.is_rogue(key) || *key == play.cast.crank);
            return (can && !instructions.is_empty()).then_some((matter * 100 + place, *name, instructions));
        }
        left -= weight;
    }
    None
}

/// Something of a kind: what the gang is after, if it is of that kind, or any.
pub fn some(play: &mut Play, what: What) -> Option<joule_sdk::Pubkey> {
    let focus = play.focus.filter(|focus| play.index.get(focus) == Some(&what));
    if let (Some(focus), true) = (focus, play.chance(88)) {
        return Some(focus);
    }
    let all = play.all(what);
    play.pick(&all)
}
