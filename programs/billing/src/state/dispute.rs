//! What a proven lie costs.

use super::Channel;
use crate::error::BillingError;
use anchor_lang::prelude::*;
use joule_units::{Amount, UnixTime};

/// Who was proven wrong; each of them once for each channel, and no proof shields the other. Their numbers are flags in
/// `Channel::disputed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// It overcharged, or billed one request twice.
    AgainstProvider = 1,
    /// It promised two things under one number.
    AgainstPayer = 2,
}

impl Channel {
    /// Whether this has been proven.
    #[inline(always)]
    pub fn is_convicted(&self, verdict: Verdict) -> bool {
        self.disputed & verdict as u8 != 0
    }

    #[inline(always)]
    fn convict(&mut self, verdict: Verdict) -> Result<()> {
        require!(!self.is_convicted(verdict), BillingError::AlreadyDisputed);
        self.disputed |= verdict as u8;
        Ok(())
    }

    /// The provider loses what it has not been paid yet, and the channel closes. Returns how much that is: the payer's.
    /// The other parties did nothing wrong and get theirs.
    #[inline(always)]
    pub fn condemn_provider(&mut self, now: UnixTime) -> Result<Amount> {
        self.convict(Verdict::AgainstProvider)?;
        let earned = self.earned()?;
        let uncollected = self.provider_part(earned)?;
        self.collected = earned.into();
        let owed = self.forfeit_owed()?;
        let returned = uncollected.checked_add(owed).ok_or(BillingError::Overflow)?;
        self.let_go(returned)?;
        match self.is_closed(now) {
            // What a session could not spend any more, `condemn_payer` shall not find.
            true => self.session.limit = self.settled,
            false => self.close_now(now),
        }
        Ok(returned)
    }

    /// The payer loses what its session could still have spent: whoever has that key could have spent it anyway. It counts as
    /// settled and is divided like everything earned, or payer and provider could contradict each other's books on purpose
    /// and leave out whoever shares in the model. The channel closes. Returns how much that is.
    ///
    /// Once the session or the channel is over that key could have spent nothing any more, and loses nothing either; unless it
    /// is over because the provider was convicted, which excuses nobody else.
    #[inline(always)]
    pub fn condemn_payer(&mut self, now: UnixTime) -> Result<Amount> {
        self.convict(Verdict::AgainstPayer)?;
        let is_over = self.is_closed(now) && !self.is_convicted(Verdict::AgainstProvider);
        require!(!is_over, BillingError::ChannelClosed);
        require!(now.get() <= self.session.expires_at.get(), BillingError::SessionOver);
        let most = self.cap.get().min(self.session.limit.get());
        let lost = Amount::new(most.saturating_sub(self.settled.get()));
        require!(!lost.is_zero(), BillingError::NothingOwed);
        self.settled = most.into();
        self.close_now(now);
        Ok(lost)
    }
}
