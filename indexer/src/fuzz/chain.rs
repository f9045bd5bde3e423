//! What is mutated: every sample, and a small chain on which everything happens that can.

use super::samples::{self, Sample};
use crate::{
    decode::{Program, Row},
    row::{account::is_live, AccountRow, EventRow},
    testing::{Chain, Happening},
    types::{Address, Block},
};
use fastrand::Rng;
use proptest::{
    arbitrary::any,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::collections::BTreeMap;

/// Enough for every kind of account and most events.
const HAPPENINGS: usize = 1_000;
/// As long as jobs wait for a provider.
const HOURS: u64 = 250;

/// A row, its newest account, and its events.
#[derive(Debug, Clone)]
pub struct History {
    pub row: Row,
    pub account: Option<AccountRow>,
    pub events: Vec<EventRow>,
}

impl History {
    /// Bytes of everything in it.
    pub fn len(&self) -> usize {
        self.events.iter().map(|event| event.data.len()).chain(self.account.iter().map(|row| row.data.len())).sum()
    }
}

#[derive(Debug)]
pub struct Corpus {
    pub accounts: Vec<Sample>,
    pub events: Vec<Sample>,
    pub histories: Vec<History>,
}

impl Corpus {
    pub fn new(rng: &mut Rng) -> Self {
        let (mut accounts, mut events) = (samples::accounts(), samples::events());
        let blocks = blocks(rng);
        let mut newest: BTreeMap<Address, AccountRow> = BTreeMap::new();
        let mut histories: BTreeMap<Row, Vec<EventRow>> = BTreeMap::new();
        for block in &blocks {
            for write in &block.writes {
                let before = newest.get(&write.address).cloned();
                let row = AccountRow::after(before, write).expect("a first write makes a row");
                if let (true, Some(state), Some(program)) = (is_live(write), row.state(), Program::of(&write.owner)) {
                    accounts.push(Sample { program, name: state.kind(), data: write.data.to_vec() });
                }
                newest.insert(write.address, row);
            }
            for transaction in &block.transactions {
                for raw in &transaction.events {
                    let (signature, index) = (transaction.signature, transaction.index);
                    let event = EventRow::new(signature, index, block.slot, block.block_time, raw);
                    let (Ok(fact), Some(program)) = (event.fact(), Program::of(&raw.program)) else { continue };
                    events.push(Sample { program, name: fact.name(), data: raw.data.to_vec() });
                    for row in fact.rows() {
                        histories.entry(row).or_default().push(event.clone());
                    }
                }
            }
        }
        let history = |(row, events): (Row, _)| History { row, account: newest.get(&row.address()).cloned(), events };
        Self { accounts, events, histories: histories.into_iter().map(history).collect() }
    }
}

fn blocks(rng: &mut Rng) -> Vec<Block> {
    let mut seed = [0; 32];
    rng.fill(&mut seed);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut chain = Chain::new();
    let mut hours = 0;
    for _ in 0..HAPPENINGS {
        let Ok(happening) = any::<Happening>().new_tree(&mut runner) else { continue };
        let happening = happening.current();
        if let Happening::Wait(more) = happening {
            hours += u64::from(more);
            if hours > HOURS {
                continue;
            }
        }
        chain.happen(happening);
    }
    chain.take()
}
