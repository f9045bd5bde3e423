//! Plans: money by the second.

use super::{Tab, Wallet};
use crate::check::Violation;
use joule_sdk::{
    billing::state::{Plan, PlanStatus},
    Pubkey,
};

/// A plan that has not been closed. Amounts in base units, times in seconds.
#[derive(Clone, Copy)]
pub struct Flow {
    pub address: Pubkey,
    /// The account, as it must be to the byte.
    pub plan: Plan,
    /// What it has made in all.
    pub made: u128,
    /// Since when it runs, if it does, and how long it has run before.
    pub since: Option<i64>,
    pub ran: i64,
    /// Whether its notice is paid for beyond the time that it has run.
    pub has_notice: bool,
}

impl Flow {
    pub fn is_running(&self) -> bool {
        self.plan.status == PlanStatus::Running as u8
    }

    pub fn is_paused(&self) -> bool {
        self.plan.status == PlanStatus::Paused as u8
    }

    /// What the payer has reserved for it beside what its channel holds: lockup, and what it has made since it was settled.
    pub fn reserved(&self, synced_at: i64) -> Result<u128, Violation> {
        let lockup = self.plan.lockup.get() as u128;
        if !self.is_running() {
            return Ok(lockup);
        }
        let unsettled = u128::try_from(synced_at - self.plan.settled_until.get());
        let unsettled = unsettled.map_err(|_| Violation::new("a plan was paid for seconds that nobody reserved"))?;
        Ok(lockup + unsettled * self.plan.rate.get() as u128)
    }

    /// It has made no more than its rate in all seconds in which it ran, and in its notice.
    pub fn sound(&self, now: i64) -> Result<(), Violation> {
        let running = self.since.map_or(0, |since| now - since);
        let notice = if self.has_notice { self.plan.period.get() as i64 } else { 0 };
        let most = self.plan.rate.get() as u128 * (self.ran + running + notice) as u128;
        Violation::unless(self.made <= most, "a plan has made more than its rate in the time that it ran")
    }

    /// It runs no longer.
    pub fn rest(&mut self, now: i64) {
        self.ran += self.since.take().map_or(0, |since| now - since);
    }

    /// Pays for the seconds up to `until`. Returns how much that is.
    fn pay(&mut self, until: i64, tab: &mut Tab) -> u64 {
        let seconds = (until - self.plan.settled_until.get()).max(0);
        let amount = seconds as u64 * self.plan.rate.get();
        self.plan.settled_until = (self.plan.settled_until.get() + seconds).into();
        self.made += amount as u128;
        tab.channel.accrued = (tab.channel.accrued.get() + amount).into();
        tab.hold(amount);
        amount
    }

    /// The same, for as many seconds as the lockup pays for.
    fn pay_from_lockup(&mut self, until: i64, tab: &mut Tab) -> u64 {
        let lasts = self.plan.lockup.get() / self.plan.rate.get();
        let amount = self.pay(until.min(self.plan.settled_until.get() + lasts as i64), tab);
        self.plan.lockup = (self.plan.lockup.get() - amount).into();
        amount
    }

    /// What was reserved for seconds that it does not run is free again.
    pub fn stop(&mut self, wallet: &mut Wallet) -> Result<(), Violation> {
        wallet.change_rate(-(self.plan.rate.get() as i128))?;
        let beyond = (wallet.payer.synced_at.get() - self.plan.settled_until.get()).max(0);
        wallet.release(beyond as u64 * self.plan.rate.get())
    }

    /// It is over; what is left of the lockup is free again.
    pub fn end(&mut self, wallet: &mut Wallet, tab: &mut Tab) -> Result<(), Violation> {
        wallet.release(self.plan.lockup.get())?;
        self.plan.lockup = 0.into();
        tab.channel.has_plan = 0;
        Ok(())
    }

    /// What it has made comes to its channel. Returns how much that is, and whether it is over.
    pub fn settle(&mut self, wallet: &mut Wallet, tab: &mut Tab, now: i64) -> Result<(u64, bool), Violation> {
        wallet.sync(now);
        let closed = tab.end(now);
        let end = closed.unwrap_or(now);
        let (amount, is_over) = if self.is_paused() {
            (0, closed.is_some())
        } else if self.is_running() {
            let funded = self.pay(end.min(wallet.payer.synced_at.get()), tab);
            let late = match closed {
                Some(end) => {
                    self.stop(wallet)?;
                    self.rest(end);
                    self.pay_from_lockup(end, tab)
                }
                None => 0,
            };
            (funded + late, closed.is_some())
        } else {
            let notice = self.plan.ends_at.get();
            (self.pay_from_lockup(end.min(notice), tab), closed.is_some() || now >= notice)
        };
        if is_over {
            self.end(wallet, tab)?;
        }
        Ok((amount, is_over))
    }
}
