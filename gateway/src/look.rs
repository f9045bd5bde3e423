//! What a gateway would do with its settings, by what they name: the chain, the key, models and price lists, the upstreams, the
//! disk.

use crate::{
    alive::{self, Listed},
    chain::OnChain,
    config::{Config, ConfigError, Model, Settings},
};
use joule_sdk::{registry::state::Model as OfRegistry, treasury::state::Service, Pubkey, SdkError, Signer as _};
use joule_settings::{Amount, Causes, Report, Token};
use std::path::Path;

/// The shape alone, if `offline`.
pub async fn check(settings: &Settings, offline: bool) -> Report {
    let (mut report, written) = Report::of_form("gateway", settings.read(), offline);
    if let Some(written) = written {
        look(&mut report, &written).await;
    }
    report
}

/// Everything that settings of a good shape name.
pub async fn look(report: &mut Report, written: &Config<Amount>) {
    joule_checks::writable(report, "ledger", written.ledger.parent().unwrap_or(Path::new("")));
    let key = joule_checks::key(report, &written.key).map(|key| key.pubkey());
    let chain = OnChain::new(&written.rpc);
    if let Err(error) = on_chain(report, written, &chain, key).await {
        report.failed("rpc", error, "check rpc: nothing can be sold without the chain");
    }
    for model in &written.models {
        upstream(report, written, model).await;
    }
}

/// Errors are the RPC node's.
async fn on_chain(
    report: &mut Report,
    written: &Config<Amount>,
    chain: &OnChain,
    key: Option<Pubkey>,
) -> Result<(), SdkError> {
    joule_checks::cluster(report, &written.rpc, &chain.0).await?;
    let mut mints = Vec::new();
    for model in &written.models {
        mints.extend(listed(report, chain, model).await?);
    }
    mints.sort_unstable();
    mints.dedup();
    if mints.is_empty() {
        return Ok(());
    }
    let config = match chain.in_units(written.clone()).await {
        Ok(config) => {
            report.good("risk", terms(&config));
            Some(config)
        }
        Err(error) if error.is::<ConfigError>() => {
            report.wrong("settings", error, "");
            None
        }
        Err(error) => {
            report.failed("mint", Causes(error.as_ref()), "");
            None
        }
    };
    let Some(key) = key else { return Ok(()) };
    joule_checks::fees(report, &chain.0, &key).await?;
    registered(report, chain, &key).await?;
    let backs = config.is_some_and(|config| config.risk.max_backing_bps > 0);
    for mint in mints.iter().filter(|_| backs) {
        let decimals = chain.0.mint(mint).await?.0;
        let token = Token::new(written.symbol().ok().flatten().unwrap_or_else(|| "tokens".into()), decimals);
        let mut of_bond = Report::new("gateway");
        joule_checks::bond(&mut of_bond, &chain.0, (&key, mint), &token, Service::Billing).await?;
        // Channels that want no backing are served all the same.
        for finding in of_bond.findings {
            match finding.advice.is_empty() {
                true => report.good("bond", finding.found),
                false => report.warning("bond", finding.found, finding.advice),
            }
        }
    }
    Ok(())
}

/// Whoever is not registered sells nothing.
async fn registered(report: &mut Report, chain: &OnChain, authority: &Pubkey) -> Result<(), SdkError> {
    match chain.0.provider(authority).await? {
        None => report.failed(
            "provider",
            format_args!("{authority} is not registered"),
            "`joule provider register`, with this key",
        ),
        Some(provider) if !provider.is_active() => report.warning(
            "provider",
            "it is paused: nobody can open a channel to it",
            "`joule provider status --set active` opens it again",
        ),
        Some(_) => report.good("provider", format_args!("{authority} is registered and active")),
    }
    Ok(())
}

/// What the registry says of a model and its price lists; the tokens they are in.
async fn listed(report: &mut Report, chain: &OnChain, model: &Model) -> Result<Vec<Pubkey>, SdkError> {
    let of = format!("model {:?}", model.name);
    let advice = "name those that `joule model create` and `joule model publish` printed, on this cluster";
    match chain.0.find::<OfRegistry>(&model.model).await {
        Ok(Some(found)) if found.status != 1 => {
            report.warning(&of, format_args!("{} is retired: it takes no new channels", model.model), "");
        }
        Ok(Some(_)) => {}
        Ok(None) => report.wrong(&of, format_args!("there is no model {} on this cluster", model.model), advice),
        Err(SdkError::NotThisAccount) => report.wrong(&of, format_args!("{} is no model", model.model), advice),
        Err(error) => return Err(error),
    }
    let mut mints = Vec::new();
    for address in &model.prices {
        match chain.price_list(address).await {
            Ok(None) => report.wrong(&of, format_args!("there is no price list {address} on this cluster"), advice),
            Ok(Some(list)) if list.model != model.model => {
                let found = format!("price list {address} is for model {}, not for {}", list.model, model.model);
                report.wrong(&of, found, advice);
            }
            Ok(Some(list)) => {
                report.good(&of, format_args!("sold by price list {address}, in {}", list.mint));
                mints.push(list.mint);
            }
            Err(SdkError::NotThisAccount) => report.wrong(&of, format_args!("{address} is no price list"), advice),
            Err(error) => return Err(error),
        }
    }
    Ok(mints)
}

fn terms(config: &Config) -> String {
    format!(
        "one owner may owe {}, one channel {} that is not settled; {} are settled at once",
        config.show(config.risk.unpaid),
        config.show(config.risk.unsettled),
        config.show(config.settle.amount)
    )
}

/// Whether it answers, and has what is sold; it may come later.
async fn upstream(report: &mut Report, written: &Config<Amount>, model: &Model) {
    let of = format!("upstream of {:?}", model.name);
    let at = &model.upstream;
    let call = match alive::client(&written.timeouts).and_then(|client| Ok((client, alive::bearer(model)?))) {
        Ok((client, bearer)) => alive::list(&client, model, bearer.as_deref()).await,
        Err(error) => return report.wrong(&of, Causes(error.as_ref()), "check key_file"),
    };
    let wanted = model.upstream_name();
    match call {
        Ok(Listed::Models(names)) if names.iter().any(|name| name == wanted) => {
            report.good(&of, format_args!("{at} has {wanted:?}"));
        }
        Ok(Listed::Models(names)) => report.warning(
            &of,
            format_args!("{at} has {}, and no {wanted:?}", names.join(", ")),
            "name what it has by upstream_name",
        ),
        Ok(Listed::Unlisted(status)) => {
            report.good(&of, format_args!("{at} answers, without a list of models ({status})"))
        }
        Err(error) => report.warning(&of, format_args!("{at}: {error}"), "start it; until then requests are refused"),
    }
}
