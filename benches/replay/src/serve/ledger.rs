//! A file as an RPC node has it: the confirmed blocks with their transactions, and every account as each of its writes left it.

use crate::{file::Reader, wire::Look};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, SlotStatus, SubscribeUpdate, SubscribeUpdateAccountInfo,
        SubscribeUpdateBlockMeta, SubscribeUpdateTransactionInfo,
    },
    prost::Message,
};

#[derive(Debug, Clone, Default)]
pub struct Block {
    pub slot: u64,
    pub parent: u64,
    pub hash: String,
    pub parent_hash: String,
    pub height: u64,
    /// Unix seconds.
    pub time: i64,
    /// In their order.
    pub transactions: Vec<SubscribeUpdateTransactionInfo>,
}

/// An account as one write left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub slot: u64,
    pub lamports: u64,
    pub owner: Vec<u8>,
    pub data: Vec<u8>,
}

pub struct Ledger {
    /// By slot; the first is the last one before the file.
    blocks: Vec<Block>,
    accounts: BTreeMap<[u8; 32], Vec<State>>,
    /// Block and place in it.
    signatures: HashMap<Vec<u8>, (usize, usize)>,
    /// The newest slot that is confirmed after so many updates, where that changes.
    confirmed: Vec<(u64, u64)>,
    /// The newest slot that is told of, for each place; empty where only the beginning is known.
    tips: Vec<u64>,
}

type Bank = (u64, u64);

impl Ledger {
    pub fn of_base(base: Block) -> Self {
        let (accounts, signatures) = Default::default();
        Self { confirmed: vec![(0, base.slot)], blocks: vec![base], accounts, signatures, tips: Vec::new() }
    }

    pub fn read(base: Block, mut reader: Reader) -> Result<Self> {
        let mut metas = HashMap::<Bank, SubscribeUpdateBlockMeta>::new();
        let mut writes = HashMap::<Bank, BTreeMap<u64, SubscribeUpdateAccountInfo>>::new();
        let mut transactions = HashMap::<Bank, BTreeMap<u64, SubscribeUpdateTransactionInfo>>::new();
        let mut banks = BTreeMap::<u64, u64>::new();
        let mut this = Self::of_base(base);
        let (mut tip, mut newest) = (this.base().slot, this.base().slot);
        while let Some(record) = reader.next()? {
            match SubscribeUpdate::decode(record.clone())?.update_oneof {
                Some(UpdateOneof::Account(of)) => {
                    let info = of.account.context("an account")?;
                    let bank = (of.slot, of.bank_id.unwrap_or_default());
                    writes.entry(bank).or_default().insert(info.write_version, info);
                }
                Some(UpdateOneof::Transaction(of)) => {
                    let info = of.transaction.context("a transaction")?;
                    transactions.entry((of.slot, of.bank_id)).or_default().insert(info.index, info);
                }
                Some(UpdateOneof::BlockMeta(of)) => {
                    metas.insert((of.slot, of.bank_id), of);
                }
                Some(UpdateOneof::Slot(of)) if of.status() == SlotStatus::SlotConfirmed => {
                    banks.insert(of.slot, of.bank_id.unwrap_or_default());
                    if of.slot > newest {
                        newest = of.slot;
                        this.confirmed.push((this.tips.len() as u64 + 1, newest));
                    }
                }
                _ => {}
            }
            tip = tip.max(Look::of(&record).slot().unwrap_or_default());
            this.tips.push(tip);
        }
        for bank in banks {
            let meta = metas.remove(&bank).context("a confirmed block without its metadata")?;
            let transactions = transactions.remove(&bank).unwrap_or_default();
            let place = this.blocks.len();
            for (index, info) in transactions.values().enumerate() {
                this.signatures.insert(info.signature.clone(), (place, index));
            }
            this.blocks.push(Block {
                slot: meta.slot,
                parent: meta.parent_slot,
                hash: meta.blockhash,
                parent_hash: meta.parent_blockhash,
                height: meta.block_height.map_or(0, |height| height.block_height),
                time: meta.block_time.map_or(0, |time| time.timestamp),
                transactions: transactions.into_values().collect(),
            });
            for info in writes.remove(&bank).unwrap_or_default().into_values() {
                let address = info.pubkey.as_slice().try_into().context("an address of 32 bytes")?;
                let state = State { slot: bank.0, lamports: info.lamports, owner: info.owner, data: info.data };
                this.accounts.entry(address).or_default().push(state);
            }
        }
        Ok(this)
    }

    pub fn base(&self) -> &Block {
        &self.blocks[0]
    }

    /// Whether more is known than the beginning.
    pub fn is_whole(&self) -> bool {
        !self.tips.is_empty()
    }

    /// The newest slot after so many updates.
    pub fn tip(&self, past: u64) -> u64 {
        let place = usize::try_from(past).unwrap_or(usize::MAX).min(self.tips.len());
        place.checked_sub(1).map_or(0, |place| self.tips[place])
    }

    /// The newest confirmed slot after so many updates: all up to it is known.
    pub fn confirmed(&self, past: u64) -> u64 {
        let after = self.confirmed.partition_point(|(place, _)| *place <= past);
        self.confirmed[after.saturating_sub(1)].1
    }

    pub fn block(&self, slot: u64) -> Option<&Block> {
        self.blocks.binary_search_by_key(&slot, |block| block.slot).ok().map(|place| &self.blocks[place])
    }

    /// Slots with a block, both ends included.
    pub fn slots(&self, from: u64, to: u64) -> Vec<u64> {
        let slots = self.blocks.iter().map(|block| block.slot);
        slots.filter(|slot| (from..=to).contains(slot)).collect()
    }

    pub fn transaction(&self, signature: &[u8]) -> Option<(&Block, usize)> {
        let (block, place) = *self.signatures.get(signature)?;
        Some((&self.blocks[block], place))
    }

    /// Transactions that name an address up to a slot, newest first.
    pub fn naming<'a>(
        &'a self,
        address: &'a [u8],
        upto: u64,
    ) -> impl Iterator<Item = (&'a Block, &'a SubscribeUpdateTransactionInfo)> {
        let blocks = self.blocks.iter().rev().filter(move |block| block.slot <= upto);
        blocks.flat_map(move |block| {
            let named = block.transactions.iter().rev().filter(move |info| keys(info).any(|key| key == address));
            named.map(move |info| (block, info))
        })
    }

    /// Every state of an account, oldest first.
    pub fn history(&self, address: &[u8; 32]) -> &[State] {
        self.accounts.get(address).map_or(&[], Vec::as_slice)
    }

    /// The account as it is at the end of a slot, if it is there.
    pub fn account(&self, address: &[u8; 32], slot: u64) -> Option<&State> {
        let history = self.history(address);
        let after = history.partition_point(|state| state.slot <= slot);
        after.checked_sub(1).map(|place| &history[place]).filter(|state| state.lamports > 0)
    }

    pub fn addresses(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.accounts.keys()
    }
}

/// All addresses that a transaction names, those from tables last.
pub fn keys(info: &SubscribeUpdateTransactionInfo) -> impl Iterator<Item = &[u8]> {
    let message = info.transaction.iter().filter_map(|transaction| transaction.message.as_ref());
    let fixed = message.flat_map(|message| &message.account_keys);
    let meta = info.meta.iter();
    let loaded = meta.flat_map(|meta| meta.loaded_writable_addresses.iter().chain(&meta.loaded_readonly_addresses));
    fixed.chain(loaded).map(Vec::as_slice)
}
