//! From settings to a node that can work: what must be known before anything starts.

use crate::{
    chain::{Address, ChainError, ProviderClient},
    check::check,
    config::{Config, ConfigError, Settings},
    outage::Outages,
    tokens::Tokens,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use joule_settings::Token;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two questions to an RPC node that does not answer.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// The settings with amounts in base units, and who acts on them; `None` if told to stop before the chain has said what the
/// tokens are, which is waited for.
pub async fn ready(
    settings: Settings,
    outages: &Outages,
    stopping: &CancellationToken,
) -> Result<Option<(Config, ProviderClient)>, anyhow::Error> {
    // The shape is good whatever the token turns out to be.
    let shape = settings.check_shape()?;
    let report = tokio::select! {
        () = stopping.cancelled() => return Ok(None),
        report = check(settings.clone(), false) => report,
    };
    report.refusal()?;
    for finding in report.doubts() {
        tracing::warn!("{finding}");
    }
    let chain = ProviderClient::new(&shape.rpc, &shape.key)?;
    let symbol = settings.symbol()?;
    let tokens = async {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .without_max_times()
            .with_jitter()
            .build();
        let mut outage = outages.of("rpc", "the RPC node");
        loop {
            match chain.learn_tokens(&shape.policy.mints, symbol.as_deref()).await {
                Ok(tokens) => {
                    outage.over();
                    return Ok(tokens);
                }
                Err(error) if error.is_transient() => outage.began(&error),
                Err(error) => return Err(no_token(&shape.policy.mints, &error)),
            }
            tokio::time::sleep(pauses.next().unwrap_or(LONGEST)).await;
        }
    };
    let tokens = tokio::select! {
        () = stopping.cancelled() => return Ok(None),
        tokens = tokens => tokens?,
    };
    Ok(Some((in_units(settings, tokens)?, chain)))
}

/// The settings with amounts in base units, where they are in a token: there is one then.
pub fn in_units(settings: Settings, tokens: &Tokens) -> Result<Config, ConfigError> {
    settings.resolve(tokens.only().unwrap_or(&Token::new("units", 0)))
}

fn no_token(mints: &[Address], error: &ChainError) -> ConfigError {
    let all: Vec<_> = mints.iter().map(Address::to_string).collect();
    let value = match error {
        ChainError::NoAccount(missing) => missing.to_string(),
        _ => all.join(", "),
    };
    ConfigError::Bad { field: "mint", value, wanted: "a token on this cluster: check rpc and mint" }
}
