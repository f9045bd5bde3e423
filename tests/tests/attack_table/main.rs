//! The attack table: every account of every instruction, replaced by everything that should not be there.
//!
//! The instructions and their accounts come out of `idl/`, valid runs of them out of `joule_tests::scenes`, and every attack
//! out of what is on the chain at an account's address ([`mutation`]). Each must be refused with an error that has a name,
//! and leave every account as it was to the byte. What is meant to work all the same is listed in [`harmless`], with the
//! reason; an entry there that has become untrue fails the test too.
//!
//! **A new instruction** needs a scene in `tests/src/scenes/<program>.rs`, or the test names it as missing. **A new program**
//! needs a file of scenes, in `scenes::all`. **A new kind of account** needs a second one in `World::crowd`
//! (`tests/src/crowd.rs`), unless its seeds are all constants: the test says so. **An account that may be left out** needs a
//! run with it and one without; what no bench should measure is in `tests/src/scenes/rarer.rs`. Then run
//!
//! ```text
//! cargo test --workspace --test attack_table
//! ```
//!
//! and look at every attack that it says succeeded: either it is a hole, or it belongs into `harmless.rs` with a reason.
//! What the table cannot see is an account named in one instruction that has a second place in a later one: those are in
//! `tests/tests/escrow/named_twice.rs`.
//! `target/attack_table.tsv` lists all attacks, with the error that refused each.

mod authorities;
mod harmless;
mod mutation;
mod stage;
mod verdict;

use crate::{stage::Stage, verdict::Tally};
use joule_tests::{
    idl::{self, Listing},
    scenes::{self, Scene},
    Kind,
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    sync::Mutex,
    thread::{available_parallelism, scope, ScopedJoinHandle},
};

#[test]
fn no_account_of_any_instruction_can_be_replaced_by_another() {
    let listing = idl::all();
    let mut tally = Tally::default();
    let staged = |kind| {
        let mut scenes = scenes::all(kind);
        scenes.extend(scenes::rarer(kind));
        scenes
    };
    let both =
        scope(|threads| [Kind::Classic, Kind::Token2022].map(|kind| threads.spawn(move || staged(kind))).map(joined));
    for scenes in both {
        let unstaged = listing.without_scene(&scenes);
        assert!(unstaged.is_empty(), "no scene in tests/src/scenes: {}", unstaged.join(", "));
        attack_all(&listing, scenes, &mut tally);
    }
    print(&tally);
    let problems = tally.problems();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/attack_table.tsv");
    std::fs::write(&path, tally.table()).expect("a folder `target`, in which the programs are");
    assert!(problems.is_empty(), "{} problems:\n  {}", problems.len(), problems.join("\n  "));
}

fn joined<T>(thread: ScopedJoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Attacks every scene, on as many threads as there are cores.
fn attack_all(listing: &Listing, scenes: Vec<Scene>, tally: &mut Tally) {
    let (queue, tally) = (Mutex::new(scenes), Mutex::new(tally));
    let next = || queue.lock().unwrap().pop();
    scope(|threads| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            threads.spawn(|| {
                while let Some(scene) = next() {
                    let stage = Stage::new(listing, scene);
                    let outcomes = verdict::attack(&stage);
                    tally.lock().unwrap().add(&stage, outcomes);
                }
            });
        }
    });
}

/// Writes past the capture of the test harness: the number of cases is part of the answer.
fn print(tally: &Tally) {
    let mut out = std::io::stdout().lock();
    let mut line = |text: String| writeln!(out, "{text}").expect("a standard output");
    line(format!("\n{:<44}{:>8}{:>10}{:>10}", "attacks on", "cases", "refused", "harmless"));
    let mut programs: BTreeMap<&str, usize> = BTreeMap::new();
    for ((program, scene), count) in &tally.scenes {
        let name = format!("{program} {scene}");
        line(format!("{name:<44}{:>8}{:>10}{:>10}", count.cases, count.refused, count.cases - count.refused));
        *programs.entry(program).or_default() += count.cases;
    }
    let by_program: Vec<String> = programs.iter().map(|(name, cases)| format!("{name} {cases}")).collect();
    line(format!("{} cases ran: {}", programs.values().sum::<usize>(), by_program.join(", ")));
    let mut errors: Vec<_> = tally.errors.iter().collect();
    errors.sort_by_key(|(name, count)| (usize::MAX - **count, name.as_str()));
    let errors: Vec<String> = errors.iter().map(|(name, count)| format!("{name} {count}")).collect();
    line(format!("refused with {}\n", errors.join(", ")));
}
