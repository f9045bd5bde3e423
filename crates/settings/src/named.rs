//! Names that stand for codes on the chain. `docs/gpu-models.md` and `docs/regions.md` list them; a code never changes its meaning.

use crate::nearest::or_nearest;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, marker::PhantomData, str::FromStr};

/// What kind of thing a code is of.
pub trait Kind: Copy {
    /// As a sentence names one: `GPU model`.
    const WHAT: &'static str;
    /// Codes with their names, by code.
    const NAMES: &'static [(u16, &'static str)];
}

/// One of a kind, as it is on the chain. Known by name to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code<K> {
    code: u16,
    kind: PhantomData<K>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a {what}: {instead}")]
pub struct CodeError {
    name: String,
    what: &'static str,
    instead: String,
}

impl<K: Kind> Code<K> {
    pub const fn new(code: u16) -> Self {
        Self { code, kind: PhantomData }
    }

    pub const fn get(self) -> u16 {
        self.code
    }

    /// `None` where this version knows no name for it.
    pub fn name(self) -> Option<&'static str> {
        K::NAMES.iter().find(|(code, _)| *code == self.code).map(|(_, name)| *name)
    }
}

impl<K: Kind> Default for Code<K> {
    fn default() -> Self {
        Self::new(0)
    }
}

/// Upper and lower case are alike. `code 17` is one that this version has no name for.
impl<K: Kind> FromStr for Code<K> {
    type Err = CodeError;

    fn from_str(name: &str) -> Result<Self, CodeError> {
        if let Some(code) = name.strip_prefix("code ").and_then(|code| code.parse().ok()) {
            return Ok(Self::new(code));
        }
        let found = K::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map(|(code, _)| Self::new(*code)).ok_or_else(|| {
            let known: Vec<_> = K::NAMES.iter().map(|(_, name)| *name).collect();
            CodeError { name: name.into(), what: K::WHAT, instead: or_nearest(name, &known) }
        })
    }
}

impl<K: Kind> fmt::Display for Code<K> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "code {}", self.code),
        }
    }
}

impl<K: Kind> Serialize for Code<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Code<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Gpu;
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World;

pub type GpuModel = Code<Gpu>;
pub type Region = Code<World>;

impl Kind for Gpu {
    const WHAT: &'static str = "GPU model";
    const NAMES: &'static [(u16, &'static str)] = &[
        (0, "none"),
        (1, "T4"),
        (2, "L4"),
        (3, "L40S"),
        (4, "A10"),
        (5, "A100-40GB"),
        (6, "A100-80GB"),
        (7, "H100"),
        (8, "H200"),
        (9, "B200"),
        (10, "RTX-3090"),
        (11, "RTX-4090"),
        (12, "RTX-5090"),
        (13, "MI250"),
        (14, "MI300X"),
        (u16::MAX, "other"),
    ];
}

impl Kind for World {
    const WHAT: &'static str = "region";
    const NAMES: &'static [(u16, &'static str)] = &[
        (0, "unspecified"),
        (1, "na-east"),
        (2, "na-west"),
        (3, "sa"),
        (4, "eu-west"),
        (5, "eu-east"),
        (6, "me"),
        (7, "africa"),
        (8, "south-asia"),
        (9, "east-asia"),
        (10, "southeast-asia"),
        (11, "oceania"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_whatever_their_case_and_shown_as_they_are_written() {
        assert_eq!("h100".parse::<GpuModel>().map(Code::get), Ok(7));
        assert_eq!((GpuModel::new(7).to_string(), Region::new(4).to_string()), ("H100".into(), "eu-west".into()));
        let unknown = GpuModel::new(99);
        assert_eq!(unknown.to_string().parse(), Ok(unknown));
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_nearest() {
        let error = "A100-80".parse::<GpuModel>().unwrap_err().to_string();
        assert_eq!(error, "\"A100-80\" is not a GPU model: did you mean \"A100-80GB\"?");
        let error = "eu_west".parse::<Region>().unwrap_err().to_string();
        assert_eq!(error, "\"eu_west\" is not a region: did you mean \"eu-west\"?");
        assert!("7".parse::<GpuModel>().unwrap_err().to_string().contains("there are none, T4"));
    }

    /// The second column of a table with codes in its first.
    fn listed(text: &str) -> Vec<(u16, &str)> {
        let cells = text.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        cells.filter_map(|cells| Some((cells.get(1)?.parse().ok()?, *cells.get(2)?))).collect()
    }

    #[test]
    fn the_documents_list_the_same_names() {
        assert_eq!(listed(include_str!("../../../docs/gpu-models.md")), Gpu::NAMES);
        assert_eq!(listed(include_str!("../../../docs/regions.md")), World::NAMES);
    }
}
