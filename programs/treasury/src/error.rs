//! What can be wrong with a treasury instruction.

joule_errors::errors! {
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
        #[msg("The reward vault holds another token")]
        WrongMint,
        #[msg("The amount must not be zero")]
        ZeroAmount,
        #[msg("An invariant of the account would be broken")]
        InvariantBroken,
        #[msg("A service can be paused again only 7 days after its last pause ended")]
        PauseTooSoon,
        #[msg("The service is not paused")]
        NotPaused,
        #[msg("A fee moves by at most 100 basis points at a time")]
        FeeStepTooLarge,
        #[msg("A change of this fee is staged already: apply or cancel it first")]
        FeeAlreadyStaged,
        #[msg("No change is staged")]
        NothingStaged,
        #[msg("The staged change cannot be applied yet")]
        DelayNotOver,
        #[msg("A breaker's window is between 1 hour and 30 days")]
        WindowOutOfRange,
        #[msg("The breaker does not let as much out of the fee vault now")]
        OutflowLimited,
        #[msg("The amount is more than the treasury's own part of the fee vault")]
        BeyondKept,
        #[msg("A share is at most 10,000 basis points, and none without a reward vault")]
        ShareOutOfRange,
        #[msg("This is not the reward vault of the mint")]
        WrongRewardVault,
        #[msg("The reward vault cannot receive: missing, frozen, or demanding more than a transfer")]
        CannotReceive,
        #[msg("The fee vault cannot be its own reward vault")]
        PaysItself,
        #[msg("The reward vault is owed fees and can receive them: share them first")]
        RewardsOwed,
        #[msg("No reward vault is owed anything")]
        NothingToShare,
    }
}
