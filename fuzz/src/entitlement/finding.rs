//! What histories have shown to be wrong.

/// Kinds of wrongs. The numbers are those of the first thefts that were shown, which is what they were named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A bad receipt that was paid for could not be disputed within its window.
    Gone = 1,
    /// Jurors were kept out by requirements that vanished.
    Picked = 2,
    /// A bond was slashed for nothing that its owner had promised.
    Emptied = 3,
    /// A member of a panel was slashed for what it could not cover.
    Uncovered = 4,
    /// A provider was paid before its review window ended.
    Hasty = 5,
    /// Jurors were kept out by what changed after the dispute had opened.
    Excluded = 6,
    /// Different outputs were counted as one.
    Lumped = 7,
    /// An account has no way out.
    Stuck = 8,
    /// One channel kept another from being settled.
    Spoilt = 9,
    /// An honest person has less than it should.
    Poorer = 20,
    /// A dispute was decided against the honest majority.
    Misjudged = 21,
    /// An honest person was slashed.
    Slashed = 22,
    /// Somebody who acted in time was turned away.
    Refused = 23,
    /// Lamports did not come back.
    Rent = 24,
}

impl Kind {
    pub fn name(self) -> String {
        match self as u8 {
            number @ 1..=9 => format!("kind {number}, {self:?}"),
            _ => format!("{self:?}"),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Finding {
    pub kind: Kind,
    pub what: String,
    /// Transactions into the history.
    pub step: u64,
}
