//! A member of a panel says, under seal, which output is right. Its stake was locked when it enrolled.

use crate::{
    constants::VOTE_SEED,
    error::EscrowError,
    event::VoteCommitted,
    foreign, seat,
    state::{Dispute, Job, Vote},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_staking::state::Claim;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct CommitSeat {
    /// Pays the rent of the vote and gets it back; may be the member.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub juror: Signer,
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    #[account(
        init, payer = payer, bump,
        seeds = [VOTE_SEED, dispute.address().as_ref(), &[dispute.round], juror.address().as_ref()]
    )]
    pub vote: Account<Vote>,
    /// The member's claim for its seat; it must still hold what is at risk.
    pub claim: UncheckedAccount,
    /// Made the claim.
    #[account(seeds = [b"claims"], bump)]
    pub claim_signer: UncheckedAccount,
    /// Token account that a reward will be paid into.
    pub payout: UncheckedAccount,
    pub system_program: Program<System>,
}

impl CommitSeat {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        self.dispute.require_commit(now)?;
        // Its own vault would be in two places of `close_vote`, which then could never close the vote.
        require!(!address_eq(self.payout.address(), &self.job.vault), EscrowError::PaysItself);
        require!(token::is_receiver(self.payout.account(), &self.job.mint), EscrowError::CannotReceive);
        Ok(())
    }

    /// The claim behind the seat still holds `at_risk`. Returns who paid its rent.
    #[inline(always)]
    fn require_stake(&self, at_risk: u64) -> Result<Address> {
        let subject = seat::subject(&self.dispute.panel, self.juror.address());
        let signer = self.claim_signer.address();
        foreign::read::<Claim, _>(self.claim.account(), &joule_staking::ID, EscrowError::WrongClaim, |claim| {
            require!(claim.subject == subject && claim.signer == *signer, EscrowError::WrongClaim);
            require!(claim.total.get() >= at_risk, EscrowError::StakeTooSmall);
            Ok(claim.rent_payer)
        })
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CommitSeat>, seat: u8, commitment: [u8; 32]) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let juror = *ctx.accounts.juror.address();
    let member = ctx.accounts.dispute.take_seat(seat, &juror)?;
    let at_risk = ctx.accounts.dispute.at_risk(&member);
    let claim_payer = ctx.accounts.require_stake(at_risk)?;
    ctx.accounts.dispute.count_vote()?;
    let vote = Vote {
        dispute: *ctx.accounts.dispute.address(),
        juror,
        payout: *ctx.accounts.payout.address(),
        claim: *ctx.accounts.claim.address(),
        claim_payer,
        rent_payer: *ctx.accounts.payer.address(),
        commitment,
        weight: member.stake,
        at_risk: at_risk.into(),
        round: ctx.accounts.dispute.round,
        choice: 0,
        own_claim: 0,
        bump: ctx.bumps.vote,
        reserved: [0; 28],
    };
    *ctx.accounts.vote = vote;
    emit_event!(ctx, VoteCommitted::of(&ctx.accounts.vote, ctx.accounts.vote.address()));
    Ok(())
}
