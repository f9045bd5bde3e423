//! The breaker on a fee vault. It stops whoever governs, never the user of a service: those are paid by the services.

use super::{protocol::after, AcceptedMint};
use crate::{
    constants::{BREAKER_DELAY, MAX_BREAKER_WINDOW, MIN_BREAKER_WINDOW},
    error::TreasuryError,
};
use anchor_lang::prelude::*;
use joule_units::{Amount, Breaker, Seconds, UnixTime};

/// What became of a change of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerChange {
    /// It holds now.
    Applied,
    /// It is looser, and can be applied from this moment on, in Unix seconds.
    Staged(i64),
}

impl AcceptedMint {
    #[inline(always)]
    pub fn breaker(&self) -> Breaker {
        Breaker { limit: Amount::new(self.outflow_limit.get()), window: Seconds::new(self.outflow_window.get()) }
    }

    /// What may leave the fee vault now.
    #[inline(always)]
    pub fn headroom(&self, now: UnixTime) -> Amount {
        self.breaker().headroom(Amount::new(self.outflow.get()), self.elapsed(now))
    }

    /// Counts what leaves the fee vault, or refuses.
    #[inline(always)]
    pub(super) fn spend(&mut self, amount: Amount, now: UnixTime) -> Result<()> {
        let earlier = Amount::new(self.outflow.get());
        let total = self.breaker().spend(earlier, self.elapsed(now), amount).ok_or(TreasuryError::OutflowLimited)?;
        self.count(total, now);
        Ok(())
    }

    /// The breaker that a mint is accepted with.
    pub fn install_breaker(&mut self, breaker: Breaker) -> Result<()> {
        require_window(breaker)?;
        self.write_breaker(breaker);
        Ok(())
    }

    /// A breaker that lets out no more than the present one, at once or over time, holds immediately. A looser one is staged:
    /// whoever steals the authority's key could otherwise lift the breaker and empty the vault in one transaction. Either
    /// way an earlier staged one is forgotten, so that setting the present breaker again cancels what is staged.
    pub fn set_breaker(&mut self, breaker: Breaker, now: UnixTime) -> Result<BreakerChange> {
        require_window(breaker)?;
        self.forget_staged();
        if breaker.is_within(self.breaker()) {
            self.change_breaker(breaker, now);
            return Ok(BreakerChange::Applied);
        }
        let at = after(now, BREAKER_DELAY)?;
        self.staged_limit = breaker.limit.get().into();
        self.staged_window = breaker.window.get().into();
        self.staged_at = at.into();
        Ok(BreakerChange::Staged(at))
    }

    /// Lets the staged breaker hold once its delay is over.
    pub fn apply_breaker(&mut self, now: UnixTime) -> Result<Breaker> {
        let at = self.staged_at.get();
        require!(at != 0, TreasuryError::NothingStaged);
        require!(now.get() >= at, TreasuryError::DelayNotOver);
        let breaker =
            Breaker { limit: Amount::new(self.staged_limit.get()), window: Seconds::new(self.staged_window.get()) };
        self.forget_staged();
        self.change_breaker(breaker, now);
        Ok(breaker)
    }

    /// What has left fades by the old window until now and by the new one from now on: another window must not change what
    /// has faded already.
    fn change_breaker(&mut self, breaker: Breaker, now: UnixTime) {
        let counted = self.breaker().counted(Amount::new(self.outflow.get()), self.elapsed(now));
        self.count(counted, now);
        self.write_breaker(breaker);
    }

    fn write_breaker(&mut self, breaker: Breaker) {
        self.outflow_limit = breaker.limit.get().into();
        self.outflow_window = breaker.window.get().into();
    }

    fn forget_staged(&mut self) {
        self.staged_limit = PodU64::ZERO;
        self.staged_window = PodU32::ZERO;
        self.staged_at = PodI64::ZERO;
    }

    #[inline(always)]
    fn count(&mut self, outflow: Amount, now: UnixTime) {
        self.outflow = outflow.get().into();
        // Should the clock step back, what has faded must not fade twice.
        self.outflow_at = now.get().max(self.outflow_at.get()).into();
    }

    #[inline(always)]
    fn elapsed(&self, now: UnixTime) -> i64 {
        now.get().saturating_sub(self.outflow_at.get())
    }
}

fn require_window(breaker: Breaker) -> Result<()> {
    let range = MIN_BREAKER_WINDOW..=MAX_BREAKER_WINDOW;
    require!(range.contains(&breaker.window.get()), TreasuryError::WindowOutOfRange);
    Ok(())
}
