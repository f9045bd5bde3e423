//! Keys, contexts and every format's bytes with its signature.

use crate::{hex, key, named, number};
use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, sign, Batch, Context, Domain, Entry, Format, Key, Order, Receipt, SigningKey, Voucher};
use serde_json::{json, Value};

pub fn session() -> SigningKey {
    key("session key")
}

fn provider() -> SigningKey {
    key("provider's key")
}

fn genesis() -> Key {
    named("genesis hash")
}

fn program() -> Key {
    named("billing program")
}

fn payer() -> Key {
    named("payer account")
}

fn channel(number: usize) -> Key {
    named(&format!("channel {number}"))
}

pub fn context(domain: Domain) -> Context {
    Context::of(domain, &genesis(), &program(), &channel(0))
}

pub fn keys() -> Vec<Value> {
    let row = |who: &str, key: SigningKey| json!({ "who": who, "secret": hex(key.to_bytes()), "public": hex(key.verifying_key().as_bytes()) });
    vec![row("session", session()), row("provider", provider())]
}

pub fn contexts() -> Vec<Value> {
    let row = |domain: &str, subject: Vec<Key>, context: Context| {
        json!({
            "domain": domain, "genesis": hex(genesis()), "program": hex(program()),
            "subject": subject.iter().map(hex).collect::<Vec<_>>(), "context": hex(context.bytes()),
        })
    };
    let mut rows: Vec<Value> = [("voucher", Domain::Voucher), ("receipt", Domain::Receipt), ("order", Domain::Order)]
        .map(|(name, domain)| row(name, vec![channel(0)], context(domain)))
        .into();
    for count in [1, 2, 64] {
        let channels: Vec<Key> = (0..count).map(channel).collect();
        let context = Context::batch(&genesis(), &program(), &payer(), &channels).unwrap();
        rows.push(row("batch", [vec![payer()], channels].concat(), context));
    }
    rows
}

fn signed(mut fields: Value, bytes: &[u8], signer: &SigningKey) -> Value {
    fields["bytes"] = hex(bytes);
    fields["hash"] = hex(hashv(&[bytes]));
    fields["key"] = hex(signer.verifying_key().as_bytes());
    fields["signature"] = hex(sign(signer, bytes));
    fields
}

pub fn voucher(sequence: u64, cumulative: u64, units: u64, expires_at: i64) -> Voucher {
    Voucher {
        context: context(Domain::Voucher),
        sequence: sequence.into(),
        cumulative: Amount::new(cumulative).into(),
        units: units.into(),
        expires_at: UnixTime::new(expires_at).into(),
        usage_root: named(&format!("usage root {sequence}")),
    }
}

pub fn vouchers() -> Vec<Value> {
    let values = [
        (1, 1_000, 77, 1_800_000_000),
        (2, 2_500, 154, 1_800_000_060),
        (0x0102_0304_0506_0708, 0x1112_1314_1516_1718, 0x2122_2324_2526_2728, 0x3132_3334_3536_3738),
        (0, 0, 0, i64::MIN),
        (u64::MAX, u64::MAX, u64::MAX, i64::MAX),
    ];
    values
        .map(|(sequence, cumulative, units, expires_at)| {
            let voucher = voucher(sequence, cumulative, units, expires_at);
            let fields = json!({
                "context": hex(voucher.context.bytes()), "sequence": number(sequence), "cumulative": number(cumulative),
                "units": number(units), "expires_at": number(expires_at), "usage_root": hex(voucher.usage_root),
            });
            signed(fields, voucher.as_bytes(), &session())
        })
        .into()
}

pub fn batches() -> Vec<Value> {
    let row = |count: usize| {
        let channels: Vec<Key> = (0..count).map(channel).collect();
        let batch = Batch {
            context: Context::batch(&genesis(), &program(), &payer(), &channels).unwrap(),
            expires_at: UnixTime::new(1_800_000_000).into(),
            usage_root: named("usage root of all"),
        };
        let entries: Vec<Entry> = (1..=count as u64)
            .map(|n| Entry { sequence: n.into(), cumulative: Amount::new(n * 1_000_003).into() })
            .collect();
        let fields = json!({
            "context": hex(batch.context.bytes()), "expires_at": number(1_800_000_000), "usage_root": hex(batch.usage_root),
            "entries": entries.iter().map(|entry| json!({
                "sequence": number(entry.sequence.get()), "cumulative": number(entry.cumulative.get()),
            })).collect::<Vec<_>>(),
        });
        signed(fields, &batch.to_bytes(&entries).unwrap(), &session())
    };
    vec![row(1), row(2), row(64)]
}

pub fn receipt(sequence: u64) -> Receipt {
    Receipt {
        context: context(Domain::Receipt),
        sequence: sequence.into(),
        request_hash: hashv(&[format!("request {sequence}").as_bytes()]),
        response_hash: hashv(&[format!("response {sequence}").as_bytes()]),
        input_tokens: (100 + sequence).into(),
        output_tokens: (200 + sequence).into(),
        images: (sequence % 2).into(),
        milliseconds: (1_500 * sequence).into(),
        amount: Amount::new(1_000 * sequence).into(),
        at: UnixTime::new(1_800_000_000 + sequence as i64).into(),
    }
}

pub fn receipts() -> Vec<Value> {
    let row = |receipt: Receipt| {
        let usage = receipt.usage();
        let fields = json!({
            "context": hex(receipt.context.bytes()), "sequence": number(receipt.sequence.get()),
            "request_hash": hex(receipt.request_hash), "response_hash": hex(receipt.response_hash),
            "input_tokens": number(usage.input_tokens), "output_tokens": number(usage.output_tokens),
            "images": number(usage.images), "milliseconds": number(usage.milliseconds),
            "amount": number(receipt.amount.get()), "at": number(receipt.at.get().get()),
        });
        signed(fields, receipt.as_bytes(), &provider())
    };
    let extreme = Receipt { input_tokens: u64::MAX.into(), at: UnixTime::new(-1).into(), ..receipt(3) };
    vec![row(receipt(1)), row(receipt(2)), row(extreme)]
}

pub fn orders() -> Vec<Value> {
    let row = |nonce: u64, max_amount: u64, expires_at: i64| {
        let order = Order {
            context: context(Domain::Order),
            nonce: nonce.into(),
            request_hash: hashv(&[b"request 1"]),
            max_amount: Amount::new(max_amount).into(),
            expires_at: UnixTime::new(expires_at).into(),
        };
        let fields = json!({
            "context": hex(order.context.bytes()), "nonce": number(nonce), "request_hash": hex(order.request_hash),
            "max_amount": number(max_amount), "expires_at": number(expires_at),
        });
        signed(fields, order.as_bytes(), &session())
    };
    vec![row(1, 5_000, 1_800_000_000), row(u64::MAX, u64::MAX, -1)]
}

/// What no reader may take for the format.
pub fn malformed() -> Vec<Value> {
    let mut rows = Vec::new();
    let mut row = |format: &str, len: usize| rows.push(json!({ "format": format, "bytes": hex(vec![1; len]) }));
    for (format, len) in [("voucher", Voucher::LEN), ("receipt", Receipt::LEN), ("order", Order::LEN)] {
        for len in [0, len - 1, len + 1] {
            row(format, len);
        }
    }
    for len in [0, 71, 72, 72 + 15, 72 + 17, 72 + 65 * 16] {
        row("batch", len);
    }
    rows
}
