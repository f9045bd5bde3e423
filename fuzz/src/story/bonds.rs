//! Bonds and the claims on them, as the staking program tells of them.

use super::{Called, Locked, Released, Slashed, Story};
use crate::{
    check::Violation,
    model::{Hold, Model, Surety, Thing},
};
use joule_sdk::{escrow, staking::event::AnyEvent as Staking, Pubkey};

impl Story {
    /// False when the event is about something else.
    pub(super) fn bond(&mut self, model: &mut Model, event: Staking, called: &Called) -> Result<bool, Violation> {
        match event {
            Staking::BondOpened(e) => {
                called.signed_by(&e.owner)?;
                let (vault, payer) = (called.account("vault")?, called.account("payer")?);
                self.rents.extend([(e.bond, payer), (vault, payer)]);
                let bond = Surety {
                    address: e.bond,
                    owner: e.owner,
                    mint: e.mint,
                    vault,
                    withdrawer: e.withdrawer,
                    rent_payer: payer,
                    amount: 0,
                    locked: 0,
                    unbonding: 0,
                    unbonds_at: 0,
                    gifts: 0,
                    claims: 0,
                };
                model.name([e.bond, vault], Thing::Bond(e.bond));
                model.bonds.insert(e.bond, bond);
            }
            Staking::BondDeposited(e) => {
                called.signed_by(&e.from)?;
                let bond = bonded(model, &e.bond)?;
                bond.amount += e.added.get();
                let vault = bond.vault;
                self.gain(called.account("source")?, -(e.added.get() as i128));
                self.gain(vault, e.added.get() as i128);
            }
            Staking::UnbondingStarted(e) => {
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.withdrawer)?;
                let done = bond.unbond(e.amount.get(), called.now);
                done.ok_or_else(|| Violation::new("unbonded what is not free"))?;
            }
            Staking::UnbondingCancelled(e) => {
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.withdrawer)?;
                (bond.unbonding, bond.unbonds_at) = (0, 0);
            }
            Staking::BondWithdrawn(e) => {
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.withdrawer)?;
                let may = e.withdrawn.get() == bond.unbonding && called.now >= bond.unbonds_at && bond.unbonding > 0;
                Violation::unless(may, "withdrew what is not unbonded")?;
                bond.amount -= bond.unbonding;
                (bond.unbonding, bond.unbonds_at) = (0, 0);
                let vault = bond.vault;
                self.gain(vault, -(e.withdrawn.get() as i128));
                self.give(model, called.account("destination")?, e.withdrawn.get());
            }
            Staking::BondClosed(e) => {
                let bond = *bonded(model, &e.bond)?;
                called.signed_by(&bond.withdrawer)?;
                let is_empty = bond.amount == 0 && bond.claims == 0 && e.swept.get() == bond.gifts;
                Violation::unless(is_empty, "a bond was closed with something in it")?;
                self.gain(bond.vault, -(e.swept.get() as i128));
                self.rents.extend([(bond.address, bond.rent_payer), (bond.vault, bond.rent_payer)]);
                model.bonds.remove(&e.bond);
                model.forget([bond.address, bond.vault]);
                if e.swept.get() > 0 {
                    self.give(model, called.account("destination")?, e.swept.get());
                }
            }
            Staking::ClaimLocked(e) => {
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.owner)?;
                require_escrow(called)?;
                let free = bond.free().unwrap_or_default();
                let locked = bond.lock(e.amount.get());
                locked.ok_or_else(|| Violation::new("locked more than a bond has"))?;
                bond.claims += 1;
                let payer = called.account("payer")?;
                let (bond, subject, amount, until) = (e.bond, e.subject, e.amount.get(), e.until.get());
                let hold = Hold { bond, subject, rent_payer: payer, amount, until };
                self.rents.push((e.claim, payer));
                model.name([e.claim], Thing::Bond(e.bond));
                let earlier = model.holds.insert(e.claim, hold);
                Violation::unless(earlier.is_none(), "a claim was locked twice")?;
                self.hand.locked.push(Locked { claim: e.claim, bond, subject, amount, free, until });
            }
            Staking::ClaimReleased(e) => {
                let hold = *held(model, &e.claim)?;
                if e.expired == 1 {
                    let is_time = called.now >= hold.until && e.kept.get() == 0;
                    Violation::unless(is_time, "a claim was let go before its time, or counts for something")?;
                    model.mark("claim lapsed");
                } else {
                    require_escrow(called)?;
                    self.hand.released.push(Released { claim: e.claim, amount: e.amount.get(), kept: e.kept.get() });
                }
                Violation::unless(e.amount.get() == hold.amount && e.closed == 1, "a claim was let go in part")?;
                bonded(model, &hold.bond)?.locked -= hold.amount;
                self.end_hold(model, &e.claim)?;
            }
            Staking::ClaimSlashed(e) => {
                require_escrow(called)?;
                let hold = held(model, &e.claim)?;
                let before = hold.amount;
                let gone = e.amount.get().checked_add(e.released.get()).filter(|gone| *gone <= before);
                let gone = gone.ok_or_else(|| Violation::new("slashed more than is claimed"))?;
                hold.amount -= gone;
                let (bond, is_empty) = (hold.bond, hold.amount == 0);
                Violation::unless(is_empty == (e.closed == 1), "an empty claim that is kept, or a full one closed")?;
                let bond = bonded(model, &bond)?;
                bond.amount -= e.amount.get();
                bond.locked -= gone;
                let vault = bond.vault;
                self.gain(vault, -(e.amount.get() as i128));
                self.gain(e.destination, e.amount.get() as i128);
                let (claim, destination, amount) = (e.claim, e.destination, e.amount.get());
                self.hand.slashed.push(Slashed { claim, destination, amount, held: before });
                if is_empty {
                    self.end_hold(model, &e.claim)?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A claim's account is closed.
    fn end_hold(&mut self, model: &mut Model, claim: &Pubkey) -> Result<(), Violation> {
        let hold = *held(model, claim)?;
        model.holds.remove(claim);
        model.forget([*claim]);
        bonded(model, &hold.bond)?.claims -= 1;
        self.rents.push((*claim, hold.rent_payer));
        Ok(())
    }
}

/// Only the escrow may lock, release and slash here.
fn require_escrow(called: &Called) -> Result<(), Violation> {
    let is_it = called.instruction.program_id == escrow::ID;
    Violation::unless(is_it, "somebody else than the escrow has used its claims")
}

fn bonded<'a>(model: &'a mut Model, bond: &Pubkey) -> Result<&'a mut Surety, Violation> {
    model.bonds.get_mut(bond).ok_or_else(|| Violation::new("an event about a bond that is not open"))
}

fn held<'a>(model: &'a mut Model, claim: &Pubkey) -> Result<&'a mut Hold, Violation> {
    model.holds.get_mut(claim).ok_or_else(|| Violation::new("an event about a claim that nobody has made"))
}
