//! A plugin on a free port, a validator's worth of callbacks to feed it, and a real client.
#![allow(dead_code)] // Each test binary uses its own part.

use std::{collections::HashMap, time::Duration};

use futures::{Stream, StreamExt};
use joule_geyser::{
    feed::{self, SlotStatus, Write},
    GrpcConfig, Plugin,
};
use solana_message::{legacy::Message, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status::TransactionStatusMeta;
use tonic::Status;
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::geyser::{
    subscribe_update::UpdateOneof, SlotStatus as WireStatus, SubscribeRequest, SubscribeRequestFilterAccounts,
    SubscribeUpdate,
};

/// Long enough for a loaded machine; only failures wait for it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn config() -> GrpcConfig {
    GrpcConfig { address: ([127, 0, 0, 1], 0).into(), ..Default::default() }
}

pub fn start(config: GrpcConfig) -> Plugin {
    Plugin::start(config).expect("the plugin starts on a free port")
}

pub fn url(plugin: &Plugin) -> String {
    format!("http://{}", plugin.address().expect("running"))
}

pub async fn connect(plugin: &Plugin) -> GeyserGrpcClient {
    GeyserGrpcClient::build_from_shared(url(plugin)).unwrap().connect().await.expect("the client connects")
}

pub fn owner(byte: u8) -> String {
    bs58::encode([byte; 32]).into_string()
}

/// A request for one account filter named "a".
pub fn accounts(filter: SubscribeRequestFilterAccounts) -> SubscribeRequest {
    SubscribeRequest { accounts: HashMap::from([("a".to_owned(), filter)]), ..Default::default() }
}

pub fn by_owner(byte: u8) -> SubscribeRequest {
    accounts(SubscribeRequestFilterAccounts { owner: vec![owner(byte)], ..Default::default() })
}

/// What a validator would call, with one byte for an address; each slot's parent is the one before.
pub struct Feed<'a>(pub &'a Plugin);

impl Feed<'_> {
    pub fn account(&self, slot: u64, pubkey: u8, owner: u8, write_version: u64, data: &[u8]) {
        let write = Write { pubkey: [pubkey; 32], owner: [owner; 32], lamports: 1, write_version, data };
        feed::Feed(self.0).account(slot, write).unwrap();
    }

    pub fn transaction(&self, slot: u64, key: u8, index: usize) {
        let mut message = Message::default();
        message.header.num_required_signatures = 1;
        message.account_keys = vec![[key; 32].into(), [key + 1; 32].into()];
        let transaction =
            VersionedTransaction { signatures: vec![[key; 64].into()], message: VersionedMessage::Legacy(message) };
        let meta = TransactionStatusMeta { fee: 5000, ..Default::default() };
        feed::Feed(self.0).transaction(slot, index, &transaction, &meta).unwrap();
    }

    pub fn entry(&self, slot: u64, transactions: u64) {
        feed::Feed(self.0).entry(slot, transactions).unwrap();
    }

    pub fn block(&self, slot: u64, transactions: u64) {
        feed::Feed(self.0).block(slot, slot - 1, transactions).unwrap();
    }

    pub fn status(&self, slot: u64, status: SlotStatus) {
        feed::Feed(self.0).status(slot, slot - 1, status).unwrap();
    }

    /// Closes a slot: entry, summary, and the statuses up to confirmed.
    pub fn close(&self, slot: u64, transactions: u64) {
        self.entry(slot, transactions);
        self.block(slot, transactions);
        self.status(slot, SlotStatus::Processed);
        self.status(slot, SlotStatus::Confirmed);
    }

    pub fn finalize(&self, slot: u64) {
        self.status(slot, SlotStatus::Rooted);
    }
}

/// The next update that is not a ping; an error ends the wait as well.
pub async fn next<S>(stream: &mut S) -> Result<SubscribeUpdate, Status>
where
    S: Stream<Item = Result<SubscribeUpdate, Status>> + Unpin,
{
    loop {
        let update = tokio::time::timeout(PATIENCE, stream.next())
            .await
            .expect("an update arrives")
            .expect("the stream is open")?;
        if !matches!(update.update_oneof, Some(UpdateOneof::Ping(_))) {
            return Ok(update);
        }
    }
}

/// The next `n` updates, in words.
pub async fn lines<S>(stream: &mut S, n: usize) -> Vec<String>
where
    S: Stream<Item = Result<SubscribeUpdate, Status>> + Unpin,
{
    let mut lines = Vec::new();
    while lines.len() < n {
        lines.push(describe(&next(stream).await.expect("no error")));
    }
    lines
}

pub fn describe(update: &SubscribeUpdate) -> String {
    let names = update.filters.join("+");
    match update.update_oneof.as_ref().expect("a body") {
        UpdateOneof::Account(m) => {
            let info = m.account.as_ref().unwrap();
            format!("[{names}] account {} slot {} v{}", info.pubkey[0], m.slot, info.write_version)
        }
        UpdateOneof::Transaction(m) => {
            format!("[{names}] transaction {} slot {}", m.transaction.as_ref().unwrap().signature[0], m.slot)
        }
        UpdateOneof::TransactionStatus(m) => {
            format!("[{names}] status {} slot {}", m.signature[0], m.slot)
        }
        UpdateOneof::Slot(m) => {
            format!("[{names}] {:?} {} parent {:?}", WireStatus::try_from(m.status).unwrap(), m.slot, m.parent)
        }
        UpdateOneof::Block(m) => format!(
            "[{names}] block {} with {} transactions, {} accounts, {} entries",
            m.slot,
            m.transactions.len(),
            m.accounts.len(),
            m.entries.len()
        ),
        UpdateOneof::BlockMeta(m) => format!("[{names}] meta {} {}", m.slot, m.blockhash),
        UpdateOneof::Entry(m) => format!("[{names}] entry {}", m.slot),
        UpdateOneof::Pong(m) => format!("pong {}", m.id),
        other => format!("{other:?}"),
    }
}
