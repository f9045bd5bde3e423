//! Bonds and the claims on them: what their accounts say, and a reputation recomputed from what happened.

use super::{job, AccountRow, EventRow};
use crate::{
    decode::{Fact, State},
    types::Address,
};
use joule_api::{Bond, Claim, Commitment, Reputation};
use joule_staking::{constants::HALF_LIFE, event::AnyEvent, state};
use joule_units::{decay, Seconds, UnixTime};

/// The kinds of account that are listed under owners, and under bonds.
pub const BOND: &str = "bond";
pub const CLAIM: &str = "claim";

/// `None` where it is no bond, or what is locked is more than what is there.
pub fn from_account(account: &AccountRow, commitment: Commitment) -> Option<Bond> {
    let Some(State::Bond(state)) = account.state() else { return None };
    Some(Bond {
        address: account.address.to_string(),
        owner: Address::from(&state.owner).to_string(),
        mint: Address::from(&state.mint).to_string(),
        withdrawer: Address::from(&state.withdrawer).to_string(),
        amount: state.amount.get(),
        locked: state.locked.get(),
        unbonding: state.unbonding.get(),
        unbonds_at: job::time(state.unbonds_at.get()),
        free: state.free().ok()?,
        services: (0..8).filter(|number| state.services >> number & 1 == 1).collect(),
        reputation: reputation(&state),
        open_claims: state.claims.get(),
        slot: account.since,
        commitment,
    })
}

pub fn claim(account: &AccountRow) -> Option<Claim> {
    let Some(State::Claim(state)) = account.state() else { return None };
    let used = state.tranches.iter().take(usize::from(state.count));
    Some(Claim {
        address: account.address.to_string(),
        bond: Address::from(&state.bond).to_string(),
        signer: Address::from(&state.signer).to_string(),
        subject: Address::from(&state.subject).to_string(),
        amount: state.total.get(),
        until: used.map(|tranche| tranche.until.get()).max().unwrap_or_default(),
    })
}

/// As the account has it.
pub fn reputation(bond: &state::Bond) -> Reputation {
    Reputation { kept: bond.kept.get(), failed: bond.failed.get(), scored_at: bond.scored_at.get() }
}

/// The same from the beginning: what releases counted as kept and what was slashed, each decayed to the next of them. `None`
/// when the opening is not among the events. An owner may close its bond and open it again, and then it is a new one.
pub fn recompute(address: &Address, events: &[EventRow]) -> Option<Reputation> {
    let mut facts: Vec<_> = events
        .iter()
        .filter_map(|event| match event.fact() {
            Ok(Fact::Staking(fact)) => Some((event.order(), fact)),
            _ => None,
        })
        .collect();
    facts.sort_by_key(|(order, _)| *order);
    let mut found: Option<Reputation> = None;
    for (_, fact) in facts {
        match fact {
            AnyEvent::BondOpened(e) if Address::from(&e.bond) == *address => {
                found = Some(Reputation { scored_at: e.at.get(), ..Reputation::default() });
            }
            AnyEvent::ClaimReleased(e) if Address::from(&e.bond) == *address && e.kept.get() > 0 => {
                let score = decayed(found?, e.at.get());
                found = Some(Reputation { kept: score.kept.saturating_add(e.kept.get()), ..score });
            }
            AnyEvent::ClaimSlashed(e) if Address::from(&e.bond) == *address => {
                let score = decayed(found?, e.at.get());
                found = Some(Reputation { failed: score.failed.saturating_add(e.amount.get()), ..score });
            }
            _ => {}
        }
    }
    found
}

/// What is left of a reputation at a later moment.
pub fn decayed(score: Reputation, at: i64) -> Reputation {
    let (then, now, half_life) = (UnixTime::new(score.scored_at), UnixTime::new(at), Seconds::new(HALF_LIFE));
    Reputation {
        kept: decay::halved(score.kept, then, now, half_life),
        failed: decay::halved(score.failed, then, now, half_life),
        scored_at: at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decode::Program,
        types::{EventKey, Signature},
    };
    use anchor_lang::{prelude::Address as Key, Event};
    use joule_staking::event::{BondClosed, BondOpened, ClaimReleased, ClaimSlashed};

    const BOND: Key = Key::new_from_array([1; 32]);
    const OTHER: Key = Key::new_from_array([2; 32]);
    const DAY: i64 = 24 * 60 * 60;

    fn row(slot: u64, data: Vec<u8>) -> EventRow {
        EventRow {
            key: EventKey { signature: Signature([slot as u8; 64]), instruction: 0, inner: 0 },
            slot,
            tx_index: 0,
            block_time: None,
            program: Program::Staking.address(),
            data: data.into(),
        }
    }

    fn opened(slot: u64, at: i64) -> EventRow {
        let nobody = Key::default();
        row(slot, BondOpened { bond: BOND, owner: nobody, mint: nobody, withdrawer: nobody, at: at.into() }.data())
    }

    fn released(slot: u64, bond: Key, amount: u64, kept: u64, at: i64) -> EventRow {
        let nobody = Key::default();
        let event = ClaimReleased {
            claim: nobody,
            bond,
            signer: nobody,
            subject: nobody,
            amount: amount.into(),
            kept: kept.into(),
            at: at.into(),
            expired: 0,
            closed: 1,
        };
        row(slot, event.data())
    }

    fn slashed(slot: u64, amount: u64, at: i64) -> EventRow {
        let nobody = Key::default();
        let event = ClaimSlashed {
            claim: nobody,
            bond: BOND,
            signer: nobody,
            subject: nobody,
            destination: nobody,
            amount: amount.into(),
            released: 7.into(),
            at: at.into(),
            closed: 1,
        };
        row(slot, event.data())
    }

    fn score(events: &[EventRow]) -> Option<(u64, u64, i64)> {
        recompute(&Address::from(&BOND), events).map(|score| (score.kept, score.failed, score.scored_at))
    }

    #[test]
    fn what_was_kept_and_failed_is_added_up_and_forgotten_by_halves() {
        let events = [
            opened(1, 0),
            released(2, BOND, 3_000, 1_000, 10 * DAY),
            slashed(3, 400, 100 * DAY),
            released(4, BOND, 50, 50, 190 * DAY),
        ];
        assert_eq!(score(&events[..2]), Some((1_000, 0, 10 * DAY)));
        assert_eq!(score(&events[..3]), Some((500, 400, 100 * DAY)));
        assert_eq!(score(&events), Some((300, 200, 190 * DAY)));
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        assert_eq!(score(&reversed), score(&events), "whatever the order they are read in");
    }

    #[test]
    fn it_is_what_the_program_computes() {
        let mut bond: state::Bond = anchor_lang::bytemuck::Zeroable::zeroed();
        let mut events = vec![opened(0, 0)];
        let mut at = 0;
        for n in 1..60u64 {
            at += (n as i64 * 7_919) % (40 * DAY);
            let amount = 1 + n * 1_299_721 % 1_000_003;
            let now = UnixTime::new(at);
            if n % 3 == 0 {
                bond.score_failed(joule_units::Amount::new(amount), now);
                events.push(slashed(n, amount, at));
            } else {
                bond.score_kept(joule_units::Amount::new(amount), now);
                events.push(released(n, BOND, u64::MAX, amount, at));
            }
            assert_eq!(recompute(&Address::from(&BOND), &events), Some(reputation(&bond)), "after {n}");
        }
    }

    #[test]
    fn what_was_not_kept_and_what_others_kept_counts_nothing() {
        let events = [opened(1, 5), released(2, BOND, 9, 0, 50), released(3, OTHER, 9, 9, 60)];
        assert_eq!(score(&events), Some((0, 0, 5)));
    }

    #[test]
    fn a_bond_that_was_closed_and_opened_again_begins_anew() {
        let nobody = Key::default();
        let closed = BondClosed { bond: BOND, owner: nobody, mint: nobody, swept: 0.into(), at: 30.into() };
        let events = [opened(1, 0), released(2, BOND, 9, 9, 20), row(3, closed.data()), opened(4, 40)];
        assert_eq!(score(&events), Some((0, 0, 40)));
    }

    #[test]
    fn without_its_opening_nothing_is_known() {
        assert_eq!(score(&[]), None);
        assert_eq!(score(&[released(2, BOND, 9, 9, 20)]), None);
    }
}
