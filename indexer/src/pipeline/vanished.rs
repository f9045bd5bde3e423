//! Accounts that a snapshot does not have: they are gone when they are asked for and not there, and not because a list is short.

use crate::{
    source::{Fill, History},
    store::Store,
    types::{AccountWrite, Address, Snapshot, Version},
};
use std::{collections::HashSet, sync::Arc};

/// Adds to the snapshots what the store has alive, they leave out, and is there all the same.
pub(super) async fn check(fill: &mut Fill, history: &impl History, store: &Arc<dyn Store>) -> anyhow::Result<()> {
    for snapshot in &mut fill.snapshots {
        let (store, program) = (store.clone(), snapshot.program);
        let known = tokio::task::spawn_blocking(move || store.live_heads(&program)).await??;
        let missing = missing(snapshot, known.into_keys());
        for look in history.look(&missing, snapshot.slot).await? {
            let there = look.found.into_iter().filter(|write| write.owner == snapshot.program);
            for write in there {
                tracing::warn!(address = %write.address, "the RPC node's list of accounts leaves out one that is there");
                // As new as the list says it is.
                snapshot.accounts.push(AccountWrite { version: Version::snapshot(snapshot.slot), ..write });
            }
        }
    }
    Ok(())
}

fn missing(snapshot: &Snapshot, known: impl Iterator<Item = Address>) -> Vec<Address> {
    let listed: HashSet<&Address> = snapshot.accounts.iter().map(|write| &write.address).collect();
    known.filter(|address| !listed.contains(address)).collect()
}
