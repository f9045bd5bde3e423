//! Who sells, and whether what it says is what the chain says.

use crate::{
    command::channel::{Own, Wanted},
    failure::Failure,
};
use joule_client::Buyer;
use joule_sdk::{
    billing::{state::Cluster, ID},
    pda,
    registry::state::{PriceList, Provider},
    voucher::Prices,
    Chain, Pubkey,
};
use joule_x402::{network, Requirements};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// How long a connection may take, and how long nothing may come.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(120);

pub fn http() -> Result<reqwest::Client, Failure> {
    let http = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).build();
    Ok(http.map_err(anyhow::Error::from)?)
}

/// A bare server's is the one for chats.
pub fn endpoint(url: &Url) -> Result<Url, Failure> {
    let mut url = url.clone();
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Failure::Input(format!("{url} is not an address such as http://127.0.0.1:8402")));
    }
    if matches!(url.path(), "/" | "/v1" | "/v1/") {
        url.set_path("/v1/chat/completions");
    }
    Ok(url)
}

/// What the server calls the model that has this address.
pub async fn name(http: &reqwest::Client, endpoint: &Url, model: &Pubkey) -> Result<String, Failure> {
    let mut url = endpoint.clone();
    url.set_path("/v1/models");
    let unreachable = |source| joule_client::Failed::Unreachable { url: url.clone(), source };
    let answer =
        http.get(url.clone()).send().await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
    let models: Value = answer.json().await.map_err(unreachable)?;
    let address = model.to_string();
    let found =
        models["data"].as_array().and_then(|all| all.iter().find(|one| one["joule"]["model"] == address.as_str()));
    let name = found.and_then(|one| one["id"].as_str());
    name.map(str::to_owned).ok_or_else(|| Failure::NotFound(format!("{url} does not list model {model}")))
}

/// Terms that the chain bears out.
pub struct Offer {
    pub terms: Requirements,
    pub mint: Pubkey,
    authority: Pubkey,
    prices: Pubkey,
}

impl Offer {
    pub async fn ask(
        chain: &Chain,
        http: &reqwest::Client,
        endpoint: &Url,
        model: &Pubkey,
        body: Vec<u8>,
    ) -> Result<Self, Failure> {
        let cluster: Cluster = chain.get(&pda::cluster()).await?;
        let terms = Buyer::terms(http, endpoint, body.into(), &network(&cluster.genesis_hash)).await?;
        let key = |base58: joule_x402::Base58| Pubkey::new_from_array(base58.0);
        let (authority, prices) = (key(terms.extra.authority), key(terms.extra.price_list));
        let lie =
            |what: &str| Err(Failure::Refused(format!("the provider's terms are not what the chain says: {what}")));
        if key(terms.extra.program) != ID {
            return lie("another billing program");
        }
        if key(terms.extra.model) != *model {
            return lie("another model");
        }
        let provider: Option<Provider> = chain.find(&pda::provider(&authority)).await?;
        if pda::provider(&authority) != key(terms.extra.provider)
            || !provider.is_some_and(|provider| provider.is_active())
        {
            return lie("no such provider");
        }
        let list: Option<PriceList> = chain.find(&prices).await?;
        let list = list.filter(|list| list.model == *model && list.mint == key(terms.asset));
        match list {
            Some(list) if Prices::from(&list.prices) == terms.extra.prices => {}
            _ => return lie("other prices"),
        }
        Ok(Self { mint: key(terms.asset), terms, authority, prices })
    }

    pub fn wanted(&self, model: Pubkey, cap: u64) -> Wanted {
        Wanted {
            model,
            prices: self.prices,
            authority: self.authority,
            cap,
            min_grace: self.terms.extra.min_grace,
            signer: None,
        }
    }

    /// Whether a channel that is open is for this provider and model. Its prices may be older than the offer's.
    pub fn fits(&self, own: &Own) -> Result<(), Failure> {
        let state = &own.state;
        let model = Pubkey::new_from_array(self.terms.extra.model.0);
        match state.authority == self.authority && state.model == model && state.mint == self.mint {
            true => Ok(()),
            false => Err(Failure::Refused(format!("channel {} is for another provider, model or token", own.address))),
        }
    }
}
