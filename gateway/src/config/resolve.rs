//! From what is written to what is served by: amounts in base units, every value checked.

use super::{Config, ConfigError, Exact, Risk, Settle};
use joule_settings::{Amount, Token};

/// Amounts by their settings.
type Amounts<'a> = [(&'static str, &'a Amount); 6];

impl Config<Amount> {
    fn amounts(&self) -> Amounts<'_> {
        [
            ("risk.unpaid", &self.risk.unpaid),
            ("risk.unsettled", &self.risk.unsettled),
            ("settle.amount", &self.settle.amount),
            ("settle.fee", &self.settle.fee),
            ("exact.low", &self.exact.low),
            ("exact.top_up", &self.exact.top_up),
        ]
    }

    /// What people call the token.
    pub fn symbol(&self) -> Result<Option<String>, ConfigError> {
        joule_settings::symbol(self.symbol.as_deref(), self.amounts())
            .map_err(|(field, source)| ConfigError::Amount { field, source })
    }

    /// Whether no amount needs to know the token's decimals.
    pub fn in_base_units(&self) -> bool {
        self.amounts().iter().all(|(_, amount)| !amount.wants_decimals())
    }

    /// With amounts in base units of `token`; every value is checked.
    pub fn resolve(self, token: &Token) -> Result<Config, ConfigError> {
        let mut units = [0; 6];
        for (units, (field, amount)) in units.iter_mut().zip(self.amounts()) {
            *units = token.units(amount).map_err(|source| ConfigError::Amount { field, source })?;
        }
        let [unpaid, unsettled, amount, fee, low, top_up] = units;
        let Risk { window, max_backing_bps, channels_from, min_grace, settle_margin, .. } = self.risk;
        let Risk { voucher_life, order_life, refresh, .. } = self.risk;
        let Settle { enabled, every, age, per_transaction, distribute, .. } = self.settle;
        let Exact { channels, max_unit_price, max_unit_limit, failed_per_hour, confirm, .. } = self.exact;
        let config = Config {
            listen: self.listen,
            public_url: self.public_url,
            rpc: self.rpc,
            key: self.key,
            symbol: self.symbol,
            token: Some(token.clone()),
            ledger: self.ledger,
            ledger_max: self.ledger_max,
            json: self.json,
            cors_origins: self.cors_origins,
            limits: self.limits,
            timeouts: self.timeouts,
            risk: Risk {
                window,
                unpaid,
                unsettled,
                max_backing_bps,
                channels_from,
                min_grace,
                settle_margin,
                voucher_life,
                order_life,
                refresh,
            },
            settle: Settle { enabled, every, amount, age, fee, per_transaction, distribute },
            exact: Exact { channels, max_unit_price, max_unit_limit, failed_per_hour, confirm, low, top_up },
            models: self.models,
        };
        config.check()?;
        Ok(config)
    }
}
