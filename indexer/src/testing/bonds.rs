//! Bonds and claims.

use super::{authority, bytes, key, vault_of, Chain, Stated, Write, MINT};
use crate::{decode::Program, types::Address};
use anchor_lang::{bytemuck, prelude::Address as Key, Event};
use joule_staking::{
    event as staking,
    state::{Bond, Claim},
};
use joule_units::{Amount, UnixTime};

/// Escrow and billing, which a bond names when it is opened.
const BOTH: u8 = 0b11;

/// Where the bond of somebody's authority is.
pub fn bond_address(who: u8) -> Address {
    bond_of(&authority(who))
}

fn bond_of(owner: &Address) -> Address {
    let mut address = owner.0;
    address[0] ^= 0x55;
    Address(address)
}

/// Where the claim for a subject is.
pub fn claim_address(subject: &Address) -> Address {
    let mut address = subject.0;
    address[30] ^= 0xaa;
    Address(address)
}

impl Chain {
    /// Opens a bond, if there is none, and adds to it.
    pub fn bond(&mut self, who: u8, amount: u64) -> Address {
        let (address, now) = (bond_address(who), self.now());
        let mut events: Vec<Stated> = Vec::new();
        let owner = key(&authority(who));
        let mut bond = self.bonds.get(&address).copied().unwrap_or_else(|| {
            let mut bond: Bond = bytemuck::Zeroable::zeroed();
            bond.owner = owner;
            bond.mint = MINT;
            bond.vault = key(&vault_of(&address));
            bond.withdrawer = owner;
            bond.scored_at = now.into();
            bond.services = BOTH;
            let opened =
                staking::BondOpened { bond: key(&address), owner, mint: MINT, withdrawer: owner, at: now.into() };
            events.push((Program::Staking, opened.data()));
            bond
        });
        bond.deposit(Amount::new(amount)).unwrap();
        let deposited = staking::BondDeposited {
            bond: key(&address),
            from: owner,
            added: amount.into(),
            amount: bond.amount,
            at: now.into(),
        };
        events.push((Program::Staking, deposited.data()));
        self.bonds.insert(address, bond);
        self.transaction(vec![(Program::Staking, address, Some(bytes(&bond)))], events);
        address
    }

    /// Lets the escrow lock a bond, or no longer.
    pub fn name_escrow(&mut self, who: u8, named: bool) {
        let (address, now) = (bond_address(who), self.now());
        let bond = self.bonds.get_mut(&address).unwrap();
        bond.services = if named { BOTH } else { BOTH & !1 };
        let bond = *bond;
        let service = Key::new_from_array([77; 32]);
        let event = staking::ServiceNamed {
            bond: key(&address),
            service,
            program: joule_escrow::ID,
            at: now.into(),
            number: 0,
            named: named.into(),
        };
        self.step(Program::Staking, &[(address, Some(bytes(&bond)))], event.data());
    }

    pub fn unbond(&mut self, who: u8, amount: u64) {
        let (address, now) = (bond_address(who), self.now());
        let bond = self.bonds.get_mut(&address).unwrap();
        bond.unbond(Amount::new(amount), UnixTime::new(now)).unwrap();
        let bond = *bond;
        let event = staking::UnbondingStarted {
            bond: key(&address),
            amount: amount.into(),
            unbonding: bond.unbonding,
            unbonds_at: bond.unbonds_at,
            at: now.into(),
        };
        self.step(Program::Staking, &[(address, Some(bytes(&bond)))], event.data());
    }

    /// Locks for a subject what `owner`'s bond has, if it has as much.
    pub(super) fn lock(&mut self, owner: &Address, subject: &Address, amount: Amount) -> (Vec<Write>, Vec<Stated>) {
        let (address, now) = (bond_of(owner), UnixTime::new(self.now()));
        let Some(bond) = self.bonds.get_mut(&address) else { return Default::default() };
        if bond.lock(amount).is_err() {
            return Default::default();
        }
        bond.claim_opened().unwrap();
        let at = claim_address(subject);
        let mut claim: Claim = bytemuck::Zeroable::zeroed();
        claim.open(key(&address), signer(), key(subject), Key::default(), 255);
        claim.lock(amount, now.get() + 1_000, now).unwrap();
        let event = staking::ClaimLocked {
            claim: key(&at),
            bond: claim.bond,
            signer: claim.signer,
            subject: claim.subject,
            amount: amount.get().into(),
            until: (now.get() + 1_000).into(),
            total: claim.total,
            at: now.get().into(),
        };
        let bond = *bond;
        self.claims.insert(at, claim);
        let writes = vec![(Program::Staking, address, Some(bytes(&bond))), (Program::Staking, at, Some(bytes(&claim)))];
        (writes, vec![(Program::Staking, event.data())])
    }

    /// Lets go of the claim for a subject, if there is one; `price` is what was paid for it.
    pub(super) fn release(&mut self, subject: &Address, price: u64) -> (Vec<Write>, Vec<Stated>) {
        let (at, now) = (claim_address(subject), UnixTime::new(self.now()));
        let Some(mut claim) = self.claims.remove(&at) else { return Default::default() };
        let address = Address::from(&claim.bond);
        let bond = self.bonds.get_mut(&address).unwrap();
        let amount = claim.take(Amount::new(u64::MAX)).unwrap();
        bond.release(amount).unwrap();
        let kept = amount.min(Amount::new(price));
        if !kept.is_zero() {
            bond.score_kept(kept, now);
        }
        assert!(bond.let_go(&claim).unwrap(), "all of it is gone");
        let event = staking::ClaimReleased {
            claim: key(&at),
            bond: claim.bond,
            signer: claim.signer,
            subject: claim.subject,
            amount: amount.get().into(),
            kept: kept.get().into(),
            at: now.get().into(),
            expired: 0,
            closed: 1,
        };
        let writes = vec![(Program::Staking, address, Some(bytes(bond))), (Program::Staking, at, None)];
        (writes, vec![(Program::Staking, event.data())])
    }

    /// Takes up to `amount` of the claim for a subject, and lets go of the rest. Returns how much that was, too.
    pub(super) fn slash(&mut self, subject: &Address, amount: u64) -> (Vec<Write>, Vec<Stated>, u64) {
        let (at, now) = (claim_address(subject), UnixTime::new(self.now()));
        let Some(mut claim) = self.claims.remove(&at) else { return Default::default() };
        let address = Address::from(&claim.bond);
        let bond = self.bonds.get_mut(&address).unwrap();
        let slashed = claim.take(Amount::new(amount)).unwrap();
        bond.slash(slashed).unwrap();
        bond.score_failed(slashed, now);
        // Nothing may be left to let go of.
        let released = claim.take(Amount::new(u64::MAX)).map_or(0, Amount::get);
        bond.release(Amount::new(released)).unwrap();
        assert!(bond.let_go(&claim).unwrap(), "all of it is gone");
        let event = staking::ClaimSlashed {
            claim: key(&at),
            bond: claim.bond,
            signer: claim.signer,
            subject: claim.subject,
            destination: Key::default(),
            amount: slashed.get().into(),
            released: released.into(),
            at: now.get().into(),
            closed: 1,
        };
        let writes = vec![(Program::Staking, address, Some(bytes(bond))), (Program::Staking, at, None)];
        (writes, vec![(Program::Staking, event.data())], slashed.get())
    }
}

fn signer() -> Key {
    Key::new_from_array([44; 32])
}
