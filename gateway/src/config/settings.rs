//! Where settings come from: flags over environment over the file.

use super::{Config, ConfigError};
use clap::{builder::FalseyValueParser, Args};
use joule_settings::{Amount, File, Token};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use url::Url;

/// The gateway's section of the file.
pub const SECTION: &str = "gateway";

/// What the gateway takes of that which all services share.
const SHARED: [&str; 4] = ["rpc", "key", "symbol", "json"];

/// Decimals that amounts are read with while nobody has asked the chain.
const ASSUMED_DECIMALS: u8 = 9;

/// What stands in the file can also be said so, as far as it is about where the gateway runs; what is sold, and on which terms, is
/// in the file alone.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// A joule.toml; joule.example.toml shows all settings [default: ./joule.toml, where there is one]
    #[arg(long, env = "JOULE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// URL of a Solana RPC node [default: http://127.0.0.1:8899]
    #[arg(long, env = "JOULE_RPC", value_name = "URL")]
    pub rpc: Option<String>,
    /// The provider's authority: a Solana key file
    #[arg(long, env = "JOULE_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// What people call the token, such as JOULE
    #[arg(long, env = "JOULE_SYMBOL", value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Log as JSON, one object a line
    #[arg(long, env = "JOULE_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    /// Where to listen
    #[arg(long, env = "JOULE_GATEWAY_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where clients reach the gateway
    #[arg(long, env = "JOULE_GATEWAY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// SQLite file with every voucher that is not settled
    #[arg(long, env = "JOULE_GATEWAY_LEDGER", value_name = "FILE")]
    pub ledger: Option<PathBuf>,
}

impl Settings {
    /// All of them, amounts as they were written; every value is checked that can be while nobody has asked the chain what the
    /// token is.
    pub fn read(&self) -> Result<Config<Amount>, ConfigError> {
        let file = File::find(self.config.as_deref())?.ok_or(ConfigError::NoFile)?;
        if !file.has(SECTION)? {
            return Err(ConfigError::NoFile);
        }
        let mut config: Config<Amount> = file.section(SECTION, &SHARED)?;
        let from_folder = |path: &mut PathBuf| *path = file.join(path);
        from_folder(&mut config.key);
        from_folder(&mut config.ledger);
        config.models.iter_mut().filter_map(|model| model.key_file.as_mut()).for_each(from_folder);
        self.over(&mut config);
        let symbol = config.symbol()?.unwrap_or_else(|| "tokens".into());
        config.clone().resolve(&Token::new(symbol, ASSUMED_DECIMALS))?;
        Ok(config)
    }

    fn over(&self, config: &mut Config<Amount>) {
        let Self { rpc, key, symbol, json, listen, public_url, ledger, config: _ } = self.clone();
        let path = |path: Option<PathBuf>, of: &Path| path.unwrap_or_else(|| of.to_owned());
        (config.key, config.ledger) = (path(key, &config.key), path(ledger, &config.ledger));
        config.rpc = rpc.unwrap_or_else(|| config.rpc.clone());
        config.symbol = symbol.or_else(|| config.symbol.take());
        config.json |= json;
        config.listen = listen.unwrap_or(config.listen);
        config.public_url = public_url.unwrap_or_else(|| config.public_url.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_over_the_section_and_the_section_over_what_is_shared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        std::fs::write(&path, joule_settings::EXAMPLE).unwrap();
        let settings = Settings { config: Some(path.clone()), ..Settings::default() };
        let config = settings.read().unwrap();
        assert_eq!((config.rpc.as_str(), config.symbol.as_deref()), ("http://127.0.0.1:8899", Some("JOULE")));
        assert_eq!(config.ledger, folder.path().join("gateway.sqlite"));
        let flags = Settings { rpc: Some("http://b".into()), ledger: Some("l".into()), json: true, ..settings };
        let config = flags.read().unwrap();
        assert_eq!((config.rpc.as_str(), config.ledger, config.json), ("http://b", "l".into(), true));
    }

    #[test]
    fn without_settings_it_is_said_where_they_would_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        std::fs::write(&path, "rpc = 'http://a'").unwrap();
        let settings = Settings { config: Some(path), ..Settings::default() };
        assert!(settings.read().unwrap_err().to_string().contains("[gateway]"));
    }
}
