//! `joule channel claim-owed`: what somebody is due of a channel and could not be paid, because its account was closed or frozen.

use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    token::Token,
};
use joule_sdk::{
    billing::{constants::PROVIDER, state::Channel},
    instruction::{billing, token::create_associated},
    registry::state::PriceList,
    Instruction, Pubkey,
};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The channel's address
    #[arg(value_parser = address)]
    channel: Pubkey,
    /// A token account of the signer's that gets it [default: the usual one, which is made if it is missing]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Option<Pubkey>,
}

/// The places in `Channel::owed` that are `owner`'s and hold something, with what they hold.
fn places(state: &Channel, prices: &PriceList, owner: &Pubkey) -> Vec<(u8, u64)> {
    let shares = prices.parties().iter().map(|share| share.owner).enumerate();
    let all = shares.chain([(PROVIDER, state.payout_owner)]);
    let own = all.filter(|(_, party)| party == owner).map(|(place, _)| (place as u8, state.owed[place].get()));
    own.filter(|(_, amount)| *amount > 0).collect()
}

pub async fn claim(options: &Options, args: &Args) -> Result<(), Failure> {
    let (actor, channel) = (Actor::of(options)?, args.channel);
    let state: Option<Channel> = actor.chain.find(&channel).await?;
    let gone = || Failure::NotFound(format!("no channel {channel} on the chain: it is closed, or never was"));
    let state = state.ok_or_else(gone)?;
    let prices: PriceList = actor.chain.get(&state.prices).await?;
    let me = actor.key();
    let places = places(&state, &prices, &me);
    if places.is_empty() {
        let who = options.who(&me);
        return Err(Failure::Refused(format!(
            "channel {channel} owes {who} nothing: `joule channel show` says what it does"
        )));
    }
    let token = Token::at(options, &actor.chain, state.mint).await?;
    let to = args.to.unwrap_or(token.account_of(&me));
    let amount = places.iter().fold(0u64, |sum, (_, amount)| sum.saturating_add(*amount));
    let make = args.to.is_none().then(|| create_associated(me, me, token.mint, token.program));
    let claims = places.iter().map(|(place, _)| billing::claim_owed(me, channel, &state, *place, to, token.program));
    let instructions: Vec<Instruction> = make.into_iter().chain(claims).collect();
    let done = format!("took {} that channel {channel} owed", token.show(amount));
    actor
        .tell(
            options,
            &instructions,
            ("channel", &channel),
            &done,
            token.label(json!({ "amount": amount.to_string() })),
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable as _;

    #[test]
    fn somebody_may_be_owed_in_several_places() {
        let [provider, sharer] = [1, 2].map(|n| Pubkey::new_from_array([n; 32]));
        let (mut state, mut prices) = (Channel::zeroed(), PriceList::zeroed());
        state.payout_owner = provider;
        prices.count = 2;
        (prices.shares[0].owner, prices.shares[1].owner) = (sharer, provider);
        (state.owed[0], state.owed[1], state.owed[PROVIDER]) = (5.into(), 7.into(), 9.into());
        assert_eq!(places(&state, &prices, &provider), [(1, 7), (PROVIDER as u8, 9)]);
        assert_eq!(places(&state, &prices, &sharer), [(0, 5)]);
        assert!(places(&state, &prices, &Pubkey::default()).is_empty());
    }
}
