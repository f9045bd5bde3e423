//! What can be wrong with an escrow instruction.

use anchor_lang::prelude::*;

#[error_code(offset = 6200)]
pub enum EscrowError {
    #[msg("The escrow service is paused: no new work, while every exit stays open")]
    Paused,
    #[msg("The token is not accepted for new work")]
    MintNotAccepted,
    #[msg("The accepted-mint account belongs to another mint")]
    WrongMint,
    #[msg("The budget is below the smallest payment in this token")]
    BudgetTooSmall,
    #[msg("A job's id is the client's next number")]
    WrongId,
    #[msg("A window is between 1 second and 90 days")]
    WindowOutOfRange,
    #[msg("A job names its spec and its input by hash")]
    MissingHash,
    #[msg("There is no such way of verifying results")]
    UnknownVerification,
    #[msg(
        "The account cannot receive this token: missing, frozen, of another mint, or demanding more than a transfer"
    )]
    CannotReceive,
    #[msg("The payout account does not belong to the provider's payout owner")]
    WrongPayoutOwner,
    #[msg("A job's vault cannot be the account that it pays into")]
    PaysItself,
    #[msg("Only the client may do this")]
    NotClient,
    #[msg("Only the provider that accepted the job may do this")]
    NotProvider,
    #[msg("Only the client or the payout owner may redirect a payment")]
    NotPayee,
    #[msg("A payment can be redirected before delivery, or later while it is owed")]
    NothingToRedirect,
    #[msg("The signer is not the authority of this provider")]
    NotProviderAuthority,
    #[msg("The provider is not active")]
    ProviderNotActive,
    #[msg("The price is zero or above the job's budget")]
    PriceOutOfRange,
    #[msg("The job is not in the state that this needs")]
    WrongState,
    #[msg("The time to accept this job has passed")]
    AcceptWindowClosed,
    #[msg("The time to deliver this job has passed")]
    WorkWindowClosed,
    #[msg("The review window is still open")]
    ReviewWindowOpen,
    #[msg("The job's deadline has not passed yet")]
    NotExpired,
    #[msg("A result is named by its hash, which is not zero")]
    MissingResult,
    #[msg("The result named is not the one that was delivered")]
    WrongResult,
    #[msg("This is not the vault of the job")]
    WrongVault,
    #[msg("The vault belongs to the other token program")]
    WrongTokenProgram,
    #[msg("This is not the account that the job pays the provider into")]
    WrongPayout,
    #[msg("This is not the account that the job pays the fee into")]
    WrongFeeVault,
    #[msg("This is not the account that the job refunds into")]
    WrongRefund,
    #[msg("Rent returns to the account that paid it")]
    WrongRentPayer,
    #[msg("Nothing that is owed can be paid now: no account can receive it")]
    NothingPayable,
    #[msg("A sum does not fit into 64 bits")]
    Overflow,
    #[msg("An invariant of the account would be broken")]
    InvariantBroken,
}
