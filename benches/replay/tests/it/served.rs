//! What is served is what stands in the file.

use super::{make, updates};
use anyhow::Result;
use futures::StreamExt;
use joule_replay::{
    programs,
    serve::{self, Chain, Rate, Served, Start},
};
use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use yellowstone_grpc_client::{GeyserGrpcClient, GeyserGrpcClientError, GeyserStream};
use yellowstone_grpc_proto::prelude::{
    subscribe_update::UpdateOneof, CommitmentLevel, SlotStatus, SubscribeRequest, SubscribeRequestFilterAccounts,
    SubscribeRequestFilterBlocks, SubscribeRequestFilterBlocksMeta, SubscribeRequestFilterSlots,
    SubscribeRequestFilterTransactions,
};

async fn start(file: &Path) -> Result<Served> {
    let chain = Chain::open(file, Rate::Max, Start::After(Duration::ZERO))?;
    let local = ([127, 0, 0, 1], 0).into();
    serve::start(Arc::new(chain), local, local, CancellationToken::new()).await
}

async fn subscribe(served: Served, request: SubscribeRequest) -> Result<GeyserStream> {
    let url = format!("http://{}", served.grpc);
    Ok(GeyserGrpcClient::build_from_shared(url)?.connect().await?.subscribe_once(request).await?)
}

fn everything() -> SubscribeRequest {
    let name = || "all".to_owned();
    let slots = SubscribeRequestFilterSlots { filter_by_commitment: None, interslot_updates: Some(true) };
    SubscribeRequest {
        accounts: HashMap::from([(name(), SubscribeRequestFilterAccounts::default())]),
        transactions: HashMap::from([(name(), SubscribeRequestFilterTransactions::default())]),
        slots: HashMap::from([(name(), slots)]),
        blocks_meta: HashMap::from([(name(), SubscribeRequestFilterBlocksMeta {})]),
        ..Default::default()
    }
}

/// So many updates that are not pings.
async fn take(updates: &mut GeyserStream, count: usize) -> Result<Vec<UpdateOneof>> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let update = updates.next().await.expect("more updates")?;
        match update.update_oneof.expect("an update") {
            UpdateOneof::Ping(_) => {}
            other => {
                assert!(!update.filters.is_empty() && update.created_at.is_some());
                taken.push(other);
            }
        }
    }
    Ok(taken)
}

#[tokio::test]
async fn all_of_a_file_comes_as_it_stands_there_and_again_from_a_slot_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), 4_000, 1)?;
    let expected = updates(&file)?;
    let served = start(&file).await?;
    assert!(take(&mut subscribe(served, everything()).await?, expected.len()).await? == expected);

    let slot = |update: &UpdateOneof| match update {
        UpdateOneof::Account(of) => of.slot,
        UpdateOneof::Transaction(of) => of.slot,
        UpdateOneof::Slot(of) => of.slot,
        UpdateOneof::BlockMeta(of) => of.slot,
        other => panic!("{other:?}"),
    };
    let from = slot(&expected[expected.len() / 2]);
    let later: Vec<_> = expected.into_iter().filter(|update| slot(update) >= from).collect();
    let mut again = subscribe(served, SubscribeRequest { from_slot: Some(from), ..everything() }).await?;
    assert!(take(&mut again, later.len()).await? == later);
    Ok(())
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), 4_000, 2)?;
    let owner = joule_escrow::ID.to_string();
    let accounts = SubscribeRequestFilterAccounts { owner: vec![owner.clone()], ..Default::default() };
    let transactions = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: vec![owner],
        ..Default::default()
    };
    let request = SubscribeRequest {
        accounts: HashMap::from([("accounts".to_owned(), accounts)]),
        transactions: HashMap::from([("transactions".to_owned(), transactions)]),
        ..Default::default()
    };
    let names = |update: &UpdateOneof| match update {
        UpdateOneof::Account(of) => of.account.as_ref().is_some_and(|info| info.owner == joule_escrow::ID.to_bytes()),
        UpdateOneof::Transaction(of) => {
            let info = of.transaction.clone().unwrap_or_default();
            let loaded = info.meta.unwrap_or_default().loaded_readonly_addresses;
            let message = info.transaction.unwrap_or_default().message.unwrap_or_default();
            message.account_keys.iter().chain(&loaded).any(|key| *key == joule_escrow::ID.to_bytes())
        }
        _ => false,
    };
    let all = updates(&file)?;
    let expected: Vec<_> = all.iter().filter(|update| names(update)).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    let served = start(&file).await?;
    assert!(take(&mut subscribe(served, request).await?, expected.len()).await? == expected);
    Ok(())
}

#[tokio::test]
async fn at_confirmed_nothing_comes_of_what_dies() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), 20_000, 3)?;
    let confirmed: Vec<(u64, u64)> = updates(&file)?
        .iter()
        .filter_map(|update| match update {
            UpdateOneof::Slot(of) if of.status() == SlotStatus::SlotConfirmed => Some((of.slot, of.bank_id?)),
            _ => None,
        })
        .collect();
    let content = |update: &UpdateOneof| match update {
        UpdateOneof::Account(of) => Some((of.slot, of.bank_id.unwrap_or_default())),
        UpdateOneof::Transaction(of) => Some((of.slot, of.bank_id)),
        _ => None,
    };
    let all: Vec<_> = updates(&file)?.iter().filter_map(content).collect();
    let survives = all.iter().filter(|bank| confirmed.contains(bank)).count();
    assert!(survives < all.len());
    let level = Some(CommitmentLevel::Confirmed as i32);
    let request =
        SubscribeRequest { slots: HashMap::new(), blocks_meta: HashMap::new(), commitment: level, ..everything() };
    let served = start(&file).await?;
    for update in take(&mut subscribe(served, request).await?, survives).await? {
        assert!(confirmed.contains(&content(&update).expect("content")));
    }
    Ok(())
}

#[tokio::test]
async fn what_a_file_cannot_answer_is_refused_with_what_it_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let served = start(&make(folder.path(), 2_000, 4)?).await?;
    let blocks = HashMap::from([("blocks".to_owned(), SubscribeRequestFilterBlocks::default())]);
    let unknown = SubscribeRequestFilterAccounts { owner: vec!["nobody".to_owned()], ..Default::default() };
    let accounts = HashMap::from([("accounts".to_owned(), unknown)]);
    for (request, code, says) in [
        (SubscribeRequest { from_slot: Some(1), ..everything() }, Code::OutOfRange, "last available"),
        (SubscribeRequest { blocks, ..Default::default() }, Code::InvalidArgument, "blocks"),
        (SubscribeRequest { accounts, ..Default::default() }, Code::InvalidArgument, "nobody"),
    ] {
        let status = match subscribe(served, request).await {
            Ok(mut updates) => loop {
                match updates.next().await.expect("an answer") {
                    Err(status) => break status,
                    Ok(_) => continue,
                }
            },
            Err(error) => match error.downcast::<GeyserGrpcClientError>()? {
                GeyserGrpcClientError::TonicStatus(status) => status,
                other => return Err(other.into()),
            },
        };
        assert_eq!(status.code(), code);
        assert!(status.message().contains(says), "{status}");
    }
    assert_eq!(programs::names().len(), 5);
    Ok(())
}
