//! `joule pay`: buys answers from a model, one paid request after the other or many at once.

mod request;
mod run;
mod shop;

use super::channel::{end, Own, Terms};
use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    output,
    token::Token,
};
use joule_client::{Buyer, Limits, Wallet};
use joule_sdk::{units::Amount as Units, Pubkey};
use joule_settings::Amount;
use joule_x402::Requirements;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// How long a model may take to say that it takes a request, in seconds, whatever its answers take; and the way there and back.
const LONGEST_PROBE: u64 = 60;
const WAY: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub struct Args {
    /// Where the model is sold: a server's address, or one endpoint of it
    url: Url,
    /// The model's address
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    model: Pubkey,
    /// The most that is spent, in tokens
    #[arg(long, value_name = "AMOUNT")]
    budget: Amount,
    /// Pay through a channel that is open [default: a new one, which reserves the budget]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    channel: Option<Pubkey>,
    #[command(flatten)]
    what: request::What,
    /// How many requests are sent
    #[arg(long, default_value_t = 1, value_name = "N")]
    requests: u64,
    /// How many of them at once; no more than the provider trusts a channel with
    #[arg(long, default_value_t = 1, value_name = "N")]
    concurrency: u64,
    /// The most that one request may cost, in tokens [default: the budget]
    #[arg(long, value_name = "AMOUNT")]
    max_per_request: Option<Amount>,
    #[command(flatten)]
    terms: Terms,
    /// Leave the channel open
    #[arg(long)]
    keep: bool,
    /// Do not ask before spending
    #[arg(long, short)]
    yes: bool,
}

pub async fn run(options: &Options, args: Args) -> Result<(), Failure> {
    let model = args.model;
    let endpoint = shop::endpoint(&args.url)?;
    let asked = args.what.read()?;
    let actor = Actor::of(options)?;
    let http = shop::http()?;
    let bodies = asked.bodies(&shop::name(&http, &endpoint, &model).await?);
    let first = bodies.of(0);
    let offer = shop::Offer::ask(&actor.chain, &http, &endpoint, &model, &first).await?;
    // A channel that is open has a token that was agreed to.
    offer.insist(options.mint, options.mint().ok(), args.yes && args.channel.is_none())?;
    let token = Token::at(options, &actor.chain, offer.mint).await?;
    let budget = token.units(&args.budget)?;
    let ceiling = args.max_per_request.as_ref().map_or(Ok(budget), |amount| token.units(amount))?;
    if offer.terms.amount.get() > ceiling {
        let (may, ceiling) = (token.show(offer.terms.amount.get()), token.show(ceiling));
        return Err(Failure::Refused(format!(
            "one request may cost up to {may}; at most {ceiling} is to be paid for it"
        )));
    }
    let channel = match &args.channel {
        Some(channel) => *channel,
        None => {
            probe(options, &http, &endpoint, &offer.terms, &first).await?;
            let channel = args.terms.open(options, &actor, &token, &offer.wanted(model, budget), args.yes).await?;
            if !options.json {
                eprintln!("opened channel {channel} in token {}", token.mint);
            }
            channel
        }
    };
    let own = Own::find(options, &actor.chain, channel).await?;
    offer.fits(&own)?;
    let spent_before = own.journal()?.read().map_err(joule_client::WalletError::from)?.voucher;
    let spent_before = spent_before.map_or(0, |voucher| voucher.cumulative.get().get());
    let limits = Limits {
        budget: Units::new(spent_before.saturating_add(budget)),
        window: offer.terms.extra.window,
        margin: offer.terms.extra.settle_margin,
    };
    let wallet = Arc::new(own.wallet(limits)?);
    let buyer = Buyer::new(http, endpoint, wallet.clone(), (&offer.terms, &first), Units::new(ceiling));
    let buyer = buyer.with_news(news(options.json));
    if wallet.gaps() > 0 {
        let before = wallet.receipts();
        buyer.recover().await?;
        if wallet.receipts() > before {
            eprintln!(
                "{} answers of earlier runs were served and never came: their receipts are paid",
                wallet.receipts() - before
            );
        }
        tell_of_gaps(&wallet, offer.terms.extra.window);
    }
    let interrupted = run::interrupted();
    let job = run::Job { buyer: &buyer, bodies: &bodies, requests: args.requests, concurrency: args.concurrency };
    let bought = job.run(options, &token, interrupted).await;
    // What was answered is paid, however it ended.
    let paid = buyer.pay().await;
    let missed = wallet.missed();
    drop(buyer);
    drop(wallet);
    let ended = match args.keep || bought.is_cut_short() {
        true => None,
        false => {
            let bar = output::spinner("closing the channel");
            let ended = end(&actor, channel).await?;
            bar.finish_and_clear();
            Some(ended)
        }
    };
    bought.report(options, &token, &channel, missed, ended.as_ref())?;
    let undelivered = bought.undelivered();
    match bought.stopped.or(undelivered) {
        Some(failure) => Err(run::in_tokens(failure, &token)),
        None => Ok(paid?),
    }
}

/// Whether the first request would be served, before anything is reserved for it.
async fn probe(
    options: &Options,
    http: &reqwest::Client,
    endpoint: &Url,
    terms: &Requirements,
    first: &[u8],
) -> Result<(), Failure> {
    let bar = output::spinner("asking whether the model takes this request");
    let patience = WAY + Duration::from_secs(terms.max_timeout_seconds.min(LONGEST_PROBE));
    let is_known = Buyer::probe(http, endpoint, first.to_vec().into(), patience).await?;
    bar.finish_and_clear();
    if !is_known && !options.json {
        eprintln!("the provider does not say beforehand whether its model takes this request");
    }
    Ok(())
}

/// Says why requests are sent again, each reason once until another comes.
fn news(quiet: bool) -> impl Fn(&str) + Send + Sync {
    let last = Mutex::new(String::new());
    move |line| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if !quiet && *last != line {
            eprintln!("{line}; trying again");
            line.clone_into(&mut last);
        }
    }
}

/// What an earlier run was killed in the middle of may still be served: nobody can say that it was not before its orders expire.
fn tell_of_gaps(wallet: &Wallet, window: u64) {
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs().cast_signed());
    let Some(left) = wallet.gaps_until().map(|until| until.get().saturating_sub(now).max(0)) else { return };
    eprintln!(
        "{} orders of an earlier run have no receipt yet and may still be served in the next {left} seconds; until then they count \
         against the {window} that the provider lets be unpaid",
        wallet.gaps()
    );
}
