//! Whatever a server sends, and whatever stands in an account or an event: nothing panics, nothing takes more memory than its length
//! allows, and what can be made of it can be stored.
//!
//! A case is made of a seed and a number alone. `cargo test` runs some of a printed seed, `make fuzz-decoders` millions.

mod allocations;
mod chain;
mod decoded;
mod mutate;
mod received;
pub mod samples;

pub use allocations::{Asked, Counting};

use crate::{
    row::{AccountRow, EventRow},
    types::AccountWrite,
};
use allocations::during;
use chain::{Corpus, History};
use fastrand::Rng;
use received::Answer;
use std::{
    fmt,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// A row is wider than its bytes, and text than both; a message of many small parts takes their sizes in memory.
const FOR_EACH_BYTE: usize = 256;
/// Fields, names and places, of however little.
const AT_LEAST: usize = 256 * 1024;
/// The largest single piece of that.
const PIECE: usize = 64;

/// Which way into the indexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Account,
    Event,
    History,
    Grpc,
    Json,
}

impl Target {
    pub const ALL: [Self; 5] = [Self::Account, Self::Event, Self::History, Self::Grpc, Self::Json];
}

/// What came of the cases of one target.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub cases: u64,
    /// Of them those that could be read.
    pub read: u64,
    /// Most bytes that one asked the allocator for: in one piece, and together for each byte of its input.
    pub piece: usize,
    pub ratio: f64,
}

#[derive(Debug, Default)]
pub struct Report([Tally; Target::ALL.len()]);

impl Report {
    pub fn of(&self, target: Target) -> Tally {
        self.0[target as usize]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for target in Target::ALL {
            let Tally { cases, read, piece, ratio } = self.of(target);
            writeln!(f, "{target:?}: {cases} cases, {read} of them read; at most {piece} bytes at once, {ratio:.0} for each byte of input")?;
        }
        Ok(())
    }
}

/// Cases of one seed, in turn for each target.
pub struct Fuzzer {
    seed: u64,
    corpus: Corpus,
    report: Report,
}

impl Fuzzer {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self { seed, corpus: Corpus::new(&mut rng), report: Report::default() }
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Runs one case. An error says what is wrong, with everything needed to see it again.
    pub fn case(&mut self, number: u64) -> Result<(), String> {
        let target = Target::ALL[(number % Target::ALL.len() as u64) as usize];
        let mut rng = Rng::with_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let input = Input::new(target, &mut rng, &self.corpus);
        let length = input.len();
        let again = |what: &str| format!("{target:?}, seed {}, case {number}: {what}; input: {input:?}", self.seed);
        let (read, asked) = run(|| input.run()).map_err(|what| again(&what))?;
        let (piece, total) = (AT_LEAST / 4 + PIECE * length, AT_LEAST + FOR_EACH_BYTE * length);
        if asked.largest > piece || asked.total > total {
            return Err(again(&format!("{asked:?} for {length} bytes")));
        }
        let tally = &mut self.report.0[target as usize];
        tally.cases += 1;
        tally.read += u64::from(read);
        tally.piece = tally.piece.max(asked.largest);
        tally.ratio = tally.ratio.max(asked.total as f64 / length.max(64) as f64);
        Ok(())
    }
}

/// What a case is about.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
enum Input {
    Account(AccountWrite, AccountRow),
    Event(EventRow),
    History(History),
    Grpc(Vec<u8>),
    Json(Answer),
}

impl Input {
    fn new(target: Target, rng: &mut Rng, corpus: &Corpus) -> Self {
        match target {
            Target::Account => {
                let (write, row) = decoded::an_account(rng, corpus);
                Self::Account(write, row)
            }
            Target::Event => Self::Event(decoded::an_event(rng, corpus)),
            Target::History => Self::History(decoded::a_history(rng, corpus)),
            Target::Grpc => Self::Grpc(received::a_message(rng, corpus)),
            Target::Json => Self::Json(received::an_answer(rng, corpus)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Account(write, _) => write.data.len(),
            Self::Event(event) => event.data.len(),
            Self::History(history) => history.len(),
            Self::Grpc(bytes) => bytes.len(),
            Self::Json(answer) => answer.json.len(),
        }
    }

    /// True if it could be read; an error if what was made of it is wrong.
    fn run(&self) -> Result<bool, String> {
        match self {
            Self::Account(write, row) => decoded::account(write, row),
            Self::Event(event) => decoded::event(event),
            Self::History(history) => decoded::history(history),
            Self::Grpc(bytes) => received::grpc(bytes),
            Self::Json(answer) => received::json(answer),
        }
    }
}

fn run(act: impl FnOnce() -> Result<bool, String>) -> Result<(bool, Asked), String> {
    let (done, asked) = during(|| catch_unwind(AssertUnwindSafe(act)));
    match done {
        Ok(read) => Ok((read?, asked)),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(format!("it panics: {}", said.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static COUNTING: Counting = Counting;

    /// For each target; `make fuzz-decoders` runs millions.
    const CASES: u64 = 1_500;

    #[test]
    fn nothing_that_comes_panics_takes_much_memory_or_cannot_be_stored() {
        let seed = std::env::var("JOULE_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        println!("JOULE_FUZZ_SEED={seed}");
        let mut fuzzer = Fuzzer::new(seed);
        for number in 0..CASES * Target::ALL.len() as u64 {
            fuzzer.case(number).unwrap();
        }
        for target in Target::ALL {
            let Tally { cases, read, .. } = fuzzer.report().of(target);
            assert!(read > cases / 20 && read < cases, "{target:?}: mutation leaves {read} of {cases} readable");
        }
    }

    #[test]
    fn what_a_thread_asks_of_the_allocator_is_counted() {
        let (kept, asked) = during(|| (vec![0u8; 1_000], vec![1u8; 500]));
        assert_eq!((asked, kept.0.len()), (Asked { largest: 1_000, total: 1_500 }, 1_000));
    }
}
