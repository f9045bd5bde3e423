//! Amounts as people write them: tokens with a decimal point, or base units said as such.

use crate::nearest::nearest;
use serde::{de, Deserialize, Deserializer};
use std::{fmt, str::FromStr};

const UNITS: [&str; 2] = ["units", "unit"];

/// What somebody wrote. How many base units it is, a [`Token`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// Digits with at most one point, and the token's symbol where it was written.
    Tokens { digits: String, symbol: Option<String> },
    /// Base units.
    Units(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error(
        "{0:?} is not an amount: write digits with at most one point, such as \"12.5 JOULE\", or \"12500000 units\""
    )]
    Form(String),
    #[error("{0:?} has separators: write it without, such as 1000000")]
    Separators(String),
    #[error("{0:?}: say what it is of, such as \"12.5 JOULE\" in tokens or \"12500000 units\" in base units")]
    Bare(String),
    #[error("{written:?}: {symbol} has {decimals} decimals")]
    Decimals { written: String, symbol: String, decimals: u8 },
    #[error("{0:?} does not fit into 64 bits of base units")]
    TooMuch(String),
    #[error("{written:?}: the token is {symbol}")]
    Symbol { written: String, symbol: String },
}

/// What people call the token: as it is named, or as the amounts have it, which must be of one mind. The error comes with the amount's setting.
pub fn symbol<'a>(
    named: Option<&str>,
    amounts: impl IntoIterator<Item = (&'static str, &'a Amount)>,
) -> Result<Option<String>, (&'static str, AmountError)> {
    let mut symbol = named.map(str::to_owned);
    for (field, amount) in amounts {
        let Some(written) = amount.symbol() else { continue };
        match &symbol {
            Some(symbol) if !symbol.eq_ignore_ascii_case(written) => {
                return Err((field, AmountError::Symbol { written: amount.to_string(), symbol: symbol.clone() }));
            }
            Some(_) => {}
            None => symbol = Some(written.to_owned()),
        }
    }
    Ok(symbol)
}

impl Amount {
    /// Tokens, whatever they are called: digits with at most one point.
    pub fn tokens(digits: impl Into<String>) -> Self {
        Self::Tokens { digits: digits.into(), symbol: None }
    }

    /// What the token is called, where that was written.
    pub fn symbol(&self) -> Option<&str> {
        match self {
            Self::Tokens { symbol, .. } => symbol.as_deref(),
            Self::Units(_) => None,
        }
    }

    /// Whether only the chain knows how many base units it is.
    pub fn wants_decimals(&self) -> bool {
        matches!(self, Self::Tokens { .. })
    }
}

/// A bare number is in tokens.
impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let trimmed = text.trim();
        let split = trimmed
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | '\'')))
            .unwrap_or(trimmed.len());
        let (digits, word) = (&trimmed[..split], trimmed[split..].trim());
        if digits.contains([',', '_', '\'']) {
            return Err(AmountError::Separators(text.into()));
        }
        let points = digits.matches('.').count();
        if points > 1
            || digits.len() == points
            || !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '$' | '.' | '-' | '_'))
        {
            return Err(AmountError::Form(text.into()));
        }
        if word.starts_with('-') || word.starts_with('.') {
            return Err(AmountError::Form(text.into()));
        }
        if UNITS.contains(&word) {
            if points > 0 {
                return Err(AmountError::Form(text.into()));
            }
            return digits.parse().map(Self::Units).map_err(|_| AmountError::TooMuch(text.into()));
        }
        Ok(Self::Tokens { digits: digits.to_owned(), symbol: (!word.is_empty()).then(|| word.to_owned()) })
    }
}

/// As it was written.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Tokens { digits, symbol: None } => f.write_str(digits),
            Self::Tokens { digits, symbol: Some(symbol) } => write!(f, "{digits} {symbol}"),
            Self::Units(units) => write!(f, "{units} units"),
        }
    }
}

/// In files a number says what it is of.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Written;
        impl de::Visitor<'_> for Written {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an amount, such as \"12.5 JOULE\" or \"12500000 units\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                match text.parse().map_err(E::custom)? {
                    Amount::Tokens { symbol: None, .. } => Err(E::custom(AmountError::Bare(text.into()))),
                    amount => Ok(amount),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Err(E::custom(AmountError::Bare(number.to_string())))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                Err(E::custom(AmountError::Bare(number.to_string())))
            }
        }
        from.deserialize_any(Written)
    }
}

/// What amounts are read and written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As people call it, such as `JOULE`.
    pub symbol: String,
    /// Digits after the point of one token; a base unit is the last of them.
    pub decimals: u8,
}

impl Token {
    pub fn new(symbol: impl Into<String>, decimals: u8) -> Self {
        Self { symbol: symbol.into(), decimals }
    }

    /// In base units. Digits that the token does not have are refused, and another token's symbol is.
    pub fn units(&self, amount: &Amount) -> Result<u64, AmountError> {
        let Amount::Tokens { digits, symbol } = amount else {
            let Amount::Units(units) = amount else { unreachable!() };
            return Ok(*units);
        };
        let written = amount.to_string();
        if symbol.as_ref().is_some_and(|symbol| !symbol.eq_ignore_ascii_case(&self.symbol)) {
            let symbol = symbol.as_deref().unwrap_or_default();
            // A slip of `units` is no token.
            return Err(match nearest(symbol, UNITS) {
                Some(_) => AmountError::Form(written),
                None => AmountError::Symbol { written, symbol: self.symbol.clone() },
            });
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let width = usize::from(self.decimals);
        if fraction.len() > width {
            return Err(AmountError::Decimals { written, symbol: self.symbol.clone(), decimals: self.decimals });
        }
        format!("{whole}{fraction:0<width$}").parse().map_err(|_| AmountError::TooMuch(written))
    }

    /// In tokens, to the last unit, without zeros at the end: `12.5`.
    pub fn tokens(&self, units: u64) -> String {
        let (whole, fraction) = self.parts(units);
        if fraction.is_empty() {
            whole
        } else {
            format!("{whole}.{fraction}")
        }
    }

    /// For people: `1,000,000.5 JOULE`.
    pub fn show(&self, units: u64) -> String {
        let (whole, fraction) = self.parts(units);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction} {}", group(&whole), self.symbol)
    }

    fn parts(&self, units: u64) -> (String, String) {
        let width = usize::from(self.decimals);
        let digits = format!("{units:0>width$}", width = width + 1);
        let (whole, fraction) = digits.split_at(digits.len() - width);
        (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
    }
}

/// Digits in groups of three.
pub fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joule() -> Token {
        Token::new("JOULE", 6)
    }

    fn units(text: &str) -> Result<u64, AmountError> {
        joule().units(&text.parse()?)
    }

    #[test]
    fn amounts_are_read_and_written_to_the_last_unit() {
        for (text, value, shown) in [
            ("0", 0, "0 JOULE"),
            ("1 JOULE", 1_000_000, "1 JOULE"),
            ("12.5joule", 12_500_000, "12.5 JOULE"),
            (".000001", 1, "0.000001 JOULE"),
            ("7 units", 7, "0.000007 JOULE"),
            ("1 unit", 1, "0.000001 JOULE"),
            ("1000000.5", 1_000_000_500_000, "1,000,000.5 JOULE"),
            ("18446744073709.551615", u64::MAX, "18,446,744,073,709.551615 JOULE"),
        ] {
            assert_eq!(units(text), Ok(value), "{text}");
            assert_eq!(joule().show(value), shown);
            assert_eq!(units(&joule().tokens(value)), Ok(value));
        }
        assert_eq!(Token::new("X", 0).show(1_234), "1,234 X");
    }

    #[test]
    fn what_is_no_amount_is_refused_with_what_to_write() {
        for (text, wanted) in [
            ("", "not an amount"),
            (".", "not an amount"),
            ("-1", "not an amount"),
            ("1.2.3", "not an amount"),
            ("٣", "not an amount"),
            ("1.5 units", "not an amount"),
            ("5 unitz", "not an amount"),
            ("1,5", "without"),
            ("1_000", "without"),
            ("1e3", "the token is JOULE"),
            ("2 USDC", "the token is JOULE"),
            ("0.0000001", "6 decimals"),
            ("18446744073709.551616", "64 bits"),
            ("18446744073709551616 units", "64 bits"),
        ] {
            let error = units(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_says_what_a_number_is_of() {
        #[derive(Debug, Deserialize)]
        struct Prices {
            least: Amount,
        }
        let read = |text: &str| toml::from_str::<Prices>(text).map(|p| p.least).map_err(|e| e.to_string());
        assert_eq!(read("least = '5 units'"), Ok(Amount::Units(5)));
        assert_eq!(joule().units(&read("least = '2.5 JOULE'").unwrap()), Ok(2_500_000));
        for bare in ["least = 5", "least = 2.5", "least = '5'"] {
            assert!(read(bare).unwrap_err().contains("say what it is of"), "{bare}");
        }
    }
}
