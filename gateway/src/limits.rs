//! How often.
//!
//! The rule is that of `governor` (GCRA: one number for each payer), by hand: that crate turns a feature of
//! `portable-atomic` on, which rebuilds Solana's client crates.

use crate::config::Limits;
use joule_listen::{Peer, Share};
use joule_sdk::Pubkey;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Payers that may be remembered before those are forgotten who have been quiet.
const REMEMBERED: usize = 10_000;

/// For what is turned off.
const NEVER: Duration = Duration::from_secs(86_400);

/// So many a second in the long run, so many at once.
#[derive(Debug, Clone, Copy)]
struct Quota {
    /// Between two, in the long run.
    every: Duration,
    /// By how much one may be ahead of that.
    slack: Duration,
}

impl Quota {
    fn new(per_second: u32, burst: u32) -> Self {
        let every = Duration::from_secs(1) / per_second.max(1);
        Self { every, slack: every * burst.saturating_sub(1) }
    }

    /// So many a minute, all at once if they come so; `None` for none at all.
    fn in_a_minute(count: u32) -> Option<Self> {
        let every = Duration::from_secs(60).checked_div(count)?;
        Some(Self { every, slack: every * (count - 1) })
    }

    /// `due` is when the next would come that kept to the rate; moves it on, or says how long to wait.
    fn take(&self, due: &mut Instant, now: Instant) -> Result<(), Duration> {
        let ahead = due.saturating_duration_since(now);
        if ahead > self.slack {
            return Err(ahead - self.slack);
        }
        *due = now.max(*due) + self.every;
        Ok(())
    }
}

/// Counts the requests of payers whose signatures are good, and questions to the chain about payments.
#[derive(Debug)]
pub struct Rates {
    of_payers: Quota,
    payers: Mutex<HashMap<Pubkey, Instant>>,
    /// Payments by one transaction that are looked at, as many as lookups: neither takes the other's turns.
    of_payments: Quota,
    payments: Mutex<Instant>,
    /// Requests that are tried for nothing; `None` when none are.
    of_probes: Option<Quota>,
    probes: Mutex<Instant>,
    probes_per_minute: u32,
    share: Share,
    /// Of each address.
    probers: Mutex<HashMap<Peer, Instant>>,
}

impl Rates {
    pub fn new(limits: &Limits) -> Self {
        Self {
            of_payers: Quota::new(limits.requests_per_second, limits.burst),
            payers: Mutex::default(),
            of_payments: Quota::new(limits.lookups_per_second, limits.lookups_per_second),
            payments: Mutex::new(Instant::now()),
            of_probes: Quota::in_a_minute(limits.probes_per_minute),
            probes: Mutex::new(Instant::now()),
            probes_per_minute: limits.probes_per_minute,
            share: limits.address_share.into(),
            probers: Mutex::default(),
        }
    }

    /// Or how long the payer has to wait.
    pub fn payer(&self, payer: &Pubkey) -> Result<(), Duration> {
        let now = Instant::now();
        let mut payers = self.payers.lock().unwrap_or_else(PoisonError::into_inner);
        if payers.len() > REMEMBERED {
            payers.retain(|_, due| *due > now);
        }
        self.of_payers.take(payers.entry(*payer).or_insert(now), now)
    }

    /// Or how long until a request of this address may be tried for nothing again.
    pub fn probe(&self, peer: Peer) -> Result<(), Duration> {
        let (quota, now) = (self.of_probes.ok_or(NEVER)?, Instant::now());
        let its = self.share.of(self.probes_per_minute as usize, peer);
        if let Some(its) = Quota::in_a_minute(u32::try_from(its).unwrap_or(u32::MAX)) {
            let mut probers = self.probers.lock().unwrap_or_else(PoisonError::into_inner);
            if probers.len() > REMEMBERED {
                probers.retain(|_, due| *due > now);
            }
            its.take(probers.entry(peer).or_insert(now), now)?;
        }
        let mut due = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        quota.take(&mut due, now)
    }

    /// Or how long until the chain may be asked about another payment.
    pub fn payment(&self) -> Result<(), Duration> {
        let mut due = self.payments.lock().unwrap_or_else(PoisonError::into_inner);
        self.of_payments.take(&mut due, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_in_the_long_run_and_the_burst_at_once() {
        let quota = Quota::new(10, 3);
        let start = Instant::now();
        let mut due = start;
        let mut taken = 0;
        for millisecond in 0..1_000 {
            taken += u32::from(quota.take(&mut due, start + Duration::from_millis(millisecond)).is_ok());
        }
        assert_eq!(taken, 3 + 9);
        assert_eq!(
            quota.take(&mut due, start + Duration::from_secs(9)),
            Ok(()),
            "quiet is not saved up beyond the burst"
        );
        assert_eq!(quota.take(&mut due, start + Duration::from_secs(9)), Ok(()));
        assert_eq!(quota.take(&mut due, start + Duration::from_secs(9)), Ok(()));
        assert_eq!(quota.take(&mut due, start + Duration::from_secs(9)), Err(Duration::from_millis(100)));
    }

    #[test]
    fn one_payers_haste_is_not_anothers() {
        let rates = Rates::new(&Limits { requests_per_second: 1, burst: 3, ..Limits::default() });
        let (hasty, slow) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        for _ in 0..3 {
            assert_eq!(rates.payer(&hasty), Ok(()));
        }
        assert!(rates.payer(&hasty).is_err());
        assert_eq!(rates.payer(&slow), Ok(()));
    }
}
