//! Whatever people do in whatever order: the vault holds exactly what the pool owes, and the pool owes exactly what the
//! stakes can claim.

use joule_sdk::{
    instruction::staking::update_pool,
    staking::state::{Params, ONE},
    Keypair, Signer,
};
use joule_tests::{
    staking::{DAY, PARAMS},
    Kind, World,
};

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// As often small as large.
    fn amount(&mut self, largest: u64) -> u64 {
        let digits = self.next(10) as u32;
        1 + self.next(10u64.pow(digits).min(largest))
    }

    /// From a second to some months.
    fn wait(&mut self) -> i64 {
        let longest = [1, 60, 3_600, DAY, 30 * DAY, 200 * DAY][self.next(6) as usize];
        1 + self.next(longest as u64) as i64
    }
}

const HELD: u64 = 100_000_000_000;

fn step(w: &mut World, r: &mut Random, people: &[Keypair], funded: &mut u64, gifts: &mut u64) {
    let who = &people[r.next(people.len() as u64) as usize];
    let (amount, lock) = (r.amount(1_000_000_000), r.next(365) as i64 * DAY);
    let has_stake = !w.is_closed(&w.stake_address(who));
    let instruction = match r.next(12) {
        0..=2 => w.stake(who, amount, lock * (r.next(2) as i64)),
        3 if has_stake => w.unstake(who, amount.min(w.stake_of(who).amount.get())),
        4 if has_stake => w.unstake(who, w.stake_of(who).amount.get()),
        5 if has_stake => w.withdraw_stake(who),
        6 if has_stake => w.claim_rewards(who),
        7 if has_stake => {
            w.send(&[w.refresh(who)], &[]);
            return;
        }
        8 if has_stake => w.extend_lock(who, lock),
        9 => {
            let vault = w.pool_vault();
            w.mint_to(&vault, amount);
            *funded += amount;
            *gifts += amount;
            return;
        }
        10 => {
            if w.attempt(&[w.sync_rewards()], &[]).is_ok() {
                *gifts = 0;
            }
            return;
        }
        11 if r.next(4) == 0 => {
            let authority = w.authority.insecure_clone();
            let params = Params {
                max_lock: 1 + r.next(365 * DAY as u64) as u32,
                cool_down: r.next(10 * DAY as u64) as u32,
                drip: DAY as u32 + r.next(10 * DAY as u64) as u32,
                ..PARAMS
            };
            // A drip that would be cut too fast is refused.
            let _ = w.attempt(&[update_pool(authority.pubkey(), w.mint, params)], &[&authority]);
            return;
        }
        _ => {
            w.set_time(w.now() + r.wait());
            return;
        }
    };
    // Refused or not: the sums must hold.
    let _ = w.attempt(&[instruction], &[who]);
}

#[test]
fn the_vault_holds_what_the_pool_owes_whatever_happens() {
    for seed in [88_172_645_463_325_252, 7_777_777] {
        let (mut w, mut r) = (World::pooled(Kind::Classic), Random(seed));
        let people: Vec<Keypair> = (0..4).map(|_| w.holder(HELD)).collect();
        let all: Vec<&Keypair> = people.iter().collect();
        let (mut funded, mut gifts) = (0, 0);
        for _ in 0..150 {
            step(&mut w, &mut r, &people, &mut funded, &mut gifts);
            w.check_pool(&all, gifts);
            assert!((w.pool().dust.get() as u128) < ONE);
        }
        everybody_leaves(&mut w, &people, funded, gifts);
    }
}

/// Everybody can leave with all they brought, and with all rewards but what is too little to divide.
fn everybody_leaves(w: &mut World, people: &[Keypair], funded: u64, gifts: u64) {
    // Once every lock has ended and every reward has dripped.
    w.set_time(w.now() + 400 * DAY);
    for who in people.iter().filter(|p| !w.is_closed(&w.stake_address(p))).collect::<Vec<_>>() {
        let amount = w.stake_of(who).amount.get();
        if amount > 0 {
            w.send(&[w.unstake(who, amount)], &[who]);
        }
        let _ = w.attempt(&[w.claim_rewards(who)], &[who]);
    }
    w.set_time(w.now() + 90 * DAY);
    for who in people.iter().filter(|p| !w.is_closed(&w.stake_address(p))).collect::<Vec<_>>() {
        w.send(&[w.withdraw_stake(who)], &[who]);
        assert!(w.is_closed(&w.stake_address(who)));
    }
    let pool = w.pool();
    assert_eq!((pool.staked.get(), pool.cooling.get(), pool.total_weight.get()), (0, 0, 0));
    let held: u64 = people.iter().map(|p| w.balance(&w.tokens_of(p))).sum();
    // The accumulator's steps are coarse for large weights; what is left stays pending for whoever stakes next.
    assert_eq!(held + pool.pending.get() + pool.owed.get() + gifts, HELD * people.len() as u64 + funded);
    assert!(pool.owed.get() <= 1, "{}", pool.owed.get());
}
