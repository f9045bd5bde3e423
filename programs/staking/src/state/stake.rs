//! One owner's part of a pool.

use crate::{
    constants::{DISCOUNT_LOCK, MAX_MULTIPLIER},
    error::StakingError,
    state::{bond::later, pool::FRACTION, Pool},
};
use anchor_lang::prelude::*;
use joule_units::{halves, product, sum, Amount, Bps, UnixTime};

/// PDA `["stake", pool, owner]`, closed when it holds nothing any more.
#[account]
pub struct Stake {
    pub pool: Address,
    pub owner: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// Base units that earn, as for all amounts here.
    pub amount: PodU64,
    /// What the amount counts for when rewards are divided and tiers chosen: once to four times itself, by the lock that was
    /// left when it was last written.
    pub weight: PodU64,
    /// Unix seconds; the amount cannot be unstaked before.
    pub lock_end: PodI64,
    /// Unstaked and not paid yet; earns nothing.
    pub cooling: PodU64,
    /// Unix seconds from which `cooling` can be withdrawn.
    pub cools_at: PodI64,
    /// Rewards that can be claimed.
    pub earned: PodU64,
    /// What was earned beyond `earned`, in 1 / 2^48 of a unit; less than a unit.
    pub fraction: PodU64,
    /// The pool's accumulator up to which rewards were earned.
    pub accrued: PodU128,
    pub bump: u8,
    pub reserved: [u8; 63],
}

impl Stake {
    /// The discount on services' fees at `now`: by the weight of what stays locked for at least `DISCOUNT_LOCK` more, so that
    /// nobody can stake for a moment to save a fee.
    /// Whoever asks must have checked that `pool` is this stake's pool, and whose stake it is.
    #[inline(always)]
    pub fn discount(&self, pool: &Pool, now: UnixTime) -> Bps {
        if self.lock_end.get() >= now.get().saturating_add(DISCOUNT_LOCK as i64) {
            pool.discount(self.weight.get())
        } else {
            Bps::default()
        }
    }

    #[inline(always)]
    pub fn is_locked(&self, now: UnixTime) -> bool {
        self.lock_end.get() > now.get()
    }

    #[inline(always)]
    pub fn open(&mut self, pool: Address, owner: Address, rent_payer: Address, bump: u8) {
        self.pool = pool;
        self.owner = owner;
        self.rent_payer = rent_payer;
        self.bump = bump;
    }

    /// Brings rewards and weight up to date.
    #[inline(always)]
    pub fn refresh(&mut self, pool: &mut Pool, now: UnixTime) -> Result<()> {
        self.accrue(pool, now)?;
        if !self.is_locked(now) {
            self.set_weight(pool, self.amount.get())?;
        }
        Ok(())
    }

    /// Brings rewards up to date; comes before every change of the weight.
    #[inline(always)]
    fn accrue(&mut self, pool: &mut Pool, now: UnixTime) -> Result<()> {
        pool.drip(now);
        // No more than the pool owes, times 2^48: that the sum of all stakes is `owed` holds for each of them.
        let (accumulator, accrued) = (pool.accumulator.get(), self.accrued.get());
        let (units, fraction) = difference(accumulator, accrued)
            .and_then(|since| gained(since, self.weight.get(), self.fraction.get()))
            .ok_or(StakingError::InvariantBroken)?;
        self.earned = sum(self.earned.get(), units).ok_or(StakingError::Overflow)?.into();
        self.fraction = fraction.into();
        self.accrued = accumulator.into();
        Ok(())
    }

    #[inline(always)]
    fn set_weight(&mut self, pool: &mut Pool, weight: u64) -> Result<()> {
        Pool::shift(&mut pool.total_weight, weight, self.weight.get())?;
        self.weight = weight.into();
        Ok(())
    }

    /// Adds what has arrived, and locks everything for `lock_seconds` from now, or for as long as it was locked if that is
    /// longer. The whole amount then weighs by the lock that is left.
    #[inline(always)]
    pub fn add(&mut self, pool: &mut Pool, arrived: Amount, lock_seconds: u32, now: UnixTime) -> Result<()> {
        self.accrue(pool, now)?;
        Pool::shift(&mut self.amount, arrived.get(), 0)?;
        Pool::shift(&mut pool.staked, arrived.get(), 0)?;
        require!(lock_seconds <= pool.max_lock.get(), StakingError::LockTooLong);
        let end = later(now, lock_seconds)?.get();
        let end = self.lock_end.get().max(end);
        self.lock_end = end.into();
        // Neither is negative on any cluster, and the end is not before now, so that the difference fits.
        let left = end.wrapping_sub(now.get()).min(u32::MAX as i64) as u32;
        self.weigh_again(pool, left)?;
        self.invariant(pool)?;
        pool.invariant()
    }

    /// Locks until `lock_seconds` from now, which must be later than before.
    #[inline(always)]
    pub fn extend_lock(&mut self, pool: &mut Pool, lock_seconds: u32, now: UnixTime) -> Result<()> {
        self.accrue(pool, now)?;
        require!(self.amount.get() > 0, StakingError::NothingStaked);
        require!(lock_seconds <= pool.max_lock.get(), StakingError::LockTooLong);
        let end = later(now, lock_seconds)?;
        require!(end.get() > self.lock_end.get(), StakingError::LockNotLater);
        self.lock_end = end;
        self.weigh_again(pool, lock_seconds)?;
        self.weighs_right(pool)
    }

    /// By the seconds that are `left` of the lock.
    #[inline(always)]
    fn weigh_again(&mut self, pool: &mut Pool, left: u32) -> Result<()> {
        let weight = pool.weigh(self.amount.get(), left)?;
        self.set_weight(pool, weight)
    }

    /// Once the lock has ended: stops earning with `amount` and lets it cool. The clock starts again for everything that
    /// cools already.
    #[inline(always)]
    pub fn unstake(&mut self, pool: &mut Pool, amount: Amount, now: UnixTime) -> Result<()> {
        self.accrue(pool, now)?;
        require!(!self.is_locked(now), StakingError::StillLocked);
        require!(!amount.is_zero(), StakingError::ZeroAmount);
        require!(amount.get() <= self.amount.get(), StakingError::NotStaked);
        Pool::shift(&mut self.amount, 0, amount.get())?;
        Pool::shift(&mut pool.staked, 0, amount.get())?;
        Pool::shift(&mut self.cooling, amount.get(), 0)?;
        Pool::shift(&mut pool.cooling, amount.get(), 0)?;
        self.cools_at = later(now, pool.cool_down.get())?;
        self.set_weight(pool, self.amount.get())?;
        self.invariant(pool)
    }

    /// Lets go of what has cooled. Returns how much that is; nothing only when the stake is empty and to be closed.
    #[inline(always)]
    pub fn withdraw(&mut self, pool: &mut Pool, now: UnixTime) -> Result<Amount> {
        self.refresh(pool, now)?;
        let amount = self.cooling.get();
        require!(amount > 0 || self.is_empty(), StakingError::NothingCooling);
        require!(amount == 0 || now.get() >= self.cools_at.get(), StakingError::StillCooling);
        Pool::shift(&mut pool.cooling, 0, amount)?;
        self.cooling = 0.into();
        self.cools_at = 0.into();
        self.invariant(pool)?;
        pool.invariant()?;
        Ok(Amount::new(amount))
    }

    /// Lets go of the rewards. Returns how much they are.
    #[inline(always)]
    pub fn claim(&mut self, pool: &mut Pool, now: UnixTime) -> Result<Amount> {
        self.refresh(pool, now)?;
        let amount = self.earned.get();
        require!(amount > 0, StakingError::NothingEarned);
        Pool::shift(&mut pool.owed, 0, amount)?;
        self.earned = 0.into();
        self.invariant(pool)?;
        pool.invariant()?;
        Ok(Amount::new(amount))
    }

    /// Holds nothing but perhaps a fraction of a unit.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        [self.amount, self.cooling, self.earned].iter().all(|part| part.get() == 0)
    }

    /// The weight is once to four times the amount, and the pool counts it and what was earned.
    #[inline(always)]
    fn weighs_right(&self, pool: &Pool) -> Result<()> {
        let (amount, weight) = (self.amount.get(), self.weight.get());
        // Mostly it is less than four times, and the rest of the division need not be looked at.
        let quarter = weight / MAX_MULTIPLIER;
        let is_within = quarter < amount || (quarter == amount && weight % MAX_MULTIPLIER == 0);
        require!(amount <= weight && is_within, StakingError::InvariantBroken);
        let is_counted = weight <= pool.total_weight.get() && self.earned.get() <= pool.owed.get();
        require!(is_counted, StakingError::InvariantBroken);
        Ok(())
    }

    /// Everything that is here the pool counts too. The pool's own invariant is apart: most of what a stake does moves numbers
    /// within the pool's sums and leaves alone what it speaks of.
    #[inline(always)]
    pub fn invariant(&self, pool: &Pool) -> Result<()> {
        self.weighs_right(pool)?;
        let is_counted = self.amount.get() <= pool.staked.get() && self.cooling.get() <= pool.cooling.get();
        require!(is_counted, StakingError::InvariantBroken);
        Ok(())
    }
}

/// `a - b` in halves, in few of the VM's instructions. `None` when it would be negative.
#[inline(always)]
fn difference(a: u128, b: u128) -> Option<(u64, u64)> {
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    let high = a_high.checked_sub(b_high)?;
    let high = if a_low < b_low { high.checked_sub(1)? } else { high };
    Some((high, a_low.wrapping_sub(b_low)))
}

/// `since * weight + fraction`, where `since` comes in halves, in whole units and 1 / 2^48 of one. `None` when the units would
/// not fit into 64 bits.
#[inline(always)]
fn gained(since: (u64, u64), weight: u64, fraction: u64) -> Option<(u64, u64)> {
    let (mut high, product) = halves(product(since.1, weight));
    let low = product.wrapping_add(fraction);
    if low < product {
        // The upper half of a product has room for a carry.
        high = high.wrapping_add(1);
    }
    if since.0 != 0 {
        high = sum(high, since.0.checked_mul(weight)?)?;
    }
    if high >> 48 != 0 {
        return None;
    }
    Some((high << 16 | low >> 48, low & FRACTION))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u128; 13] = [
        0,
        1,
        3,
        1 << 48,
        u64::MAX as u128 - 1,
        u64::MAX as u128,
        1 << 64,
        (1 << 64) + 5,
        (1 << 96) - 1,
        1 << 100,
        u128::MAX / 3,
        u128::MAX - 1,
        u128::MAX,
    ];

    #[test]
    fn a_difference_is_what_wide_arithmetic_says() {
        for a in NUMBERS {
            for b in NUMBERS {
                assert_eq!(difference(a, b), a.checked_sub(b).map(halves), "{a} - {b}");
            }
        }
    }

    #[test]
    fn a_gain_is_what_wide_arithmetic_says() {
        for since in NUMBERS {
            for weight in [0, 1, 2, 65_535, 1 << 28, 1 << 48, u64::MAX] {
                for fraction in [0, 1, FRACTION] {
                    let wide = since
                        .checked_mul(weight as u128)
                        .and_then(|gained| gained.checked_add(fraction as u128))
                        .and_then(|gained| Some((u64::try_from(gained >> 48).ok()?, gained as u64 & FRACTION)));
                    assert_eq!(gained(halves(since), weight, fraction), wide, "{since} * {weight} + {fraction}");
                }
            }
        }
    }
}
