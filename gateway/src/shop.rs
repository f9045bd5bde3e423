//! What is sold, by whom, for how much: the settings and what the chain says of them.

use crate::{
    channel::{Channel, Cluster},
    config::{Config, Model},
    refusal::Refusal,
};
use joule_sdk::Pubkey;
use joule_units::Amount;
use joule_voucher::{Prices, Receipt};
use joule_x402::{Base58, Extra, PaymentRequired, Requirements, Resource, Signed, Terms, SCHEME, VERSION};
use std::collections::HashMap;

/// A price list as it was published; it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceList {
    pub model: Pubkey,
    pub mint: Pubkey,
    pub prices: Prices,
}

/// Who sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seller {
    /// The registry's `Provider`.
    pub provider: Pubkey,
    /// Signs receipts.
    pub authority: Pubkey,
    /// Owns the account that the provider's share goes to.
    pub pay_to: Pubkey,
}

#[derive(Debug)]
pub struct Shop {
    pub cluster: Cluster,
    pub network: String,
    pub seller: Seller,
    lists: HashMap<Pubkey, PriceList>,
}

/// Why the settings and the chain do not go together.
#[derive(Debug, thiserror::Error)]
pub enum BadShop {
    #[error("model {name:?}: there is no price list {list} on this cluster; check `prices`")]
    NoList { name: String, list: Pubkey },
    #[error("model {name:?}: price list {list} is for model {found}; check `model` and `prices`")]
    OtherModel { name: String, list: Pubkey, found: Pubkey },
}

impl Shop {
    pub fn new(
        config: &Config,
        cluster: Cluster,
        seller: Seller,
        lists: HashMap<Pubkey, PriceList>,
    ) -> Result<Self, BadShop> {
        for model in &config.models {
            for list in &model.prices {
                let name = model.name.clone();
                let found = lists.get(list).ok_or(BadShop::NoList { name: name.clone(), list: *list })?;
                if found.model != model.model {
                    return Err(BadShop::OtherModel { name, list: *list, found: found.model });
                }
            }
        }
        Ok(Self { network: joule_x402::network(&cluster.genesis), cluster, seller, lists })
    }

    /// What a channel pays for this model.
    pub fn prices(&self, model: &Model, channel: &Channel) -> Result<&PriceList, Refusal> {
        if channel.provider != self.seller.provider || channel.authority != self.seller.authority {
            return Err(Refusal::OtherProvider);
        }
        let list = self.lists.get(&channel.prices).filter(|list| list.mint == channel.mint);
        let known = model.prices.contains(&channel.prices) && channel.model == model.model;
        list.filter(|_| known).ok_or(Refusal::OtherModel)
    }

    /// What new channels pay.
    pub fn offered(&self, model: &Model) -> &PriceList {
        // `new` has found every list of every model, and the settings' check leaves no model without one.
        &self.lists[&model.prices[0]]
    }

    /// What a 402 says: how to pay for `model`, and what this request may cost.
    pub fn terms(
        &self,
        config: &Config,
        model: &Model,
        path: &str,
        amount: Amount,
        error: &str,
        unpaid: Vec<Signed<Receipt>>,
    ) -> PaymentRequired {
        let list = self.offered(model);
        let address = |key: Pubkey| Base58(key.to_bytes());
        let url = config.public_url.join(path).map_or_else(|_| path.to_owned(), String::from);
        PaymentRequired {
            x402_version: VERSION,
            error: Some(error.to_owned()),
            resource: Resource {
                url,
                description: Some(format!("One request to the model {:?}", model.name)),
                mime_type: Some("application/json".into()),
            },
            accepts: vec![Terms::Channel(Box::new(Requirements {
                scheme: SCHEME.into(),
                network: self.network.clone(),
                amount,
                asset: address(list.mint),
                pay_to: address(self.seller.pay_to),
                max_timeout_seconds: config.timeouts.whole_seconds(),
                extra: Extra {
                    program: address(self.cluster.program),
                    provider: address(self.seller.provider),
                    authority: address(self.seller.authority),
                    model: address(model.model),
                    price_list: address(model.prices[0]),
                    prices: list.prices,
                    min_grace: config.risk.min_grace,
                    settle_margin: config.risk.settle_margin,
                    order_life: config.risk.order_life,
                    window: config.risk.window as u64,
                    bytes_per_token: model.bytes_per_token,
                    unpaid,
                },
            }))],
        }
    }
}
