//! Stakes in one token, and the rewards they share.

use crate::{
    constants::{MAX_COOL_DOWN, MAX_DISCOUNT_BPS, MAX_DRIP, MAX_LOCK, MAX_MULTIPLIER, MIN_DRIP, POOL_SEED},
    error::StakingError,
};
use anchor_lang::prelude::*;
use joule_units::{halves, sum, Amount, Bps, UnixTime};
use pinocchio::cpi::{Seed, Signer};

/// One base unit in the accumulator and in fractions of units: 2^48.
pub const ONE: u128 = 1 << 48;
/// The bits of a fraction of a unit.
pub(crate) const FRACTION: u64 = (1 << 48) - 1;

/// From which weight on how much of a fee is taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Tier {
    pub min_weight: u64,
    pub discount_bps: u16,
}

/// How a pool treats its stakes; the protocol's authority may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Params {
    /// Seconds; a lock of this length weighs four times, and none is longer.
    pub max_lock: u32,
    /// Seconds from unstaking to withdrawing.
    pub cool_down: u32,
    /// Seconds over which pending rewards are divided.
    pub drip: u32,
    /// From the lowest weight and discount to the highest; the last that a stake reaches counts. Whoever needs fewer repeats one.
    pub tiers: [Tier; 4],
}

impl Params {
    fn validate(&self) -> Result<()> {
        require!((1..=MAX_LOCK).contains(&self.max_lock), StakingError::MaxLockOutOfRange);
        require!(self.cool_down <= MAX_COOL_DOWN, StakingError::CoolDownOutOfRange);
        require!((MIN_DRIP..=MAX_DRIP).contains(&self.drip), StakingError::DripOutOfRange);
        let ascend =
            |pair: &[Tier]| pair[0].min_weight <= pair[1].min_weight && pair[0].discount_bps <= pair[1].discount_bps;
        require!(self.tiers.windows(2).all(ascend), StakingError::TiersNotAscending);
        require!(self.tiers.iter().all(|t| t.discount_bps <= MAX_DISCOUNT_BPS), StakingError::DiscountTooHigh);
        Ok(())
    }
}

/// PDA `["pool", mint]`; never closed.
#[account]
pub struct Pool {
    pub mint: Address,
    /// PDA `["pool_vault", pool]`. Holds stakes and rewards; whatever it holds beyond what the pool owes becomes rewards.
    pub vault: Address,
    /// The sum of all stakes' amounts, in base units, as for all amounts here.
    pub staked: PodU64,
    /// The sum of what is unstaked and not paid yet.
    pub cooling: PodU64,
    /// Rewards that have not been divided yet.
    pub pending: PodU64,
    /// Rewards that were divided and not claimed yet.
    pub owed: PodU64,
    /// What of `owed` is nobody's yet, in 1 / 2^48 of a unit; less than a unit.
    pub dust: PodU64,
    /// The sum of all stakes' weights.
    pub total_weight: PodU64,
    /// Rewards per weight since the beginning, times 2^48.
    pub accumulator: PodU128,
    /// Unix seconds up to which pending rewards have dripped.
    pub dripped_at: PodI64,
    /// `Params::tiers`, in two lists.
    pub tier_weights: [PodU64; 4],
    pub tier_discounts_bps: [PodU16; 4],
    /// The other `Params`, in seconds.
    pub max_lock: PodU32,
    pub cool_down: PodU32,
    pub drip: PodU32,
    pub bump: u8,
    pub vault_bump: u8,
    /// Unix seconds at which `drip` was last changed.
    pub drip_changed_at: PodI64,
    pub reserved: [u8; 58],
}

impl Pool {
    pub fn create(&mut self, mint: Address, vault: Address, now: UnixTime, bump: u8, vault_bump: u8) {
        self.mint = mint;
        self.vault = vault;
        self.dripped_at = now.get().into();
        self.bump = bump;
        self.vault_bump = vault_bump;
    }

    /// What has dripped so far does so under the old parameters: call `drip` before. What is pending belongs to those who are there
    /// while it drips, so that nobody can make it drip at once: a shorter drip is no less than half of the present one,
    /// which must have run its length since it was last changed.
    #[inline(always)]
    pub fn set_params(&mut self, params: &Params, now: UnixTime) -> Result<()> {
        params.validate()?;
        let (old, new) = (self.drip.get(), params.drip);
        if new != old {
            let has_run = now.get() >= self.drip_changed_at.get().saturating_add(old as i64);
            require!(new >= old || (has_run && new >= old / 2), StakingError::DripCutTooFast);
            self.drip_changed_at = now.get().into();
        }
        for (place, tier) in params.tiers.iter().enumerate() {
            self.tier_weights[place] = tier.min_weight.into();
            self.tier_discounts_bps[place] = tier.discount_bps.into();
        }
        self.max_lock = params.max_lock.into();
        self.cool_down = params.cool_down.into();
        self.drip = params.drip.into();
        Ok(())
    }

    /// Lets the pool sign a call.
    #[inline(always)]
    pub fn sign<R>(&self, call: impl FnOnce(&Signer) -> R) -> R {
        let bump = [self.bump];
        let seeds = [Seed::from(POOL_SEED), Seed::from(self.mint.as_ref()), Seed::from(&bump)];
        call(&Signer::from(&seeds))
    }

    /// What `amount` weighs while it is locked for another `lock` seconds: once to four times, rounded down.
    #[inline(always)]
    pub fn weigh(&self, amount: u64, lock: u32) -> Result<u64> {
        let lock = lock.min(self.max_lock.get()) as u64;
        let extra = part(amount, (MAX_MULTIPLIER - 1) * lock, self.max_lock.get() as u64);
        Ok(extra.and_then(|extra| sum(amount, extra)).ok_or(StakingError::Overflow)?)
    }

    /// The discount of whoever has `weight` locked.
    #[inline(always)]
    pub fn discount(&self, weight: u64) -> Bps {
        let mut discount = Bps::default();
        for (min_weight, bps) in self.tier_weights.iter().zip(&self.tier_discounts_bps) {
            if weight >= min_weight.get() {
                discount = Bps::new(bps.get()).unwrap_or_default();
            }
        }
        discount
    }

    /// Everything the vault has to hold.
    #[inline(always)]
    pub fn liabilities(&self) -> Result<u64> {
        [self.cooling, self.pending, self.owed]
            .iter()
            .try_fold(self.staked.get(), |all, part| sum(all, part.get()))
            .ok_or(StakingError::Overflow.into())
    }

    /// Divides what has dripped since the last time among the weights of that time. Comes before every change of a weight, so
    /// that nobody shares in what dripped before they came.
    ///
    /// The clock stays where it is when too little has dripped to be divided: frequent calls cannot make it trickle away. With
    /// nothing to divide, or nobody to divide it among, the clock moves on, so that whoever comes first does not get what
    /// has waited at once. What cannot be divided because a number would not fit stays pending and keeps nobody from leaving.
    #[inline(always)]
    pub fn drip(&mut self, now: UnixTime) {
        let pending = self.pending.get();
        if pending == 0 || self.total_weight.get() == 0 {
            self.dripped_at = now.get().into();
            return;
        }
        let drip = self.drip.get() as u64;
        let then = self.dripped_at.get();
        // Neither is negative on any cluster, so that the difference fits.
        let elapsed = if now.get() > then { (now.get().wrapping_sub(then) as u64).min(drip) } else { 0 };
        // No more than pending, since no more time than `drip` has passed.
        let dripped = part(pending, elapsed, drip);
        if dripped.and_then(|dripped| self.divide(dripped)).is_some() {
            self.dripped_at = now.get().into();
        }
    }

    /// Moves up to `dripped` from `pending` to `owed`. Exact: what all stakes can claim, with their fractions, and `dust` are
    /// together `owed`. `None`, and nothing changed, when it is too little or too much.
    #[inline(always)]
    fn divide(&mut self, dripped: u64) -> Option<()> {
        let (per_weight, rest) = scaled_quotient(dripped, self.total_weight.get())?;
        if per_weight == 0 {
            return None;
        }
        let accumulator = wide_sum(self.accumulator.get(), per_weight)?;
        // The stakes get `dripped` but for the rest of the division. That and the old dust, less whole units, is the new dust;
        // the whole units are not needed and stay pending.
        let spare = sum(rest, self.dust.get())?;
        let moved = dripped.checked_sub(spare >> 48)?;
        let pending = self.pending.get().checked_sub(moved)?;
        let owed = sum(self.owed.get(), moved)?;
        self.accumulator = accumulator.into();
        self.pending = pending.into();
        self.owed = owed.into();
        self.dust = (spare & FRACTION).into();
        Some(())
    }

    /// Counts as pending rewards whatever the vault holds beyond the liabilities. They begin to drip now: what was too little
    /// to divide until now starts again with them, or they would come out with its clock. Returns how much is new.
    #[inline(always)]
    pub fn sync(&mut self, balance: Amount, now: UnixTime) -> Result<Amount> {
        self.drip(now);
        let new = balance.get().checked_sub(self.liabilities()?).ok_or(StakingError::InvariantBroken)?;
        require!(new > 0, StakingError::NothingToSync);
        self.pending = sum(self.pending.get(), new).ok_or(StakingError::Overflow)?.into();
        self.dripped_at = now.get().into();
        Ok(Amount::new(new))
    }

    /// Takes over the fraction of a unit that a stake leaves behind.
    #[inline(always)]
    pub fn inherit(&mut self, fraction: u64) -> Result<()> {
        let dust = self.dust.get() as u128 + fraction as u128;
        if dust < ONE {
            self.dust = (dust as u64).into();
            return Ok(());
        }
        // Enough for a whole unit, which is divided again.
        self.dust = ((dust - ONE) as u64).into();
        self.owed = self.owed.get().checked_sub(1).ok_or(StakingError::InvariantBroken)?.into();
        self.pending = sum(self.pending.get(), 1).ok_or(StakingError::Overflow)?.into();
        Ok(())
    }

    /// A sum of this pool less one number, which is part of it, and plus another.
    #[inline(always)]
    pub(crate) fn shift(total: &mut PodU64, plus: u64, minus: u64) -> Result<()> {
        let less = total.get().checked_sub(minus).ok_or(StakingError::InvariantBroken)?;
        *total = sum(less, plus).ok_or(StakingError::Overflow)?.into();
        Ok(())
    }

    /// What the pool owes fits into its vault's numbers, and less than a unit is nobody's.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        self.liabilities()?;
        require!(self.dust.get() <= FRACTION, StakingError::InvariantBroken);
        Ok(())
    }
}

/// `floor(amount * share / whole)`. Divides twice in 64 bits, since once in 128 costs the VM thousands of compute units.
/// `None` without a whole, or when a number would not fit: neither happens where share and whole are seconds.
#[inline(always)]
fn part(amount: u64, share: u64, whole: u64) -> Option<u64> {
    let (times, rest) = (amount.checked_div(whole)?, amount % whole);
    if (times | rest | share) >> 32 == 0 {
        // Products of 32-bit numbers fit, and checking them is what costs.
        return sum(times.wrapping_mul(share), rest.wrapping_mul(share) / whole);
    }
    sum(times.checked_mul(share)?, rest.checked_mul(share)? / whole)
}

/// `a + b` in fewer of the VM's instructions than the standard library's. `None` when it would not fit.
#[inline(always)]
fn wide_sum(a: u128, b: u128) -> Option<u128> {
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    let (mut high, low) = (sum(a_high, b_high)?, a_low.wrapping_add(b_low));
    if low < a_low {
        high = sum(high, 1)?;
    }
    Some((high as u128) << 64 | low as u128)
}

/// `amount * 2^48` divided by `weight`, and what remains. `None` without a weight.
#[inline(always)]
fn scaled_quotient(amount: u64, weight: u64) -> Option<(u128, u64)> {
    if weight >> 48 != 0 {
        let scaled = (amount as u128) << 48;
        return Some((scaled / weight as u128, (scaled % weight as u128) as u64));
    }
    // By hand, 16 bits at a time: less than `weight` remains each time, so that there is room for the next.
    let (whole, mut rest, mut fraction) = (amount.checked_div(weight)?, amount % weight, 0);
    for _ in 0..3 {
        rest <<= 16;
        fraction = (fraction << 16) | (rest / weight);
        rest %= weight;
    }
    Some((((whole as u128) << 48) | fraction as u128, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u64; 14] = [
        0,
        1,
        2,
        3,
        65_535,
        65_536,
        86_400,
        999_999_937,
        (1 << 47) + 1,
        (1 << 48) - 1,
        1 << 48,
        (1 << 63) + 9,
        u64::MAX - 1,
        u64::MAX,
    ];

    #[test]
    fn a_part_is_what_wide_arithmetic_says() {
        for amount in NUMBERS {
            for whole in [1u64, 7, 86_400, 126_144_000] {
                for share in [0, 1, whole / 2, whole, 3 * whole] {
                    let wide = u64::try_from(amount as u128 * share as u128 / whole as u128).ok();
                    assert_eq!(part(amount, share, whole), wide, "{amount} * {share} / {whole}");
                }
            }
        }
        assert_eq!(part(5, 1, 0), None);
    }

    #[test]
    fn a_wide_sum_is_what_the_standard_library_says() {
        let numbers = [0, 1, u64::MAX as u128, 1 << 64, (1 << 64) + 1, u128::MAX - u64::MAX as u128, u128::MAX];
        for a in numbers {
            for b in numbers {
                assert_eq!(wide_sum(a, b), a.checked_add(b), "{a} + {b}");
            }
        }
    }

    #[test]
    fn a_scaled_quotient_is_what_wide_arithmetic_says() {
        for amount in NUMBERS {
            for weight in NUMBERS.into_iter().skip(1) {
                let scaled = (amount as u128) << 48;
                let wide = (scaled / weight as u128, (scaled % weight as u128) as u64);
                assert_eq!(scaled_quotient(amount, weight), Some(wide), "{amount} by {weight}");
            }
        }
        assert_eq!(scaled_quotient(5, 0), None);
    }
}
