//! Joule's programs.

use anchor_lang::prelude::Address;

pub const ALL: [[u8; 32]; 5] = [
    joule_treasury::ID.to_bytes(),
    joule_registry::ID.to_bytes(),
    joule_escrow::ID.to_bytes(),
    joule_billing::ID.to_bytes(),
    joule_staking::ID.to_bytes(),
];

/// In base58.
pub fn names() -> Vec<String> {
    ALL.iter().map(|program| Address::from(*program).to_string()).collect()
}
