//! Lengths of time and sizes as people write them: `90s`, `1h 30m`, `7d`; `16 MiB`, `10 GB`. They say their unit.

use serde::{de, Deserialize, Deserializer};
use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("{0:?} is not a length of time: write numbers with their units, such as \"90s\", \"1h 30m\" or \"7d\"")]
    Span(String),
    #[error("{0:?} is not a size: write a whole number with its unit, such as \"64 KiB\", \"16 MiB\" or \"10 GiB\"")]
    Size(String),
    #[error("{0:?} is not in whole seconds")]
    Seconds(String),
    #[error("{0:?} is too much here")]
    TooMuch(String),
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        humantime::parse_duration(text.trim()).map(Self).map_err(|_| SpanError::Span(text.into()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Span {
    /// In whole seconds.
    pub fn seconds<T: TryFrom<u64>>(self) -> Result<T, SpanError> {
        if self.0.subsec_nanos() > 0 {
            return Err(SpanError::Seconds(self.to_string()));
        }
        T::try_from(self.0.as_secs()).map_err(|_| SpanError::TooMuch(self.to_string()))
    }
}

/// Largest first; those of a thousand are read, and not written.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
];

impl FromStr for Size {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError::Size(text.into());
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, name) = (&trimmed[..split], trimmed[split..].trim());
        let (_, unit) = UNITS.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(name)).ok_or_else(wrong)?;
        if digits.is_empty() {
            return Err(wrong());
        }
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit));
        bytes.map(Self).ok_or_else(|| SpanError::TooMuch(text.into()))
    }
}

/// In the largest unit of 1,024 of which it is a whole number.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let fits = UNITS.iter().find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        let (name, unit) = fits.copied().unwrap_or(("B", 1));
        write!(f, "{} {name}", self.0 / unit)
    }
}

impl Size {
    /// As a type that may hold less.
    pub fn bytes<T: TryFrom<u64>>(self) -> Result<T, SpanError> {
        T::try_from(self.0).map_err(|_| SpanError::TooMuch(self.to_string()))
    }
}

/// Reads text, and tells whoever wrote a bare number what to write.
struct Text<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = SpanError>> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Err(E::custom(format_args!("{number} says no unit: write {}", self.0)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Err(E::custom(format_args!("{number} says no unit: write {}", self.0)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text("a length of time, such as \"90s\" or \"1h 30m\"", PhantomData))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text("a size, such as \"16 MiB\"", PhantomData))
    }
}

/// For `#[serde(deserialize_with)]`: a [`Span`] as the standard library has it.
pub fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Span::deserialize(from).map(|span| span.0)
}

/// For `#[serde(deserialize_with)]`: a [`Span`] in whole seconds.
pub fn seconds<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    Span::deserialize(from)?.seconds().map_err(de::Error::custom)
}

/// For `#[serde(deserialize_with)]`: a [`Size`] in bytes.
pub fn bytes<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    Size::deserialize(from)?.bytes().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_sizes_are_read_with_their_units_and_written_so() {
        for (text, seconds, shown) in [("90s", 90, "1m 30s"), ("1h 30m", 5_400, "1h 30m"), ("7d", 604_800, "7days")] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.seconds(), span.to_string().as_str()), (Ok(seconds), shown));
            assert_eq!(shown.parse(), Ok(span));
        }
        for (text, bytes, shown) in [
            ("16 MiB", 16 << 20, "16 MiB"),
            ("64kib", 65_536, "64 KiB"),
            ("10 GB", 10_000_000_000, "9765625 KiB"),
            ("0 B", 0, "0 B"),
            ("1000 B", 1_000, "1000 B"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
            assert_eq!(shown.parse(), Ok(size));
        }
    }

    #[test]
    fn what_says_no_unit_or_does_not_fit_is_refused_with_what_to_write() {
        for text in ["90", "", "soon", "-1s"] {
            assert!(text.parse::<Span>().unwrap_err().to_string().contains("such as \"90s\""), "{text}");
        }
        for text in ["16", "MiB", "1.5 GiB", "16 XiB", ""] {
            assert!(text.parse::<Size>().unwrap_err().to_string().contains("such as"), "{text}");
        }
        assert!("20000000000 GB".parse::<Size>().unwrap_err().to_string().contains("too much"));
        assert_eq!(Span(Duration::from_millis(1_500)).seconds::<u64>(), Err(SpanError::Seconds("1s 500ms".into())));
        assert!(Span(Duration::from_secs(1 << 33)).seconds::<u32>().is_err());

        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Read {
            #[serde(default, deserialize_with = "bytes")]
            size: u64,
            #[serde(default, deserialize_with = "duration")]
            wait: Duration,
        }
        for (text, wanted) in
            [("size = 16", "16 says no unit"), ("wait = 1.5", "1.5 says no unit"), ("wait = '5'", "90s")]
        {
            assert!(toml::from_str::<Read>(text).unwrap_err().to_string().contains(wanted), "{text}");
        }
    }
}
