//! Addresses in JSON.

use joule_voucher::Key;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// An address or a key, written in base58.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Base58(pub Key);

impl fmt::Display for Base58 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for Base58 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Base58 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut key = Key::default();
        match bs58::decode(text).onto(&mut key) {
            Ok(32) => Ok(Self(key)),
            _ => Err(format!("{text:?} is not an address")),
        }
    }
}

impl Serialize for Base58 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Base58 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_thirty_two_bytes_are_an_address() {
        let address = Base58([7; 32]);
        assert_eq!(address.to_string().parse(), Ok(address));
        for wrong in ["", "1", "0OIl", &bs58::encode([1; 33]).into_string(), &bs58::encode([1; 31]).into_string()] {
            assert!(wrong.parse::<Base58>().is_err(), "{wrong}");
        }
    }
}
