//! `joule model publish`: prices, and who shares in what they bring.

use super::{own, percent, share};
use crate::{
    act::{Actor, Token},
    context::{address, Options},
    failure::Failure,
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
use std::collections::BTreeSet;

#[derive(Args)]
pub struct Publish {
    /// The model's address
    model: String,
    /// For every request
    #[arg(long, value_name = "PRICE", default_value = "0")]
    request: String,
    /// For a million tokens of input
    #[arg(long, value_name = "PRICE", default_value = "0")]
    input: String,
    /// For a million tokens of output
    #[arg(long, value_name = "PRICE", default_value = "0")]
    output: String,
    /// For every image
    #[arg(long, value_name = "PRICE", default_value = "0")]
    image: String,
    /// For every second
    #[arg(long, value_name = "PRICE", default_value = "0")]
    second: String,
    /// Publish a list in which nothing costs anything
    #[arg(long)]
    free: bool,
    /// The creator's own share of what requests bring
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    own_share: String,
    /// Somebody else's share, such as the owner's of data that it was made of; may be given several times
    #[arg(long, value_name = "OWNER=PERCENT")]
    share: Vec<String>,
    /// The token that is paid in [default: the local network's]
    #[arg(long, value_name = "ADDRESS")]
    mint: Option<String>,
}

pub async fn run(options: &Options, args: Publish) -> Result<(), Failure> {
    let (creator_bps, parts) = shares(&args)?;
    let (actor, address) = (Actor::of(options)?, address(&args.model)?);
    let state = own(&actor, &address).await?;
    if !state.is_active() {
        return Err(Failure::Refused(format!(
            "model {address} is retired: `joule model retire --undo {address}` brings it back"
        )));
    }
    let token = Token::of(options, &actor.chain, args.mint.as_deref()).await?;
    let listing = Listing {
        per_request: token.amount(&args.request)?,
        per_million_input: token.amount(&args.input)?,
        per_million_output: token.amount(&args.output)?,
        per_image: token.amount(&args.image)?,
        per_second: token.amount(&args.second)?,
        creator_bps,
        parts,
    };
    costs_something(&listing, args.free)?;
    fits(&state, &listing)?;
    let mut instructions = accounts_for(&actor, &token, &state, &listing).await?;
    let version = state.version.get() + 1;
    let accounts = model::share_accounts(&state, &listing, &token.mint, &token.program);
    let (key, mint) = (actor.key(), token.mint);
    instructions.push(model::publish_prices(key, key, address, mint, version, listing, &accounts));
    let list = joule_sdk::pda::price_list(&address, version);
    actor.send(options, &instructions, ("prices", &list), &format!("published version {version} of the prices,")).await
}

fn shares(args: &Publish) -> Result<(u16, Vec<Part>), Failure> {
    let part = |text: &String| {
        let wrong = || Failure::Input(format!("--share {text:?} is not OWNER=PERCENT, such as 9xQ..=2.5"));
        let (owner, bps) = text.split_once('=').ok_or_else(wrong)?;
        let part = Part { owner: address(owner)?, bps: percent("--share", bps)? };
        match part.bps {
            0 => Err(Failure::Input(format!("--share {text:?} gives nothing: leave it out"))),
            _ => Ok(part),
        }
    };
    Ok((percent("--own-share", &args.own_share)?, args.share.iter().map(part).collect::<Result<_, _>>()?))
}

fn costs_something(l: &Listing, free: bool) -> Result<(), Failure> {
    let prices = [l.per_request, l.per_million_input, l.per_million_output, l.per_image, l.per_second];
    match (prices.iter().all(|price| *price == 0), free) {
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
        assert!(error.contains("80.01 %") && error.contains("10.00 % of it owed to the lineage"), "{error}");
        assert!(fits(&model(&[1; 4]), &listing(1, &[1])).is_ok());
        let error = fits(&model(&[1; 4]), &listing(1, &[1, 1])).unwrap_err().to_string();
        assert!(error.contains("at most 6 shares, and this one 7"), "{error}");
    }

    #[test]
    fn a_list_without_a_price_is_published_only_on_purpose() {
        assert!(costs_something(&listing(0, &[]), false).is_err());
        assert!(costs_something(&listing(0, &[]), true).is_ok());
        let priced = Listing { per_second: 1, ..listing(0, &[]) };
        assert!(costs_something(&priced, false).is_ok());
        assert!(costs_something(&priced, true).is_err());
    }

    #[test]
    fn percent_are_read_to_the_basis_point() {
        for (text, bps) in [("0", 0), ("2.5", 250), ("80", 8_000), ("0.01", 1)] {
            assert_eq!(percent("--royalty", text).unwrap(), bps, "{text}");
        }
        for text in ["80.01", "0.001", "-1", "x", "", "99999999999999999999"] {
            assert!(percent("--royalty", text).is_err(), "{text}");
        }
    }
}
