//! Which settings make sense.

use super::{Config, ConfigError, MOST_VOUCHERS};
use joule_cors::Cors;
use std::collections::HashSet;

/// Micro-lamports.
const MAX_UNIT_PRICE: u64 = 5_000_000;

impl Config {
    /// Every rule that types cannot hold.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bad = |field: &str, value: &dyn std::fmt::Display, wanted| {
            Err(ConfigError::Bad { field: field.to_owned(), value: value.to_string(), wanted })
        };
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
            ("limits.body_bytes", self.limits.body_bytes as u64),
            ("limits.answer_bytes", self.limits.answer_bytes as u64),
            ("limits.requests_per_second", self.limits.requests_per_second.into()),
            ("limits.burst", self.limits.burst.into()),
            ("limits.lookups_per_second", self.limits.lookups_per_second.into()),
            ("timeouts.request_ms", self.timeouts.request_ms),
            ("timeouts.connect_ms", self.timeouts.connect_ms),
            ("timeouts.first_byte_ms", self.timeouts.first_byte_ms),
            ("timeouts.idle_ms", self.timeouts.idle_ms),
            ("timeouts.total_ms", self.timeouts.total_ms),
            ("risk.window", self.risk.window as u64),
            ("risk.unpaid", self.risk.unpaid),
            ("risk.refresh_ms", self.risk.refresh_ms),
            ("settle.every_ms", self.settle.every_ms),
            ("exact.confirm_ms", self.exact.confirm_ms),
            ("exact.top_up", self.exact.top_up),
            ("exact.failed_per_hour", self.exact.failed_per_hour.into()),
        ];
        for (field, value) in at_least_one {
            if value == 0 {
                return bad(field, &value, "must be at least 1");
            }
        }
        if let Err(error) = Cors::new(&self.cors_origins, &[]) {
            return bad("cors_origins", &error, "name web pages so");
        }
        if let Some(percent) = self.limits.address_share.filter(|percent| !(1..=100).contains(percent)) {
            return bad("limits.address_share", &percent, "must be 1 to 100 percent");
        }
        if self.limits.header_bytes < 8_192 {
            return bad(
                "limits.header_bytes",
                &self.limits.header_bytes,
                "payments alone take about 1,500: at least 8192",
            );
        }
        if self.limits.unpaid_bytes < self.limits.body_bytes {
            return bad("limits.unpaid_bytes", &self.limits.unpaid_bytes, "must be at least limits.body_bytes");
        }
        if self.risk.unsettled < self.risk.unpaid {
            return bad("risk.unsettled", &self.risk.unsettled, "must be at least risk.unpaid");
        }
        if self.settle.amount > self.risk.unsettled {
            return bad(
                "settle.amount",
                &self.settle.amount,
                "must be at most risk.unsettled, or channels stop before they settle",
            );
        }
        if self.settle.fee > self.settle.amount {
            return bad("settle.fee", &self.settle.fee, "must be at most settle.amount, which is worth a transaction");
        }
        if self.risk.voucher_life < self.risk.settle_margin {
            return bad("risk.voucher_life", &self.risk.voucher_life, "must be at least risk.settle_margin");
        }
        if self.risk.order_life <= 0 {
            return bad("risk.order_life", &self.risk.order_life, "must be at least 1 second");
        }
        if self.risk.settle_margin <= 0 || self.risk.settle_margin >= i64::from(self.risk.min_grace) {
            return bad(
                "risk.settle_margin",
                &self.risk.settle_margin,
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
    use crate::config::Risk;

    const EXAMPLE: &str = include_str!("../../gateway.example.toml");

    fn with(change: &str) -> Result<Config, String> {
        let mut value: toml::Table = toml::from_str(EXAMPLE).unwrap();
        for (name, fields) in toml::from_str::<toml::Table>(change).unwrap() {
            match (value.get_mut(&name), fields) {
                (Some(toml::Value::Table(there)), toml::Value::Table(fields)) => there.extend(fields),
                (_, fields) => drop(value.insert(name, fields)),
            }
        }
        let config: Config = value.try_into().map_err(|error: toml::de::Error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn the_example_is_a_configuration() {
        let config = with("").unwrap();
        assert_eq!(config.models[0].name, "digits");
        assert_eq!(config.risk.window, Risk::default().window);
    }

    /// What the example says in its comments is what happens without them.
    #[test]
    fn the_examples_comments_are_the_defaults() {
        let optional = ["ledger_max_bytes", "upstream_name", "key_file"];
        let lines = EXAMPLE.lines().map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") && !optional.iter().any(|name| rest.starts_with(name)) => rest,
            _ => line,
        });
        let uncommented: Config = toml::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(format!("{uncommented:?}"), format!("{:?}", with("").unwrap()));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_do() {
        let cases = [
            ("risk = { window = 0 }", "risk.window is 0: must be at least 1"),
            ("risk = { unsettled = 5 }", "risk.unsettled is 5: must be at least risk.unpaid"),
            ("risk = { settle_margin = 3600 }", "less than risk.min_grace"),
            ("settle = { amount = 50000001 }", "must be at most risk.unsettled"),
            ("settle = { per_transaction = 16 }", "1 to 15 vouchers"),
            ("settle = { fee = 10000001 }", "must be at most settle.amount"),
            ("risk = { voucher_life = 599 }", "must be at least risk.settle_margin"),
            ("exact = { max_unit_price = 5000001 }", "at most 5 lamports"),
            ("exact = { channels = ['x'] }", "\"x\" is not an address"),
            ("limits = { header_bytes = 100 }", "at least 8192"),
            ("limits = { address_share = 101 }", "1 to 100 percent"),
            ("limits = { unpaid_bytes = 5 }", "must be at least limits.body_bytes"),
            ("cors_origins = ['shop.example']", "\"shop.example\" is no origin"),
            ("limits = { speed = 1 }", "unknown field `speed`"),
            ("model = []", "at least one [[model]]"),
        ];
        for (change, wanted) in cases {
            let error = with(change).unwrap_err();
            assert!(error.contains(wanted), "{change}: {error}");
        }
    }
}
