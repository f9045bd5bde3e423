//! Files that are made, served and followed.

mod failing;
mod followed;
mod made;
mod served;

use anyhow::Result;
use joule_replay::{file::Reader, scale};
use std::path::{Path, PathBuf};
use yellowstone_grpc_proto::{
    prelude::{subscribe_update::UpdateOneof, SubscribeUpdate},
    prost::Message,
};

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo.replay");

/// A file of about so many updates, with much disorder.
fn make(folder: &Path, updates: u64, seed: u64) -> Result<PathBuf> {
    let out = folder.join(format!("{seed}.replay"));
    let mix = "forks=0.2,skipped=0.1,late=0.05,duplicates=0.05,reorder=20".parse().map_err(anyhow::Error::msg)?;
    scale::run(&scale::Args { from: RECORDING.into(), updates, seed, mix, per_block: 100, tail: 0, out: out.clone() })?;
    Ok(out)
}

fn updates(file: &Path) -> Result<Vec<UpdateOneof>> {
    let mut reader = Reader::open(file)?;
    let mut updates = Vec::new();
    while let Some(record) = reader.next()? {
        updates.extend(SubscribeUpdate::decode(record)?.update_oneof);
    }
    Ok(updates)
}
