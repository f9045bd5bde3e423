//! The chain, over RPC: what channels hold, read when they are first asked for and again and again.

use crate::{
    channel::{Channel, Cluster},
    config::{Config, ConfigError},
    exact::{Cashier, Purse},
    gateway::{Channels, Gateway},
    ledger::Write,
    lookups::AT_ONCE,
    shop::{PriceList, Seller, Shop},
};
use anyhow::{ensure, Context as _};
use futures::future::BoxFuture;
use joule_sdk::{
    account, billing, pda, registry,
    transaction::{Fate, VersionedTransaction},
    Chain, Pubkey, SdkError, Signature,
};
use joule_settings::{Amount as Written, Token};
use joule_units::{Amount, UnixTime};
use std::{collections::HashMap, sync::Arc};

pub type State = billing::state::Channel;

/// A cluster. Cheap to clone.
#[derive(Clone)]
pub struct OnChain(pub Chain);

impl OnChain {
    pub fn new(rpc: &str) -> Self {
        Self(Chain::new(rpc))
    }

    /// The billing program's own accounts, in the order of their addresses; anybody can make one with the same bytes, so the
    /// owner is looked at too.
    pub async fn states(&self, addresses: &[Pubkey]) -> Result<Vec<Option<State>>, SdkError> {
        self.accounts(addresses, |owner, data| account::decode(data).ok().filter(|_| owner == billing::ID)).await
    }

    /// What `read` makes of each account: the program that owns it, and its data.
    async fn accounts<T>(
        &self,
        addresses: &[Pubkey],
        read: impl Fn(Pubkey, &[u8]) -> Option<T>,
    ) -> Result<Vec<Option<T>>, SdkError> {
        let mut all = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(AT_ONCE) {
            let found = self.0.rpc().get_multiple_accounts_with_commitment(some, self.0.rpc().commitment()).await?;
            all.extend(found.value.into_iter().map(|found| found.and_then(|found| read(found.owner, &found.data))));
        }
        Ok(all)
    }

    /// The settings with amounts in base units of the token that the price lists are in. Where they are in several, amounts must be
    /// in base units to begin with.
    pub async fn in_units(&self, written: Config<Written>) -> anyhow::Result<Config> {
        let mut mints = Vec::new();
        for address in written.models.iter().flat_map(|model| &model.prices) {
            let list = self.price_list(address).await?;
            mints.extend(list.map(|list| list.mint));
        }
        mints.sort_unstable();
        mints.dedup();
        let symbol = written.symbol()?.unwrap_or_else(|| "tokens".into());
        let token = match mints[..] {
            [mint] => Token::new(symbol, self.0.mint(&mint).await.context("the price lists' token")?.0),
            _ if written.in_base_units() => Token::new("units", 0),
            _ => Err(ConfigError::Tokens(mints.len()))?,
        };
        Ok(written.resolve(&token)?)
    }

    pub async fn price_list(&self, address: &Pubkey) -> Result<Option<registry::state::PriceList>, SdkError> {
        self.0.find(address).await
    }

    /// What is sold here as the chain has it: the settings name price lists, the chain says what they say.
    pub async fn shop(&self, config: &Config, authority: &Pubkey) -> anyhow::Result<Shop> {
        let genesis =
            self.0.rpc().get_genesis_hash().await.context("asking the RPC node which cluster it is")?.to_bytes();
        let cluster: billing::state::Cluster = self
            .0
            .find(&pda::cluster())
            .await?
            .context("the billing program is not initialised on this cluster; check rpc")?;
        ensure!(
            cluster.genesis_hash == genesis,
            "the billing program was initialised for another cluster than this one"
        );
        let provider = self
            .0
            .provider(authority)
            .await?
            .with_context(|| format!("{authority} is not registered: `joule provider register`"))?;
        let mut lists = HashMap::new();
        for address in config.models.iter().flat_map(|model| &model.prices) {
            let list = self.price_list(address).await?;
            if let Some(list) = list {
                let prices = (&list.prices).into();
                lists.insert(*address, PriceList { model: list.model, mint: list.mint, prices });
            }
        }
        let seller =
            Seller { provider: pda::provider(authority), authority: *authority, pay_to: provider.payout_owner };
        Ok(Shop::new(config, Cluster { genesis, program: billing::ID }, seller, lists)?)
    }
}

impl Channels for OnChain {
    fn channels<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Channel>>, SdkError>> {
        Box::pin(async move {
            let states = self.states(addresses).await?.into_iter().zip(addresses);
            Ok(states.map(|(state, address)| Some(Channel::from_state(*address, &state?))).collect())
        })
    }
}

impl Cashier for OnChain {
    fn purses<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Purse>>, SdkError>> {
        Box::pin(self.accounts(addresses, Purse::read))
    }

    fn fate<'a>(&'a self, signature: &'a Signature) -> BoxFuture<'a, Result<Fate, SdkError>> {
        Box::pin(self.0.fate(signature))
    }

    fn rehearse<'a>(&'a self, transaction: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>> {
        Box::pin(async move { self.0.rehearse(transaction).await.map(|_| ()) })
    }

    fn hand_in<'a>(&'a self, transaction: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>> {
        Box::pin(self.0.hand_in(transaction))
    }
}

impl Channel {
    pub fn from_state(address: Pubkey, state: &State) -> Self {
        let staged_at = UnixTime::new(state.staged_at.get());
        Self {
            address,
            payer: state.payer,
            owner: state.owner,
            provider: state.provider,
            authority: state.authority,
            model: state.model,
            prices: state.prices,
            mint: state.mint,
            signer: state.session.signer.to_bytes(),
            cap: Amount::new(state.cap.get()),
            limit: Amount::new(state.session.limit.get()),
            session_expires_at: UnixTime::new(state.session.expires_at.get()),
            staged_at,
            settled: Amount::new(state.settled.get()),
            sequence: state.sequence.get(),
            opened_at: UnixTime::new(state.opened_at.get()),
            backing_bps: state.backing_bps.get(),
            grace: state.grace.get(),
            closes_at: UnixTime::new(state.closes_at.get()),
        }
    }
}

/// Reads every known channel again and again, until the gateway stops.
pub async fn follow(gateway: Arc<Gateway>, chain: OnChain) {
    let every = gateway.config.risk.refresh;
    let mut down = false;
    loop {
        tokio::select! {
            () = gateway.stopping.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        match refresh(&gateway, &chain).await {
            Ok(()) if down => {
                down = false;
                tracing::info!("the chain answers again");
            }
            Err(error) if !down => {
                down = true;
                tracing::warn!(%error, "the chain cannot be asked; channels are taken as they were");
            }
            _ => {}
        }
    }
}

async fn refresh(gateway: &Gateway, chain: &OnChain) -> Result<(), SdkError> {
    gateway.clock.chain_says(chain.0.now().await?);
    let mut failed = None;
    for accounts in gateway.accounts.all().chunks(AT_ONCE) {
        let addresses: Vec<_> = accounts.iter().map(|account| account.address).collect();
        let states = match chain.states(&addresses).await {
            Ok(states) => states,
            // The others may be read all the same.
            Err(error) => {
                failed = Some(error);
                continue;
            }
        };
        for (account, state) in accounts.iter().zip(states) {
            let before = account.channel();
            match state {
                Some(state) => account.chain_says(Channel::from_state(before.address, &state)),
                // It is gone: nothing more is served on it.
                None => {
                    let now = gateway.clock.now();
                    account.chain_says(Channel { closes_at: now, ..before });
                    gateway.accounts.forget(&before.address, now);
                    // If this is lost, it is seen again when the gateway starts.
                    drop(gateway.ledger.note(before.address, Write::Gone { at: now }));
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}
