//! What every request shares.

use crate::{
    account::Accounts, alive::Alive, bodies::Bodies, channel::Channel, clock::Clock, config::Config, exact::Exact,
    forward::Upstreams, ledger::Ledger, limits::Rates, lookups::Lookups, shop::Shop,
};
use futures::{future::BoxFuture, FutureExt as _};
use joule_sdk::{Pubkey, SdkError};
use joule_voucher::SigningKey;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Who knows the channels: the chain.
pub trait Channels: Send + Sync {
    /// Of at most `lookups::AT_ONCE`, in their order; `None` where there is none.
    fn channels<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Channel>>, SdkError>>;
}

pub struct Gateway {
    pub config: Config,
    pub shop: Shop,
    /// The provider's authority, which signs receipts.
    pub key: SigningKey,
    pub chain: Arc<dyn Channels>,
    /// Of channels that the ledger knows, and of all others.
    pub lookups: Lookups<Channel>,
    pub lookups_of_strangers: Lookups<Channel>,
    pub ledger: Ledger,
    /// Set once, before anything is served, if requests can be paid by `exact`.
    pub exact: OnceLock<Exact>,
    pub accounts: Accounts,
    pub clock: Clock,
    pub rates: Rates,
    pub bodies: Bodies,
    pub upstreams: Upstreams,
    pub alive: Alive,
    /// Places at the upstreams.
    pub places: Arc<Semaphore>,
    /// Answers that go on without their request's handler; stopping waits for them.
    pub answers: TaskTracker,
    /// Nothing new is begun once this is cancelled.
    pub stopping: CancellationToken,
}

impl Gateway {
    /// Within tokio.
    pub fn new(
        config: Config,
        shop: Shop,
        key: SigningKey,
        chain: Arc<dyn Channels>,
        ledger: Ledger,
    ) -> anyhow::Result<Arc<Self>> {
        let lookups = || {
            let chain = chain.clone();
            let ask = move |of: Vec<Pubkey>| {
                let chain = chain.clone();
                async move { chain.channels(&of).await }.boxed()
            };
            Lookups::start(Box::new(ask), config.limits.lookups_per_second)
        };
        Ok(Arc::new(Self {
            upstreams: Upstreams::new(&config)?,
            alive: Alive::new(&config),
            rates: Rates::new(&config.limits),
            bodies: Bodies::new(&config),
            lookups: lookups(),
            lookups_of_strangers: lookups(),
            places: Arc::new(Semaphore::new(config.limits.concurrent)),
            config,
            shop,
            key,
            chain,
            ledger,
            exact: OnceLock::new(),
            accounts: Accounts::default(),
            clock: Clock::default(),
            answers: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }))
    }
}
