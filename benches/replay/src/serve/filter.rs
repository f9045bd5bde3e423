//! What a subscriber asked for, as far as followers of programs ask: accounts by address and owner, transactions by the accounts that
//! they name, slots, block metadata. Anything else is refused, so that nobody measures what was not sent.

use crate::wire::{self, Fields, Look, Value};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use tonic::Status;
use yellowstone_grpc_proto::prelude::{
    SlotStatus, SubscribeRequest, SubscribeRequestFilterAccounts, SubscribeRequestFilterSlots,
    SubscribeRequestFilterTransactions,
};

type Keys = HashSet<[u8; 32]>;

pub struct Filter {
    accounts: Vec<(Bytes, Accounts)>,
    transactions: Vec<(Bytes, Transactions)>,
    slots: Vec<(Bytes, SubscribeRequestFilterSlots)>,
    /// What a slot filter by commitment lets through.
    level: SlotStatus,
    blocks_meta: Bytes,
}

struct Accounts {
    addresses: Keys,
    owners: Keys,
}

struct Transactions {
    vote: Option<bool>,
    failed: Option<bool>,
    include: Keys,
    exclude: Keys,
    required: Keys,
}

impl Filter {
    pub fn new(request: &SubscribeRequest) -> Result<Self, Status> {
        let unserved = |what: &str| Status::invalid_argument(format!("a replayed file is not served with {what}"));
        let others = request.transactions_status.len() + request.blocks.len() + request.entry.len();
        if others + request.block_footer.len() > 0 {
            return Err(unserved("statuses of transactions, blocks, entries or footers"));
        }
        if !request.accounts_data_slice.is_empty() {
            return Err(unserved("slices of data"));
        }
        let accounts = named(&request.accounts, |asked: &SubscribeRequestFilterAccounts| {
            if !asked.filters.is_empty() || asked.cuckoo_accounts_filter.is_some() {
                return Err(unserved("conditions on an account's data"));
            }
            Ok(Accounts { addresses: keys(&asked.account)?, owners: keys(&asked.owner)? })
        })?;
        let transactions = named(&request.transactions, |asked: &SubscribeRequestFilterTransactions| {
            if asked.signature.is_some() || asked.cuckoo_account_include.is_some() || asked.token_accounts.is_some() {
                return Err(unserved("signatures, cuckoo filters or token accounts"));
            }
            Ok(Transactions {
                vote: asked.vote,
                failed: asked.failed,
                include: keys(&asked.account_include)?,
                exclude: keys(&asked.account_exclude)?,
                required: keys(&asked.account_required)?,
            })
        })?;
        let slots = named(&request.slots, |asked: &SubscribeRequestFilterSlots| Ok(*asked))?;
        let blocks_meta = named(&request.blocks_meta, |_| Ok(()))?;
        let level = match request.commitment {
            Some(1) => SlotStatus::SlotConfirmed,
            Some(2) => SlotStatus::SlotFinalized,
            _ => SlotStatus::SlotProcessed,
        };
        Ok(Self { accounts, transactions, slots, level, blocks_meta: all(blocks_meta.iter().map(|(name, ())| name)) })
    }

    /// The encoded names of the filters that let an update through. `None` when none does.
    pub fn matching(&self, look: &Look) -> Option<Bytes> {
        let names = match look {
            Look::Account(update) => {
                let info = Fields(update.get(1)?.bytes());
                matching(&self.accounts, |filter| filter.matches(info))
            }
            Look::Transaction(update) => {
                let info = Fields(update.get(1)?.bytes());
                matching(&self.transactions, |filter| filter.matches(info))
            }
            Look::Slot { status, .. } => matching(&self.slots, |filter| slot_matches(filter, self.level, *status)),
            Look::BlockMeta(_) => self.blocks_meta.clone(),
            Look::Other => Bytes::new(),
        };
        (!names.is_empty()).then_some(names)
    }
}

impl Accounts {
    fn matches(&self, info: Fields) -> bool {
        let is_in =
            |keys: &Keys, field| keys.is_empty() || info.get(field).is_some_and(|key| contains(keys, key.bytes()));
        is_in(&self.owners, 3) && is_in(&self.addresses, 1)
    }
}

impl Transactions {
    fn matches(&self, info: Fields) -> bool {
        let is_vote = info.get(2).is_some_and(|vote| vote.number() != 0);
        let meta = Fields(info.get(4).map_or(&[], Value::bytes));
        if self.vote.is_some_and(|wanted| wanted != is_vote)
            || self.failed.is_some_and(|wanted| wanted != meta.clone().any(|(field, _)| field == 1))
        {
            return false;
        }
        let message = info.get(3).and_then(|transaction| Fields(transaction.bytes()).get(2));
        let fixed = Fields(message.map_or(&[], Value::bytes)).filter(|(field, _)| *field == 2);
        let loaded = meta.filter(|(field, _)| matches!(field, 12 | 13));
        let keys = || fixed.clone().chain(loaded.clone()).map(|(_, key)| key.bytes());
        (self.include.is_empty() || keys().any(|key| contains(&self.include, key)))
            && (self.exclude.is_empty() || !keys().any(|key| contains(&self.exclude, key)))
            && self.required.iter().all(|wanted| keys().any(|key| key == wanted))
    }
}

fn slot_matches(filter: &SubscribeRequestFilterSlots, level: SlotStatus, status: i32) -> bool {
    let status = SlotStatus::try_from(status);
    let is_level =
        matches!(status, Ok(SlotStatus::SlotProcessed | SlotStatus::SlotConfirmed | SlotStatus::SlotFinalized));
    let by_commitment = filter.filter_by_commitment.unwrap_or_default();
    (!by_commitment || status == Ok(level)) && (filter.interslot_updates.unwrap_or_default() || is_level)
}

fn contains(keys: &Keys, key: &[u8]) -> bool {
    <&[u8; 32]>::try_from(key).is_ok_and(|key| keys.contains(key))
}

fn keys(names: &[String]) -> Result<Keys, Status> {
    let key = |name: &String| {
        let mut key = [0; 32];
        match bs58::decode(name).onto(&mut key) {
            Ok(32) => Ok(key),
            _ => Err(Status::invalid_argument(format!("invalid pubkey {name}: expected 32 bytes in base58"))),
        }
    };
    names.iter().map(key).collect()
}

fn named<W, T>(asked: &HashMap<String, W>, make: impl Fn(&W) -> Result<T, Status>) -> Result<Vec<(Bytes, T)>, Status> {
    let encoded = |name: &String| {
        let mut field = Vec::new();
        wire::put_bytes(&mut field, wire::update::FILTERS, name.as_bytes());
        Bytes::from(field)
    };
    asked.iter().map(|(name, filter)| Ok((encoded(name), make(filter)?))).collect()
}

fn matching<T>(filters: &[(Bytes, T)], matches: impl Fn(&T) -> bool) -> Bytes {
    all(filters.iter().filter(|(_, filter)| matches(filter)).map(|(name, _)| name))
}

/// One after another; mostly there is one.
fn all<'a>(mut names: impl Iterator<Item = &'a Bytes>) -> Bytes {
    let Some(first) = names.next() else { return Bytes::new() };
    match names.next() {
        None => first.clone(),
        Some(second) => {
            let mut all = [first.as_ref(), second].concat();
            names.for_each(|name| all.extend_from_slice(name));
            all.into()
        }
    }
}
