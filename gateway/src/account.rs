//! The channels that somebody has asked for: what the chain says of each, and its account.

use crate::{
    book::{Book, Stored},
    channel::{Channel, Contexts},
    gateway::Gateway,
    ledger::LedgerError,
    reply::Failure,
};
use joule_sdk::Pubkey;
use joule_voucher::Verifier;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One of them.
pub struct Account {
    /// The channel's.
    pub address: Pubkey,
    pub contexts: Contexts,
    channel: Mutex<(Channel, Option<Verifier>)>,
    book: Mutex<Book>,
}

impl Account {
    fn new(channel: Channel, contexts: Contexts, book: Book) -> Self {
        let verifier = Verifier::new(&channel.signer);
        Self { address: channel.address, contexts, channel: Mutex::new((channel, verifier)), book: Mutex::new(book) }
    }

    /// What the chain last said.
    pub fn channel(&self) -> Channel {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Of the session's key; `None` when no signature with it is good.
    pub fn verifier(&self) -> Option<Verifier> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// The chain says something newer.
    pub fn chain_says(&self, channel: Channel) {
        let mut known = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0.signer != channel.signer {
            known.1 = Verifier::new(&channel.signer);
        }
        known.0 = channel;
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of this provider, until they are closed. Opening a channel costs its rent, so that nobody fills this for nothing.
#[derive(Default)]
pub struct Accounts(Mutex<HashMap<Pubkey, Arc<Account>>>);

impl Accounts {
    pub fn known(&self, address: &Pubkey) -> Option<Arc<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(address).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The chain has closed it.
    pub fn forget(&self, address: &Pubkey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
    }

    /// Of two that came at once the first stays, so that there is one account of a channel.
    fn insert(&self, account: Account) -> Arc<Account> {
        let address = account.address;
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.entry(address).or_insert_with(|| Arc::new(account)).clone()
    }
}

impl Gateway {
    /// The account of a channel, from the chain and the ledger when it is asked for the first time.
    pub async fn account(self: &Arc<Self>, address: &Pubkey) -> Result<Option<Arc<Account>>, Failure> {
        if let Some(account) = self.accounts.known(address) {
            return Ok(Some(account));
        }
        self.rates.lookup().map_err(Failure::TooFast)?;
        let channel = self.chain.channel(address).await.map_err(|error| {
            tracing::warn!(channel = %address, %error, "the chain cannot be asked for a channel");
            Failure::Chain
        })?;
        let Some(channel) = channel else { return Ok(None) };
        let stored = self.stored(address).await?;
        let account = Account::new(channel, self.shop.cluster.contexts(address), Book::new(stored));
        if channel.provider != self.shop.seller.provider {
            return Ok(Some(Arc::new(account)));
        }
        Ok(Some(self.accounts.insert(account)))
    }

    /// The account of a channel of which the ledger knows something.
    pub async fn recall(self: &Arc<Self>, address: &Pubkey) -> Result<Option<Arc<Account>>, Failure> {
        if let Some(account) = self.accounts.known(address) {
            return Ok(Some(account));
        }
        match self.stored(address).await? {
            Stored { last, orders, .. } if last.sequence == 0 && orders.is_empty() => Ok(None),
            _ => self.account(address).await,
        }
    }

    async fn stored(self: &Arc<Self>, address: &Pubkey) -> Result<Stored, Failure> {
        let (ledger, address) = (self.ledger.clone(), *address);
        let loaded = tokio::task::spawn_blocking(move || ledger.load(&address)).await;
        loaded.unwrap_or(Err(LedgerError::Stopped)).map_err(|error| {
            tracing::error!(channel = %address, %error, "the ledger cannot be read");
            Failure::Ledger
        })
    }

    /// Goes back to what is on disk, after a write of `epoch` failed.
    pub async fn reload(self: &Arc<Self>, account: &Arc<Account>, epoch: u64) {
        let (gateway, account) = (self.clone(), account.clone());
        let reloaded = tokio::task::spawn_blocking(move || {
            let mut book = account.book();
            if book.epoch() == epoch {
                let address = account.address;
                match gateway.ledger.load(&address) {
                    Ok(stored) => book.reload(stored),
                    // The next write fails as void, and comes here again.
                    Err(error) => tracing::error!(channel = %address, %error, "the ledger cannot be read"),
                }
            }
        });
        let _ = reloaded.await;
    }
}
