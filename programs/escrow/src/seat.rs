//! What a resolver's claim is made for.

use crate::constants::SEAT_SEED;
use anchor_lang::{hash::sha256, prelude::*};
use joule_staking::constants::CLAIM_SEED;

/// SHA-256 of `"seat"`, panel and resolver.
#[inline(always)]
pub fn subject(panel: &Address, resolver: &Address) -> Address {
    let mut message = [0; 68];
    message[..4].copy_from_slice(SEAT_SEED);
    message[4..36].copy_from_slice(panel.as_ref());
    message[36..].copy_from_slice(resolver.as_ref());
    Address::new_from_array(sha256(&message))
}

/// Where the staking program keeps the claim of a seat; `signer` is the escrow's claim signer.
pub fn claim(signer: &Address, panel: &Address, resolver: &Address) -> Address {
    let subject = subject(panel, resolver);
    find_program_address(&[CLAIM_SEED, signer.as_ref(), subject.as_ref()], &joule_staking::ID).0
}
