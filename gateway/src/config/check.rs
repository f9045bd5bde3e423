//! Which settings make sense.

use super::{Config, ConfigError, MOST_VOUCHERS};
use joule_cors::Cors;
use joule_settings::{Size, Span};
use std::{collections::HashSet, time::Duration};

/// Micro-lamports.
const MAX_UNIT_PRICE: u64 = 5_000_000;

impl Config {
    /// Every rule that types cannot hold.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bad = |field: &str, value: &dyn std::fmt::Display, wanted| {
            Err(ConfigError::Bad { field: field.to_owned(), value: value.to_string(), wanted })
        };
        let units = |amount: u64| format!("{amount} units");
        let seconds = |seconds: i64| Span(Duration::from_secs(seconds.unsigned_abs()));
        if self.key.as_os_str().is_empty() {
            return bad("key", &"missing", "give --key, or key in joule.toml");
        }
        if self.models.is_empty() {
            return bad("model", &"missing", "name what is sold in at least one [[model]]");
        }
        let mut names = HashSet::new();
        for model in &self.models {
            let of = |field: &str| format!("model {:?}: {field}", model.name);
            if model.name.is_empty() || !names.insert(&model.name) {
                return bad("model name", &format!("{:?}", model.name), "give every model a name of its own");
            }
            if model.prices.is_empty() {
                return bad(&of("prices"), &"empty", "name the price list that `joule model publish` printed");
            }
            if !matches!(model.upstream.scheme(), "http" | "https") {
                return bad(
                    &of("upstream"),
                    &model.upstream,
                    "use an http:// or https:// URL, such as http://127.0.0.1:8000/v1",
                );
            }
            for (field, value) in [
                ("max_output_tokens", model.max_output_tokens),
                ("max_images", model.max_images),
                ("bytes_per_token", model.bytes_per_token),
            ] {
                if value == 0 {
                    return bad(&of(field), &value, "must be at least 1");
                }
            }
        }
        let at_least_one = [
            ("limits.connections", self.limits.connections as u64),
            ("limits.concurrent", self.limits.concurrent as u64),
            ("limits.body", self.limits.body as u64),
            ("limits.answer", self.limits.answer as u64),
            ("limits.requests_per_second", self.limits.requests_per_second.into()),
            ("limits.burst", self.limits.burst.into()),
            ("limits.lookups_per_second", self.limits.lookups_per_second.into()),
            ("risk.window", self.risk.window as u64),
            ("risk.unpaid", self.risk.unpaid),
            ("exact.top_up", self.exact.top_up),
            ("exact.failed_per_hour", self.exact.failed_per_hour.into()),
        ];
        for (field, value) in at_least_one {
            if value == 0 {
                return bad(field, &value, "must be at least 1");
            }
        }
        for (field, time) in [
            ("timeouts.request", self.timeouts.request),
            ("timeouts.connect", self.timeouts.connect),
            ("timeouts.first_byte", self.timeouts.first_byte),
            ("timeouts.idle", self.timeouts.idle),
            ("timeouts.total", self.timeouts.total),
            ("risk.refresh", self.risk.refresh),
            ("settle.every", self.settle.every),
            ("exact.confirm", self.exact.confirm),
        ] {
            if time.is_zero() {
                return bad(field, &"0s", "must be above zero");
            }
        }
        if let Err(error) = Cors::new(&self.cors_origins, &[]) {
            return bad("cors_origins", &error, "name web pages so");
        }
        let size = |bytes: usize| Size(bytes as u64);
        if let Some(percent) = self.limits.address_share.filter(|percent| !(1..=100).contains(percent)) {
            return bad("limits.address_share", &percent, "must be 1 to 100 percent");
        }
        if self.limits.header < 8_192 {
            return bad("limits.header", &size(self.limits.header), "payments alone take 1,500 bytes: at least 8 KiB");
        }
        if self.limits.unpaid_bodies < self.limits.body {
            return bad("limits.unpaid_bodies", &size(self.limits.unpaid_bodies), "must be at least limits.body");
        }
        if self.risk.unsettled < self.risk.unpaid {
            return bad("risk.unsettled", &units(self.risk.unsettled), "must be at least risk.unpaid");
        }
        if self.settle.amount > self.risk.unsettled {
            return bad(
                "settle.amount",
                &units(self.settle.amount),
                "must be at most risk.unsettled, or channels stop before they settle",
            );
        }
        if self.settle.fee > self.settle.amount {
            return bad(
                "settle.fee",
                &units(self.settle.fee),
                "must be at most settle.amount, which is worth a transaction",
            );
        }
        if self.risk.voucher_life < self.risk.settle_margin {
            return bad("risk.voucher_life", &seconds(self.risk.voucher_life), "must be at least risk.settle_margin");
        }
        if self.risk.order_life <= 0 {
            return bad("risk.order_life", &seconds(self.risk.order_life), "must be at least 1s");
        }
        if self.risk.settle_margin <= 0 || self.risk.settle_margin >= i64::from(self.risk.min_grace) {
            return bad(
                "risk.settle_margin",
                &seconds(self.risk.settle_margin),
                "must be positive and less than risk.min_grace",
            );
        }
        if self.exact.max_unit_price > MAX_UNIT_PRICE {
            return bad(
                "exact.max_unit_price",
                &self.exact.max_unit_price,
                "x402 allows at most 5 lamports, 5000000 micro-lamports",
            );
        }
        if !(1..=MOST_VOUCHERS).contains(&self.settle.per_transaction) {
            return bad(
                "settle.per_transaction",
                &self.settle.per_transaction,
                "1 to 15 vouchers fit into a transaction",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Risk, SECTION};
    use joule_settings::{uncommented, Amount, Token, EXAMPLE};

    fn section(text: &str) -> toml::Table {
        let mut file: toml::Table = toml::from_str(text).unwrap();
        let Some(toml::Value::Table(mut section)) = file.remove(SECTION) else { panic!("there is no section") };
        section.insert("key".into(), file["key"].clone());
        section
    }

    fn resolved(section: toml::Table) -> Result<Config, String> {
        let config: Config<Amount> = section.try_into().map_err(|error: toml::de::Error| error.to_string())?;
        config.resolve(&Token::new("JOULE", 6)).map_err(|error| error.to_string())
    }

    fn with(change: &str) -> Result<Config, String> {
        let mut value = section(EXAMPLE);
        for (name, fields) in toml::from_str::<toml::Table>(change).unwrap() {
            match (value.get_mut(&name), fields) {
                (Some(toml::Value::Table(there)), toml::Value::Table(fields)) => there.extend(fields),
                (_, fields) => drop(value.insert(name, fields)),
            }
        }
        resolved(value)
    }

    #[test]
    fn the_example_is_a_configuration() {
        let config = with("").unwrap();
        assert_eq!(config.models[0].name, "digits");
        assert_eq!(config.risk.window, Risk::<Amount>::default().window);
        assert_eq!((config.risk.unpaid, config.settle.fee, config.exact.low), (1_000_000, 2_500, 5_000_000));
    }

    /// What the example says in its comments is what happens without them.
    #[test]
    fn the_examples_comments_are_the_defaults() {
        let optional = ["ledger_max", "address_share", "upstream_name", "key_file", "channels_from"];
        let text = uncommented(SECTION, &optional);
        assert_eq!(format!("{:?}", resolved(section(&text)).unwrap()), format!("{:?}", with("").unwrap()));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let cases = [
            ("risk = { window = 0 }", "risk.window is 0: must be at least 1"),
            ("risk = { unsettled = '5 units' }", "risk.unsettled is 5 units: must be at least risk.unpaid"),
            ("risk = { unpaid = 5 }", "say what it is of"),
            ("risk = { channels_from = 'yesterday' }", "write it like"),
            ("risk = { unpaid = '1 USDC' }", "risk.unpaid: \"1 USDC\": the token is JOULE"),
            ("risk = { settle_margin = '1h' }", "less than risk.min_grace"),
            ("risk = { settle_margin = 600 }", "600 says no unit"),
            ("risk = { refresh = '0s' }", "risk.refresh is 0s: must be above zero"),
            ("settle = { amount = '50.000001 JOULE' }", "must be at most risk.unsettled"),
            ("settle = { per_transaction = 16 }", "1 to 15 vouchers"),
            ("settle = { fee = '10.000001 JOULE' }", "must be at most settle.amount"),
            ("risk = { voucher_life = '599s' }", "must be at least risk.settle_margin"),
            ("exact = { max_unit_price = 5000001 }", "at most 5 lamports"),
            ("exact = { channels = ['x'] }", "\"x\" is not an address"),
            ("limits = { header = '100 B' }", "limits.header is 100 B: payments alone"),
            ("limits = { unpaid_bodies = '5 B' }", "must be at least limits.body"),
            ("limits = { address_share = 101 }", "1 to 100 percent"),
            ("cors_origins = ['shop.example']", "\"shop.example\" is no origin"),
            ("limits = { speed = 1 }", "unknown field `speed`"),
            ("key = ''", "--key"),
            ("model = []", "at least one [[model]]"),
        ];
        for (change, wanted) in cases {
            let error = with(change).unwrap_err();
            assert!(error.contains(wanted), "{change}: {error}");
        }
    }
}
