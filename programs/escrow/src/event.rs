//! What happened to jobs, in the past tense. Amounts in base units of the job's mint, times in Unix seconds.

use crate::{
    math::Awards,
    payout::Receipt,
    state::{Dispute, Job, Vote},
};
use anchor_lang::prelude::*;
use joule_units::Amount;

#[event(bytemuck)]
pub struct JobOpened {
    pub job: Address,
    pub client: Address,
    pub mint: Address,
    pub spec_hash: [u8; 32],
    pub input_hash: [u8; 32],
    pub id: PodU64,
    pub budget: PodU64,
    /// The most that a second may cost; 0 when the price is fixed.
    pub max_rate: PodU64,
    pub opened_at: PodI64,
    pub accept_by: PodI64,
    /// 0 when there is no bidding.
    pub bid_until: PodI64,
    /// All zero when there are none.
    pub requirements: Address,
    pub work_window: PodU32,
    pub review_window: PodU32,
    pub vote_window: PodU32,
    pub fee_bps: PodU16,
    pub bond_bps: PodU16,
    /// A `Verification`.
    pub verification: u8,
    /// A `Pricing`.
    pub pricing: u8,
    pub jurors: u8,
}

#[event(bytemuck)]
pub struct BidPlaced {
    pub job: Address,
    pub bid: Address,
    pub provider: Address,
    /// Base units, or base units a second.
    pub price: PodU64,
    pub exposure: PodU64,
    pub placed_at: PodI64,
}

#[event(bytemuck)]
pub struct BidWithdrawn {
    pub job: Address,
    pub bid: Address,
    pub provider: Address,
}

#[event(bytemuck)]
pub struct JobAccepted {
    pub job: Address,
    pub client: Address,
    pub provider: Address,
    /// The bid that won and is closed; all zero when the job was taken without bidding.
    pub bid: Address,
    /// Base units, or base units a second.
    pub price: PodU64,
    /// Locked of the provider's bond.
    pub exposure: PodU64,
    pub accepted_at: PodI64,
    pub deliver_by: PodI64,
}

impl JobAccepted {
    #[inline(always)]
    pub(crate) fn of(job: &Account<Job>, bid: Address, price: Amount) -> Self {
        Self {
            job: *job.address(),
            client: job.client,
            provider: job.provider,
            bid,
            price: price.get().into(),
            exposure: job.exposure,
            accepted_at: job.accepted_at,
            deliver_by: job.deliver_by,
        }
    }
}

#[event(bytemuck)]
pub struct WorkReported {
    pub job: Address,
    pub provider: Address,
    /// SHA-256 of whatever the provider shows for it.
    pub progress_hash: [u8; 32],
    /// In all.
    pub seconds: PodU32,
    pub reported_at: PodI64,
}

#[event(bytemuck)]
pub struct JobDelivered {
    pub job: Address,
    pub provider: Address,
    pub result_hash: [u8; 32],
    pub settle_after: PodI64,
}

/// The provider has earned its price. Amounts are what was paid and what is still owed to an account that could not
/// receive.
#[event(bytemuck)]
pub struct JobSettled {
    pub job: Address,
    pub client: Address,
    pub provider: Address,
    pub mint: Address,
    pub result_hash: [u8; 32],
    pub budget: PodU64,
    pub price: PodU64,
    pub paid_provider: PodU64,
    pub paid_fee: PodU64,
    pub paid_client: PodU64,
    pub owed_provider: PodU64,
    pub owed_fee: PodU64,
    pub owed_client: PodU64,
    pub settled_at: PodI64,
    /// 1 when the client approved, 0 when the review window passed in silence.
    pub approved: u8,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

/// The budget went back to the client.
#[event(bytemuck)]
pub struct JobRefunded {
    pub job: Address,
    pub client: Address,
    /// All zero when nobody had accepted.
    pub provider: Address,
    pub mint: Address,
    pub budget: PodU64,
    /// What came from the provider's bond; the client and the treasury share it.
    pub slashed: PodU64,
    pub paid_fee: PodU64,
    pub paid_client: PodU64,
    pub owed_fee: PodU64,
    pub owed_client: PodU64,
    pub refunded_at: PodI64,
    /// 0 cancelled by the client, 1 not accepted in time, 2 not delivered in time.
    pub reason: u8,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

/// Something that a settled or refunded job owed was paid later.
#[event(bytemuck)]
pub struct JobPaid {
    pub job: Address,
    pub paid_provider: PodU64,
    pub paid_fee: PodU64,
    pub paid_challenger: PodU64,
    pub paid_client: PodU64,
    pub owed_provider: PodU64,
    pub owed_fee: PodU64,
    pub owed_challenger: PodU64,
    pub owed_client: PodU64,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

impl JobPaid {
    #[inline(always)]
    pub(crate) fn new(job: &Address, receipt: &Receipt) -> Self {
        let (paid, owed) = (&receipt.paid, &receipt.owed);
        Self {
            job: *job,
            paid_provider: paid.provider.get().into(),
            paid_fee: paid.fee.get().into(),
            paid_challenger: paid.challenger.get().into(),
            paid_client: paid.client.get().into(),
            owed_provider: owed.provider.get().into(),
            owed_fee: owed.fee.get().into(),
            owed_challenger: owed.challenger.get().into(),
            owed_client: owed.client.get().into(),
            closed: receipt.closes as u8,
        }
    }
}

/// A payee named another token account.
#[event(bytemuck)]
pub struct JobRedirected {
    pub job: Address,
    pub by: Address,
    pub account: Address,
}

#[event(bytemuck)]
pub struct JobChallenged {
    pub job: Address,
    pub dispute: Address,
    pub challenger: Address,
    pub provider: Address,
    /// All zero in `Quorum`.
    pub panel: Address,
    pub result_hash: [u8; 32],
    pub counter_result: [u8; 32],
    pub deposit: PodU64,
    pub opened_at: PodI64,
    pub draw_slot: PodU64,
    pub draw_by: PodI64,
    pub commit_by: PodI64,
    pub reveal_by: PodI64,
    /// A `Verification`.
    pub mode: u8,
}

#[event(bytemuck)]
pub struct PanelDrawn {
    pub job: Address,
    pub dispute: Address,
    /// The slot's.
    pub hash: [u8; 32],
    pub commit_by: PodI64,
    pub reveal_by: PodI64,
    pub final_at: PodI64,
    pub round: u8,
    /// Members in all rounds so far.
    pub drawn: u8,
}

#[event(bytemuck)]
pub struct VoteCommitted {
    pub job: Address,
    pub dispute: Address,
    pub vote: Address,
    pub juror: Address,
    pub commitment: [u8; 32],
    pub stake: PodU64,
    pub round: u8,
}

impl VoteCommitted {
    #[inline(always)]
    pub(crate) fn of(vote: &Vote, address: &Address, job: Address) -> Self {
        Self {
            job,
            dispute: vote.dispute,
            vote: *address,
            juror: vote.juror,
            commitment: vote.commitment,
            stake: vote.stake,
            round: vote.round,
        }
    }
}

#[event(bytemuck)]
pub struct VoteRevealed {
    pub job: Address,
    pub dispute: Address,
    pub vote: Address,
    pub juror: Address,
    pub output: [u8; 32],
    pub stake: PodU64,
    pub revealed_at: PodI64,
    pub round: u8,
    /// The `Verdict` that the output speaks for.
    pub choice: u8,
}

#[event(bytemuck)]
pub struct DisputeAppealed {
    pub job: Address,
    pub dispute: Address,
    pub appellant: Address,
    pub deposit: PodU64,
    pub draw_slot: PodU64,
    pub draw_by: PodI64,
    /// A `Side`.
    pub side: u8,
}

/// A verdict moved the money. Amounts are what was paid, what is still owed, and what is set aside for the jurors.
#[event(bytemuck)]
pub struct DisputeResolved {
    pub job: Address,
    pub dispute: Address,
    pub client: Address,
    pub provider: Address,
    pub challenger: Address,
    pub mint: Address,
    pub budget: PodU64,
    pub price: PodU64,
    pub slashed: PodU64,
    pub jurors: PodU64,
    pub paid_provider: PodU64,
    pub paid_fee: PodU64,
    pub paid_challenger: PodU64,
    pub paid_client: PodU64,
    pub owed_provider: PodU64,
    pub owed_fee: PodU64,
    pub owed_challenger: PodU64,
    pub owed_client: PodU64,
    pub resolved_at: PodI64,
    /// A `Verdict`.
    pub verdict: u8,
}

impl DisputeResolved {
    #[inline(always)]
    pub(crate) fn of(
        job: &Account<Job>,
        dispute: &Account<Dispute>,
        slashed: Amount,
        awards: &Awards,
        receipt: &Receipt,
    ) -> Self {
        let (paid, owed) = (&receipt.paid, &receipt.owed);
        Self {
            job: *job.address(),
            dispute: *dispute.address(),
            client: job.client,
            provider: job.provider,
            challenger: job.challenger,
            mint: job.mint,
            budget: job.budget,
            price: job.price,
            slashed: slashed.get().into(),
            // Both were added up when they were set aside.
            jurors: (awards.jurors[0].get() + awards.jurors[1].get()).into(),
            paid_provider: paid.provider.get().into(),
            paid_fee: paid.fee.get().into(),
            paid_challenger: paid.challenger.get().into(),
            paid_client: paid.client.get().into(),
            owed_provider: owed.provider.get().into(),
            owed_fee: owed.fee.get().into(),
            owed_challenger: owed.challenger.get().into(),
            owed_client: owed.client.get().into(),
            resolved_at: dispute.resolved_at,
            verdict: dispute.verdict,
        }
    }
}

/// A vote was wound up: rewarded, let go, or slashed.
#[event(bytemuck)]
pub struct VoteClosed {
    pub job: Address,
    pub dispute: Address,
    pub vote: Address,
    pub juror: Address,
    pub paid: PodU64,
    pub slashed: PodU64,
    pub round: u8,
    /// A `Verdict`, or 0 when it was never revealed.
    pub choice: u8,
}

#[event(bytemuck)]
pub struct AbsentPunished {
    pub job: Address,
    pub dispute: Address,
    pub resolver: Address,
    pub slashed: PodU64,
    /// Its place among the dispute's members.
    pub member: u8,
}

#[event(bytemuck)]
pub struct DisputeClosed {
    pub job: Address,
    pub dispute: Address,
}

#[event(bytemuck)]
pub struct ResolverEnrolled {
    pub panel: Address,
    pub resolver: Address,
    pub stake: PodU64,
    pub epoch: PodU64,
}

#[event(bytemuck)]
pub struct PanelClosed {
    pub panel: Address,
    pub epoch: PodU64,
}

joule_events::any_event!(
    JobOpened,
    BidPlaced,
    BidWithdrawn,
    JobAccepted,
    WorkReported,
    JobDelivered,
    JobSettled,
    JobRefunded,
    JobPaid,
    JobRedirected,
    JobChallenged,
    PanelDrawn,
    VoteCommitted,
    VoteRevealed,
    DisputeAppealed,
    DisputeResolved,
    VoteClosed,
    AbsentPunished,
    DisputeClosed,
    ResolverEnrolled,
    PanelClosed,
);
