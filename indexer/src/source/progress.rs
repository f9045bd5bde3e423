//! How far the reading of history has come, for whoever waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is being read, in this order. Not every gap needs all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// Signatures of our programs, from the newest slot to the oldest.
    #[default]
    Listing,
    /// Whether the node has every block of the gap.
    Checking,
    Transactions,
    Accounts,
}

impl Step {
    const ALL: [Self; 4] = [Self::Listing, Self::Checking, Self::Transactions, Self::Accounts];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing transactions",
            Self::Checking => "checking the ledger",
            Self::Transactions => "reading transactions",
            Self::Accounts => "reading accounts",
        }
    }
}

/// Shared by whoever reads and whoever shows it.
#[derive(Debug, Default)]
pub struct Progress(Mutex<State>);

#[derive(Debug, Default, Clone, Copy)]
struct State {
    step: Step,
    done: u64,
    /// 0 where that is not known.
    total: u64,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins; `total` is what there is to do in it, in whatever it is counted.
    pub fn begin(&self, step: Step, total: u64) {
        *self.state() = State { step, done: 0, total };
    }

    /// So much of the step is done by now.
    pub fn reach(&self, done: u64) {
        let mut state = self.state();
        state.done = done.min(state.total);
    }

    pub fn add(&self, done: u64) {
        let mut state = self.state();
        state.done = (state.done + done).min(state.total);
    }

    /// The step, and the share of everything that is done, from 0 to 1. Steps count alike.
    pub fn share(&self) -> (Step, f64) {
        let State { step, done, total } = *self.state();
        let within = if total == 0 { 0.0 } else { done as f64 / total as f64 };
        (step, (step as usize as f64 + within) / Step::ALL.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_rises_through_the_steps_and_ends_at_all() {
        let progress = Progress::default();
        let mut before = progress.share().1;
        assert_eq!(before, 0.0);
        for step in Step::ALL {
            progress.begin(step, 4);
            for _ in 0..4 {
                progress.add(1);
                let (now, share) = progress.share();
                assert!(share > before && now == step, "{step:?}");
                before = share;
            }
        }
        progress.add(9);
        assert_eq!(progress.share(), (Step::Accounts, 1.0));
    }
}
