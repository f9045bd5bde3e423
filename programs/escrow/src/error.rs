//! What can be wrong with an escrow instruction.

use anchor_lang::prelude::*;

joule_errors::errors! {
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
        #[msg("There is no such way of pricing work")]
        UnknownPricing,
        #[msg("A job that is paid by the second, and no other, names the most that a second may cost, and is taken for no more")]
        RateOutOfRange,
        #[msg("The provider has reported more seconds than the client agrees to pay for")]
        TooManySeconds,
        #[msg("What a provider locks is between a tenth of its price and five times it")]
        BondOutOfRange,
        #[msg("Nobody judges results of this job: they cannot be challenged, and its terms name neither jurors nor a window for them")]
        NoJudge,
        #[msg("The number of jurors is odd and at most 7")]
        JurorsOutOfRange,
        #[msg("The stake is not the client's own in this pool")]
        WrongStake,
        #[msg("The account cannot receive this token: missing, frozen, of another mint, or demanding more than a transfer")]
        CannotReceive,
        #[msg("The payout account does not belong to the provider's payout owner")]
        WrongPayoutOwner,
        #[msg("A job's vault cannot be the account that it pays into")]
        PaysItself,
        #[msg("Only the client may do this")]
        NotClient,
        #[msg("Only the provider that accepted the job may do this")]
        NotProvider,
        #[msg("Only the client, the payout owner or the challenger may redirect a payment")]
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
        #[msg("The review window has passed")]
        ReviewWindowClosed,
        #[msg("The job takes bids and cannot be accepted directly")]
        TakesBids,
        #[msg("The time to bid for this job has passed, or never was")]
        BidWindowClosed,
        #[msg("Bids are still being taken")]
        BidWindowOpen,
        #[msg("A bid binds until the job is given to somebody or ends")]
        BidBinds,
        #[msg("This is not a bid for the job, or not the cheapest")]
        WrongBid,
        #[msg("The job has a fixed price")]
        FixedPrice,
        #[msg("Reported seconds only grow, and not beyond the time since the job was accepted")]
        SecondsOutOfRange,
        #[msg("The bond is not the signer's own in the job's token")]
        WrongBond,
        #[msg("This is not the claim on the bond")]
        WrongClaim,
        #[msg("The job's requirements are missing, or these are not they")]
        WrongRequirements,
        #[msg("The attestations are about somebody else")]
        WrongAttestations,
        #[msg("A challenge names another result than the one that was delivered")]
        SameResult,
        #[msg("This is not the job of the dispute, or not the dispute of the vote")]
        WrongDispute,
        #[msg("This is not the panel that the dispute draws from")]
        WrongPanel,
        #[msg("The slot whose hash draws the panel has not been reached")]
        SlotNotReached,
        #[msg("The time to draw a panel has passed")]
        DrawWindowClosed,
        #[msg("The signer was not drawn for this seat")]
        NotDrawn,
        #[msg("This member has voted, or was punished already")]
        NotAbsent,
        #[msg("Whoever has a part in the job has none in judging it")]
        PartyCannotJudge,
        #[msg("The stake is smaller than what is at risk")]
        StakeTooSmall,
        #[msg("The time to commit a vote has passed")]
        CommitWindowClosed,
        #[msg("It is not the time to reveal votes")]
        RevealWindowClosed,
        #[msg("The vote belongs to another round")]
        WrongRound,
        #[msg("The vote has been revealed already")]
        AlreadyRevealed,
        #[msg("Output and salt are not what was committed to")]
        WrongReveal,
        #[msg("There is no appeal: not from a quorum, not twice, not after its time")]
        NoAppeal,
        #[msg("Whoever has won has nothing to appeal")]
        NothingToAppeal,
        #[msg("Only the client, the provider or the challenger may do this")]
        NotParty,
        #[msg("The vote is still open, or can still be appealed")]
        VoteStillOpen,
        #[msg("Votes are not closed yet, or absent members not punished")]
        VotesOpen,
        #[msg("Resolvers enrol in the epoch before")]
        NotNextEpoch,
        #[msg("The resolver is enrolled already")]
        AlreadyEnrolled,
        #[msg("The panel is full of resolvers who stake at least as much")]
        PanelFull,
        #[msg("A dispute may still need the panel")]
        PanelNeeded,
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
        #[msg("This is not the account that the job pays the challenger into")]
        WrongChallengerAccount,
        #[msg("Rent returns to the account that paid it")]
        WrongRentPayer,
        #[msg("Nothing that is owed can be paid now: no account can receive it")]
        NothingPayable,
        #[msg("A sum does not fit into 64 bits")]
        Overflow,
        #[msg("An invariant of the account would be broken")]
        InvariantBroken,
        #[msg("The requirements are retired: no new job can name them")]
        RequirementsRetired,
        #[msg("No panel of this epoch can judge the job: too few of those enrolled are no parties and have staked what is at risk")]
        NoPanel,
        #[msg("Whoever votes has stated what it is before the dispute opened")]
        JurorTooLate,
    }
}

impl EscrowError {
    /// The error, made out of the way: whoever breaks no rule does not pay for naming it, an instruction each time.
    #[cold]
    #[inline(never)]
    pub fn aside(self) -> ProgramError {
        self.into()
    }
}
