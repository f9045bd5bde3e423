//! Bonds and the claims on them, as the staking program tells of them.

use super::{Called, Locked, Released, Slashed, Story};
use crate::{
    check::Violation,
    model::{Hold, Model, Surety, Thing, BILLING, ESCROW},
};
use joule_sdk::{billing, staking::event::AnyEvent as Staking, Pubkey};

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
                    services: 0,
                };
                model.name([e.bond, vault], Thing::Bond(e.bond));
                model.bonds.insert(e.bond, bond);
            }
            Staking::BondDeposited(e) => {
                called.signed_by(&e.from)?;
                let bond = bonded(model, &e.bond)?;
                let seen = called.argument::<32>(8)?;
                Violation::unless(bond.withdrawer == seen.into(), "added to a bond of somebody else's")?;
                bond.amount += e.added.get();
                let vault = bond.vault;
                self.gain(called.account("source")?, -(e.added.get() as i128));
                self.gain(vault, e.added.get() as i128);
            }
            Staking::ServiceNamed(e) => {
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.owner).or_else(|_| called.signed_by(&bond.withdrawer))?;
                let bit = 1u8 << e.number;
                bond.services = if e.named == 1 { bond.services | bit } else { bond.services & !bit };
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
                let service = require_service(model, called, &e.signer)?;
                let bond = bonded(model, &e.bond)?;
                called.signed_by(&bond.owner)?;
                let bit = if service == billing::ID { 1 << BILLING } else { 1 << ESCROW };
                Violation::unless(
                    bond.services & bit != 0,
                    "a bond was locked by a service that it does not answer to",
                )?;
                let free = bond.free().unwrap_or_default();
                let locked = bond.lock(e.amount.get());
                locked.ok_or_else(|| Violation::new("locked more than a bond has"))?;
                let (bond, subject, amount, until) = (e.bond, e.subject, e.amount.get(), e.until.get());
                match model.holds.get_mut(&e.claim) {
                    Some(hold) => {
                        let may = service == billing::ID
                            && (hold.service, hold.bond, hold.subject) == (service, bond, subject);
                        Violation::unless(may, "a claim was locked twice")?;
                        hold.add(amount, until);
                    }
                    None => {
                        let payer = called.account(if service == billing::ID { "rent_payer" } else { "payer" })?;
                        self.rents.push((e.claim, payer));
                        model.name([e.claim], Thing::Bond(e.bond));
                        let hold = Hold { service, bond, subject, rent_payer: payer, tranches: vec![(amount, until)] };
                        model.holds.insert(e.claim, hold);
                        bonded(model, &e.bond)?.claims += 1;
                    }
                }
                self.hand.locked.push(Locked { claim: e.claim, bond, subject, amount, free, until });
            }
            Staking::ClaimReleased(e) => {
                let hold = held(model, &e.claim)?;
                let (bond, all) = (hold.bond, hold.amount());
                let lapsed = if e.expired == 1 { hold.lapse(called.now) } else { all };
                Violation::unless(e.amount.get() == lapsed, "a claim was let go in part, or before its time")?;
                Violation::unless(
                    (lapsed == all) == (e.closed == 1),
                    "an empty claim that is kept, or a full one closed",
                )?;
                if e.expired == 1 {
                    let counts = lapsed == 0 || e.kept.get() > 0;
                    Violation::unless(!counts, "a claim has lapsed that held nothing, or counts for something")?;
                    model.mark("claim lapsed");
                } else {
                    require_service(model, called, &e.signer)?;
                    self.hand.released.push(Released { claim: e.claim, amount: e.amount.get(), kept: e.kept.get() });
                }
                bonded(model, &bond)?.locked -= lapsed;
                if e.closed == 1 {
                    self.end_hold(model, &e.claim)?;
                }
            }
            Staking::ClaimSlashed(e) => {
                let service = require_service(model, called, &e.signer)?;
                let hold = held(model, &e.claim)?;
                let before = hold.amount();
                let gone = e.amount.get().checked_add(e.released.get()).and_then(|gone| hold.take(gone).map(|()| gone));
                let gone = gone.ok_or_else(|| Violation::new("slashed more than is claimed"))?;
                let (bond, is_empty) = (hold.bond, hold.amount() == 0);
                Violation::unless(hold.service == service, "a claim of another service's was slashed")?;
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
        let hold = held(model, claim)?.clone();
        model.holds.remove(claim);
        model.forget([*claim]);
        bonded(model, &hold.bond)?.claims -= 1;
        self.rents.push((*claim, hold.rent_payer));
        Ok(())
    }
}

/// Only escrow and billing may lock, release and slash, each its own claims. Returns which of them it is.
fn require_service(model: &Model, called: &Called, signer: &Pubkey) -> Result<Pubkey, Violation> {
    let service = called.instruction.program_id;
    let is_its = model.claim_signers.get(&service) == Some(signer);
    Violation::unless(is_its, "somebody has used a service's claims that is not that service").map(|()| service)
}

fn bonded<'a>(model: &'a mut Model, bond: &Pubkey) -> Result<&'a mut Surety, Violation> {
    model.bonds.get_mut(bond).ok_or_else(|| Violation::new("an event about a bond that is not open"))
}

fn held<'a>(model: &'a mut Model, claim: &Pubkey) -> Result<&'a mut Hold, Violation> {
    model.holds.get_mut(claim).ok_or_else(|| Violation::new("an event about a claim that nobody has made"))
}
