//! Which slots the stream did not bring to an indexer, by its own log and by what RPC was asked.

use crate::{compare::Shown, serve::Chain};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

/// What an indexer says when it asks RPC.
const ASKING: &str = "the stream does not have these slots; asking RPC";

/// `rewinds` are the slots that the store was put back to.
pub fn shown(log: &Path, chain: &Chain, rewinds: &[u64]) -> Result<Shown> {
    let looks = chain.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let text = std::fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    let mut shown = Shown { looks: looks.iter().map(|(_, at)| *at).collect(), ..Shown::default() };
    for line in text.lines().filter(|line| line.contains(ASKING)) {
        let line: Value = serde_json::from_str(line).with_context(|| format!("a line of the log: {line}"))?;
        let upto = line["upto"].as_u64().context("a gap has an end")?;
        let from = line["after"].as_u64().map_or(0, |after| after + 1);
        // Accounts are shown as of later.
        let mut end = upto;
        while let Some((_, at)) = looks.iter().find(|(least, at)| (upto..=end).contains(least) && *at > end) {
            end = *at;
        }
        shown.gaps.push((from, end));
    }
    let ledger = &chain.ledger;
    for address in ledger.addresses() {
        let history = ledger.history(address);
        if history.last().is_none_or(|state| state.lamports > 0) {
            continue;
        }
        // Whether RPC has shown it alive is known for those alone who were stored, and not for those who asked and died.
        let living = history.iter().rev().find(|state| state.lamports > 0);
        // What a list has shown between a slot and a closing is forgotten with the closing when the store is put back to that slot.
        let is_forgotten = |living: u64| {
            let listed = |to: &u64| living <= *to && shown.looks.iter().any(|look| look > to);
            rewinds.iter().any(listed)
        };
        if living.is_none_or(|living| shown.covers(living.slot) || is_forgotten(living.slot)) {
            let all = history.iter().filter(|state| state.lamports > 0).map(|state| state.data.clone());
            shown.unseen.insert(*address, all.collect());
        }
    }
    Ok(shown)
}
