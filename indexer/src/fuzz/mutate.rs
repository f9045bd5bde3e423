//! Valid input made invalid.

use fastrand::Rng;
use serde_json::{json, Value};

/// Where arithmetic and lengths go wrong.
const EDGES: [u64; 10] =
    [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, (1 << 53) + 1, i64::MAX as u64, 1 << 63, u64::MAX];

/// Bytes changed in some places, cut, made longer, or with a part of another in them.
pub fn bytes(rng: &mut Rng, data: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..1 + rng.usize(..6) {
        let at = if data.is_empty() { 0 } else { rng.usize(..data.len()) };
        match rng.u8(..16) {
            0..=3 => put(data, at, &[rng.u8(..)]),
            // Most fields of one byte are small: a status, a flag, a count.
            4..=6 => put(data, at, &[rng.u8(..8)]),
            7..=9 => put(data, at, &EDGES[rng.usize(..EDGES.len())].to_le_bytes()[..1 << rng.usize(..4)]),
            10 => put(data, at, &vec![rng.u8(..); rng.usize(..64)]),
            11 => data.truncate(at),
            12 => {
                let more = rng.usize(..64);
                data.extend(std::iter::repeat_with(|| rng.u8(..)).take(more));
            }
            13 => {
                data.splice(at..at, std::iter::repeat_n(rng.u8(..), rng.usize(..9)));
            }
            14 => {
                let to = data.len().min(at + rng.usize(..9));
                data.drain(at..to);
            }
            // Another discriminator, or some of its fields.
            _ => {
                let from = if rng.bool() { 0 } else { rng.usize(..=other.len()) };
                let part = &other[from..other.len().min(from + 8 + rng.usize(..64))];
                put(data, if from == 0 { 0 } else { at }, part);
            }
        }
    }
}

/// The same of bytes that others hold too.
pub fn shared(rng: &mut Rng, data: &[u8], other: &[u8]) -> bytes::Bytes {
    let mut data = data.to_vec();
    bytes(rng, &mut data, other);
    data.into()
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    data[at..].iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
}

/// Some values of a JSON tree replaced, doubled or left out.
pub fn tree(rng: &mut Rng, root: &mut Value) {
    for _ in 0..1 + rng.usize(..4) {
        let mut left = rng.usize(..size(root));
        change(rng, root, &mut left);
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum::<usize>(),
        _ => 0,
    }
}

/// Changes the value that comes `left` places after this one. True when that is done.
fn change(rng: &mut Rng, value: &mut Value, left: &mut usize) -> bool {
    if *left == 0 {
        *value = other(rng, value);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(rng, item, left)),
        Value::Object(fields) => fields.values_mut().any(|item| change(rng, item, left)),
        _ => false,
    }
}

fn other(rng: &mut Rng, value: &Value) -> Value {
    match (rng.u8(..12), value) {
        (0, _) => Value::Null,
        (1, _) => json!(EDGES[rng.usize(..EDGES.len())]),
        (2, _) => json!(-rng.i64(0..i64::MAX)),
        (3, _) => json!(rng.f64() * 1e300),
        (4, _) => json!(rng.bool()),
        (5, _) => json!([]),
        (6, _) => json!({}),
        (7, _) => (0..rng.usize(..100)).fold(value.clone(), |within, _| json!([within])),
        (8, _) => json!("0".repeat(rng.usize(..200))),
        (_, Value::Array(items)) if !items.is_empty() => {
            let (mut items, at) = (items.clone(), rng.usize(..items.len()));
            match rng.u8(..3) {
                0 => drop(items.remove(at)),
                1 => items.extend(items[at..].to_vec()),
                _ => items.swap(0, at),
            }
            items.into()
        }
        (_, Value::Object(fields)) if !fields.is_empty() => {
            let mut fields = fields.clone();
            let name = fields.keys().nth(rng.usize(..fields.len())).cloned();
            name.map(|name| fields.remove(&name));
            fields.into()
        }
        (_, Value::String(text)) => {
            let mut text = text.clone().into_bytes();
            bytes(rng, &mut text, b"11111111111111111111111111111111");
            String::from_utf8_lossy(&text).into()
        }
        (_, Value::Number(_)) => json!(rng.u8(..)),
        _ => Value::Null,
    }
}
