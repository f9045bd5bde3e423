//! A service's hold on a part of a bond.

use crate::{constants::MAX_CLAIM, error::StakingError};
use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};
use joule_units::{sum, Amount, Seconds, UnixTime};

/// How many amounts with an end of their own a claim holds.
pub const TRANCHES: usize = 8;

/// An amount and when it is free again at the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, IdlType)]
#[repr(C)]
pub struct Tranche {
    /// Base units.
    pub amount: PodU64,
    /// Unix seconds from which anyone may release it.
    pub until: PodI64,
}

/// PDA `["claim", signer, subject]`, closed when it holds nothing any more. Only the program whose PDA made it can release or
/// slash it, and anyone once it has expired.
#[account]
pub struct Claim {
    pub bond: Address,
    /// PDA `["claims"]` of the service's program.
    pub signer: Address,
    /// What the service holds it for, such as a job.
    pub subject: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// The sum of the tranches, in base units.
    pub total: PodU64,
    /// In the order they were locked; the first `count` are in use, the others zero.
    pub tranches: [Tranche; 8],
    pub count: u8,
    pub bump: u8,
    pub reserved: [u8; 30],
}

impl Claim {
    #[inline(always)]
    pub fn open(&mut self, bond: Address, signer: Address, subject: Address, rent_payer: Address, bump: u8) {
        self.bond = bond;
        self.signer = signer;
        self.subject = subject;
        self.rent_payer = rent_payer;
        self.bump = bump;
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.total.get() == 0
    }

    /// Holds more. When there is no room for another tranche it joins the newest, and both end when the later does.
    #[inline(always)]
    pub fn lock(&mut self, amount: Amount, until: i64, now: UnixTime) -> Result<()> {
        require!(!amount.is_zero(), StakingError::ZeroAmount);
        let longest = now.checked_add(Seconds::new(MAX_CLAIM)).ok_or(StakingError::Overflow)?.get();
        require!(until > now.get() && until <= longest, StakingError::UntilOutOfRange);
        let total = sum(self.total.get(), amount.get()).ok_or(StakingError::Overflow)?;
        let count = self.count as usize;
        if let Some(tranche) = self.tranches.get_mut(count) {
            *tranche = Tranche { amount: amount.get().into(), until: until.into() };
            self.count += 1;
        } else {
            let newest = &mut self.tranches[TRANCHES - 1];
            // No more than the total, which fits.
            newest.amount = sum(newest.amount.get(), amount.get()).ok_or(StakingError::Overflow)?.into();
            newest.until = newest.until.get().max(until).into();
        }
        self.total = total.into();
        Ok(())
    }

    /// Lets go of up to `amount`, the oldest tranche first. Returns how much that was.
    #[inline(always)]
    pub fn take(&mut self, amount: Amount) -> Result<Amount> {
        let taken = amount.get().min(self.total.get());
        require!(taken > 0, StakingError::ZeroAmount);
        if taken == self.total.get() {
            // An empty claim is closed at once, so that nobody reads its tranches again.
            self.count = 0;
            self.total = 0.into();
            return Ok(Amount::new(taken));
        }
        let (mut rest, mut spent) = (taken, 0);
        for tranche in &mut self.tranches[..self.count as usize] {
            let part = rest.min(tranche.amount.get());
            rest -= part;
            tranche.amount = (tranche.amount.get() - part).into();
            if tranche.amount.get() > 0 {
                break;
            }
            spent += 1;
        }
        self.tranches.copy_within(spent.., 0);
        self.tranches[TRANCHES - spent..].fill(Tranche::default());
        self.count -= spent as u8;
        self.total = (self.total.get() - taken).into();
        Ok(Amount::new(taken))
    }

    /// Lets go of every tranche whose time has come. Returns how much that was.
    #[inline(always)]
    pub fn take_expired(&mut self, now: UnixTime) -> Result<Amount> {
        let mut kept = 0;
        let mut taken = 0u64;
        for place in 0..self.count as usize {
            let tranche = self.tranches[place];
            if tranche.until.get() <= now.get() {
                taken = sum(taken, tranche.amount.get()).ok_or(StakingError::Overflow)?;
            } else {
                self.tranches[kept] = tranche;
                kept += 1;
            }
        }
        require!(taken > 0, StakingError::NothingExpired);
        self.tranches[kept..].fill(Tranche::default());
        self.count = kept as u8;
        self.total = self.total.get().checked_sub(taken).ok_or(StakingError::InvariantBroken)?.into();
        Ok(Amount::new(taken))
    }
}
