//! Real updates, as they arrive from a local network.

use crate::{
    file::{Header, Writer},
    programs,
};
use anyhow::{bail, Context, Result};
use futures::StreamExt;
use serde_json::{json, Value};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep_until, Instant};
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, CommitmentLevel, SubscribeRequest, SubscribeRequestFilterAccounts,
        SubscribeRequestFilterBlocksMeta, SubscribeRequestFilterSlots, SubscribeRequestFilterTransactions,
        SubscribeUpdateAccountInfo,
    },
    prost::Message,
};

/// Strong: a recording is read more often than it is made.
const LEVEL: i32 = 19;

#[derive(clap::Args)]
pub struct Args {
    /// Yellowstone gRPC endpoint
    #[arg(long, default_value = "http://127.0.0.1:10000")]
    grpc: String,
    /// RPC node of the same chain, for its genesis hash
    #[arg(long, default_value = "http://127.0.0.1:8899")]
    rpc: String,
    /// The file, which is overwritten
    #[arg(long)]
    out: PathBuf,
    /// Ends after so many seconds; otherwise with Ctrl-C or the stream
    #[arg(long)]
    seconds: Option<u64>,
}

pub async fn run(args: Args) -> Result<()> {
    let mut client = GeyserGrpcClient::build_from_shared(args.grpc.clone())?
        .max_decoding_message_size(64 << 20)
        .connect()
        .await
        .with_context(|| format!("connecting to {}", args.grpc))?;
    let genesis = genesis(&args.rpc).await?;
    let version = client.get_version().await?.version;
    // From the beginning, where that is still there: a chain's first blocks have what everything else stands on.
    let from = client.subscribe_replay_info().await.ok().and_then(|info| info.first_available);
    let mut updates = client.subscribe_once(request(from)).await?;
    let mut ours = Ours::default();
    let mut writer = None;
    let mut written = 0u64;
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    loop {
        let next = tokio::select! {
            next = updates.next() => next,
            _ = tokio::signal::ctrl_c() => break,
            () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
        };
        let Some(update) = next else { break };
        let mut update = match update {
            Ok(update) => update,
            Err(status) if written > 0 => {
                println!("the stream ended: {}", status.message());
                break;
            }
            Err(status) => return Err(status).context("the stream ended before it told anything"),
        };
        let slot = match &update.update_oneof {
            Some(UpdateOneof::Account(of)) if of.account.as_ref().is_some_and(|info| ours.is_ours(info)) => of.slot,
            Some(UpdateOneof::Transaction(of)) => of.slot,
            Some(UpdateOneof::Slot(of)) => of.slot,
            Some(UpdateOneof::BlockMeta(of)) => of.slot,
            _ => continue,
        };
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(create(&args.out, &genesis, slot, &version)?),
        };
        (update.filters, update.created_at) = (Vec::new(), None);
        writer.push(&update.encode_to_vec())?;
        written += 1;
    }
    let Some(writer) = writer else { bail!("{} told nothing", args.grpc) };
    writer.finish()?;
    println!("{written} updates in {}", args.out.display());
    Ok(())
}

/// Accounts of our programs, and what becomes of them when they belong to nobody any more.
#[derive(Default)]
struct Ours {
    known: HashSet<Vec<u8>>,
}

impl Ours {
    fn is_ours(&mut self, info: &SubscribeUpdateAccountInfo) -> bool {
        if programs::ALL.iter().any(|program| program.as_slice() == info.owner) {
            self.known.insert(info.pubkey.clone());
            return true;
        }
        self.known.remove(&info.pubkey)
    }
}

fn request(from_slot: Option<u64>) -> SubscribeRequest {
    let transactions = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: programs::names(),
        ..Default::default()
    };
    let slots = SubscribeRequestFilterSlots { filter_by_commitment: Some(false), interslot_updates: Some(true) };
    let name = || "replay".to_owned();
    SubscribeRequest {
        // Of all owners: a closed account belongs to the system program.
        accounts: HashMap::from([(name(), SubscribeRequestFilterAccounts::default())]),
        transactions: HashMap::from([(name(), transactions)]),
        slots: HashMap::from([(name(), slots)]),
        blocks_meta: HashMap::from([(name(), SubscribeRequestFilterBlocksMeta {})]),
        commitment: Some(CommitmentLevel::Processed as i32),
        from_slot,
        ..Default::default()
    }
}

fn create(path: &Path, genesis: &str, first_slot: u64, server: &str) -> Result<Writer> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = Header {
        genesis: genesis.to_owned(),
        programs: programs::names(),
        first_slot,
        recorded_at: i64::try_from(now)?,
        versions: vec![server.to_owned(), format!("joule-replay {}", env!("CARGO_PKG_VERSION"))],
        ..Header::default()
    };
    Writer::create(path, &header, LEVEL)
}

async fn genesis(rpc: &str) -> Result<String> {
    let question = json!({"jsonrpc": "2.0", "id": 1, "method": "getGenesisHash"});
    let answer: Value = reqwest::Client::new().post(rpc).json(&question).send().await?.json().await?;
    let hash = answer["result"].as_str().with_context(|| format!("{rpc} does not say its genesis hash: {answer}"))?;
    Ok(hash.to_owned())
}
