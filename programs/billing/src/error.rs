//! What can be wrong with a billing instruction.

joule_errors::errors! {
    #[error_code(offset = 6400)]
    pub enum BillingError {
        #[msg("Only the protocol's authority may do this")]
        NotAuthority,
        #[msg("The billing service is paused: no new spending, while every exit stays open")]
        Paused,
        #[msg("The token is not accepted for new work")]
        MintNotAccepted,
        #[msg("The accepted-mint account belongs to another mint")]
        WrongMint,
        #[msg("Only the payer's owner may do this")]
        NotOwner,
        #[msg("Only the channel's provider may do this")]
        NotProvider,
        #[msg("Only the owner or the provider of the channel may do this")]
        NotParty,
        #[msg("The amount must not be zero")]
        ZeroAmount,
        #[msg("The amount is below the smallest payment in this token")]
        AmountTooSmall,
        #[msg("The deposit holds less than that free")]
        NotFree,
        #[msg("This is not the payer's vault")]
        WrongVault,
        #[msg("The vault belongs to the other token program")]
        WrongTokenProgram,
        #[msg("A vault cannot be the account that it pays into")]
        PaysItself,
        #[msg("The account cannot receive this token: missing, frozen, of another mint, or demanding more than a transfer")]
        CannotReceive,
        #[msg("A channel's number is the payer's next")]
        WrongNumber,
        #[msg("The provider is not active")]
        ProviderNotActive,
        #[msg("The payout account does not belong to the provider's payout owner")]
        WrongPayoutOwner,
        #[msg("The model is retired, or another one")]
        WrongModel,
        #[msg("The price list is of another model or mint")]
        WrongPrices,
        #[msg("The fee is higher than what the payer agreed to")]
        FeeTooHigh,
        #[msg("A grace is between 1 minute and 30 days")]
        GraceOutOfRange,
        #[msg("A provider locks at most five times what it collects")]
        BackingOutOfRange,
        #[msg("A session has a key, and ends after now")]
        BadSession,
        #[msg("A staged session holds once the channel's grace has passed")]
        SessionNotDue,
        #[msg("No session is staged")]
        NothingStaged,
        #[msg("The channel belongs to another payer")]
        WrongPayer,
        #[msg("The instruction before this one does not verify one signature in the exact layout")]
        NoSignature,
        #[msg("The signer is not the key that the channel names for this")]
        WrongSigner,
        #[msg("The message is of another format, version, cluster, program or channel")]
        WrongContext,
        #[msg("The voucher pays no more than what is settled")]
        NothingNew,
        #[msg("The voucher pays more than the channel or its session may")]
        OverLimit,
        #[msg("The voucher outlives the session that signed it")]
        OutlivesSession,
        #[msg("The session is over")]
        SessionOver,
        #[msg("The voucher has expired")]
        VoucherExpired,
        #[msg("The channel is closed")]
        ChannelClosed,
        #[msg("The batch does not have one entry for each channel")]
        WrongBatch,
        #[msg("The channel is closing already")]
        AlreadyClosing,
        #[msg("The channel is not closed yet")]
        NotClosed,
        #[msg("Nothing more is earned than what is backed, or nothing has to be backed")]
        NothingToBack,
        #[msg("The bond is not the provider's in the channel's token")]
        WrongBond,
        #[msg("This is not the claim on the bond")]
        WrongClaim,
        #[msg("These are not the accounts that the price list and the channel name")]
        WrongShares,
        #[msg("This is not the account that the channel pays the fee into")]
        WrongFeeVault,
        #[msg("This is not the account that the channel pays the provider into")]
        WrongPayout,
        #[msg("Nothing is due that could be paid")]
        NothingPayable,
        #[msg("Something of what was earned is still to be paid")]
        NotPaidOut,
        #[msg("Nothing is owed there")]
        NothingOwed,
        #[msg("Only the owner of the share may move what it is owed")]
        NotPayee,
        #[msg("Rent returns to the account that paid it")]
        WrongRentPayer,
        #[msg("A plan has a rate, and a notice between 1 second and 90 days")]
        PlanOutOfRange,
        #[msg("New channels take the newest price list of the model")]
        OldPrices,
        #[msg("The plan is of another channel")]
        WrongPlan,
        #[msg("The deposit does not cover the running plans up to now")]
        Underfunded,
        #[msg("The plan is not running")]
        PlanNotRunning,
        #[msg("The plan is not paused")]
        PlanNotPaused,
        #[msg("The plan was terminated already")]
        PlanTerminated,
        #[msg("The channel was disputed already")]
        AlreadyDisputed,
        #[msg("The receipt is not included in what was paid for")]
        NotIncluded,
        #[msg("The receipt asks for no more than the price list does")]
        FairPrice,
        #[msg("The two messages do not contradict each other")]
        NoContradiction,
        #[msg("A sum does not fit into 64 bits")]
        Overflow,
        #[msg("An invariant of the account would be broken")]
        InvariantBroken,
        #[msg("The channel is evidence for as long as the provider's claim can be slashed on it")]
        StillDisputable,
    }
}
