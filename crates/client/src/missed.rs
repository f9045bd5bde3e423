//! Answers in a row that never came and had to be paid, in whatever process. It bounds what a provider can take for nothing.

use crate::Answer;

/// So many at most, whatever window a provider offers; one that lets nothing be unpaid may still have a bad moment.
const MOST: std::ops::RangeInclusive<u64> = 4..=16;

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Somebody in this process.
    Here,
    /// Nobody any longer.
    GivenUp,
    /// Somebody did in a process that was killed.
    Killed,
}

#[derive(Debug, Clone, Copy)]
pub struct Missed {
    in_a_row: u64,
    /// What an earlier process was killed in the middle of is counted as one of them.
    killed: bool,
}

impl Missed {
    pub fn new(in_a_row: u64) -> Self {
        Self { in_a_row, killed: false }
    }

    pub fn in_a_row(self) -> u64 {
        self.in_a_row
    }

    /// Answers that may be missed before nothing more is asked for.
    pub fn most(window: u64) -> u64 {
        window.clamp(*MOST.start(), *MOST.end())
    }

    /// A receipt was taken, with such an answer. Returns how many it is that have been missed, if that has changed.
    pub fn count(&mut self, answer: &Answer<'_>, waits: Waits) -> Option<u64> {
        let before = self.in_a_row;
        match (answer, waits) {
            (Answer::Whole { .. }, _) => self.in_a_row = 0,
            (Answer::Part { .. } | Answer::Missed(_), _) | (Answer::Lost, Waits::GivenUp) => self.in_a_row += 1,
            // Whoever was killed may not have waited long for any of them.
            (Answer::Lost, Waits::Killed) => self.in_a_row += u64::from(!std::mem::replace(&mut self.killed, true)),
            (Answer::Lost, Waits::Here) | (Answer::Withheld, _) => {}
        }
        (self.in_a_row != before).then_some(self.in_a_row)
    }
}
