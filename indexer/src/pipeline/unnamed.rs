//! Accounts that changed in transactions which name no program of ours: their lamports, which anybody may add to, or whose they are, which
//! whoever had them may have changed. Their bytes only their program changes, and whatever calls it names it.

use crate::{
    source::{Fill, Heads, History},
    store::Store,
    types::{Address, HashMap, HashSet, Look},
};
use std::sync::Arc;

/// Adds to what was filled block by block every account whose head is another than that which is stored.
pub(super) async fn look(fill: &mut Fill, history: &impl History, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    if !fill.snapshots.is_empty() {
        return Ok(());
    }
    let looked = fill.looks.iter().flat_map(|look| look.found.iter().map(|write| &write.address).chain(&look.gone));
    let looked: HashSet<Address> = looked.copied().collect();
    for heads in history.heads(fill.upto).await? {
        let (store, program) = (store.clone(), heads.program);
        let known = tokio::task::spawn_blocking(move || store.live_heads(&program)).await??;
        let mut other = other(&heads, known);
        other.retain(|address| !looked.contains(address));
        if !other.is_empty() {
            tracing::info!(
                accounts = other.len(),
                "accounts have changed in transactions that name no program of ours"
            );
            let looks = history.look(&other, heads.slot).await?;
            // Without a time a channel's vouchers would count from its opening.
            fill.looks.extend(looks.into_iter().map(|look| Look { block_time: fill.block_time, ..look }));
        }
    }
    Ok(())
}

fn other(heads: &Heads, mut known: HashMap<Address, u64>) -> Vec<Address> {
    let is_other = |(address, lamports): &&(Address, u64)| known.remove(address) != Some(*lamports);
    let mut other: Vec<Address> = heads.accounts.iter().filter(is_other).map(|(address, _)| *address).collect();
    other.extend(known.into_keys());
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_what_is_gone_and_what_has_other_lamports_is_looked_at() {
        let address = |n| Address([n; 32]);
        let accounts = vec![(address(1), 10), (address(2), 21), (address(3), 30)];
        let heads = Heads { program: address(0), slot: 7, accounts };
        let known = [(address(1), 10), (address(2), 20), (address(4), 40)].into_iter().collect();
        assert_eq!(other(&heads, known), [address(2), address(3), address(4)]);
    }
}
