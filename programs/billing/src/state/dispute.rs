//! What a proven lie costs.

use super::Channel;
use crate::error::BillingError;
use anchor_lang::prelude::*;
use joule_units::{Amount, UnixTime};

/// Who was proven wrong; once for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    None = 0,
    /// It overcharged, or billed one request twice.
    AgainstProvider = 1,
    /// It promised two things under one number.
    AgainstPayer = 2,
}

impl Channel {
    /// The provider loses what it has not been paid yet, and the channel closes. Returns how much that is: the payer's.
    /// The other parties did nothing wrong and get theirs.
    #[inline(always)]
    pub fn condemn_provider(&mut self, now: UnixTime) -> Result<Amount> {
        require!(self.disputed == Verdict::None as u8, BillingError::AlreadyDisputed);
        self.disputed = Verdict::AgainstProvider as u8;
        let earned = self.earned()?;
        let uncollected = self.provider_part(earned)?;
        self.collected = earned.into();
        let owed = self.forfeit_owed()?;
        let returned = uncollected.checked_add(owed).ok_or(BillingError::Overflow)?;
        self.let_go(returned)?;
        self.close_now(now);
        Ok(returned)
    }

    /// The payer loses what its session could still have spent: whoever has that key could have spent it anyway. It counts as
    /// settled and is divided like everything earned, or payer and provider could contradict each other's books on purpose
    /// and leave out whoever shares in the model. The channel closes. Returns how much that is.
    ///
    /// Once the session or the channel is over that key could have spent nothing any more, and loses nothing either.
    #[inline(always)]
    pub fn condemn_payer(&mut self, now: UnixTime) -> Result<Amount> {
        require!(self.disputed == Verdict::None as u8, BillingError::AlreadyDisputed);
        require!(!self.is_closed(now), BillingError::ChannelClosed);
        require!(now.get() <= self.session.expires_at.get(), BillingError::SessionOver);
        let most = self.cap.get().min(self.session.limit.get());
        let lost = Amount::new(most.saturating_sub(self.settled.get()));
        require!(!lost.is_zero(), BillingError::NothingOwed);
        self.disputed = Verdict::AgainstPayer as u8;
        self.settled = most.into();
        self.close_now(now);
        Ok(lost)
    }
}
