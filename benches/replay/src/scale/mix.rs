//! What a chain is made of, in shares.

use super::version::Version;
use serde::Serialize;
use std::str::FromStr;

/// Shares, 0 to 1, but for `reorder`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mix {
    /// Of account updates: those that show an account for the first time. Stories alone come to about a quarter.
    pub new: f64,
    /// Of what happens: writes of jobs that come alone, without a transaction.
    pub bare: f64,
    /// Of transactions: the legacy ones and those of version 0; the others are of version 1.
    pub legacy: f64,
    pub v0: f64,
    /// Of blocks: attempts beside them that come to nothing, though they wrote.
    pub forks: f64,
    /// Of slots: those in which there is none.
    pub skipped: f64,
    /// Of blocks: those whose metadata and statuses come up to 24 slots late.
    pub late: f64,
    /// Of updates: those that come twice.
    pub duplicates: f64,
    /// Of what happens: strangers' doings at our programs' addresses, and what nobody can read.
    pub strangers: f64,
    /// Of strangers' doings: accounts of our programs that they make, or give lamports to, without naming a program of ours.
    pub unnamed: f64,
    /// Places that an update may come later than it happened, within its block.
    pub reorder: f64,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            new: 0.5,
            bare: 0.4,
            legacy: 0.3,
            v0: 0.4,
            forks: 0.02,
            skipped: 0.02,
            late: 0.005,
            duplicates: 0.01,
            strangers: 0.0,
            unnamed: 0.0,
            reorder: 8.0,
        }
    }
}

impl Mix {
    /// `of` is drawn evenly from 0 to 1.
    pub fn version(&self, of: f64) -> Version {
        match of {
            of if of < self.legacy => Version::Legacy,
            of if of < self.legacy + self.v0 => Version::V0,
            _ => Version::V1,
        }
    }
}

impl FromStr for Mix {
    type Err = String;

    /// What is not named is as always.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::default().with(text)
    }
}

impl Mix {
    /// Such as `new=0.5,bare=1`; what is not named stays, and `plain` is jobs alone, in order.
    pub fn with(self, text: &str) -> Result<Self, String> {
        let mut mix = self;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if part == "plain" {
                let (forks, skipped, late, duplicates, strangers, reorder) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
                mix = Self { bare: 1.0, forks, skipped, late, duplicates, strangers, reorder, ..mix };
                continue;
            }
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{part} is no share: write name=0.5"))?;
            let place = match name {
                "new" => &mut mix.new,
                "bare" => &mut mix.bare,
                "legacy" => &mut mix.legacy,
                "v0" => &mut mix.v0,
                "forks" => &mut mix.forks,
                "skipped" => &mut mix.skipped,
                "late" => &mut mix.late,
                "duplicates" => &mut mix.duplicates,
                "strangers" => &mut mix.strangers,
                "unnamed" => &mut mix.unnamed,
                "reorder" => &mut mix.reorder,
                _ => return Err(format!("a mix has no {name}")),
            };
            let most = if name == "reorder" { 1_000.0 } else { 1.0 };
            *place = value
                .parse()
                .ok()
                .filter(|value| (0.0..=most).contains(value))
                .ok_or_else(|| format!("{name}={value}: give a number from 0 to {most}"))?;
        }
        if mix.legacy + mix.v0 > 1.0 {
            return Err("legacy and v0 are more than all transactions".to_owned());
        }
        Ok(mix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_taken_and_all_else_stays() {
        let mix: Mix = "new=0.25,reorder=100".parse().unwrap();
        assert_eq!(mix, Mix { new: 0.25, reorder: 100.0, ..Mix::default() });
        assert_eq!("".parse::<Mix>().unwrap(), Mix::default());
        assert_eq!("plain,new=1".parse::<Mix>().map(|mix| (mix.bare, mix.forks, mix.new)), Ok((1.0, 0.0, 1.0)));
        for wrong in ["new", "new=2", "old=0.5", "new=x", "legacy=0.7,v0=0.7"] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_are_drawn_by_their_shares() {
        let mix = Mix { legacy: 0.2, v0: 0.3, ..Mix::default() };
        assert_eq!(
            [0.0, 0.19, 0.2, 0.49, 0.5, 0.99].map(|of| mix.version(of).to_string()).join(" "),
            "legacy legacy v0 v0 v1 v1"
        );
    }
}
