//! What can be wrong with a registry instruction.

joule_errors::errors! {
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
        #[msg("Only the protocol's authority admits and changes attestors")]
        NotGovernor,
        #[msg("The attestor is not enabled: it attests nothing new")]
        AttestorDisabled,
        #[msg("Only the attestor may do this or, once it is disabled, the protocol's authority")]
        NotAttestor,
        #[msg("A credential has a schema, which is not zero")]
        MissingSchema,
        #[msg("A credential expires in the future, and within 2 years")]
        ExpiryOutOfRange,
        #[msg("All places for the subject's credentials hold ones that are live, or ended less than 100 days ago")]
        AttestationsFull,
        #[msg("An attestor holds at most 4 places of a subject; one that has ended is held for 100 days more")]
        TooManyOfAttestor,
        #[msg("There is no such live credential")]
        NotAttested,
        #[msg("A credential that is live, or ended less than 100 days ago, keeps the account open")]
        StillAttested,
        #[msg("Only the client that defined the requirements may retire them")]
        NotClient,
        #[msg("A credential that is required names its attestor")]
        MissingAttestor,
        #[msg("A list of requirements is filled from the front")]
        GapInList,
        #[msg("The provider's hardware is less than what is required")]
        HardwareTooSmall,
        #[msg("The provider is in none of the regions required")]
        WrongRegion,
        #[msg("The provider's free bond is below what is required")]
        BondTooSmall,
        #[msg("The provider lacks a credential that is required")]
        CredentialMissing,
        #[msg("The provider is not one of those allowed")]
        NotAllowed,
        #[msg("The account holds another subject's credentials")]
        WrongSubject,
        #[msg("Only the model's creator may do this")]
        NotCreator,
        #[msg("A model's status is 1 (active) or 0 (retired)")]
        UnknownModelStatus,
        #[msg("The model is retired: nothing new is derived from it or published for it")]
        ModelRetired,
        #[msg("A model derives from at most 4 others, one through another")]
        LineageTooDeep,
        #[msg("Shares and royalties together are at most 80 %")]
        SharesTooHigh,
        #[msg("The version must be the one after the newest")]
        WrongVersion,
        #[msg("The protocol does not take this token now")]
        MintNotAccepted,
        #[msg("Every share needs its token account, in the order of the shares, and there is none beside them")]
        WrongShareAccounts,
        #[msg("A share's token account belongs to the share's owner")]
        NotShareOwner,
        #[msg("A share's account must be a token account of the mint that a plain transfer can reach")]
        CannotReceive,
        #[msg("Nobody but its owner may be able to close a share's token account")]
        ClosedByOthers,
        #[msg("A share that is given away is more than nothing")]
        EmptyShare,
        #[msg("A price list has at most 6 shares")]
        TooManyShares,
        #[msg("The requirements are retired already")]
        AlreadyRetired,
        #[msg("Requirements stay for 300 days after they were retired, since jobs may name them")]
        RequirementsNeeded,
    }
}
