//! Who is due what of what a channel has earned.

use super::{Channel, Verdict};
use crate::{
    constants::{MAX_SHARES, PROTOCOL, PROVIDER},
    error::BillingError,
};
use anchor_lang::prelude::*;
use joule_registry::state::Share;
use joule_units::{Amount, Bps, UnixTime};

/// The shares of a price list, the protocol and the provider.
pub const PARTIES: usize = MAX_SHARES + 2;

/// Who shares in a channel, besides protocol and provider.
pub type Parties<'a> = &'a [Share];

/// What became due now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dues {
    /// Added to what the parties are owed, all together.
    pub added: Amount,
    /// What the provider would have got, had it not lost a dispute: the payer's again.
    pub returned: Amount,
}

impl Channel {
    /// Writes down what every party is due of what was earned since the last time.
    ///
    /// A share of `x` is `floor(x * bps / 10_000)`, and the provider's `x - floor(x * others / 10_000)`, where `others` is all
    /// other shares together. Each grows with `x` and their sum never exceeds it, whatever part of it the provider may collect;
    /// so every party can be paid the difference since the last time, in however many parts. What their floors leave, a
    /// unit or few in all, is the payer's when the channel closes.
    #[inline(always)]
    pub fn accrue_dues(&mut self, parties: Parties, now: UnixTime) -> Result<Dues> {
        let mut dues = Dues::default();
        let (earned, paid) = (Amount::new(self.earned()?), Amount::new(self.paid.get()));
        if earned != paid {
            for (place, share) in parties.iter().enumerate() {
                dues.added = self.owe_part(place, share.bps.get(), paid, earned, dues.added)?;
            }
            dues.added = self.owe_part(PROTOCOL, self.fee_bps.get(), paid, earned, dues.added)?;
            self.paid = earned.get().into();
        }
        let target = self.collectable(now)?;
        let provider = self.provider_part(target)?;
        self.collected = target.into();
        if self.disputed == Verdict::AgainstProvider as u8 {
            dues.returned = provider;
            self.let_go(provider)?;
        } else if !provider.is_zero() {
            self.owe(PROVIDER, provider)?;
            dues.added = dues.added.checked_add(provider).ok_or(BillingError::Overflow)?;
        }
        Ok(dues)
    }

    #[inline(always)]
    fn owe_part(&mut self, party: usize, bps: u16, before: Amount, after: Amount, sum: Amount) -> Result<Amount> {
        let bps = Bps::new(bps).ok_or(BillingError::InvariantBroken)?;
        let part = bps.of(after).checked_sub(bps.of(before)).ok_or(BillingError::InvariantBroken)?;
        self.owe(party, part)?;
        Ok(sum.checked_add(part).ok_or(BillingError::Overflow)?)
    }

    /// The provider's share of what lies between `collected` and `target`.
    #[inline(always)]
    pub(super) fn provider_part(&self, target: u64) -> Result<Amount> {
        let others = self.others()?;
        let rest = |x: u64| x - others.of(Amount::new(x)).get();
        // Both are no more than what they are taken of, and the rest grows with it.
        Ok(Amount::new(rest(target).checked_sub(rest(self.collected.get())).ok_or(BillingError::InvariantBroken)?))
    }

    #[inline(always)]
    pub fn is_owed(&self, party: usize) -> bool {
        self.owed[party].get() > 0
    }

    /// What a party is owed, which is paid now.
    #[inline(always)]
    pub fn take_owed(&mut self, party: usize) -> Result<Amount> {
        let owed = self.owed.get_mut(party).ok_or(BillingError::NothingOwed)?;
        Ok(Amount::new(core::mem::take(owed).get()))
    }
}
