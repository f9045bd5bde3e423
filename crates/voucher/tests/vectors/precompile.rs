//! Instruction data that a program may read a voucher from, and data that it may not.

use crate::{
    hex,
    messages::{session, voucher},
};
use joule_voucher::{
    precompile::{data, read_format},
    sign, Format, Voucher,
};
use serde_json::{json, Value};

pub fn instructions() -> Vec<Value> {
    let (key, voucher) = (session(), voucher(1, 1_000, 77, 1_800_000_000));
    let public = key.verifying_key().to_bytes();
    let signature = sign(&key, voucher.as_bytes());
    let good = data(&public, &signature, voucher.as_bytes()).unwrap();
    let row = |what: &str, data: &[u8]| json!({ "what": what, "data": hex(data), "reads": read_format::<Voucher>(data).is_some() });
    let changed = |what: &str, at: usize, value: u8| {
        let mut data = good.clone();
        data[at] = value;
        row(what, &data)
    };
    vec![
        json!({
            "what": "good", "key": hex(public), "signature": hex(signature), "message": hex(voucher.as_bytes()),
            "data": hex(&good), "reads": true,
        }),
        changed("no signature", 0, 0),
        changed("two signatures", 0, 2),
        changed("a second byte that is not zero", 1, 1),
        changed("the signature elsewhere", 2, 49),
        changed("the signature in instruction 0xFF", 5, 0),
        changed("the key elsewhere", 6, 17),
        changed("the key in instruction 0xFF", 9, 0),
        changed("the message elsewhere", 10, 113),
        changed("a shorter message", 12, 95),
        changed("a longer message", 12, 97),
        changed("the message in another instruction", 14, 1),
        row("cut off", &good[..good.len() - 1]),
        row("something behind the message", &[&good[..], &[0]].concat()),
        row("nothing", &[]),
    ]
}
