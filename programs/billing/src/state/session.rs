//! Whose signature spends from a channel, and how much.

use super::Channel;
use crate::error::BillingError;
use anchor_lang::{address_eq, prelude::*};
use bytemuck::{Pod, Zeroable};
use joule_units::{Seconds, UnixTime};

/// A key that signs vouchers for a channel, kept by the machine that sends the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, IdlType)]
#[repr(C)]
pub struct Session {
    /// All zero when there is none.
    pub signer: Address,
    /// The most that the channel may have settled under it, in base units, everything before it included.
    pub limit: PodU64,
    /// No voucher lives longer, in Unix seconds.
    pub expires_at: PodI64,
}

impl Session {
    #[inline(always)]
    pub fn new(signer: Address, limit: u64, expires_at: i64) -> Self {
        Self { signer, limit: limit.into(), expires_at: expires_at.into() }
    }

    #[inline(always)]
    pub fn validate(&self, now: UnixTime) -> Result<()> {
        let is_some = !address_eq(&self.signer, &Address::default());
        require!(is_some && self.expires_at.get() > now.get(), BillingError::BadSession);
        Ok(())
    }

    /// Whether every voucher that the other takes is taken by this one too.
    #[inline(always)]
    fn covers(&self, other: &Self) -> bool {
        address_eq(&self.signer, &other.signer)
            && self.limit.get() >= other.limit.get()
            && self.expires_at.get() >= other.expires_at.get()
    }
}

impl Channel {
    /// The owner's new session holds at once where it takes nothing back. Another one is staged, and holds once the grace has
    /// passed: until then the provider can settle what it has served for, so that a change of keys pays no bill.
    /// Returns from when it holds, in Unix seconds.
    #[inline(always)]
    pub fn set_session(&mut self, session: Session, now: UnixTime) -> Result<i64> {
        session.validate(now)?;
        require!(self.closes_at.get() == 0, BillingError::AlreadyClosing);
        let holds_at = if session.covers(&self.session) {
            self.session = session;
            self.staged = Session::default();
            self.staged_at = 0.into();
            now.get()
        } else {
            let at = now.checked_add(Seconds::new(self.grace.get())).ok_or(BillingError::Overflow)?.get();
            self.staged = session;
            self.staged_at = at.into();
            at
        };
        Ok(holds_at)
    }

    /// Lets the staged session hold once its time has come.
    #[inline(always)]
    pub fn apply_session(&mut self, now: UnixTime) -> Result<()> {
        require!(self.staged_at.get() != 0, BillingError::NothingStaged);
        require!(now.get() >= self.staged_at.get(), BillingError::SessionNotDue);
        self.session = core::mem::take(&mut self.staged);
        self.staged_at = 0.into();
        Ok(())
    }
}
