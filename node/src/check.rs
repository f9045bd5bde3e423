//! What a node would do with its settings, by what they name: the chain, the key, the registration, the bond, the store, the disk.

use crate::{
    config::{Config, Settings},
    start::in_units,
    tokens::Tokens,
};
use joule_artifacts::ArtifactStore;
use joule_sdk::{treasury::state::Service, Chain, SdkError, Signer as _};
use joule_settings::Report;

/// What is stored to see whether the store takes anything; stored twice is stored once.
const PROBE: &[u8] = b"joule-node check";

/// The shape alone, if `offline`.
pub async fn check(settings: Settings, offline: bool) -> Report {
    let (mut report, shape) = Report::of_form("node", settings.check_shape(), offline);
    let Some(shape) = shape else { return report };
    local(&mut report, &shape).await;
    let chain = Chain::new(&shape.rpc);
    if let Err(error) = on_chain(&mut report, settings, &shape, &chain).await {
        report.waits("rpc", error, "check rpc; the node waits until it answers");
    }
    indexer(&mut report, &shape).await;
    report
}

/// What is on this machine, and the store.
async fn local(report: &mut Report, config: &Config) {
    joule_checks::writable(report, "kept", &config.kept);
    joule_checks::writable(report, "votes", &config.votes);
    let store = match ArtifactStore::open(&config.artifacts) {
        Ok(store) => store,
        Err(error) => {
            return report.wrong("artifacts", error, "give a folder, s3://bucket/prefix or http(s)://service")
        }
    };
    let probed = async {
        let hash = store.put(PROBE).await?;
        store.get(hash, PROBE.len() as u64).await
    };
    match probed.await {
        Ok(_) => report.good("artifacts", format_args!("{} can be read and written", config.artifacts)),
        Err(error) => report.waits("artifacts", error, "results cannot be stored there: see that this user may"),
    }
}

/// Errors are the RPC node's.
async fn on_chain(report: &mut Report, settings: Settings, shape: &Config, chain: &Chain) -> Result<(), SdkError> {
    let key = joule_checks::key(report, &shape.key);
    joule_checks::cluster(report, &shape.rpc, chain).await?;
    let symbol = settings.symbol().ok().flatten();
    let tokens = match Tokens::read(chain, &shape.policy.mints, symbol.as_deref()).await {
        Ok(tokens) => tokens,
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            report.wrong("mint", error, "name a token of this cluster by --mint or `mint`");
            return Ok(());
        }
    };
    match in_units(settings, &tokens) {
        Ok(config) => report.good("prices", prices(&config, &tokens)),
        Err(error) => report.wrong("settings", error, ""),
    }
    let Some(key) = key else { return Ok(()) };
    let me = key.pubkey();
    joule_checks::fees(report, chain, &me).await?;
    joule_checks::registered(report, chain, &me).await?;
    for mint in &shape.policy.mints {
        if let Some(token) = tokens.get(mint) {
            joule_checks::bond(report, chain, (&me, mint), token, Service::Escrow).await?;
        }
    }
    Ok(())
}

/// What it asks, for people.
fn prices(config: &Config, tokens: &Tokens) -> String {
    let policy = &config.policy;
    let one = |mint| {
        let show = |units| tokens.show(mint, units);
        let fuel =
            policy.price_per_gigafuel.map_or("the whole budget".into(), |p| format!("{} for 10^9 fuel", show(p)));
        let second = policy.price_per_second.map_or(String::new(), |p| format!(", {} a second", show(p)));
        format!("asks {fuel}{second}, and at least {}", show(policy.min_price))
    };
    let all: Vec<_> = policy.mints.iter().map(one).collect();
    let lead = if config.provide { "takes jobs: " } else { "takes no jobs; would have them: " };
    format!("{lead}{}", all.join("; "))
}

async fn indexer(report: &mut Report, config: &Config) {
    let advice = "start it; without it no new jobs are seen, and everything else goes on";
    match joule_api::Client::new(config.indexer.clone()).health().await {
        Ok(health) if health.ok => report.good("indexer", format_args!("{} follows the chain", config.indexer)),
        Ok(health) => {
            let reason = health.reason.unwrap_or(health.phase);
            report.warning("indexer", format_args!("{} is behind: {reason}", config.indexer), "");
        }
        Err(error) => report.warning("indexer", error, advice),
    }
}
