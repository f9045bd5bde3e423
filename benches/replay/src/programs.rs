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

/// The only accounts that can sign their events.
pub fn event_authorities() -> [[u8; 32]; 5] {
    ALL.map(|program| {
        let program = Address::from(program);
        anchor_lang::find_program_address(&[joule_events::AUTHORITY_SEED], &program).0.to_bytes()
    })
}
