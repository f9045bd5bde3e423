//! Whatever people do in whatever order: what the stakes have is what the pool counts, to the fraction of a unit.

use super::{Params, Pool, Stake, Tier, ONE};
use alloc::{vec, vec::Vec};
use bytemuck::Zeroable;
use joule_units::{Amount, UnixTime};

const DAY: i64 = 86_400;

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// Any number of bits is as likely as any other.
    fn number(&mut self, bits: u64) -> u64 {
        1 + (self.next(u64::MAX) >> (63 - self.next(bits)).min(63)) % (1 << bits.min(63))
    }
}

/// A pool, its stakes, and the tokens in its vault.
struct Sums {
    pool: Pool,
    stakes: Vec<Stake>,
    vault: u64,
    now: i64,
}

impl Sums {
    fn new(people: usize, accumulator: u128) -> Self {
        let mut sums =
            Self { pool: Pool::zeroed(), stakes: vec![Stake::zeroed(); people], vault: 0, now: 1_800_000_000 };
        let tiers = [Tier::default(); 4];
        let params = Params { max_lock: 365 * DAY as u32, cool_down: 7 * DAY as u32, drip: DAY as u32, tiers };
        sums.pool.set_params(&params, UnixTime::new(0)).unwrap();
        sums.pool.accumulator = accumulator.into();
        sums
    }

    /// One thing that somebody does. What is refused changes nothing, as on chain.
    fn step(&mut self, r: &mut Random, bits: u64) {
        let (mut pool, who, now) = (self.pool, r.next(self.stakes.len() as u64) as usize, UnixTime::new(self.now));
        let mut stake = self.stakes[who];
        let lock = r.next(366 * DAY as u64) as u32;
        let mut vault = self.vault;
        let done = match r.next(11) {
            0 | 1 => r.number(bits).min(u64::MAX - vault).pipe(|amount| {
                vault += amount;
                stake.add(&mut pool, Amount::new(amount), lock * r.next(2) as u32, now)
            }),
            2 => stake.unstake(&mut pool, Amount::new(1 + r.next(stake.amount.get().max(1))), now),
            3 => stake.unstake(&mut pool, Amount::new(stake.amount.get()), now),
            4 => stake.withdraw(&mut pool, now).and_then(|paid| {
                vault -= paid.get();
                if stake.is_empty() {
                    pool.inherit(stake.fraction.get())?;
                    stake = Stake::zeroed();
                }
                Ok(())
            }),
            5 => stake.claim(&mut pool, now).map(|paid| vault -= paid.get()),
            6 => stake.refresh(&mut pool, now),
            7 => stake.extend_lock(&mut pool, lock, now),
            8 => r.number(bits).min(u64::MAX - vault).pipe(|gift| {
                vault += gift;
                pool.sync(Amount::new(vault), now).map(|_| ())
            }),
            9 => {
                pool.drip(now);
                pool.drip = (1 + r.next(10 * DAY as u64) as u32).into();
                Ok(())
            }
            _ => {
                let longest = [1, 60, 3_600, DAY, 30 * DAY, 200 * DAY][r.next(6) as usize];
                self.now += 1 + r.next(longest as u64) as i64;
                Ok(())
            }
        };
        if done.is_ok() {
            (self.pool, self.stakes[who], self.vault) = (pool, stake, vault);
        }
    }

    fn check(&self) {
        let pool = &self.pool;
        pool.invariant().unwrap();
        assert_eq!(pool.liabilities().unwrap(), self.vault);
        let sum = |field: fn(&Stake) -> u64| self.stakes.iter().map(|s| field(s) as u128).sum::<u128>();
        assert_eq!(pool.staked.get() as u128, sum(|s| s.amount.get()));
        assert_eq!(pool.cooling.get() as u128, sum(|s| s.cooling.get()));
        assert_eq!(pool.total_weight.get() as u128, sum(|s| s.weight.get()));
        let claimable: u128 = self.stakes.iter().map(|s| claimable(pool, s)).sum();
        assert_eq!(pool.owed.get() as u128 * ONE, claimable + pool.dust.get() as u128);
    }
}

/// In 1 / 2^48 of a unit.
fn claimable(pool: &Pool, stake: &Stake) -> u128 {
    // A stake that was just opened has no weight, wherever the accumulator is.
    let since = if stake.weight.get() == 0 { 0 } else { pool.accumulator.get() - stake.accrued.get() };
    stake.earned.get() as u128 * ONE + stake.fraction.get() as u128 + since * stake.weight.get() as u128
}

trait Pipe: Sized {
    fn pipe<R>(self, then: impl FnOnce(Self) -> R) -> R {
        then(self)
    }
}

impl Pipe for u64 {}

#[test]
fn nothing_is_lost_or_made_with_amounts_of_any_size() {
    for seed in 1..60u64 {
        for bits in [4, 20, 40, 62] {
            let (mut r, mut sums) = (Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Sums::new(5, 0));
            for _ in 0..400 {
                sums.step(&mut r, bits);
                sums.check();
            }
        }
    }
}

#[test]
fn an_accumulator_at_its_end_keeps_rewards_pending_and_lets_everybody_leave() {
    for seed in 1..20u64 {
        let mut r = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut sums = Sums::new(3, u128::MAX - (1 << 70));
        for _ in 0..400 {
            sums.step(&mut r, 40);
            sums.check();
        }
        let staked: u64 = sums.stakes.iter().map(|s| s.amount.get() + s.cooling.get()).sum();
        let mut paid = 0;
        sums.now += 1_000 * DAY;
        for stake in &mut sums.stakes {
            let amount = stake.amount.get();
            if amount > 0 {
                stake.unstake(&mut sums.pool, Amount::new(amount), UnixTime::new(sums.now)).unwrap();
            }
        }
        sums.now += 7 * DAY;
        for stake in sums.stakes.iter_mut().filter(|s| s.cooling.get() > 0) {
            paid += stake.withdraw(&mut sums.pool, UnixTime::new(sums.now)).unwrap().get();
        }
        assert_eq!(paid, staked);
    }
}

#[test]
fn a_sole_staker_gets_everything_but_a_fraction() {
    for weight in [1, 3, 1_000, 999_999_999_937, 1 << 47] {
        let mut sums = Sums::new(1, 0);
        let (stake, pool) = (&mut sums.stakes[0], &mut sums.pool);
        stake.add(pool, Amount::new(weight), 0, UnixTime::new(0)).unwrap();
        pool.sync(Amount::new(weight + 1_000), UnixTime::new(0)).unwrap();
        let got = stake.claim(pool, UnixTime::new(DAY)).unwrap().get();
        assert!(got == 1_000 || got == 999, "{weight}: {got}");
        assert_eq!(got + pool.owed.get() + pool.pending.get(), 1_000);
    }
}
