//! From what is written to what makes sense: defaults filled in, every value checked, amounts in base units.

use super::{Config, ConfigError, Listen, Settings, ARTIFACTS};
use crate::{
    chain::{Address, Verification},
    court::Duty,
    executor::Bounds,
    policy::{mode_name, Policy},
};
use joule_settings::{Amount, Size, Span, Token};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Where metrics are if nobody says.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7720);

/// What a job must pay if nobody says, in tokens; less is not worth the fees of three transactions.
const MIN_PRICE: &str = "0.01";

/// What must be at stake in a dispute if nobody says, in tokens; jurors share a fifth of it.
const MIN_DEPOSIT: &str = "0.1";

/// Decimals that amounts are read with while nobody has asked the chain.
const ASSUMED_DECIMALS: u8 = 9;

impl Settings {
    /// Every value that can be checked while nobody has asked the chain what a token is; the amounts are not right.
    pub fn check_shape(&self) -> Result<Config, ConfigError> {
        let symbol = self.symbol()?.unwrap_or_else(|| "tokens".into());
        self.clone().resolve(&Token::new(symbol, ASSUMED_DECIMALS))
    }

    /// Fills in the defaults and checks every value. `token` is what amounts are in.
    pub fn resolve(self, token: &Token) -> Result<Config, ConfigError> {
        let web = |field, given: Option<String>, default: &str| {
            let value = given.unwrap_or_else(|| default.to_owned());
            match url::Url::parse(&value) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(value),
                _ => Err(ConfigError::Bad { field, value, wanted: "an http(s) address" }),
            }
        };
        let positive = |field, given: Option<u64>, default: u64| match given.unwrap_or(default) {
            0 => Err(ConfigError::Bad { field, value: "0".into(), wanted: "above zero" }),
            value => Ok(value),
        };
        let size = |field, given: Option<Size>, default: u64| positive(field, given.map(|size| size.0), default);
        let time = |field, given: Option<Span>, default: u64| match given.map_or(Duration::from_secs(default), |t| t.0)
        {
            Duration::ZERO => Err(ConfigError::Bad { field, value: "0s".into(), wanted: "above zero" }),
            time => Ok(time),
        };
        let window = |field, given: Option<Span>, default: u32| match given {
            None => Ok(default),
            Some(span) => span.seconds().map_err(|source| ConfigError::Span { field, source }),
        };
        if self.mint.is_empty() {
            return Err(ConfigError::Missing { field: "mint", flag: "mint" });
        }
        if self.mint.len() > 1 {
            if let Some((field, amount)) = self.amounts().find(|(_, amount)| amount.wants_decimals()) {
                return Err(ConfigError::Tokens { field, amount: amount.to_string() });
            }
        }
        let units = |field, amount: &Option<Amount>| match amount {
            None => Ok(None),
            Some(amount) => token.units(amount).map(Some).map_err(|source| ConfigError::Amount { field, source }),
        };
        let some = |field, amount: &Option<Amount>| match units(field, amount)? {
            None => Ok(None),
            given => positive(field, given, 1).map(Some),
        };
        // With several tokens nobody knows how many units make one.
        let worth = |tokens: &str, several| match self.mint.len() {
            1 => token.units(&Amount::tokens(tokens)).unwrap_or(1).max(1),
            _ => several,
        };
        let addresses = |field, given: &[String]| {
            let address = |text: &String| {
                let bad = |_| ConfigError::Bad { field, value: text.clone(), wanted: "a base58 address" };
                text.parse::<Address>().map_err(bad)
            };
            given.iter().map(address).collect::<Result<Vec<_>, _>>()
        };
        let (verify, vote) = (self.verify.unwrap_or(false), self.vote.unwrap_or(false));
        let max_deposit = match units("max_deposit", &self.max_deposit)? {
            None if verify || vote => return Err(ConfigError::Missing { field: "max_deposit", flag: "max-deposit" }),
            most => most.unwrap_or(0),
        };
        let min_deposit = match (units("min_deposit", &self.min_deposit)?, &self.min_deposit, &self.max_deposit) {
            // What is in tokens is known when the chain has been asked.
            (Some(least), Some(amount), Some(most))
                if least > max_deposit && amount.wants_decimals() == most.wants_decimals() =>
            {
                let value = amount.to_string();
                return Err(ConfigError::Bad { field: "min_deposit", value, wanted: "at most max_deposit" });
            }
            (least, ..) => {
                let least = least.unwrap_or_else(|| worth(MIN_DEPOSIT, 100_000));
                if verify || vote {
                    least.min(max_deposit)
                } else {
                    least
                }
            }
        };
        let trusted_requirements = addresses("trusted_requirements", &self.trusted_requirements)?;
        let max_appeal = match units("max_appeal", &self.max_appeal)? {
            None if self.appeal == Some(true) => {
                return Err(ConfigError::Missing { field: "max_appeal", flag: "max-appeal" });
            }
            most => most.filter(|_| self.appeal == Some(true)),
        };
        let panel_stake = some("panel_stake", &self.panel_stake)?;
        let mints = addresses("mint", &self.mint)?;
        let timeout = time("max_timeout", self.max_timeout, 600)?.as_millis();
        let bounds = Bounds {
            max_fuel: positive("max_fuel", self.max_fuel, 1_000_000_000_000)?,
            max_memory_bytes: size("max_memory", self.max_memory, 1 << 30)?,
            max_timeout_ms: u64::try_from(timeout).unwrap_or(u64::MAX).max(1),
            max_module_bytes: size("max_module", self.max_module, 16 << 20)?,
            max_input_bytes: size("max_input", self.max_input, 256 << 20)?,
            max_compile: time("max_compile", self.max_compile, 15)?,
        };
        let max_kept = size("max_kept", self.max_kept, 8 << 30)?;
        if max_kept < bounds.largest_job() {
            return Err(ConfigError::Bad {
                field: "max_kept",
                value: Size(max_kept).to_string(),
                wanted: "room for a module and an input of the sizes that are taken",
            });
        }
        let policy = Policy {
            mints: mints.clone(),
            min_price: some("min_price", &self.min_price)?.unwrap_or_else(|| worth(MIN_PRICE, 10_000)),
            price_per_gigafuel: units("price_per_gigafuel", &self.price_per_gigafuel)?,
            price_per_second: some("price_per_second", &self.price_per_second)?,
            modes: modes(&self.mode)?,
            min_vote_window: window("min_vote_window", self.min_vote_window, 3_600)?,
            min_quorum: self.min_quorum.unwrap_or(3),
            min_panel: self.min_panel.unwrap_or(3),
            trusted_requirements: trusted_requirements.clone(),
            max_bond_bps: self.max_bond_bps.unwrap_or(20_000),
            max_bid_window: window("max_bid_window", self.max_bid_window, 3_600)?,
            max_accept_window: window("max_accept_window", self.max_accept_window, 86_400)?,
            max_review_window: window("max_review_window", self.max_review_window, 30 * 86_400)?,
        };
        let key = self.key.ok_or(ConfigError::Missing { field: "key", flag: "key" })?;
        Ok(Config {
            votes: self.votes.unwrap_or_else(|| key.with_extension("votes")),
            kept: self.kept.unwrap_or_else(|| key.with_extension("kept")),
            max_kept,
            provide: self.provide.unwrap_or(true),
            duty: Duty { mints, verify, vote, min_deposit, max_deposit, panel_stake, max_appeal, trusted_requirements },
            report_every: time("report_every", self.report_every, 10)?,
            rpc: web("rpc", self.rpc, "http://127.0.0.1:8899")?,
            indexer: web("indexer", self.indexer, "http://127.0.0.1:7700")?,
            artifacts: self.artifacts.unwrap_or_else(|| ARTIFACTS.into()),
            key,
            policy,
            max_jobs: positive("max_jobs", self.max_jobs.map(|n| n as u64), 2)?.min(1024) as usize,
            max_bids: self.max_bids.unwrap_or(2).min(1024),
            bounds,
            listen: self.listen.unwrap_or(Listen::At(LISTEN)),
            poll: time("poll", self.poll, 2)?,
        })
    }
}
/// All of them where none is named.
fn modes(named: &[String]) -> Result<Vec<Verification>, ConfigError> {
    const ALL: [Verification; 3] = [Verification::Review, Verification::Quorum, Verification::Panel];
    if named.is_empty() {
        return Ok(ALL.to_vec());
    }
    let mode = |name: &String| {
        let bad = ConfigError::Bad { field: "mode", value: name.clone(), wanted: "review, quorum or panel" };
        ALL.into_iter().find(|mode| mode_name(*mode) == name).ok_or(bad)
    };
    named.iter().map(mode).collect()
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SECTION;
    use joule_settings::File;

    const MINT: &str = "So11111111111111111111111111111111111111112";

    fn minimal() -> Settings {
        Settings { key: Some("key.json".into()), mint: vec![MINT.into()], ..Settings::default() }
    }

    fn amount(text: &str) -> Option<Amount> {
        Some(text.parse().unwrap())
    }

    fn resolve(settings: Settings) -> Result<Config, ConfigError> {
        settings.resolve(&Token::new("JOULE", 6))
    }

    #[test]
    fn a_key_and_a_mint_are_enough() {
        let config = resolve(minimal()).unwrap();
        assert_eq!(config.rpc, "http://127.0.0.1:8899");
        assert_eq!(config.policy.mints[0].to_string(), MINT);
        assert_eq!((config.max_jobs, config.poll), (2, Duration::from_secs(2)));
        assert_eq!((config.policy.modes.len(), config.policy.min_vote_window, config.policy.min_quorum), (3, 3_600, 3));
        assert_eq!((config.duty.verify, config.duty.vote, config.votes), (false, false, "key.votes".into()));
        assert_eq!((config.bounds.max_timeout_ms, config.policy.min_price), (600_000, 10_000));
    }

    #[test]
    fn dust_and_small_panels_and_chosen_jurors_are_refused_unless_the_settings_say_otherwise() {
        let Config { policy, duty, .. } = resolve(minimal()).unwrap();
        assert_eq!((policy.min_price, policy.min_panel, duty.min_deposit), (10_000, 3, 100_000));
        assert!(policy.trusted_requirements.is_empty() && duty.trusted_requirements.is_empty());
        let told = Settings {
            min_price: amount("1 unit"),
            min_panel: Some(1),
            min_deposit: amount("1 unit"),
            trusted_requirements: vec![MINT.into()],
            ..minimal()
        };
        let Config { policy, duty, .. } = resolve(told).unwrap();
        assert_eq!((policy.min_price, policy.min_panel, duty.min_deposit), (1, 1, 1));
        let trusted: Address = MINT.parse().unwrap();
        assert_eq!((policy.trusted_requirements, duty.trusted_requirements), (vec![trusted], vec![trusted]));
        let frugal = Settings { vote: Some(true), max_deposit: amount("50 units"), ..minimal() };
        assert_eq!(resolve(frugal).unwrap().duty.min_deposit, 50, "as much as it risks at all");
    }

    #[test]
    fn flags_come_before_the_file() {
        let file = Settings { min_price: amount("5 units"), max_jobs: Some(7), ..minimal() };
        let flags = Settings { min_price: amount("2.5"), ..Settings::default() };
        let config = resolve(flags.or(file)).unwrap();
        assert_eq!((config.policy.min_price, config.max_jobs), (2_500_000, 7));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let message = |settings: Settings| resolve(settings).unwrap_err().to_string();
        assert!(message(Settings { key: None, ..minimal() }).contains("--key"));
        assert!(message(Settings { mint: Vec::new(), ..minimal() }).contains("--mint"));
        assert!(message(Settings { mint: vec!["joule".into()], ..minimal() }).contains("\"joule\""));
        assert!(message(Settings { rpc: Some("localhost:8899".into()), ..minimal() }).contains("rpc"));
        assert!(message(Settings { max_jobs: Some(0), ..minimal() }).contains("max_jobs"));
        assert!(message(Settings { mode: vec!["trust".into()], ..minimal() }).contains("\"trust\""));
        assert!(message(Settings { vote: Some(true), ..minimal() }).contains("--max-deposit"));
        let (min_deposit, max_deposit) = (amount("6"), amount("5"));
        let upside_down = Settings { vote: Some(true), min_deposit, max_deposit, ..minimal() };
        assert!(message(upside_down).contains("min_deposit"));
        let friend = Settings { trusted_requirements: vec!["friends".into()], ..minimal() };
        assert!(message(friend).contains("trusted_requirements \"friends\""));
        assert!(message(Settings { appeal: Some(true), ..minimal() }).contains("--max-appeal"));
        assert!(message(Settings { panel_stake: amount("0"), ..minimal() }).contains("panel_stake"));
        assert!(message(Settings { max_kept: Some(Size(256 << 20)), ..minimal() }).contains("room for a module"));
        assert!(message(Settings { min_price: amount("1 USDC"), ..minimal() }).contains("the token is JOULE"));
        let vote_window = Some("1500ms".parse().unwrap());
        assert!(message(Settings { min_vote_window: vote_window, ..minimal() }).contains("whole seconds"));
    }

    #[test]
    fn amounts_are_of_one_token_or_in_base_units() {
        let two = Settings { mint: vec![MINT.into(), MINT.into()], ..minimal() };
        let error = resolve(Settings { min_price: amount("1 JOULE"), ..two.clone() }).unwrap_err().to_string();
        assert!(error.contains("with several tokens"), "{error}");
        assert_eq!(resolve(Settings { min_price: amount("7 units"), ..two }).unwrap().policy.min_price, 7);
        let mixed = Settings { min_price: amount("1 JOULE"), max_deposit: amount("1 USDC"), ..minimal() };
        assert!(mixed.check_shape().unwrap_err().to_string().contains("max_deposit: \"1 USDC\": the token is JOULE"));
        let named = Settings { symbol: Some("USDC".into()), min_price: amount("1 JOULE"), ..minimal() };
        assert!(named.symbol().unwrap_err().to_string().contains("the token is USDC"));
    }

    #[test]
    fn a_limit_alone_appeals_nothing() {
        let limited = Settings { max_appeal: amount("5 units"), panel_stake: amount("7 units"), ..minimal() };
        let duty = resolve(limited.clone()).unwrap().duty;
        assert_eq!((duty.max_appeal, duty.panel_stake, duty.vote), (None, Some(7), false));
        let told = Settings { appeal: Some(true), ..limited };
        assert_eq!(resolve(told).unwrap().duty.max_appeal, Some(5));
    }

    #[test]
    fn the_examples_comments_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            resolve(Settings::read(&File::read(&path).unwrap()).unwrap()).unwrap()
        };
        let optional = ["price_per_gigafuel", "price_per_second", "max_deposit", "panel_stake", "max_appeal"];
        let with = read(&joule_settings::uncommented(SECTION, &optional));
        assert_eq!(format!("{with:?}"), format!("{:?}", read(joule_settings::EXAMPLE)));
        assert_eq!(read(&joule_settings::uncommented(SECTION, &[])).duty.max_deposit, 5_000_000);
    }

    #[test]
    fn a_file_is_read_strictly_and_its_paths_start_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Settings::read(&File::read(&path).unwrap())
        };
        let text = format!("key = \"k.json\"\nmint = \"{MINT}\"\n[node]\nartifacts = \"store\"\nmode = [\"review\"]\n");
        let config = resolve(read(&text).unwrap()).unwrap();
        assert_eq!(config.key, folder.path().join("k.json"));
        assert_eq!(config.artifacts, folder.path().join("store").display().to_string());
        assert_eq!(config.policy.modes, [Verification::Review]);
        let error = read("[node]\nmin_prize = 3\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("did you mean \"min_price\"?"), "{error}");
        assert!(read("[node]\nmin_price = 3\n").unwrap_err().to_string().contains("say what it is of"));
        assert!(read("[node]\npoll = 3\n").unwrap_err().to_string().contains("says no unit"));
    }
}
