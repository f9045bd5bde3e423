//! What is in a file, for people.

use crate::{file::Reader, kinds};
use anchor_lang::event::EVENT_IX_TAG_LE;
use anyhow::Result;
use std::{collections::BTreeMap, path::PathBuf};
use yellowstone_grpc_proto::{
    prelude::{subscribe_update::UpdateOneof, SubscribeUpdate, SubscribeUpdateTransaction},
    prost::Message,
};

#[derive(clap::Args)]
pub struct Args {
    /// What `record` or `scale` made
    #[arg(long)]
    file: PathBuf,
    /// A line for each update, not only how many there are of each kind
    #[arg(long)]
    each: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut reader = Reader::open(&args.file)?;
    println!("{}", serde_json::to_string(&reader.header)?);
    let mut counts = BTreeMap::<String, u64>::new();
    while let Some(record) = reader.next()? {
        let update = SubscribeUpdate::decode(record)?;
        let Some(update) = update.update_oneof else { continue };
        let (line, names) = match &update {
            UpdateOneof::Account(of) => {
                let info = of.account.clone().unwrap_or_default();
                let kind = kinds::account(&info.data).unwrap_or("closed");
                let (key, by) = (short(&info.pubkey), short(&info.txn_signature.unwrap_or_default()));
                let line = format!("{kind} {key} write {} of {by}, {} lamports", info.write_version, info.lamports);
                (line, vec![kind.to_owned()])
            }
            UpdateOneof::Transaction(of) => transaction(of),
            UpdateOneof::Slot(of) => {
                let status = format!("{:?}", of.status());
                (format!("{status} bank {:?} parent {:?}", of.bank_id, of.parent), vec![status])
            }
            UpdateOneof::BlockMeta(of) => {
                (format!("meta bank {} parent {}", of.bank_id, of.parent_slot), vec!["meta".to_owned()])
            }
            _ => continue,
        };
        if args.each {
            let slot = crate::wire::Look::of(
                &SubscribeUpdate { update_oneof: Some(update), ..Default::default() }.encode_to_vec(),
            )
            .slot();
            println!("{} {line}", slot.unwrap_or_default());
        }
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
    }
    println!("{}", serde_json::to_string(&counts)?);
    Ok(())
}

fn short(key: &[u8]) -> String {
    bs58::encode(key).into_string().chars().take(8).collect()
}

fn transaction(of: &SubscribeUpdateTransaction) -> (String, Vec<String>) {
    let info = of.transaction.clone().unwrap_or_default();
    let message = info.transaction.and_then(|transaction| transaction.message).unwrap_or_default();
    let version = match (message.versioned, &message.config) {
        (false, _) => "legacy",
        (true, None) => "v0",
        (true, Some(_)) => "v1",
    };
    let inner = info.meta.unwrap_or_default().inner_instructions;
    let calls = inner.iter().flat_map(|group| &group.instructions);
    let events = calls.filter_map(|call| kinds::event(call.data.strip_prefix(EVENT_IX_TAG_LE)?));
    let names: Vec<String> = [version].into_iter().chain(events).map(str::to_owned).collect();
    (format!("transaction {} {}", short(&info.signature), names.join(" ")), names)
}
