//! House channels: ordinary channels of the billing program whose payer is the gateway itself. What comes in by `exact` is billed
//! to one, and what came in is what it is filled up with.

use super::{Exact, Till};
use crate::{
    chain::{OnChain, State},
    channel::Channel,
    config,
    gateway::Gateway,
    shop::Shop,
};
use anyhow::{bail, ensure, Context as _};
use joule_sdk::{
    billing::state::Payer,
    instruction::{billing, token::create_associated},
    pda, Keypair, Pubkey, SdkError, Signer as _,
};
use joule_units::UnixTime;

/// A session is made longer when it ends within a week, to last for ninety days.
const RENEWED_BEFORE: i64 = 7 * 86_400;
const RENEWED_FOR: i64 = 90 * 86_400;

/// One of them, and the account that clients pay into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct House {
    pub channel: Pubkey,
    pub mint: Pubkey,
    /// The mint's own.
    pub token_program: Pubkey,
    pub decimals: u8,
    /// The gateway's associated token account.
    pub destination: Pubkey,
}

/// Looks the channels of the settings up, and makes the accounts that are to be paid into.
pub async fn houses(chain: &OnChain, gateway: &Gateway, key: &Keypair) -> anyhow::Result<Vec<House>> {
    let addresses = &gateway.config.exact.channels;
    let mut houses = Vec::new();
    let mut models = Vec::new();
    for (address, state) in addresses.iter().zip(chain.states(addresses).await?) {
        let state = state.with_context(|| format!("exact.channels: there is no channel {address} on this cluster"))?;
        let channel = Channel::from_state(*address, &state);
        check(&channel, &gateway.shop, &gateway.config)?;
        ensure!(!models.contains(&channel.model), "exact.channels: {address} is a second one for {}", channel.model);
        models.push(channel.model);
        let (decimals, token_program) = chain.0.mint(&channel.mint).await?;
        let destination = pda::associated_token(&key.pubkey(), &channel.mint, &token_program);
        let create = create_associated(key.pubkey(), key.pubkey(), channel.mint, token_program);
        let found = chain.0.rpc().get_account_with_commitment(&destination, chain.0.rpc().commitment()).await?;
        if found.value.is_none() {
            chain.0.send(&[create], &[key]).await.with_context(|| format!("making token account {destination}"))?;
        }
        houses.push(House { channel: *address, mint: channel.mint, token_program, decimals, destination });
    }
    Ok(houses)
}

/// Whether a channel is what a house channel must be.
fn check(channel: &Channel, shop: &Shop, config: &config::Config) -> anyhow::Result<()> {
    let (address, key) = (channel.address, shop.seller.authority);
    let signer = Pubkey::new_from_array(channel.signer);
    if channel.owner != key {
        bail!("exact.channels: {address} is {}'s; open one with the gateway's own key, {key}", channel.owner);
    }
    ensure!(signer == key, "exact.channels: {signer} signs for {address}; open it with `--session-signer {key}`");
    ensure!(channel.backing_bps == 0, "exact.channels: {address} is backed; open it with `--backing 0`");
    ensure!(channel.closes_at == UnixTime::default(), "exact.channels: {address} is closing; open another one");
    let is_sold = config.models.iter().any(|model| shop.prices(model, channel).is_ok());
    ensure!(is_sold, "exact.channels: {address} is for another provider, model or price list than what is sold here");
    Ok(())
}

/// Fills up the channels that have too little room, and makes sessions longer that are about to end.
/// `show` has base units as people read them.
pub async fn fill(
    exact: &Exact,
    chain: &OnChain,
    key: &Keypair,
    settings: &config::Exact,
    now: UnixTime,
    show: impl Fn(u64) -> String,
) {
    for till in exact.tills() {
        let channel = till.house.channel;
        match one(till, chain, key, settings, now).await {
            Ok(0) => {}
            Ok(amount) => tracing::info!(%channel, amount = show(amount), "a house channel was filled up"),
            Err(error) => tracing::warn!(%channel, %error, "a house channel could not be filled up; it is tried again"),
        }
    }
}

/// Returns what was added, base units.
async fn one(
    till: &Till,
    chain: &OnChain,
    key: &Keypair,
    settings: &config::Exact,
    now: UnixTime,
) -> Result<u64, SdkError> {
    let (house, is_low) = (&till.house, till.room() < settings.low);
    let ends = till.account.channel().good_until().get().saturating_sub(now.get()) < RENEWED_BEFORE;
    if !is_low && !ends {
        return Ok(0);
    }
    let state: State = chain.0.get(&house.channel).await?;
    let mut instructions = Vec::new();
    let mut added = 0;
    if is_low && state.cap.get() == till.account.channel().cap.get() {
        let free = free(&chain.0.get(&state.payer).await?, now);
        added = settings.top_up.min(free.saturating_add(chain.0.token_balance(&house.destination).await?));
        let missing = added.saturating_sub(free);
        if missing > 0 {
            let (from, program) = (house.destination, house.token_program);
            instructions.push(billing::deposit(key.pubkey(), state.payer, from, program, missing));
        }
        if added > 0 {
            instructions.push(billing::top_up(house.channel, &state, added));
        }
    }
    if added > 0 || ends {
        let session = &state.session;
        let limit = session.limit.get().max(state.cap.get().saturating_add(added));
        let until = session.expires_at.get().max(if ends { now.get().saturating_add(RENEWED_FOR) } else { 0 });
        instructions.push(billing::set_session(key.pubkey(), house.channel, session.signer, limit, until));
        chain.0.send(&instructions, &[key]).await?;
    }
    let state: State = chain.0.get(&house.channel).await?;
    till.account.chain_says(Channel::from_state(house.channel, &state));
    Ok(added)
}

/// What is neither reserved nor spent, brought up to date as the program will.
fn free(payer: &Payer, now: UnixTime) -> u64 {
    let mut payer = *payer;
    payer.sync(now).and_then(|()| payer.free()).unwrap_or(0)
}

#[cfg(test)]
#[path = "house_tests.rs"]
mod tests;
