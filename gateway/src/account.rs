//! The channels that somebody has asked for: what the chain says of each, and its account.

use crate::{
    book::{Book, Stored},
    channel::{Channel, Contexts},
    gateway::Gateway,
    ledger::{LedgerError, Write},
    lookups::AT_ONCE,
    reply::Failure,
    tab::Tab,
};
use joule_sdk::Pubkey;
use joule_units::UnixTime;
use joule_voucher::Verifier;
use std::{
    collections::{HashMap, HashSet},
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One of them.
pub struct Account {
    /// The channel's.
    pub address: Pubkey,
    pub contexts: Contexts,
    channel: Mutex<(Channel, Option<Verifier>)>,
    book: Mutex<Book>,
    /// Its owner's. Locked after the book, never before.
    tab: Arc<Mutex<Tab>>,
}

impl Account {
    fn new(channel: Channel, contexts: Contexts, book: Book, tab: Arc<Mutex<Tab>>) -> Self {
        let verifier = Verifier::new(&channel.signer);
        let address = channel.address;
        let account = Self { address, contexts, channel: Mutex::new((channel, verifier)), book: Mutex::new(book), tab };
        account.tab().ends(address, channel.good_until());
        // Puts it on the tab.
        drop(account.book());
        account
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
        drop(known);
        self.tab().ends(channel.address, channel.good_until());
    }

    pub fn book(&self) -> Opened<'_> {
        Opened { account: self, book: self.book.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    pub fn tab(&self) -> MutexGuard<'_, Tab> {
        self.tab.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A book that is looked into; when it is closed, its owner's tab says what it says.
pub struct Opened<'a> {
    account: &'a Account,
    book: MutexGuard<'a, Book>,
}

impl Deref for Opened<'_> {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.book
    }
}

impl DerefMut for Opened<'_> {
    fn deref_mut(&mut self) -> &mut Book {
        &mut self.book
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.account.tab().set(self.account.address, self.book.part());
    }
}

/// Those of this provider, until they are closed. Opening a channel costs its rent, so that nobody fills this for nothing.
#[derive(Default)]
pub struct Accounts {
    channels: Mutex<HashMap<Pubkey, Arc<Account>>>,
    /// By owner.
    tabs: Mutex<HashMap<Pubkey, Arc<Mutex<Tab>>>>,
    /// Those that the ledger knew when the gateway started, and all that were known since.
    of_the_ledger: Mutex<HashSet<Pubkey>>,
}

impl Accounts {
    fn channels(&self) -> MutexGuard<'_, HashMap<Pubkey, Arc<Account>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn known(&self, address: &Pubkey) -> Option<Arc<Account>> {
        self.channels().get(address).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Account>> {
        self.channels().values().cloned().collect()
    }

    /// The chain has closed it.
    pub fn forget(&self, address: &Pubkey, now: UnixTime) {
        if let Some(account) = self.channels().remove(address) {
            account.tab().ends(*address, now);
        }
    }

    fn remember(&self, address: Pubkey) {
        self.of_the_ledger.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
    }

    fn is_of_the_ledger(&self, address: &Pubkey) -> bool {
        self.of_the_ledger.lock().unwrap_or_else(PoisonError::into_inner).contains(address)
    }

    fn tab(&self, owner: &Pubkey) -> Arc<Mutex<Tab>> {
        self.tabs.lock().unwrap_or_else(PoisonError::into_inner).entry(*owner).or_default().clone()
    }

    /// Of two that came at once the first stays, so that there is one account of a channel.
    fn insert(&self, channel: Channel, contexts: Contexts, stored: Stored) -> Arc<Account> {
        let tab = self.tab(&channel.owner);
        self.remember(channel.address);
        let mut accounts = self.channels();
        let new = || Arc::new(Account::new(channel, contexts, Book::new(stored), tab));
        accounts.entry(channel.address).or_insert_with(new).clone()
    }
}

impl Gateway {
    /// The account of a channel, from the chain and the ledger when it is asked for the first time.
    pub async fn account(self: &Arc<Self>, address: &Pubkey) -> Result<Option<Arc<Account>>, Failure> {
        if let Some(account) = self.accounts.known(address) {
            return Ok(Some(account));
        }
        let lookups = match self.accounts.is_of_the_ledger(address) {
            true => &self.lookups,
            false => &self.lookups_of_strangers,
        };
        let channel = lookups.find(address).await?;
        let Some(channel) = channel else { return Ok(None) };
        let stored = self.stored(address).await?;
        let contexts = self.shop.cluster.contexts(address);
        if channel.provider != self.shop.seller.provider {
            let nobodys = Arc::default();
            return Ok(Some(Arc::new(Account::new(channel, contexts, Book::new(stored), nobodys))));
        }
        Ok(Some(self.accounts.insert(channel, contexts, stored)))
    }

    /// The account of a channel of which the ledger knows something.
    pub async fn recall(self: &Arc<Self>, address: &Pubkey) -> Result<Option<Arc<Account>>, Failure> {
        if let Some(account) = self.accounts.known(address) {
            return Ok(Some(account));
        }
        match self.accounts.is_of_the_ledger(address) {
            true => self.account(address).await,
            false => Ok(None),
        }
    }

    /// Reads all that the ledger knows of, before anybody is served: accounts of channels that the chain has, and what the others have
    /// left on their owners' tabs.
    pub async fn load(self: &Arc<Self>) -> Result<(), LedgerError> {
        let ledger = self.ledger.clone();
        for some in blocking(move || ledger.present()).await?.chunks(AT_ONCE) {
            some.iter().for_each(|address| self.accounts.remember(*address));
            let found = match self.chain.channels(some).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "channels of the ledger cannot be read now; they are when somebody asks");
                    continue;
                }
            };
            for (address, channel) in some.iter().zip(found) {
                let Some(channel) = channel else {
                    self.ledger.note(*address, Write::Gone { at: self.clock.now() }).done().await?;
                    continue;
                };
                let (ledger, address) = (self.ledger.clone(), *address);
                let stored = blocking(move || ledger.load(&address)).await?;
                self.accounts.insert(channel, self.shop.cluster.contexts(&address), stored);
            }
        }
        let ledger = self.ledger.clone();
        for past in blocking(move || ledger.past()).await? {
            self.accounts.remember(past.channel);
            let tab = self.accounts.tab(&past.owner);
            let mut tab = tab.lock().unwrap_or_else(PoisonError::into_inner);
            tab.set(past.channel, past.part);
            tab.ends(past.channel, past.gone);
        }
        Ok(())
    }

    async fn stored(self: &Arc<Self>, address: &Pubkey) -> Result<Stored, Failure> {
        let (ledger, address) = (self.ledger.clone(), *address);
        blocking(move || ledger.load(&address)).await.map_err(|error| {
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

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(LedgerError::Stopped))
}
