//! Whole numbers as decimal strings: `u64`, and `u128` for sums of them.

use serde::{de::Error, Deserialize, Deserializer, Serializer};
use std::{fmt::Display, str::FromStr};

pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bits = 8 * size_of::<T>();
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not an unsigned {bits}-bit decimal")))
}
