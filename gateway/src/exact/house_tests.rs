//! A channel that is a house channel, and every way in which it is none.

use super::*;
use crate::{channel::Cluster, shop::PriceList, shop::Seller};
use joule_units::Amount;
use joule_voucher::Prices;
use std::collections::HashMap;

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array([seed; 32])
}

fn refused(change: impl FnOnce(&mut Channel)) -> String {
    let mut config = config::example();
    let model = &mut config.models[0];
    (model.model, model.prices) = (address(1), vec![address(2)]);
    let list = PriceList { model: address(1), mint: address(3), prices: Prices::default() };
    let seller = Seller { provider: address(4), authority: address(5), pay_to: address(6) };
    let cluster = Cluster { genesis: [7; 32], program: address(8) };
    let shop = Shop::new(&config, cluster, seller, HashMap::from([(address(2), list)])).unwrap();
    let mut channel = Channel {
        address: address(9),
        payer: address(10),
        owner: address(5),
        provider: address(4),
        authority: address(5),
        model: address(1),
        prices: address(2),
        mint: address(3),
        signer: [5; 32],
        cap: Amount::new(1_000),
        limit: Amount::new(1_000),
        session_expires_at: UnixTime::new(1_000_000),
        staged_at: UnixTime::default(),
        settled: Amount::default(),
        sequence: 0,
        opened_at: UnixTime::default(),
        backing_bps: 0,
        grace: 60,
        closes_at: UnixTime::default(),
    };
    change(&mut channel);
    check(&channel, &shop, &config).map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn what_a_house_channel_must_be_is_said_with_what_to_do() {
    assert_eq!(refused(|_| {}), "");
    type Change = fn(&mut Channel);
    let cases: [(Change, &str); 7] = [
        (|channel| channel.owner = address(20), "open one with the gateway's own key"),
        (|channel| channel.signer = [20; 32], "open it with `--session-signer"),
        (|channel| channel.backing_bps = 1, "open it with `--backing 0`"),
        (|channel| channel.closes_at = UnixTime::new(1), "is closing"),
        (|channel| channel.provider = address(20), "for another provider, model or price list"),
        (|channel| channel.model = address(20), "for another provider, model or price list"),
        (|channel| channel.prices = address(20), "for another provider, model or price list"),
    ];
    for (change, wanted) in cases {
        let said = refused(change);
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}
