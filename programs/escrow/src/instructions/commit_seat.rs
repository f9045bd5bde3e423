//! A member of a panel says, under seal, which output is right. What it answers with was locked when it enrolled, and set aside when
//! it was drawn: nothing that happens in between keeps it from voting, but that it has lost all of it elsewhere.

use crate::{
    constants::VOTE_SEED,
    error::EscrowError,
    event::VoteCommitted,
    seat,
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
    /// The member's seat in the panel: a claim of the escrow's on its bond.
    pub claim: Account<Claim>,
    /// Whose claim it is. The seed is written out so that the address is derived when this is compiled.
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
        let seat = seat::subject(&self.dispute.panel, self.juror.address());
        let is_seat =
            address_eq(&self.claim.subject, &seat) && address_eq(&self.claim.signer, self.claim_signer.address());
        require!(is_seat, EscrowError::WrongClaim);
        token::require_payee(self.payout.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CommitSeat>, seat: u8, commitment: [u8; 32]) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let juror = *ctx.accounts.juror.address();
    ctx.accounts.dispute.take_seat(seat, &juror)?;
    ctx.accounts.dispute.count_vote()?;
    let vote = Vote {
        dispute: *ctx.accounts.dispute.address(),
        juror,
        payout: *ctx.accounts.payout.address(),
        claim: *ctx.accounts.claim.address(),
        claim_payer: ctx.accounts.claim.rent_payer,
        rent_payer: *ctx.accounts.payer.address(),
        commitment,
        output: [0; 32],
        stake: ctx.accounts.dispute.deposit,
        round: ctx.accounts.dispute.round,
        choice: 0,
        bump: ctx.bumps.vote,
        reserved: [0; 29],
    };
    *ctx.accounts.vote = vote;
    emit_event!(ctx, VoteCommitted::of(&ctx.accounts.vote, ctx.accounts.vote.address(), ctx.accounts.dispute.job));
    Ok(())
}
