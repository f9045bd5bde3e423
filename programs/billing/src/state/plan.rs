//! A standing payment on a channel.

use super::{Channel, Payer};
use crate::{constants::MAX_PERIOD, error::BillingError};
use anchor_lang::prelude::*;
use joule_units::{times, Amount, UnixTime};

/// What a plan waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PlanStatus {
    /// Accrues while the deposit can pay for all of the payer's plans. Until the owner or the provider ends it, or its
    /// channel closes.
    Running = 1,
    /// The provider has stopped it. Until the owner resumes it, either ends it, or its channel closes.
    Paused = 2,
    /// Its notice runs, paid out of the lockup. Until `ends_at`; then anyone closes it.
    Terminated = 3,
}

/// PDA `["plan", channel]`, closed when it has ended and all of it is settled.
#[account]
pub struct Plan {
    pub channel: Address,
    pub payer: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// Base units a second.
    pub rate: PodU64,
    /// What is left of the notice's money, in base units, reserved when the plan was started.
    pub lockup: PodU64,
    /// Unix seconds, as for all times here.
    pub started_at: PodI64,
    /// Until then everything is on the channel.
    pub settled_until: PodI64,
    /// When the notice ends; 0 before the plan is terminated.
    pub ends_at: PodI64,
    /// The notice, in seconds: for how long the lockup pays once the plan is terminated.
    pub period: PodU32,
    /// A `PlanStatus`.
    pub status: u8,
    pub bump: u8,
    pub unused: [u8; 34],
}

/// What a plan is made of, besides its terms.
pub struct Starting {
    pub channel: Address,
    pub payer: Address,
    pub rent_payer: Address,
    pub bump: u8,
}

impl Plan {
    /// Starts the flow and reserves the notice.
    #[inline(always)]
    pub fn start(
        &mut self,
        s: &Starting,
        rate: u64,
        period: u32,
        payer: &mut Payer,
        channel: &mut Channel,
        now: UnixTime,
    ) -> Result<()> {
        require!(rate > 0 && (1..=MAX_PERIOD).contains(&period), BillingError::PlanOutOfRange);
        require!(channel.closes_at.get() == 0, BillingError::AlreadyClosing);
        let lockup = Amount::new(times(rate, period as u64).ok_or(BillingError::Overflow)?);
        payer.sync(now)?;
        payer.speed_up(Amount::new(rate), now)?;
        payer.reserve(lockup)?;
        channel.has_plan = 1;
        self.channel = s.channel;
        self.payer = s.payer;
        self.rent_payer = s.rent_payer;
        self.rate = rate.into();
        self.lockup = lockup.get().into();
        self.started_at = now.get().into();
        self.settled_until = payer.synced_at;
        self.period = period.into();
        self.status = PlanStatus::Running as u8;
        self.bump = s.bump;
        Ok(())
    }

    #[inline(always)]
    pub fn status(&self) -> Result<PlanStatus> {
        match self.status {
            1 => Ok(PlanStatus::Running),
            2 => Ok(PlanStatus::Paused),
            3 => Ok(PlanStatus::Terminated),
            _ => Err(BillingError::InvariantBroken.into()),
        }
    }

    /// How many seconds up to `until` are not on the channel yet.
    #[inline(always)]
    fn unsettled(&self, until: i64) -> u64 {
        let from = self.settled_until.get();
        if until <= from {
            return 0;
        }
        // What lies between two moments always fits, where a difference of signed numbers may not.
        until.wrapping_sub(from) as u64
    }

    /// What the plan makes in the next `seconds`, which becomes the channel's. They end no later than some moment that is known.
    #[inline(always)]
    fn accrue(&mut self, seconds: u64, channel: &mut Channel) -> Result<Amount> {
        if seconds == 0 {
            return Ok(Amount::ZERO);
        }
        let amount = Amount::new(times(self.rate.get(), seconds).ok_or(BillingError::Overflow)?);
        self.settled_until = self.settled_until.get().wrapping_add(seconds as i64).into();
        channel.accrue(amount)?;
        Ok(amount)
    }

    /// The same up to `until`, out of the lockup and no more than it holds.
    #[inline(always)]
    fn draw(&mut self, until: i64, channel: &mut Channel) -> Result<Amount> {
        let lasts = self.lockup.get() / self.rate.get();
        let amount = self.accrue(self.unsettled(until).min(lasts), channel)?;
        self.lockup = self.lockup.get().checked_sub(amount.get()).ok_or(BillingError::InvariantBroken)?.into();
        Ok(amount)
    }

    /// Brings what the plan has made to its channel. Returns how much that is, and whether it has ended and is to be closed: by
    /// its notice, or with its channel.
    #[inline(always)]
    pub fn settle(&mut self, payer: &mut Payer, channel: &mut Channel, now: UnixTime) -> Result<(Amount, bool)> {
        payer.sync(now)?;
        let closed_at = channel.closed_at(now);
        let end = closed_at.unwrap_or(i64::MAX);
        let mut amount = Amount::ZERO;
        let mut ends = closed_at.is_some();
        match self.status()? {
            PlanStatus::Running => {
                let funded = payer.synced_at.get();
                amount = self.accrue(self.unsettled(funded.min(end)), channel)?;
                if ends {
                    self.stop(payer)?;
                    // What the deposit could not pay, the lockup does.
                    let late = self.draw(end, channel)?;
                    amount = amount.checked_add(late).ok_or(BillingError::Overflow)?;
                }
            }
            PlanStatus::Terminated => {
                let notice = self.ends_at.get();
                amount = self.draw(now.get().min(notice).min(end), channel)?;
                ends |= now.get() >= notice;
            }
            PlanStatus::Paused => {}
        }
        if ends {
            self.end(payer, channel)?;
        }
        Ok((amount, ends))
    }

    /// The flow ends. What was reserved for it beyond what it has made is free again.
    #[inline(always)]
    fn stop(&mut self, payer: &mut Payer) -> Result<()> {
        payer.slow_down(Amount::new(self.rate.get()))?;
        let beyond = self.unsettled(payer.synced_at.get());
        let excess = times(self.rate.get(), beyond).ok_or(BillingError::Overflow)?;
        payer.release(Amount::new(excess))
    }

    /// The plan is over: what is left of its lockup is free again.
    #[inline(always)]
    fn end(&mut self, payer: &mut Payer, channel: &mut Channel) -> Result<()> {
        payer.release(Amount::new(core::mem::take(&mut self.lockup).get()))?;
        channel.has_plan = 0;
        Ok(())
    }

    /// The provider stops the flow until the owner wants it again.
    #[inline(always)]
    pub fn pause(&mut self, payer: &mut Payer, channel: &mut Channel, now: UnixTime) -> Result<Amount> {
        require!(self.status()? == PlanStatus::Running, BillingError::PlanNotRunning);
        require!(!channel.is_closed(now), BillingError::ChannelClosed);
        let (amount, _) = self.settle(payer, channel, now)?;
        self.stop(payer)?;
        self.status = PlanStatus::Paused as u8;
        Ok(amount)
    }

    /// The owner wants it again.
    #[inline(always)]
    pub fn resume(&mut self, payer: &mut Payer, channel: &Channel, now: UnixTime) -> Result<()> {
        require!(self.status()? == PlanStatus::Paused, BillingError::PlanNotPaused);
        require!(channel.closes_at.get() == 0, BillingError::AlreadyClosing);
        payer.sync(now)?;
        payer.speed_up(Amount::new(self.rate.get()), now)?;
        self.settled_until = payer.synced_at;
        self.status = PlanStatus::Running as u8;
        Ok(())
    }

    /// Either party ends it. A plan that runs is paid for its notice, from where its deposit got to, if it is the owner that
    /// leaves; a provider that leaves is paid up to now. A paused one ends at once. Returns what it has made, and whether it is
    /// to be closed.
    #[inline(always)]
    pub fn terminate(
        &mut self,
        payer: &mut Payer,
        channel: &mut Channel,
        by_owner: bool,
        now: UnixTime,
    ) -> Result<(Amount, bool)> {
        require!(self.status()? != PlanStatus::Terminated, BillingError::PlanTerminated);
        let (amount, ends) = self.settle(payer, channel, now)?;
        if ends {
            return Ok((amount, true));
        }
        if self.status()? == PlanStatus::Paused {
            self.end(payer, channel)?;
            return Ok((amount, true));
        }
        self.stop(payer)?;
        let from = self.settled_until.get();
        let notice = from.checked_add(self.period.get() as i64).ok_or(BillingError::Overflow)?;
        let notice = if by_owner { notice } else { notice.min(now.get()) };
        self.ends_at = notice.into();
        self.status = PlanStatus::Terminated as u8;
        // The deposit may go further for the plans that are left.
        payer.sync(now)?;
        // Where the deposit ended long ago, so may the notice have. The channel is open, or the plan would have ended with it.
        let late = self.draw(now.get().min(notice), channel)?;
        let ends = now.get() >= notice;
        if ends {
            self.end(payer, channel)?;
        }
        Ok((amount.checked_add(late).ok_or(BillingError::Overflow)?, ends))
    }
}
