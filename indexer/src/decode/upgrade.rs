//! When a program's layouts began on this cluster. Each cluster upgrades at a slot of its own, and the chain does not say what an
//! upgrade was about, so the operator does.

use super::{layout::layouts, Program};
use serde::{Deserialize, Deserializer};
use std::{fmt, str::FromStr, sync::OnceLock};

/// The next layout of a program, in force from a slot on: `billing@312000001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgrade {
    pub program: Program,
    /// The first in which it runs: the one after that in which it was deployed.
    pub slot: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    #[error(
        "{0:?} is no upgrade: write a program and the first slot in which it runs as upgraded, such as billing@312000001; programs are {known}",
        known = Program::ALL.map(Program::name).join(", ")
    )]
    Form(String),
    #[error("upgrades: this indexer knows {known} layout(s) of {program}, and so {most} upgrade(s) of it; leave out those that changed nothing that it writes, or use a newer indexer")]
    Unknown { program: &'static str, known: usize, most: usize },
    #[error("upgrades: {program}@{slot} comes after a later slot; name each program's from the first to the last")]
    Order { program: &'static str, slot: u64 },
    #[error("upgrades: others are in force already; start again to change them")]
    Taken,
}

impl FromStr for Upgrade {
    type Err = UpgradeError;

    fn from_str(text: &str) -> Result<Self, UpgradeError> {
        let read = || {
            let (name, slot) = text.split_once('@')?;
            let program = Program::ALL.into_iter().find(|program| program.name() == name)?;
            Some(Self { program, slot: slot.replace('_', "").parse().ok()? })
        };
        read().ok_or_else(|| UpgradeError::Form(text.to_owned()))
    }
}

impl fmt::Display for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.program.name(), self.slot)
    }
}

impl<'de> Deserialize<'de> for Upgrade {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Of each program, when its second layout began, its third, and so on, as far as anybody said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upgrades([Vec<u64>; Program::ALL.len()]);

static IN_FORCE: OnceLock<Upgrades> = OnceLock::new();

impl Upgrades {
    pub fn new(all: &[Upgrade]) -> Result<Self, UpgradeError> {
        let mut upgrades = Self::default();
        for Upgrade { program, slot } in all.iter().copied() {
            let (known, begun) = (layouts(program).len(), &mut upgrades.0[program as usize]);
            if begun.last().is_some_and(|last| *last >= slot) {
                return Err(UpgradeError::Order { program: program.name(), slot });
            }
            begun.push(slot);
            if begun.len() >= known {
                return Err(UpgradeError::Unknown { program: program.name(), known, most: known - 1 });
            }
        }
        Ok(upgrades)
    }

    /// The first slot of a program's layout; `None` where nobody said.
    pub fn began(&self, program: Program, layout: usize) -> Option<u64> {
        match layout {
            0 => Some(0),
            later => self.0[program as usize].get(later - 1).copied(),
        }
    }

    /// From here on everything is decoded by these, in the whole process: a process follows one cluster.
    pub fn take_force(self) -> Result<(), UpgradeError> {
        if *IN_FORCE.get_or_init(|| self.clone()) == self {
            return Ok(());
        }
        Err(UpgradeError::Taken)
    }

    pub(super) fn in_force() -> &'static Self {
        IN_FORCE.get_or_init(Self::usual)
    }

    #[cfg(not(test))]
    fn usual() -> Self {
        Self::default()
    }

    /// Long before anything that tests are about.
    #[cfg(test)]
    pub(super) fn usual() -> Self {
        Self::new(&[Upgrade { program: Program::Billing, slot: super::earlier::UNTIL }]).unwrap()
    }
}
