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

/// Of the list of models: how long it may take and be.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_LIST: usize = 1 << 20;

pub fn http() -> Result<reqwest::Client, Failure> {
    Ok(joule_client::client().map_err(anyhow::Error::from)?)
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
    let answer = http.get(url.clone()).timeout(PATIENCE).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
    let models: Value = joule_client::json(answer, MOST_LIST)
        .await
        .map_err(|source| joule_client::Failed::BadBody { url: url.clone(), source })?;
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
        body: &[u8],
    ) -> Result<Self, Failure> {
        let cluster: Cluster = chain.get(&pda::cluster()).await?;
        let terms = Buyer::terms(http, endpoint, body.to_vec().into(), &network(&cluster.genesis_hash)).await?;
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

    /// Whether a token that the provider chose may be paid in: the one that was insisted on, or, where nobody is asked, the
    /// network's own.
    pub fn insist(&self, named: Option<Pubkey>, usual: Option<Pubkey>, yes: bool) -> Result<(), Failure> {
        insist(self.mint, named, usual, yes)
    }

    pub fn wanted(&self, model: Pubkey, cap: u64) -> Wanted {
        let extra = &self.terms.extra;
        Wanted {
            model,
            prices: self.prices,
            authority: self.authority,
            cap,
            signer: None,
            quote: Some(self.terms.amount.get()),
            min_grace: extra.min_grace,
            margin: extra.settle_margin,
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

fn insist(offered: Pubkey, named: Option<Pubkey>, usual: Option<Pubkey>, yes: bool) -> Result<(), Failure> {
    match (named, usual) {
        (Some(named), _) if named != offered => {
            Err(Failure::Refused(format!("the provider wants to be paid in token {offered}, not in {named}")))
        }
        (Some(_), _) => Ok(()),
        (None, usual) if yes && usual != Some(offered) => Err(Failure::Refused(format!(
            "the provider wants to be paid in token {offered}, and nobody is asked: --mint {offered} says yes to it"
        ))),
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_the_provider_chose_is_not_paid_in_unasked() {
        let [dollars, bitcoin] = [1, 2].map(|n| Pubkey::new_from_array([n; 32]));
        for (named, usual, yes, good) in [
            (Some(dollars), Some(dollars), true, false),
            (Some(bitcoin), Some(dollars), true, true),
            (None, Some(dollars), true, false),
            (None, None, true, false),
            (None, Some(bitcoin), true, true),
            // Somebody reads its name, and is asked.
            (None, Some(dollars), false, true),
            (Some(dollars), None, false, false),
        ] {
            assert_eq!(insist(bitcoin, named, usual, yes).is_ok(), good, "{named:?} {usual:?} {yes}");
        }
    }
}
