//! Whom a quorum's requirements let vote. Whoever chooses the jurors chooses the verdict: a client that lets nobody but its friends
//! vote can have an honest provider, challenger or juror convicted.

use crate::chain::Address;
use joule_sdk::registry::state::Criteria;

/// Requirements that keep others from voting than what anybody may have or say: hardware, regions, the word of an admitted attestor,
/// and a bond that a vote locks anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its requirements {requirements} choose its jurors: {how}; `trusted_requirements` may name them")]
pub struct Narrowed {
    pub requirements: Address,
    pub how: How,
}

/// By what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum How {
    #[error("they name who may vote")]
    Named,
    #[error("they want a bond of {least} base units, and a vote locks {stake}")]
    Bond { least: u64, stake: u64 },
    #[error("they want the word of {0}, which is no attestor, or may attest no longer")]
    Attestor(Address),
}

/// The `Attestor` accounts whose word is wanted.
pub fn attestors(criteria: &Criteria) -> impl Iterator<Item = Address> + '_ {
    let rules = criteria.all_of.iter().chain(&criteria.any_of);
    rules.map(|rule| rule.attestor).filter(|attestor| *attestor != Address::default())
}

/// `stake` is what a vote locks, in base units; `known` are the attestors that may attest now.
pub fn check(criteria: &Criteria, stake: u64, known: &[Address]) -> Result<(), How> {
    if criteria.allowed[0] != Address::default() {
        return Err(How::Named);
    }
    let least = criteria.min_bond.get();
    if least > stake {
        return Err(How::Bond { least, stake });
    }
    match attestors(criteria).find(|attestor| !known.contains(attestor)) {
        Some(unknown) => Err(How::Attestor(unknown)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joule_sdk::registry::state::{Credential, Wanted};

    const STAKE: u64 = 500;

    fn address(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    fn checked(wanted: Wanted) -> Result<(), How> {
        check(&Criteria::from(&wanted), STAKE, &[address(1), address(2)])
    }

    #[test]
    fn a_client_that_names_the_jurors_or_prices_others_out_is_not_trusted_with_a_bond() {
        // What `whom_only_the_client_lets_vote_convicts_a_provider_that_took_its_terms` takes a bond with.
        let mut friends = Wanted::default();
        friends.allowed[..2].copy_from_slice(&[address(8), address(9)]);
        assert_eq!(checked(friends), Err(How::Named));
        assert_eq!(checked(Wanted { min_bond: STAKE, ..Wanted::default() }), Ok(()), "a vote locks as much");
        let rich = Wanted { min_bond: STAKE + 1, ..Wanted::default() };
        assert_eq!(checked(rich), Err(How::Bond { least: STAKE + 1, stake: STAKE }));
    }

    #[test]
    fn what_anybody_may_have_or_an_admitted_attestor_say_keeps_nobody_from_voting() {
        let hardware = Wanted { gpu_model: 7, gpu_count: 8, cpu_cores: 64, regions: [4, 0, 0, 0], ..Wanted::default() };
        assert_eq!(checked(hardware), Ok(()));
        let mut credentials = Wanted::default();
        credentials.all_of[0] = Credential { attestor: address(1), schema: 3 };
        credentials.any_of[0] = Credential { attestor: address(2), schema: 0 };
        assert_eq!(checked(credentials), Ok(()));
        credentials.any_of[1] = Credential { attestor: address(7), schema: 0 };
        assert_eq!(
            checked(credentials),
            Err(How::Attestor(address(7))),
            "one that nobody admitted, or that was stopped"
        );
    }
}
