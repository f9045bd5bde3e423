//! The example of docs/wire.md, which a client in another language starts from, as this crate reads it.

use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, Format, Prices, SigningKey, Verifier, Voucher};
use joule_x402::{decode, session, Base58, PaymentPayload, Session, Settlement, Signed};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/wire.md");

/// The blocks of the page, by their labels.
fn blocks() -> BTreeMap<&'static str, &'static str> {
    let labelled = PAGE.split("<!-- example ").skip(1);
    labelled
        .map(|rest| {
            let (label, rest) = rest.split_once(" -->").expect("a label");
            let body = rest.split_once("```").and_then(|(_, rest)| rest.split_once('\n')).expect("a block").1;
            (label, body.split_once("\n```").expect("the block ends").0)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_pages_example_is_a_payment_a_receipt_and_a_voucher() {
    let blocks = blocks();
    let key = |byte| SigningKey::from_bytes(&[byte; 32]);
    let payment: PaymentPayload = decode(blocks["payment"].as_bytes()).expect("a payment");
    let order = payment.payload.order.expect("an order");
    assert_eq!(hex(order.message.as_bytes()), blocks["order"]);
    assert_eq!(order.message.request_hash, hashv(&[blocks["body"].as_bytes()]));
    let signer = Verifier::new(&key(1).verifying_key().to_bytes()).expect("a key");
    signer.verify(order.message.as_bytes(), &order.signature).expect("signed by the session's key");

    let address = |text: &str| text.parse::<Base58>().expect("an address").0;
    let channel = session::Channel {
        address: [4; 32],
        program: address("2VULbT983sw78YGyXRPjNoHiG2rokHHYjBeYmKtyPFLj"),
        genesis: [3; 32],
        authority: key(2).verifying_key().to_bytes(),
        prices: Prices {
            per_request: Amount::new(10),
            per_million_input: Amount::new(1_000_000),
            per_million_output: Amount::new(2_000_000),
            ..Prices::default()
        },
        session_expires_at: UnixTime::new(2_000_000_000),
    };
    let mut session = Session::new(channel, key(1), 1).expect("a key");
    let again = session.order(blocks["body"].as_bytes(), Amount::new(40), UnixTime::new(1_900_000_020));
    assert_eq!(again, payment, "the same order from the same keys");
    let settlement: Settlement = decode(blocks["response"].as_bytes()).expect("a settlement");
    let receipt = settlement.extra.as_ref().expect("it succeeded").receipt;
    assert_eq!(hex(receipt.message.as_bytes()), blocks["receipt"]);
    session.accept(&order.message, &hashv(&[blocks["answer"].as_bytes()]), &settlement).expect("a good receipt");
    let voucher: Signed<Voucher> = serde_json::from_value(blocks["voucher"].into()).expect("a voucher");
    assert_eq!(session.voucher(), Some(voucher));
}
