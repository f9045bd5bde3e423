//! `joule model publish`: prices, and who shares in what they bring.

use super::{own, percent, share};
use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    token::Token,
};
use clap::Args;
use joule_sdk::{
    instruction::{model, token::create_associated},
    registry::{
        constants::{MAX_SHARES, MAX_SHARE_BPS},
        state::{Listing, Model, Part},
    },
    Instruction, Pubkey,
};
use joule_settings::Amount;
use std::collections::BTreeSet;

#[derive(Args)]
pub struct Publish {
    /// The model's address
    #[arg(value_parser = address)]
    model: Pubkey,
    /// For every request
    #[arg(long, value_name = "PRICE", default_value = "0")]
    request: Amount,
    /// For a million tokens of input
    #[arg(long, value_name = "PRICE", default_value = "0")]
    input: Amount,
    /// For a million tokens of output
    #[arg(long, value_name = "PRICE", default_value = "0")]
    output: Amount,
    /// For every image
    #[arg(long, value_name = "PRICE", default_value = "0")]
    image: Amount,
    /// For every second
    #[arg(long, value_name = "PRICE", default_value = "0")]
    second: Amount,
    /// Publish a list in which nothing costs anything
    #[arg(long)]
    free: bool,
    /// The creator's own share of what requests bring
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    own_share: u16,
    /// Somebody else's share, such as the owner's of data that it was made of; may be given several times
    #[arg(long, value_name = "OWNER=PERCENT", value_parser = part)]
    share: Vec<Part>,
}

pub async fn run(options: &Options, args: Publish) -> Result<(), Failure> {
    let prices = [&args.request, &args.input, &args.output, &args.image, &args.second];
    costs_something(prices.iter().all(|price| is_nothing(price)), args.free)?;
    let (actor, address) = (Actor::of(options)?, args.model);
    let state = own(&actor, &address).await?;
    if !state.is_active() {
        return Err(Failure::Refused(format!(
            "model {address} is retired: `joule model retire --undo {address}` brings it back"
        )));
    }
    let token = Token::of(options, &actor.chain).await?;
    let listing = Listing {
        per_request: token.units(&args.request)?,
        per_million_input: token.units(&args.input)?,
        per_million_output: token.units(&args.output)?,
        per_image: token.units(&args.image)?,
        per_second: token.units(&args.second)?,
        creator_bps: args.own_share,
        parts: args.share.clone(),
    };
    fits(&state, &listing)?;
    let mut instructions = accounts_for(&actor, &token, &state, &listing).await?;
    let version = state.version.get() + 1;
    let accounts = model::share_accounts(&state, &listing, &token.mint, &token.program);
    let (key, mint) = (actor.key(), token.mint);
    instructions.push(model::publish_prices(key, key, address, mint, version, listing, &accounts));
    let list = joule_sdk::pda::price_list(&address, version);
    actor.send(options, &instructions, ("prices", &list), &format!("published version {version} of the prices,")).await
}

/// Somebody's part, as `OWNER=PERCENT`.
fn part(text: &str) -> Result<Part, String> {
    let (owner, share) = text.split_once('=').ok_or("write OWNER=PERCENT, such as 9xQ..=2.5")?;
    match (address(owner)?, percent(share)?) {
        (_, 0) => Err("this gives nothing: leave it out".into()),
        (owner, bps) => Ok(Part { owner, bps }),
    }
}

/// Whether it is nothing in any token.
fn is_nothing(price: &Amount) -> bool {
    match price {
        Amount::Tokens { digits, .. } => digits.chars().all(|c| matches!(c, '0' | '.')),
        Amount::Units(units) => *units == 0,
    }
}

fn costs_something(is_free: bool, said_free: bool) -> Result<(), Failure> {
    match (is_free, said_free) {
        (true, false) => Err(Failure::Input(
            "nothing would cost anything: give --request, --input, --output, --image or --second, or --free".into(),
        )),
        (false, true) => Err(Failure::Input("--free and a price: give one of the two".into())),
        _ => Ok(()),
    }
}

/// Says beforehand, and with the numbers, what the program would refuse.
fn fits(state: &Model, listing: &Listing) -> Result<(), Failure> {
    let bps = |dues: &mut dyn Iterator<Item = u16>| dues.map(u32::from).sum::<u32>();
    let owed = bps(&mut state.royalties().iter().map(|due| due.bps.get()));
    let all = bps(&mut listing.dues(state).map(|(_, bps)| bps));
    if all > MAX_SHARE_BPS.into() {
        return Err(Failure::Refused(format!(
            "all shares together are {}, {} of it owed to the lineage, and at most {} may be given away: the rest is for \
             whoever runs the model",
            share(all),
            share(owed),
            share(MAX_SHARE_BPS)
        )));
    }
    let owners: BTreeSet<Pubkey> = listing.dues(state).map(|(owner, _)| *owner).collect();
    match owners.len() {
        0..=MAX_SHARES => Ok(()),
        many => Err(Failure::Refused(format!(
            "a price list has at most {MAX_SHARES} shares, and this one {many}: {} are the lineage's",
            state.royalties().len()
        ))),
    }
}

/// Makes the usual token accounts of those who share and have none.
async fn accounts_for(
    actor: &Actor,
    token: &Token,
    state: &Model,
    listing: &Listing,
) -> Result<Vec<Instruction>, Failure> {
    let owners: BTreeSet<Pubkey> = listing.dues(state).map(|(owner, _)| *owner).collect();
    let accounts: Vec<Pubkey> = owners.iter().map(|owner| token.account_of(owner)).collect();
    let found = actor.chain.rpc().get_multiple_accounts(&accounts).await.map_err(joule_sdk::SdkError::from)?;
    let without = owners.into_iter().zip(found).filter(|(_, found)| found.is_none());
    let create = |(owner, _)| create_associated(actor.key(), owner, token.mint, token.program);
    Ok(without.map(create).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn listing(creator_bps: u16, parts: &[u16]) -> Listing {
        let part = |(n, bps): (usize, &u16)| Part { owner: Pubkey::new_from_array([n as u8 + 1; 32]), bps: *bps };
        Listing { creator_bps, parts: parts.iter().enumerate().map(part).collect(), ..Listing::default() }
    }

    fn model(lineage: &[u16]) -> Model {
        let mut model = Model::zeroed();
        model.payout_owner = Pubkey::new_from_array([99; 32]);
        model.lineage_count = lineage.len() as u8;
        for (place, bps) in lineage.iter().enumerate() {
            model.lineage[place].owner = Pubkey::new_from_array([50 + place as u8; 32]);
            model.lineage[place].bps = (*bps).into();
        }
        model
    }

    #[test]
    fn what_the_program_would_refuse_is_said_beforehand() {
        assert!(fits(&model(&[700, 300]), &listing(5_000, &[2_000])).is_ok());
        let error = fits(&model(&[700, 300]), &listing(5_000, &[2_001])).unwrap_err().to_string();
        assert!(error.contains("80.01 %") && error.contains("10 % of it owed to the lineage"), "{error}");
        assert!(fits(&model(&[1; 4]), &listing(1, &[1])).is_ok());
        let error = fits(&model(&[1; 4]), &listing(1, &[1, 1])).unwrap_err().to_string();
        assert!(error.contains("at most 6 shares, and this one 7"), "{error}");
    }

    #[test]
    fn a_list_without_a_price_is_published_only_on_purpose() {
        for (price, nothing) in [("0", true), ("0.000", true), ("0 units", true), ("0.0001", false), ("1 unit", false)]
        {
            assert_eq!(is_nothing(&price.parse().unwrap()), nothing, "{price}");
            assert_eq!(costs_something(nothing, false).is_err(), nothing);
            assert_eq!(costs_something(nothing, true).is_ok(), nothing);
        }
    }

    #[test]
    fn percent_are_read_to_the_basis_point() {
        for (text, bps) in [("0", 0), ("2.5", 250), ("80", 8_000), ("0.01", 1)] {
            assert_eq!(percent(text).unwrap(), bps, "{text}");
        }
        for text in ["80.01", "0.001", "-1", "x", "", "99999999999999999999"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}
