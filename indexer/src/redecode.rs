//! Trying the dead letters again, after an upgrade of the indexer or of the RPC node.

use crate::{
    source::{rpc::Rpc, History as _},
    store::{Batch, Redecoded, Store},
    types::Block,
};

/// Decodes accounts and events with what this version knows, and fetches transactions that could not be read.
pub async fn run(store: &dyn Store, rpc: &Rpc) -> anyhow::Result<Redecoded> {
    let mut redecoded = store.redecode()?;
    let unread = store.unread()?;
    if !unread.is_empty() {
        store.check_chain(&rpc.genesis().await?)?;
    }
    for row in unread {
        redecoded.tried += 1;
        if let Some((transaction, block_time)) = rpc.again(&row).await? {
            let block = Block { slot: row.slot, block_time, transactions: vec![transaction.into()], writes: vec![] };
            store.apply(&Batch { blocks: vec![block], ..Batch::default() })?;
            redecoded.decoded += 1;
        }
    }
    Ok(redecoded)
}
