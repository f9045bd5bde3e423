//! What a server does when it fails, and what strangers leave behind.

use super::{updates, RECORDING};
use anyhow::{Context, Result};
use futures::StreamExt;
use joule_replay::{
    programs, scale,
    serve::{
        self,
        faults::{Faults, Plan},
        Chain, Rate, Served, Start,
    },
    truth::{self, Letter},
};
use serde_json::{json, Value};
use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::prelude::{
    subscribe_update::UpdateOneof, SubscribeRequest, SubscribeRequestFilterBlocksMeta,
};

const CALM: Plan = Plan {
    kept_slots: None,
    tells_kept: true,
    connections: 0,
    lives: 1,
    repeated: 0.0,
    held: 0.0,
    rpc: 0.0,
    rpc_errors: 0,
};

fn make(folder: &Path, mix: &str) -> Result<std::path::PathBuf> {
    let out = folder.join("file");
    let mix = mix.parse().map_err(anyhow::Error::msg)?;
    scale::make(&scale::Args {
        from: RECORDING.into(),
        updates: 3_000,
        seed: 7,
        mix,
        per_block: 50,
        tail: 0,
        out: out.clone(),
    })?;
    Ok(out)
}

async fn start(file: &Path, plan: Plan) -> Result<(Arc<Chain>, Served)> {
    let mut chain = Chain::open(file, Rate::Max, Start::After(Duration::ZERO))?.with_history()?;
    chain.faults = Some(Faults::new(plan, 1));
    let (chain, local) = (Arc::new(chain), ([127, 0, 0, 1], 0).into());
    let served = serve::start(chain.clone(), local, local, CancellationToken::new()).await?;
    Ok((chain, served))
}

/// Blocks that are told, until there are so many or the stream ends, and why it did.
async fn follow(served: Served, from_slot: Option<u64>, until: usize) -> Result<(usize, Option<tonic::Status>)> {
    let blocks_meta = HashMap::from([("all".to_owned(), SubscribeRequestFilterBlocksMeta {})]);
    let request = SubscribeRequest { blocks_meta, from_slot, ..Default::default() };
    let client = GeyserGrpcClient::build_from_shared(format!("http://{}", served.grpc))?.connect();
    let mut updates = client.await?.subscribe_once(request).await?;
    let mut taken = 0;
    while taken < until {
        match updates.next().await {
            Some(Ok(update)) => {
                taken += usize::from(matches!(update.update_oneof, Some(UpdateOneof::BlockMeta(_))));
            }
            Some(Err(status)) => return Ok((taken, Some(status))),
            None => break,
        }
    }
    Ok((taken, None))
}

fn blocks(file: &Path) -> Result<usize> {
    Ok(updates(file)?.iter().filter(|update| matches!(update, UpdateOneof::BlockMeta(_))).count())
}

async fn ask(served: Served, method: &str, params: Value) -> Result<Value> {
    let question = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = reqwest::Client::new().post(format!("http://{}", served.rpc)).json(&question).send().await?;
    Ok(answer.json().await?)
}

#[tokio::test]
async fn a_slot_that_is_forgotten_is_out_of_range_and_one_to_come_is_not_there_yet() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), "bare=0")?;
    let (chain, served) = start(&file, Plan { kept_slots: Some(10), ..CALM }).await?;
    let all = blocks(&file)?;
    assert_eq!(follow(served, None, all).await?.0, all);
    let tip = chain.tip();
    let (_, status) = follow(served, Some(tip - 20), all).await?;
    let status = status.context("a refusal")?;
    assert_eq!(status.code(), tonic::Code::OutOfRange);
    assert!(status.message().contains(&format!("last available: {}", tip - 9)), "{status}");
    let (_, status) = follow(served, Some(tip + 1), all).await?;
    let status = status.context("a refusal")?;
    assert_eq!((status.code(), status.message()), (tonic::Code::Internal, "failed to get replay response"));
    assert_eq!(follow(served, Some(tip - 9), 5).await?.0, 5);
    Ok(())
}

#[tokio::test]
async fn connections_break_as_often_as_planned_and_then_no_more() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), "bare=0")?;
    let (chain, served) = start(&file, Plan { connections: 6, lives: 40, ..CALM }).await?;
    // Nobody was told of more yet.
    let base = chain.ledger.base().slot;
    let all = blocks(&file)?;
    let mut each = Vec::new();
    for _ in 0..6 {
        // One that hangs does not end.
        each.push(tokio::time::timeout(Duration::from_secs(2), follow(served, Some(base), all)).await);
    }
    let (told, ended) = follow(served, Some(base), all).await?;
    assert!(told == all && ended.is_none(), "{told} of {all} after {each:?}");
    Ok(())
}

#[tokio::test]
async fn rpc_knows_what_was_told_and_no_more() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), "bare=0,strangers=0.3,legacy=0,v0=0")?;
    let (chain, served) = start(&file, CALM).await?;
    let base = chain.ledger.base().slot;
    assert_eq!(ask(served, "getSlot", json!([])).await?["result"], base);
    let later = ask(served, "getBlock", json!([base + 20, {"maxSupportedTransactionVersion": 255}])).await?;
    assert_eq!(later["error"]["code"], -32_004);
    let all = blocks(&file)?;
    assert_eq!(follow(served, None, all).await?.0, all);
    let last = truth::Reader::open(&truth::beside(&file))?.summary.last_confirmed_slot;
    assert_eq!(ask(served, "getSlot", json!([])).await?["result"], last);
    let slots = ask(served, "getBlocks", json!([base, last])).await?["result"].clone();
    let mut before = base;
    for slot in slots.as_array().context("slots")?.iter().skip(1) {
        let asked = json!([slot, {"maxSupportedTransactionVersion": 255, "transactionDetails": "none"}]);
        let block = ask(served, "getBlock", asked).await?;
        assert_eq!(block["result"]["parentSlot"], before);
        before = slot.as_u64().context("a slot")?;
    }
    assert_eq!(before, last);
    // Of version 1, to whoever takes no more than 0.
    let program = programs::names()[2].clone();
    let listed = ask(served, "getSignaturesForAddress", json!([program, {"limit": 1}])).await?;
    let signature = listed["result"][0]["signature"].clone();
    let refused = ask(served, "getTransaction", json!([signature, {"maxSupportedTransactionVersion": 0}])).await?;
    assert_eq!(refused["error"]["code"], -32_015);
    let given = ask(served, "getTransaction", json!([signature, {"maxSupportedTransactionVersion": 255}])).await?;
    assert_eq!(given["result"]["version"], 1);
    let early = json!([program, {"withContext": true, "encoding": "base64", "minContextSlot": last + 1}]);
    assert_eq!(ask(served, "getProgramAccounts", early).await?["error"]["code"], -32_016);
    Ok(())
}

#[test]
fn strangers_leave_letters_of_every_kind_and_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (calm, strange) = (folder.path().join("calm"), folder.path().join("strange"));
    std::fs::create_dir_all(&calm)?;
    std::fs::create_dir_all(&strange)?;
    let read = |file: &Path| -> Result<Vec<Letter>> {
        let mut truth = truth::Reader::open(&truth::beside(file))?;
        while truth.account()?.is_some() {}
        while truth.event()?.is_some() {}
        truth.letters()
    };
    assert_eq!(read(&make(&calm, "bare=0")?)?, []);
    let letters = read(&make(&strange, "bare=0,strangers=0.3")?)?;
    let count = |is: fn(&Letter) -> bool| letters.iter().filter(|letter| is(letter)).count();
    assert!(count(|letter| matches!(letter, Letter::Account(_))) > 10);
    assert!(count(|letter| matches!(letter, Letter::Event { .. })) > 10);
    assert!(count(|letter| matches!(letter, Letter::Transaction(_))) > 10);
    Ok(())
}
