//! What can be wrong with a treasury instruction.

use anchor_lang::prelude::*;

#[error_code(offset = 6000)]
pub enum TreasuryError {
    #[msg("Only the program's upgrade authority may create the protocol")]
    NotUpgradeAuthority,
    #[msg("Only the protocol's authority may do this")]
    NotAuthority,
    #[msg("Only the guardian or the authority may pause")]
    NotGuardian,
    #[msg("Only the proposed authority may take over")]
    NotPendingAuthority,
    #[msg("There is no service with this number")]
    UnknownService,
    #[msg("The fee is above the protocol's maximum")]
    FeeTooHigh,
    #[msg("The mint has a Token-2022 extension that can take, move or block money")]
    ForbiddenExtension,
    #[msg("The mint's data is not that of an initialised mint")]
    InvalidMint,
    #[msg("The fee vault is not the one of this mint")]
    WrongFeeVault,
    #[msg("The accepted-mint account belongs to another mint")]
    WrongMint,
    #[msg("The amount must not be zero")]
    ZeroAmount,
    #[msg("An invariant of the account would be broken")]
    InvariantBroken,
}
