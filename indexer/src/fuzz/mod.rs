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

use allocations::during;
use chain::Corpus;
use fastrand::Rng;
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
        let corpus = &self.corpus;
        let (input, length, done) = match target {
            Target::Account => {
                let (write, row) = decoded::an_account(&mut rng, corpus);
                (hex::encode(&write.data), write.data.len(), run(|| decoded::account(&write, &row)))
            }
            Target::Event => {
                let event = decoded::an_event(&mut rng, corpus);
                (hex::encode(&event.data), event.data.len(), run(|| decoded::event(&event)))
            }
            Target::History => {
                // What it takes is bounded by how many events count; that its inputs are cloned here is no matter.
                ("a history".to_owned(), usize::MAX / FOR_EACH_BYTE, run(|| decoded::history(&mut rng, corpus)))
            }
            Target::Grpc => {
                let bytes = received::a_message(&mut rng, corpus);
                (hex::encode(&bytes), bytes.len(), run(|| received::grpc(&bytes)))
            }
            Target::Json => {
                let answer = received::an_answer(&mut rng, corpus);
                let text = String::from_utf8_lossy(&answer.json).into_owned();
                (text, answer.json.len(), run(|| received::json(&answer)))
            }
        };
        let again = |what: &str| format!("{target:?}, seed {}, case {number}: {what}; input {input}", self.seed);
        let (read, asked) = done.map_err(|what| again(&what))?;
        let (piece, total) =
            (AT_LEAST / 4 + PIECE * length.min(1 << 30), AT_LEAST + FOR_EACH_BYTE * length.min(1 << 40));
        if asked.largest > piece || asked.total > total {
            return Err(again(&format!("{asked:?} for {length} bytes")));
        }
        let tally = &mut self.report.0[target as usize];
        tally.cases += 1;
        tally.read += u64::from(read);
        tally.piece = tally.piece.max(asked.largest);
        if length < 1 << 30 {
            tally.ratio = tally.ratio.max(asked.total as f64 / length.max(64) as f64);
        }
        Ok(())
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
    const CASES: u64 = 4_000;

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
