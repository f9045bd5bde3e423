//! Pools and stakes, as the staking program tells of them.

use super::{Called, Story};
use crate::{
    chain,
    check::Violation,
    model::{Basin, Model, Share, Thing},
};
use joule_sdk::{
    staking::{constants::UNBOND_DELAY, event::AnyEvent as Staking},
    treasury::state::Protocol,
    Pubkey,
};

const DAY: i64 = 24 * 60 * 60;

impl Story {
    pub(super) fn stake(&mut self, model: &mut Model, event: Staking, called: &Called) -> Result<(), Violation> {
        let authority = model.governed.authority;
        match event {
            Staking::PoolCreated(e) => {
                called.signed_by(&authority)?;
                self.rents.extend([(e.pool, authority), (e.vault, authority)]);
                let mut basin = Basin {
                    vault: e.vault,
                    gifts: 0,
                    inside: 0,
                    rewards: 0,
                    claimed: 0,
                    tiers: Default::default(),
                    cool_down: e.cool_down.get(),
                    stakes: Default::default(),
                };
                for (place, tier) in basin.tiers.iter_mut().enumerate() {
                    *tier = (e.tier_weights[place].get(), e.tier_discounts_bps[place].get());
                }
                model.name([e.pool, e.vault], Thing::Pool(e.pool));
                model.pools.insert(e.pool, basin);
            }
            Staking::PoolUpdated(e) => {
                called.signed_by(&authority)?;
                let pool = pooled(model, &e.pool)?;
                pool.cool_down = e.cool_down.get();
                for (place, tier) in pool.tiers.iter_mut().enumerate() {
                    *tier = (e.tier_weights[place].get(), e.tier_discounts_bps[place].get());
                }
            }
            Staking::Staked(e) => {
                called.signed_by(&e.owner)?;
                let payer = called.account("payer")?;
                let pool = pooled(model, &e.pool)?;
                pool.inside += e.added.get();
                let vault = pool.vault;
                let is_new = !pool.stakes.contains_key(&e.stake);
                let share = pool.stakes.entry(e.stake).or_insert(Share {
                    owner: e.owner,
                    rent_payer: payer,
                    amount: 0,
                    cooling: 0,
                    lock_end: 0,
                    cools_at: 0,
                    weight: 0,
                });
                share.amount += e.added.get();
                Violation::unless(e.lock_end.get() >= share.lock_end, "a lock that has become shorter")?;
                (share.lock_end, share.weight) = (e.lock_end.get(), e.weight.get());
                if is_new {
                    self.rents.push((e.stake, payer));
                    model.name([e.stake], Thing::Pool(e.pool));
                }
                self.gain(called.account("source")?, -(e.added.get() as i128));
                self.gain(vault, e.added.get() as i128);
            }
            Staking::LockExtended(e) => {
                called.signed_by(&e.owner)?;
                let share = shared(model, &e.pool, &e.stake)?;
                Violation::unless(e.lock_end.get() > share.lock_end, "a lock that has not become longer")?;
                (share.lock_end, share.weight) = (e.lock_end.get(), e.weight.get());
            }
            Staking::StakeRefreshed(e) => {
                let share = shared(model, &e.pool, &e.stake)?;
                fade(share, called.now);
            }
            Staking::Unstaked(e) => {
                called.signed_by(&e.owner)?;
                let cool_down = pooled(model, &e.pool)?.cool_down;
                let share = shared(model, &e.pool, &e.stake)?;
                let may = called.now >= share.lock_end && e.amount.get() <= share.amount;
                Violation::unless(may, "unstaked what is locked")?;
                share.amount -= e.amount.get();
                share.cooling += e.amount.get();
                share.cools_at = called.now + cool_down as i64;
                share.weight = share.amount;
            }
            Staking::StakeWithdrawn(e) => {
                called.signed_by(&e.owner)?;
                let share = shared(model, &e.pool, &e.stake)?;
                let is_cool = share.cooling == 0 || called.now >= share.cools_at;
                Violation::unless(is_cool && e.amount.get() == share.cooling, "withdrew what has not cooled")?;
                (share.cooling, share.cools_at) = (0, 0);
                fade(share, called.now);
                let (rent_payer, amount) = (share.rent_payer, share.amount);
                if e.closed == 1 {
                    Violation::unless(amount == 0, "a stake was closed with something in it")?;
                    self.rents.push((e.stake, rent_payer));
                    pooled(model, &e.pool)?.stakes.remove(&e.stake);
                    model.forget([e.stake]);
                }
                self.leave(model, &e.pool, called.account("destination")?, e.amount.get())?;
            }
            Staking::RewardsClaimed(e) => {
                called.signed_by(&e.owner)?;
                let share = shared(model, &e.pool, &e.stake)?;
                fade(share, called.now);
                let pool = pooled(model, &e.pool)?;
                pool.claimed += e.amount.get();
                Violation::unless(pool.claimed <= pool.rewards, "more rewards were claimed than came in")?;
                self.leave(model, &e.pool, called.account("destination")?, e.amount.get())?;
            }
            Staking::RewardsSynced(e) => {
                let pool = pooled(model, &e.pool)?;
                Violation::unless(e.amount.get() == pool.gifts, "rewards that nobody has given")?;
                pool.rewards += pool.gifts;
                pool.inside += pool.gifts;
                pool.gifts = 0;
            }
            Staking::ServiceAdmitted(e) => {
                called.signed_by(&authority)?;
                // Longer than it takes to leave, but for the day on which the protocol begins.
                let protocol: Option<Protocol> = chain::read(called.svm, &model.protocol);
                let began = protocol.map_or(0, |protocol| protocol.initialized_at.get());
                let (waits, is_first_day) = (e.in_force_at.get() - called.now, called.now < began + DAY);
                let may = waits > UNBOND_DELAY as i64 || is_first_day && waits == 0;
                Violation::unless(may, "a service in force before owners can leave")?;
                self.rents.push((e.service, authority));
                model.mark("service admitted");
            }
            _ => return Err(Violation::new("an event that the fuzzer does not know")),
        }
        Ok(())
    }

    /// Units go out of a pool's vault.
    fn leave(&mut self, model: &mut Model, pool: &Pubkey, to: Pubkey, amount: u64) -> Result<(), Violation> {
        let pool = pooled(model, pool)?;
        let left = pool.inside.checked_sub(amount);
        pool.inside = left.ok_or_else(|| Violation::new("more has left a pool than was in it"))?;
        let vault = pool.vault;
        if amount > 0 {
            self.gain(vault, -(amount as i128));
            self.give(model, to, amount);
        }
        Ok(())
    }
}

/// Without a lock a stake weighs no more than itself.
fn fade(share: &mut Share, now: i64) {
    if now >= share.lock_end {
        share.weight = share.amount;
    }
}

fn pooled<'a>(model: &'a mut Model, pool: &Pubkey) -> Result<&'a mut Basin, Violation> {
    model.pools.get_mut(pool).ok_or_else(|| Violation::new("an event about a pool that nobody has made"))
}

fn shared<'a>(model: &'a mut Model, pool: &Pubkey, stake: &Pubkey) -> Result<&'a mut Share, Violation> {
    let found = pooled(model, pool)?.stakes.get_mut(stake);
    found.ok_or_else(|| Violation::new("an event about a stake that nobody has"))
}
