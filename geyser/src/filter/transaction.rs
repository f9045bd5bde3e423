//! Conditions on one transaction.

use std::collections::{HashMap, HashSet};

use yellowstone_grpc_proto::{
    geyser::{SubscribeRequestFilterTransactions, TokenAccountExpansionControlFlag},
    solana::storage::confirmed_block::{TokenBalance, TransactionStatusMeta},
};

use super::{parse_keys, FilterError, Key, KeySet, TransactionMessage};

#[derive(Debug)]
pub(super) struct TransactionFilter {
    vote: Option<bool>,
    failed: Option<bool>,
    signature: Option<Vec<u8>>,
    include: KeySet,
    exclude: HashSet<Key>,
    required: HashSet<Key>,
    /// Also match the owners of token balances.
    token_owners: Option<TokenAccountExpansionControlFlag>,
}

impl TransactionFilter {
    pub fn new(request: &SubscribeRequestFilterTransactions) -> Result<Self, FilterError> {
        let signature = match &request.signature {
            None => None,
            Some(text) => match bs58::decode(text).into_vec() {
                Ok(bytes) if bytes.len() == 64 => Some(bytes),
                _ => return Err(FilterError::Signature(text.clone())),
            },
        };
        let token_owners = match request.token_accounts {
            None => None,
            Some(value) => {
                Some(TokenAccountExpansionControlFlag::try_from(value).map_err(|_| FilterError::TokenAccounts(value))?)
            }
        };
        Ok(Self {
            vote: request.vote,
            failed: request.failed,
            signature,
            include: KeySet::new(&request.account_include, request.cuckoo_account_include.as_ref())?,
            exclude: parse_keys(&request.account_exclude)?,
            required: parse_keys(&request.account_required)?,
            token_owners,
        })
    }

    pub fn matches(&self, message: &TransactionMessage) -> bool {
        let info = &message.info;
        let meta = info.meta.as_ref();
        let failed = meta.is_some_and(|meta| meta.err.is_some());
        if self.vote.is_some_and(|vote| vote != info.is_vote)
            || self.failed.is_some_and(|wanted| wanted != failed)
            || self.signature.as_ref().is_some_and(|wanted| *wanted != info.signature)
        {
            return false;
        }
        let owners = match (self.token_owners, meta) {
            (Some(mode), Some(meta)) => token_owners(mode, meta),
            _ => HashSet::new(),
        };
        let touches = |key: &Key| message.account_keys.contains(key) || owners.contains(key);
        let mut touched = message.account_keys.iter().chain(&owners);
        self.required.iter().all(touches)
            && !self.exclude.iter().any(touches)
            && (self.include.is_empty() || touched.any(|key| self.include.contains(key)))
    }
}

/// Owners of token balances: all of them, or those whose amount changed or whose account was closed.
fn token_owners(mode: TokenAccountExpansionControlFlag, meta: &TransactionStatusMeta) -> HashSet<Key> {
    let all = meta.pre_token_balances.iter().chain(&meta.post_token_balances);
    match mode {
        TokenAccountExpansionControlFlag::All => all.filter_map(owner).collect(),
        TokenAccountExpansionControlFlag::BalanceChanged => {
            let by_index = |balances: &[TokenBalance]| -> HashMap<u32, Option<String>> {
                balances.iter().map(|b| (b.account_index, amount(b))).collect()
            };
            let (pre, post) = (by_index(&meta.pre_token_balances), by_index(&meta.post_token_balances));
            all.filter(|b| {
                let (before, after) = (pre.get(&b.account_index), post.get(&b.account_index));
                before != after || after == Some(&None)
            })
            .filter_map(owner)
            .collect()
        }
    }
}

fn owner(balance: &TokenBalance) -> Option<Key> {
    let mut key = Key::default();
    matches!(bs58::decode(&balance.owner).onto(&mut key), Ok(32)).then_some(key)
}

fn amount(balance: &TokenBalance) -> Option<String> {
    balance.ui_token_amount.as_ref().map(|amount| amount.amount.clone())
}
