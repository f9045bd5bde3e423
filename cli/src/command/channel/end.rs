//! `joule channel close` and `reclaim`: getting back what was not spent.

use crate::{act::Actor, context::Options, failure::Failure, output, token::Token, view::View};
use joule_sdk::{
    billing::state::{Channel, Payer},
    instruction::billing,
    pda,
    units::UnixTime,
    Pubkey, SdkError,
};
use joule_settings::Amount;
use serde_json::json;
use std::time::Duration;

/// How long a grace may be that a command waits for by itself.
const PATIENCE: i64 = 90;
const POLL: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub struct Reclaim {
    /// In tokens [default: all that is free]
    amount: Option<Amount>,
}

/// What became of a channel.
pub struct Ended {
    /// The token.
    pub mint: Pubkey,
    /// Unix seconds from which on the rest is free.
    pub closes_at: i64,
    /// Base units that came back into the owner's tokens; `None` while the provider's grace lasts.
    pub reclaimed: Option<u64>,
}

/// Gives notice if there was none, waits for a short grace, and takes back what is free.
pub async fn end(actor: &Actor, channel: Pubkey) -> Result<Ended, Failure> {
    let find = async || {
        let state = actor.chain.find::<Channel>(&channel).await?;
        state.ok_or_else(|| Failure::NotFound(format!("no channel {channel} on the chain: it is closed, or never was")))
    };
    let mut state = find().await?;
    if state.owner != actor.key() {
        return Err(Failure::Refused(format!("channel {channel} is {}'s", state.owner)));
    }
    if state.closes_at.get() == 0 {
        actor.chain.send(&[billing::request_close(actor.key(), channel)], &[&actor.signer]).await?;
        state = find().await?;
    }
    let closes_at = state.closes_at.get();
    if closes_at - actor.chain.now().await? > PATIENCE {
        return Ok(Ended { mint: state.mint, closes_at, reclaimed: None });
    }
    while actor.chain.now().await? < closes_at {
        tokio::time::sleep(POLL).await;
    }
    // Whatever was settled meanwhile is not in the rest. Nothing to give back is no failure.
    state = find().await?;
    match actor.chain.send(&[billing::close(channel, &state)], &[&actor.signer]).await {
        Ok(_) | Err(SdkError::Program(_) | SdkError::Refused { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let token_program = actor.chain.token_program_of(&state.mint).await?;
    let tokens = pda::associated_token(&actor.key(), &state.mint, &token_program);
    let free = free(actor, &state.mint).await?;
    if free > 0 {
        let reclaim = billing::reclaim(actor.key(), state.mint, tokens, token_program, free);
        actor.chain.send(&[reclaim], &[&actor.signer]).await?;
    }
    Ok(Ended { mint: state.mint, closes_at, reclaimed: Some(free) })
}

async fn free(actor: &Actor, mint: &Pubkey) -> Result<u64, Failure> {
    let address = pda::payer(&actor.key(), mint);
    let payer: Option<Payer> = actor.chain.find(&address).await?;
    let mut payer = payer.ok_or_else(|| Failure::NotFound(format!("{} has no deposit in {mint}", actor.key())))?;
    let now = UnixTime::new(actor.chain.now().await?);
    let free = payer.sync(now).and_then(|()| payer.free());
    free.map_err(|_| Failure::Other(anyhow::anyhow!("deposit {address} cannot be brought up to date")))
}

pub async fn close(options: &Options, channel: &Pubkey) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let bar = output::spinner("closing");
    let ended = end(&actor, *channel).await?;
    bar.finish_and_clear();
    let mint = ended.mint.to_string();
    let view = View::of(options, [mint.as_str()]).await;
    if options.json {
        let reclaimed = ended.reclaimed.map(|amount| amount.to_string());
        let said = json!({
            "channel": channel.to_string(), "mint": mint, "closes_at": ended.closes_at, "reclaimed": reclaimed,
        });
        return view.json(&said, None);
    }
    match ended.reclaimed {
        Some(amount) => println!("closed channel {channel}; {} came back", view.amount(&mint, amount)),
        None => println!(
            "channel {channel} closes at {}; then `joule channel close {channel}` brings the rest back",
            view.moment(ended.closes_at)
        ),
    }
    Ok(())
}

pub async fn reclaim(options: &Options, args: Reclaim) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let token = Token::of(options, &actor.chain).await?;
    let free = free(&actor, &token.mint).await?;
    let amount = args.amount.as_ref().map_or(Ok(free), |amount| token.units(amount))?;
    if amount == 0 || amount > free {
        return Err(Failure::Refused(format!("{} of the deposit is free", token.show(free))));
    }
    let (owner, payer) = (actor.key(), pda::payer(&actor.key(), &token.mint));
    let reclaim = billing::reclaim(owner, token.mint, token.account_of(&owner), token.program, amount);
    let done = format!("took {} back from deposit {payer}", token.show(amount));
    let more = token.label(json!({ "reclaimed": amount.to_string() }));
    actor.tell(options, &[reclaim], ("payer", &payer), &done, more).await
}
