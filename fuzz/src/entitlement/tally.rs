//! What all histories together have come to.

use super::{finding::Finding, finding::Kind, history::Ending};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use std::{collections::BTreeMap, time::Duration};

/// What must have come about in a long run: if it has not, most of what must hold was never put to the test.
const COME_ABOUT: [&str; 11] = [
    "batch of which a part is good",
    "batch that is good",
    "challenge refused, no panel",
    "honest majority heard after an appeal",
    "honest majority of a panel heard",
    "honest majority of a quorum heard",
    "judged without an honest majority",
    "liar's claim slashed",
    "lie challenged",
    "silence settled",
    "silent provider slashed",
];

/// The first finding of a kind.
pub struct First {
    pub history: u64,
    pub finding: Finding,
    pub log: Vec<String>,
    /// After how many histories, transactions and how long.
    histories: u64,
    steps: u64,
    after: Duration,
    count: u64,
}

#[derive(Default)]
pub struct Tally {
    pub histories: u64,
    steps: u64,
    done: u64,
    tried: BTreeMap<&'static str, (u64, u64)>,
    marks: BTreeMap<&'static str, u64>,
    refused: BTreeMap<String, u64>,
    pub firsts: BTreeMap<Kind, First>,
}

impl Tally {
    pub fn add(&mut self, history: u64, ending: Ending, after: Duration) {
        self.histories += 1;
        self.steps += ending.steps;
        self.done += ending.done;
        for (name, (times, done)) in ending.tried {
            let entry = self.tried.entry(name).or_default();
            *entry = (entry.0 + times, entry.1 + done);
        }
        for (name, times) in ending.marks {
            *self.marks.entry(name).or_default() += times;
        }
        for (name, times) in ending.refused {
            *self.refused.entry(name).or_default() += times;
        }
        for finding in ending.findings {
            let (histories, steps, log) = (self.histories, self.steps, &ending.log);
            let first =
                || First { history, log: log.clone(), histories, steps, after, count: 0, finding: finding.clone() };
            self.firsts.entry(finding.kind).or_insert_with(first).count += 1;
        }
    }

    /// What the gang did, and what came of it.
    pub fn tables(&self) -> String {
        let mut tried = Table::new();
        tried.load_preset(UTF8_FULL_CONDENSED).set_header(["the gang", "tried", "done"]);
        for (name, (times, done)) in &self.tried {
            tried.add_row([name.to_string(), times.to_string(), done.to_string()]);
        }
        let mut marks = Table::new();
        marks.load_preset(UTF8_FULL_CONDENSED).set_header(["came about", "times"]);
        for (name, times) in &self.marks {
            marks.add_row([name.to_string(), times.to_string()]);
        }
        let mut refused = Table::new();
        refused.load_preset(UTF8_FULL_CONDENSED).set_header(["honest people were refused", "times"]);
        for (name, times) in &self.refused {
            refused.add_row([name.to_string(), times.to_string()]);
        }
        format!("{tried}\n{refused}\n{marks}")
    }

    pub fn speed(&self, seconds: f64) -> String {
        let Self { histories, steps, done, .. } = self;
        let (by_history, by_step) = (*histories as f64 / seconds, *steps as f64 / seconds);
        format!("{histories} histories, {steps} transactions ({done} done) in {seconds:.0} s: {by_history:.1} histories and {by_step:.0} transactions a second")
    }

    pub fn missed(&self) -> Vec<&'static str> {
        COME_ABOUT.into_iter().filter(|name| !self.marks.contains_key(name)).collect()
    }

    /// What was found first of each kind.
    pub fn found(&self) -> String {
        let line = |(kind, first): (&Kind, &First)| {
            let First { history, finding, histories, steps, after, count, .. } = first;
            let (name, what, after) = (kind.name(), &finding.what, after.as_secs_f64());
            format!("{name}: {count} times, first after {histories} histories, {steps} transactions, {after:.1} s, in history {history}: {what}")
        };
        self.firsts.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
