//! What came of every kind of action.

use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use std::collections::BTreeMap;

/// What must have come about in a long run: if it has not, most of what is checked was never seen.
const COME_ABOUT: [&str; 38] = [
    "absent member slashed",
    "appeal by challenger",
    "appeal by client",
    "appeal by provider",
    "bid won",
    "bill backed",
    "bill disputed, slashed",
    "bill paid",
    "bond as large as demanded",
    "channel on a derived model",
    "channel paid out and closed",
    "claim lapsed",
    "debt paid later",
    "deposit into arrears",
    "drawing waits for a busy member",
    "failed, slashed",
    "fees shared",
    "juror rewarded",
    "juror that could not run the job spared",
    "left a debt",
    "notice paid",
    "owed share claimed",
    "panel drawn after appeal",
    "payer contradicted itself",
    "plan in arrears",
    "plan resumed",
    "settled",
    "share of a bill owed",
    "silent vote slashed",
    "staged session applied",
    "stopped",
    "verdict after appeal: counter",
    "verdict: counter",
    "verdict: neither",
    "verdict: stands",
    "verdict: undecided",
    "voucher of a batch settled",
    "wrong vote slashed",
];

#[derive(Default)]
pub struct Report {
    done: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, BTreeMap<String, u64>>,
    milestones: BTreeMap<&'static str, u64>,
}

/// How many errors of each action are named in the table.
const NAMED: usize = 6;

impl Report {
    pub fn add(&mut self, action: &'static str, outcome: &Result<(), String>) {
        match outcome {
            Ok(()) => *self.done.entry(action).or_default() += 1,
            Err(name) => *self.refused.entry(action).or_default().entry(name.clone()).or_default() += 1,
        }
    }

    pub fn reach(&mut self, milestones: BTreeMap<&'static str, u64>) {
        milestones.into_iter().for_each(|(name, count)| *self.milestones.entry(name).or_default() += count);
    }

    /// What has come to pass how often.
    pub fn milestones(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_header(["what came to pass", "times"]);
        for (name, count) in &self.milestones {
            table.add_row([name.to_string(), count.to_string()]);
        }
        table
    }

    pub fn merge(&mut self, other: Self) {
        for (action, count) in other.done {
            *self.done.entry(action).or_default() += count;
        }
        for (action, errors) in other.refused {
            let own = self.refused.entry(action).or_default();
            errors.into_iter().for_each(|(name, count)| *own.entry(name).or_default() += count);
        }
    }

    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_header(["action", "done", "refused", "with"]);
        let mut names: Vec<&&str> = self.done.keys().chain(self.refused.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let done = self.done.get(*name).copied().unwrap_or(0);
            let mut errors: Vec<(&String, &u64)> = self.refused.get(*name).into_iter().flatten().collect();
            errors.sort_by_key(|(error, count)| (u64::MAX - **count, error.as_str()));
            let refused: u64 = errors.iter().map(|(_, count)| **count).sum();
            let mut lines: Vec<String> = errors.iter().take(NAMED).map(|(e, count)| format!("{e} {count}")).collect();
            if errors.len() > NAMED {
                lines.push(format!("{} more kinds", errors.len() - NAMED));
            }
            table.add_row([name.to_string(), done.to_string(), refused.to_string(), lines.join("\n")]);
        }
        table
    }

    /// What should have come about, and has not.
    pub fn missed(&self) -> Vec<&'static str> {
        COME_ABOUT.into_iter().filter(|name| !self.milestones.contains_key(name)).collect()
    }

    /// What was tried and never done: then the plan is at fault.
    pub fn never_done(&self) -> Vec<&'static str> {
        self.refused.keys().filter(|name| !self.done.contains_key(*name)).copied().collect()
    }
}
