//! What was read, as people see it: amounts in tokens, moments on their clock. For programs the amounts are there both ways:
//! `"budget": "2500000"` in base units, `"budget_tokens": "2.5"` beside it, and `"symbol"` beside the mint.

use crate::{context::Options, failure::Failure, output};
use joule_sdk::Pubkey;
use joule_settings::{group, GpuModel, Region, Token};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Fields that are amounts in base units, wherever they stand.
const AMOUNTS: &[&str] = &[
    "accrued",
    "amount",
    "appeal_deposit",
    "backed",
    "balance",
    "best_price",
    "billed",
    "billed_returned",
    "budget",
    "cap",
    "challenger",
    "client",
    "collected",
    "cooling",
    "counter",
    "deposit",
    "deposited",
    "earned",
    "engaged",
    "escrowed",
    "exposure",
    "failed",
    "fee",
    "forfeited",
    "free",
    "held",
    "jurors",
    "kept",
    "left",
    "limit",
    "locked",
    "lockup",
    "max_rate",
    "neither",
    "owed",
    "paid",
    "paid_in_fees",
    "paid_to_challengers",
    "paid_to_jurors",
    "paid_to_providers",
    "pay",
    "per_image",
    "per_million_input",
    "per_million_output",
    "per_request",
    "per_second",
    "prepaid",
    "price",
    "provider",
    "rate",
    "reclaimed",
    "refunded",
    "releasable",
    "released",
    "reserved",
    "returned",
    "rewards",
    "settled",
    "shares",
    "slashed",
    "spent",
    "stake",
    "stands",
    "unbonding",
    "unpaid",
    "unsettled",
    "weight",
];

/// How long the chain may take to say what a token is, where that is only for showing.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct View {
    tokens: BTreeMap<String, Token>,
    now: i64,
}

impl View {
    /// Of things in these tokens. What the chain does not say stays in base units, said as such.
    pub async fn of<'a>(options: &Options, mints: impl IntoIterator<Item = &'a str>) -> Self {
        let mints: BTreeSet<&str> = mints.into_iter().collect();
        let tokens = futures::future::join_all(mints.into_iter().map(|mint| async move {
            let found = tokio::time::timeout(PATIENCE, token(options, mint)).await.ok().flatten();
            found.map(|token| (mint.to_owned(), token))
        }));
        let (tokens, now) = tokio::join!(tokens, options.now());
        Self { tokens: tokens.into_iter().flatten().collect(), now }
    }

    /// Without asking anybody.
    pub fn known<'a>(tokens: impl IntoIterator<Item = (&'a str, Token)>, now: i64) -> Self {
        Self { tokens: tokens.into_iter().map(|(mint, token)| (mint.to_owned(), token)).collect(), now }
    }

    /// Looks at the clock again.
    pub async fn refresh(&mut self, options: &Options) {
        self.now = options.now().await;
    }

    pub fn amount(&self, mint: &str, units: impl Into<u128>) -> String {
        let units = units.into();
        match (self.tokens.get(mint), u64::try_from(units)) {
            (Some(token), Ok(units)) => token.show(units),
            _ => format!("{} units", group(&units.to_string())),
        }
    }

    pub fn moment(&self, at: i64) -> String {
        joule_settings::moment(at, self.now)
    }

    /// Without how far it is.
    pub fn date(&self, at: i64) -> String {
        let moment = self.moment(at);
        moment.split(" (").next().unwrap_or_default().to_owned()
    }

    /// `-` where there is none.
    pub fn when(&self, at: Option<i64>) -> String {
        at.map_or_else(|| "-".into(), |at| self.moment(at))
    }

    /// Prints for programs; `mint` is what amounts are in that stand in no object with a mint.
    pub fn json(&self, value: &impl Serialize, mint: Option<&str>) -> Result<(), Failure> {
        let mut value = serde_json::to_value(value).map_err(anyhow::Error::from)?;
        label(&mut value, &self.tokens, mint.and_then(|mint| self.tokens.get(mint)));
        output::json(&value)
    }
}

/// A token by its mint: what the local network says of its own, and the chain of any other.
async fn token(options: &Options, mint: &str) -> Option<Token> {
    let symbol = options.symbol(mint);
    if let Some(network) = options.network().ok().flatten().filter(|network| network.mint == mint) {
        return Some(Token::new(symbol, network.decimals));
    }
    let mint: Pubkey = mint.parse().ok()?;
    let (decimals, _) = options.chain().ok()?.mint(&mint).await.ok()?;
    Some(Token::new(symbol, decimals))
}

/// Puts amounts in tokens beside those in base units, symbols beside mints, and names beside codes. `of` is the token of whatever
/// names none itself.
pub fn label(value: &mut Value, tokens: &BTreeMap<String, Token>, of: Option<&Token>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| label(item, tokens, of)),
        Value::Object(fields) => label_fields(fields, tokens, of),
        _ => {}
    }
}

fn label_fields(fields: &mut Map<String, Value>, tokens: &BTreeMap<String, Token>, of: Option<&Token>) {
    let named = fields.get("mint").and_then(Value::as_str).map(|mint| tokens.get(mint));
    let of = named.unwrap_or(of);
    let mut more = Vec::new();
    for (name, value) in fields.iter_mut() {
        match value {
            Value::String(text) if AMOUNTS.contains(&name.as_str()) => {
                let tokens = of.zip(text.parse().ok()).map(|(token, units)| token.tokens(units));
                more.extend(tokens.map(|tokens| (format!("{name}_tokens"), tokens.into())));
            }
            Value::Number(code) if name == "gpu_model" => more.extend(named_code(code, name, GpuModel::new)),
            Value::Number(code) if name == "region" => more.extend(named_code(code, name, Region::new)),
            value => label(value, tokens, of),
        }
    }
    let has_amounts = more.iter().any(|(name, _)| name.ends_with("_tokens"));
    if let Some(token) = named.flatten().or(of.filter(|_| has_amounts)) {
        more.push(("symbol".to_owned(), token.symbol.clone().into()));
    }
    fields.extend(more);
}

fn named_code<C: ToString>(code: &serde_json::Number, field: &str, name: impl Fn(u16) -> C) -> Option<(String, Value)> {
    let code = u16::try_from(code.as_u64()?).ok()?;
    Some((format!("{field}_name"), name(code).to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn programs_have_amounts_both_ways_and_codes_by_name() {
        let tokens = BTreeMap::from([("M".to_owned(), Token::new("JOULE", 6))]);
        let mut value = json!({
            "mint": "M", "id": "7", "budget": "2500000", "paid": { "provider": "1", "fee": "0" }, "provider": "9xQ",
            "attributes": { "gpu_model": 7, "region": 4 },
        });
        label(&mut value, &tokens, None);
        let paid = json!({
            "provider": "1", "provider_tokens": "0.000001", "fee": "0", "fee_tokens": "0", "symbol": "JOULE",
        });
        assert_eq!(
            (&value["budget"], &value["budget_tokens"], &value["symbol"]),
            (&json!("2500000"), &json!("2.5"), &json!("JOULE"))
        );
        assert_eq!((&value["paid"], value.get("id_tokens"), value.get("provider_tokens")), (&paid, None, None));
        assert_eq!(
            (&value["attributes"]["gpu_model"], &value["attributes"]["gpu_model_name"]),
            (&json!(7), &json!("H100"))
        );
        assert_eq!(value["attributes"]["region_name"], "eu-west");
    }

    #[test]
    fn what_nobody_knows_the_decimals_of_stays_in_base_units() {
        let view = View { tokens: BTreeMap::new(), now: 0 };
        assert_eq!(view.amount("M", 2_500_000u64), "2,500,000 units");
        let mut value = json!({ "mint": "M", "budget": "1" });
        label(&mut value, &view.tokens, None);
        assert_eq!(value, json!({ "mint": "M", "budget": "1" }));
    }

    #[test]
    fn the_list_of_amounts_is_in_order_and_says_nothing_twice() {
        assert!(AMOUNTS.is_sorted_by(|a, b| a < b));
    }
}
