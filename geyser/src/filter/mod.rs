//! What one subscriber asked for: a `SubscribeRequest` checked once, then applied to every message.
//!
//! Within a named filter every kind of condition must hold (and); within a list one match is
//! enough (or). The names of all filters that match travel with the update.

mod account;
mod slice;
mod transaction;

use std::{collections::HashSet, sync::Arc};

use yellowstone_grpc_proto::{
    cuckoo::CuckooFilter,
    geyser::{
        subscribe_update::UpdateOneof, CuckooFilter as WireCuckoo, SubscribeRequest, SubscribeRequestFilterBlocks,
        SubscribeRequestFilterSlots, SubscribeUpdate, SubscribeUpdateAccount, SubscribeUpdateBlock,
        SubscribeUpdateSlot, SubscribeUpdateTransaction, SubscribeUpdateTransactionStatus,
    },
    prost_types::Timestamp,
};

use self::{account::AccountFilter, slice::DataSlices, transaction::TransactionFilter};
use crate::message::{BlockMessage, Key, Level, Message, SlotMessage, TransactionMessage};

/// Why a request was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("failed to create CommitmentLevel from {0}")]
    Commitment(i32),
    #[error("oversized filter name (max allowed size {limit}), found {size}")]
    Name { limit: usize, size: usize },
    #[error("invalid pubkey {0}: expected 32 bytes in base58")]
    Pubkey(String),
    #[error("invalid signature {0}: expected 64 bytes in base58")]
    Signature(String),
    #[error("Too many filters provided; max {max}")]
    TooManyStates { max: usize },
    #[error("{0}")]
    State(&'static str),
    #[error("failed to create filter: data slices out of order")]
    SlicesOutOfOrder,
    #[error("failed to create filter: data slices overlapped")]
    SlicesOverlap,
    #[error("failed to create filter: data slice ends beyond 2^64")]
    SliceTooLong,
    #[error("invalid token_accounts mode value {0}; expected ALL (0) or BALANCE_CHANGED (1)")]
    TokenAccounts(i32),
}

type Named<T> = Vec<(String, T)>;
type Cuckoo = CuckooFilter<Key>;

/// A checked request. Filters are ordered by name, so that equal requests give equal updates.
#[derive(Debug)]
pub struct Filter {
    level: Level,
    accounts: Named<AccountFilter>,
    slots: Named<SubscribeRequestFilterSlots>,
    transactions: Named<TransactionFilter>,
    transactions_status: Named<TransactionFilter>,
    blocks: Named<BlockFilter>,
    blocks_meta: Vec<String>,
    entries: Vec<String>,
    slices: DataSlices,
}

#[derive(Debug)]
struct BlockFilter {
    accounts: KeySet,
    transactions: bool,
    account_updates: bool,
    entries: bool,
}

/// A list of addresses, spelled out or as a cuckoo filter; empty lets everything through.
#[derive(Debug)]
struct KeySet {
    keys: HashSet<Key>,
    cuckoo: Option<Cuckoo>,
}

impl KeySet {
    fn new(keys: &[String], cuckoo: Option<&WireCuckoo>) -> Result<Self, FilterError> {
        Ok(Self { keys: parse_keys(keys)?, cuckoo: cuckoo.map(Cuckoo::from) })
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.cuckoo.is_none()
    }

    fn contains(&self, key: &Key) -> bool {
        self.keys.contains(key) || self.cuckoo.as_ref().is_some_and(|cuckoo| cuckoo.contains(key))
    }

    fn contains_bytes(&self, key: &[u8]) -> bool {
        Key::try_from(key).is_ok_and(|key| self.contains(&key))
    }
}

impl Filter {
    /// Checks a request. `name_limit` is the longest filter name, in bytes.
    pub fn new(request: &SubscribeRequest, name_limit: usize) -> Result<Self, FilterError> {
        let level = Level::from_request(request.commitment)
            .ok_or(FilterError::Commitment(request.commitment.unwrap_or_default()))?;
        let check = |name: &String| {
            if name.len() > name_limit {
                return Err(FilterError::Name { limit: name_limit, size: name.len() });
            }
            Ok(name.clone())
        };
        // Footers exist only under Alpenglow: a filter for them is accepted and never matches.
        request.block_footer.keys().try_for_each(|name| check(name).map(drop))?;
        Ok(Self {
            level,
            accounts: named(&request.accounts, check, AccountFilter::new)?,
            slots: named(&request.slots, check, |slots| Ok(*slots))?,
            transactions: named(&request.transactions, check, TransactionFilter::new)?,
            transactions_status: named(&request.transactions_status, check, TransactionFilter::new)?,
            blocks: named(&request.blocks, check, BlockFilter::new)?,
            blocks_meta: names(named(&request.blocks_meta, check, |_| Ok(()))?),
            entries: names(named(&request.entry, check, |_| Ok(()))?),
            slices: DataSlices::new(&request.accounts_data_slice)?,
        })
    }

    /// The commitment level the subscriber wants.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The updates a message becomes for this subscriber; usually none or one.
    pub fn apply(&self, message: &Message) -> Vec<SubscribeUpdate> {
        match message {
            Message::Account(m) => {
                let filters = matching(&self.accounts, |filter| filter.matches(&m.info));
                update(filters, m.created_at, || {
                    let mut account = m.info.clone();
                    account.data = self.slices.apply(account.data);
                    UpdateOneof::Account(SubscribeUpdateAccount {
                        account: Some(account),
                        slot: m.slot,
                        is_startup: false,
                        bank_id: m.bank_id,
                    })
                })
            }
            Message::Transaction(m) => self.transaction(m),
            Message::Entry(m) => update(self.entries.clone(), m.created_at, || UpdateOneof::Entry(m.update.clone())),
            Message::Slot(m) => {
                let filters = matching(&self.slots, |filter| self.slot_matches(filter, m));
                update(filters, m.created_at, || {
                    UpdateOneof::Slot(SubscribeUpdateSlot {
                        slot: m.slot,
                        parent: m.parent,
                        status: m.status.into(),
                        dead_error: m.dead_error.clone(),
                        bank_id: m.bank_id,
                    })
                })
            }
            Message::BlockMeta(m) => {
                update(self.blocks_meta.clone(), m.created_at, || UpdateOneof::BlockMeta(m.update.clone()))
            }
            Message::Block(m) => self
                .blocks
                .iter()
                .flat_map(|(name, filter)| {
                    update(vec![name.clone()], m.meta.created_at, || UpdateOneof::Block(filter.block(m, &self.slices)))
                })
                .collect(),
            Message::Lost(_) => Vec::new(),
        }
    }

    fn transaction(&self, m: &Arc<TransactionMessage>) -> Vec<SubscribeUpdate> {
        let filters = matching(&self.transactions, |filter| filter.matches(m));
        let mut updates = update(filters, m.created_at, || {
            UpdateOneof::Transaction(SubscribeUpdateTransaction {
                transaction: Some(m.info.clone()),
                slot: m.slot,
                bank_id: m.bank_id.unwrap_or_default(),
            })
        });
        let filters = matching(&self.transactions_status, |filter| filter.matches(m));
        updates.extend(update(filters, m.created_at, || {
            UpdateOneof::TransactionStatus(SubscribeUpdateTransactionStatus {
                slot: m.slot,
                signature: m.info.signature.clone(),
                is_vote: m.info.is_vote,
                index: m.info.index,
                err: m.info.meta.as_ref().and_then(|meta| meta.err.clone()),
                bank_id: m.bank_id.unwrap_or_default(),
            })
        }));
        updates
    }

    fn slot_matches(&self, filter: &SubscribeRequestFilterSlots, message: &SlotMessage) -> bool {
        let level = Level::of_status(message.status);
        let by_commitment = filter.filter_by_commitment.unwrap_or_default();
        let interslot = filter.interslot_updates.unwrap_or_default();
        (!by_commitment || level == Some(self.level)) && (interslot || level.is_some())
    }
}

impl BlockFilter {
    fn new(request: &SubscribeRequestFilterBlocks) -> Result<Self, FilterError> {
        Ok(Self {
            accounts: KeySet::new(&request.account_include, request.cuckoo_account_include.as_ref())?,
            transactions: request.include_transactions.unwrap_or(true),
            account_updates: request.include_accounts.unwrap_or(false),
            entries: request.include_entries.unwrap_or(false),
        })
    }

    fn block(&self, block: &BlockMessage, slices: &DataSlices) -> SubscribeUpdateBlock {
        let meta = &block.meta.update;
        let any = self.accounts.is_empty();
        let transactions = if self.transactions { block.transactions.as_slice() } else { &[] };
        let accounts = if self.account_updates { block.accounts.as_slice() } else { &[] };
        let entries = if self.entries { block.entries.as_slice() } else { &[] };
        SubscribeUpdateBlock {
            slot: meta.slot,
            blockhash: meta.blockhash.clone(),
            rewards: meta.rewards.clone(),
            block_time: meta.block_time,
            block_height: meta.block_height,
            parent_slot: meta.parent_slot,
            parent_blockhash: meta.parent_blockhash.clone(),
            executed_transaction_count: meta.executed_transaction_count,
            transactions: transactions
                .iter()
                .filter(|t| any || t.account_keys.iter().any(|key| self.accounts.contains(key)))
                .map(|t| t.info.clone())
                .collect(),
            updated_account_count: block.accounts.len() as u64,
            accounts: accounts
                .iter()
                .filter(|a| any || self.accounts.contains_bytes(&a.info.pubkey))
                .map(|a| {
                    let mut info = a.info.clone();
                    info.data = slices.apply(info.data);
                    info
                })
                .collect(),
            entries_count: meta.entries_count,
            entries: entries.iter().map(|e| e.update.clone()).collect(),
            bank_id: meta.bank_id,
        }
    }
}

fn named<'a, W, T>(
    filters: impl IntoIterator<Item = (&'a String, &'a W)>,
    check: impl Fn(&String) -> Result<String, FilterError>,
    make: impl Fn(&W) -> Result<T, FilterError>,
) -> Result<Named<T>, FilterError>
where
    W: 'a,
{
    let mut named = filters
        .into_iter()
        .map(|(name, filter)| Ok((check(name)?, make(filter)?)))
        .collect::<Result<Named<T>, FilterError>>()?;
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(named)
}

fn names(named: Named<()>) -> Vec<String> {
    named.into_iter().map(|(name, ())| name).collect()
}

fn matching<T>(filters: &Named<T>, matches: impl Fn(&T) -> bool) -> Vec<String> {
    filters.iter().filter(|(_, filter)| matches(filter)).map(|(name, _)| name.clone()).collect()
}

fn update(filters: Vec<String>, created_at: Timestamp, body: impl FnOnce() -> UpdateOneof) -> Vec<SubscribeUpdate> {
    if filters.is_empty() {
        return Vec::new();
    }
    vec![SubscribeUpdate { filters, update_oneof: Some(body()), created_at: Some(created_at) }]
}

fn parse_keys(keys: &[String]) -> Result<HashSet<Key>, FilterError> {
    keys.iter()
        .map(|text| {
            let mut key = Key::default();
            match bs58::decode(text).onto(&mut key) {
                Ok(32) => Ok(key),
                _ => Err(FilterError::Pubkey(text.clone())),
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
