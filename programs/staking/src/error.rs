//! What can be wrong with a staking instruction.

joule_errors::errors! {
    #[error_code(offset = 6300)]
    pub enum StakingError {
        #[msg("Only the protocol's authority may do this")]
        NotAuthority,
        #[msg("The token is not accepted for new stakes or bonds")]
        MintNotAccepted,
        #[msg("The accepted-mint account belongs to another mint")]
        WrongMint,
        #[msg("The longest lock is between 1 second and 4 years")]
        MaxLockOutOfRange,
        #[msg("The cool-down is at most 90 days")]
        CoolDownOutOfRange,
        #[msg("The drip is between 1 second and 90 days")]
        DripOutOfRange,
        #[msg("Tiers go from the lowest weight and discount to the highest")]
        TiersNotAscending,
        #[msg("A discount is at most half of a fee")]
        DiscountTooHigh,
        #[msg("This is not the vault of the pool or bond")]
        WrongVault,
        #[msg("The stake is in another pool")]
        WrongPool,
        #[msg("Only the owner may do this")]
        NotOwner,
        #[msg("Rent returns to the account that paid it")]
        WrongRentPayer,
        #[msg("The amount must not be zero")]
        ZeroAmount,
        #[msg("The amount is below the smallest in this token")]
        AmountTooSmall,
        #[msg("The lock is longer than the pool allows")]
        LockTooLong,
        #[msg("A lock can only be moved to a later end")]
        LockNotLater,
        #[msg("Nothing is staked")]
        NothingStaked,
        #[msg("The lock has not ended yet")]
        StillLocked,
        #[msg("That much is not staked")]
        NotStaked,
        #[msg("Nothing has been unstaked")]
        NothingCooling,
        #[msg("The cool-down has not passed yet")]
        StillCooling,
        #[msg("Nothing has been earned")]
        NothingEarned,
        #[msg("The vault holds no more than the pool owes")]
        NothingToSync,
        #[msg("Only the service's own program signs for its claims")]
        WrongClaimSigner,
        #[msg("The service is not in force yet: what is admitted after the protocol's first day waits for ten")]
        ServiceNotInForce,
        #[msg("A bond names who may withdraw it")]
        NoWithdrawer,
        #[msg("Only the withdrawer may do this")]
        NotWithdrawer,
        #[msg("That much of the bond is not free")]
        NotFree,
        #[msg("The bond holds less than is to be locked")]
        BondTooSmall,
        #[msg("Nothing is on its way out of the bond")]
        NothingUnbonding,
        #[msg("The time to unbond has not passed yet")]
        StillUnbonding,
        #[msg("The bond still holds money or claims")]
        BondNotEmpty,
        #[msg("The claim is on another bond")]
        WrongBond,
        #[msg("The claim is another service's, or for another subject")]
        WrongClaim,
        #[msg("A claim ends after now and within 400 days")]
        UntilOutOfRange,
        #[msg("Nothing in the claim has expired")]
        NothingExpired,
        #[msg("A sum does not fit into its number")]
        Overflow,
        #[msg("An invariant of the account would be broken")]
        InvariantBroken,
        #[msg("The bond does not answer to this service: its owner has not named it")]
        ServiceNotNamed,
        #[msg("Only the bond's owner or its withdrawer may do this")]
        NotBondsOwn,
        #[msg("The bond names another withdrawer than the one that the depositor has seen")]
        WrongWithdrawer,
        #[msg("A drip is cut to half at most, and only when it has run its length since it was last changed")]
        DripCutTooFast,
    }
}
