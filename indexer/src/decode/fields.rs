//! Fields for people: amounts and ids as decimal strings, addresses in base58, hashes in hex, times and codes as numbers.

use crate::types::Address;
use anchor_lang::prelude::{Address as Key, PodI64, PodU128, PodU16, PodU32, PodU64};
use serde_json::Value;

/// A JSON object of fields, each by one of this module's functions.
macro_rules! fields {
    ($of:expr; $($name:ident: $how:ident),* $(,)?) => {
        $crate::decode::fields::object([$((stringify!($name), $crate::decode::fields::$how(&$of.$name))),*])
    };
}
pub(crate) use fields;

pub fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub fn key(key: &Key) -> Value {
    Address::from(key).to_string().into()
}

/// `null` where it is all zero.
pub fn known(address: &Key) -> Value {
    if Address::from(address) == Address::SYSTEM {
        return Value::Null;
    }
    key(address)
}

pub fn keys(addresses: &[Key]) -> Value {
    addresses.iter().filter(|address| Address::from(*address) != Address::SYSTEM).map(key).collect()
}

pub fn hash(hash: &[u8; 32]) -> Value {
    hex::encode(hash).into()
}

/// `null` where it is all zero.
pub fn filled(hash: &[u8; 32]) -> Value {
    if *hash == [0; 32] {
        return Value::Null;
    }
    self::hash(hash)
}

pub fn text(amount: &PodU64) -> Value {
    amount.get().to_string().into()
}

pub fn texts(amounts: &[PodU64]) -> Value {
    amounts.iter().map(text).collect()
}

pub fn wide(amount: &PodU128) -> Value {
    amount.get().to_string().into()
}

/// 1 is yes.
pub fn flag(flag: &u8) -> Value {
    (*flag == 1).into()
}

pub fn number<T: Number>(number: &T) -> Value {
    number.json()
}

pub fn numbers<T: Number>(numbers: &[T]) -> Value {
    numbers.iter().map(Number::json).collect()
}

/// What JSON's numbers hold without loss.
pub trait Number {
    fn json(&self) -> Value;
}

macro_rules! number {
    ($($pod:ty),*) => {
        $(impl Number for $pod {
            fn json(&self) -> Value {
                self.get().into()
            }
        })*
    };
}

number!(PodI64, PodU32, PodU16);

impl Number for u8 {
    fn json(&self) -> Value {
        (*self).into()
    }
}
