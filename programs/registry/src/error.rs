//! What can be wrong with a registry instruction.

use anchor_lang::prelude::*;

#[error_code(offset = 6100)]
pub enum RegistryError {
    #[msg("Only the provider's authority may do this")]
    NotAuthority,
    #[msg("A provider's status is 1 (active) or 2 (paused)")]
    UnknownStatus,
    #[msg("A provider must be able to run at least one job")]
    ZeroCapacity,
    #[msg("The payout owner must not be the zero address")]
    NoPayoutOwner,
    #[msg("Rent returns to the account that paid it")]
    WrongRentPayer,
}
