//! A challenged result, until its last vote is wound up.

use crate::{
    constants::{APPEAL_JURORS, MAX_JURORS, PATIENCE},
    error::EscrowError,
    math::Side,
    state::{Job, Round, Verification},
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::{Amount, Seconds, UnixTime};

/// Every state that waits has a way on by time, which anyone may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DisputeStatus {
    /// `Panel` only: waits for its members to be drawn, by anybody, until `draw_by`. Default afterwards: no verdict of this
    /// round, so that `resolve` takes the first round's, or else pays the provider as if nobody had challenged.
    Drawing = 1,
    /// Waits for commitments until `commit_by` and for their openings until `reveal_by`; then, for a first panel's verdict to
    /// be appealed or a second one's to sink in, until `final_at`. Default, with too few votes or no majority: as above, but that a
    /// first verdict that most of a second panel have not confirmed is none.
    Voting = 2,
    /// Decided and paid; waits for each vote to be closed by anybody, and then for `close_dispute`.
    Resolved = 3,
}

/// What a dispute, a round or a vote says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// The result is right.
    Stands = 1,
    /// The challenger's is.
    Counter = 2,
    /// Another one is, which is one and the same for all who say so.
    Neither = 3,
    /// Too few votes, or no majority of their weight: the result stands, and nobody loses anything but who did not reveal. As a
    /// vote: its juror could not run the job.
    Undecided = 4,
}

impl Verdict {
    #[inline(always)]
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            1 => Ok(Self::Stands),
            2 => Ok(Self::Counter),
            3 => Ok(Self::Neither),
            4 => Ok(Self::Undecided),
            _ => Err(EscrowError::InvariantBroken.into()),
        }
    }

    /// Whether the provider is paid.
    #[inline(always)]
    pub fn pays_provider(self) -> bool {
        matches!(self, Self::Stands | Self::Undecided)
    }
}

/// Members of a first panel and an appeal's: the first come first.
pub const MEMBERS: usize = MAX_JURORS as usize + APPEAL_JURORS;

/// PDA `["dispute", job]`. Closed by `close_dispute`.
#[account]
pub struct Dispute {
    pub job: Address,
    pub challenger: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// The `Panel` that members are drawn from; all zero in `Quorum`.
    pub panel: Address,
    /// The output that the challenger says is right.
    pub counter_result: [u8; 32],
    /// Base units that the challenger put into the job's vault.
    pub deposit: PodU64,
    /// Base units that an appellant put there; 0 without an appeal.
    pub appeal_deposit: PodU64,
    /// The slot whose hash draws the panel.
    pub draw_slot: PodU64,
    /// That hash, once the lot has fallen on somebody who is busy: nobody gets another lot by keeping others busy. All zero before.
    pub lot: [u8; 32],
    /// The output that `Neither` was decided for; all zero without such a verdict.
    pub third: [u8; 32],
    /// Unix seconds, like all times here.
    pub opened_at: PodI64,
    pub draw_by: PodI64,
    pub commit_by: PodI64,
    pub reveal_by: PodI64,
    pub final_at: PodI64,
    pub resolved_at: PodI64,
    /// Seconds of each step.
    pub vote_window: PodU32,
    /// `Vote` accounts that are not closed yet.
    pub votes_open: PodU32,
    /// Until when the drawing waits for members that are busy. Written by `challenge` and `appeal`.
    pub patient_until: PodI64,
    /// One bit per member: has committed.
    pub committed: PodU32,
    /// One bit per member: was slashed because it never did.
    pub punished: PodU32,
    pub rounds: [Round; 2],
    pub members: [Address; MEMBERS],
    /// Members drawn for the first round, and in all.
    pub first_drawn: u8,
    pub drawn: u8,
    /// A `DisputeStatus`.
    pub status: u8,
    /// `Verification::Quorum` or `Verification::Panel`.
    pub mode: u8,
    /// 0, or 1 after an appeal.
    pub round: u8,
    /// The job's.
    pub jurors: u8,
    /// A `Side`, or 0.
    pub appellant: u8,
    /// A `Verdict` once resolved, 0 before.
    pub verdict: u8,
    pub bump: u8,
    pub reserved: [u8; 31],
}

impl Dispute {
    #[inline(always)]
    pub fn open(&mut self, job: &Job, mode: Verification, panel: Address, slot: u64, now: UnixTime) -> Result<()> {
        self.opened_at = now.get().into();
        self.vote_window = job.vote_window;
        self.jurors = job.jurors;
        self.mode = mode as u8;
        self.deposit = job.exposure;
        match mode {
            Verification::Panel => {
                self.panel = panel;
                self.wait_for_draw(slot, now)
            }
            _ => {
                // Not before the review window ends: a provider that has a friend challenge it must not shorten what
                // others have to look at the result.
                let commit_by = self.after(now, 1)?.get().max(job.settle_after.get());
                self.commit_by = commit_by.into();
                self.reveal_by = self.after(UnixTime::new(commit_by), 1)?;
                self.final_at = self.reveal_by;
                self.status = DisputeStatus::Voting as u8;
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn wait_for_draw(&mut self, slot: u64, now: UnixTime) -> Result<()> {
        self.draw_slot = slot.into();
        self.lot = [0; 32];
        let patient_until = now.checked_add(Seconds::new(PATIENCE)).ok_or(EscrowError::Overflow)?;
        self.patient_until = patient_until.get().into();
        self.draw_by = self.after(now, 1)?;
        self.status = DisputeStatus::Drawing as u8;
        Ok(())
    }

    /// Keeps a lot that has fallen on somebody who is busy. It can be drawn at any moment until patience ends, and a step longer.
    #[inline(always)]
    pub fn pin(&mut self, lot: [u8; 32]) -> Result<()> {
        self.lot = lot;
        self.draw_by = self.after(UnixTime::new(self.patient_until.get()), 1)?;
        Ok(())
    }

    /// Chooses a later slot to draw by, within the time there is for drawing.
    #[inline(always)]
    pub fn aim(&mut self, slot: u64, now: UnixTime) -> Result<()> {
        require!(now.get() <= self.draw_by.get(), EscrowError::DrawWindowClosed);
        self.draw_slot = slot.into();
        Ok(())
    }

    /// `count` windows after `now`.
    #[inline(always)]
    pub(super) fn after(&self, now: UnixTime, count: u32) -> Result<PodI64> {
        let wait = count.checked_mul(self.vote_window.get()).ok_or(EscrowError::Overflow)?;
        Ok(now.checked_add(Seconds::new(wait)).ok_or(EscrowError::Overflow)?.get().into())
    }

    /// Who may vote is what it was in the last second in which nobody knew of the dispute.
    #[inline(always)]
    pub fn eligible_at(&self) -> UnixTime {
        UnixTime::new(self.opened_at.get().saturating_sub(1))
    }

    #[inline(always)]
    pub fn require(&self, status: DisputeStatus) -> Result<()> {
        require!(self.status == status as u8, EscrowError::WrongState);
        Ok(())
    }

    #[inline(always)]
    pub fn is_panel(&self) -> bool {
        self.mode == Verification::Panel as u8
    }

    /// How many members a round's panel has.
    #[inline(always)]
    pub fn seats(&self, round: u8) -> usize {
        match round {
            0 => self.jurors as usize,
            _ => 2 * self.jurors as usize + 1,
        }
    }

    /// Whether so many of an appeal's panel were seated that they could decide.
    #[inline(always)]
    pub fn is_heard(&self) -> bool {
        self.round == 1 && 2 * (self.drawn - self.first_drawn) as usize > self.seats(1)
    }

    #[inline(always)]
    pub fn require_commit(&self, now: UnixTime) -> Result<()> {
        self.require(DisputeStatus::Voting)?;
        require!(now.get() <= self.commit_by.get(), EscrowError::CommitWindowClosed);
        Ok(())
    }

    /// Marks the member whose seat this is, in this round; it commits once.
    #[inline(always)]
    pub fn take_seat(&mut self, seat: u8, resolver: &Address) -> Result<()> {
        let first = if self.round == 0 { 0 } else { self.first_drawn };
        require!((first..self.drawn).contains(&seat), EscrowError::NotDrawn);
        require!(address_eq(&self.members[seat as usize], resolver), EscrowError::NotDrawn);
        self.committed = (self.committed.get() | 1 << seat).into();
        Ok(())
    }

    #[inline(always)]
    pub fn count_vote(&mut self) -> Result<()> {
        let round = &mut self.rounds[self.round as usize];
        round.committed = round.committed.get().checked_add(1).ok_or(EscrowError::Overflow)?.into();
        self.votes_open = self.votes_open.get().checked_add(1).ok_or(EscrowError::Overflow)?.into();
        Ok(())
    }

    #[inline(always)]
    pub fn vote_closed(&mut self) -> Result<()> {
        self.votes_open = self.votes_open.get().checked_sub(1).ok_or(EscrowError::InvariantBroken)?.into();
        Ok(())
    }

    /// Whoever has a part in it has none in judging it.
    #[inline(always)]
    pub fn is_party(&self, job: &Job, who: &Address) -> bool {
        job.is_party(who) || address_eq(who, &self.challenger)
    }

    #[inline(always)]
    pub fn tally(&mut self, round: u8, choice: Verdict, output: &[u8; 32], weight: u64, now: UnixTime) -> Result<()> {
        self.require(DisputeStatus::Voting)?;
        require!(round == self.round, EscrowError::WrongRound);
        let is_time = now.get() > self.commit_by.get() && now.get() <= self.reveal_by.get();
        require!(is_time, EscrowError::RevealWindowClosed);
        self.rounds[round as usize].count(choice, output, weight)
    }

    /// What a round decided, for which there is more than half of the weight that could have been: in a panel that of all seats,
    /// taken or not; in a quorum what was revealed, if as many have committed as the job demands. An appeal from a round that decided
    /// nothing takes more than two thirds: who lets nobody run the job until the lot is kind gets two lots, and nobody can appeal
    /// from the second.
    #[inline(always)]
    pub fn verdict_of(&self, round: u8) -> Option<Verdict> {
        let of = &self.rounds[round as usize];
        if self.is_panel() {
            let whole = self.seats(round) as u128 * self.deposit.get() as u128;
            return if round == 1 && self.verdict_of(0).is_none() { of.two_thirds(whole) } else { of.majority(whole) };
        }
        let is_quorum = of.committed.get() >= self.jurors as u32;
        is_quorum.then(|| of.majority(of.weight.get() as u128)).flatten()
    }

    /// Whether more than half of an appeal's seats did not say what the first panel had decided: another output, or that they could not
    /// run the job. Then it holds no more, or whoever won it by a few seats could see to it that nobody else can look.
    #[inline(always)]
    fn is_doubted(&self, first: Verdict) -> bool {
        let (again, one) = (&self.rounds[1], self.deposit.get() as u128);
        let agreeing = match first {
            Verdict::Neither => again.weight_of(&self.rounds[0].leading_third()),
            _ => again.tally[first as usize - 1].get(),
        };
        let others = (again.revealed.get() as u128 * one).saturating_sub(agreeing as u128);
        self.round == 1 && 2 * others > self.seats(1) as u128 * one
    }

    /// Whoever the first panel did not agree with asks for a second one. Without a verdict both may, and whoever is first does.
    #[inline(always)]
    pub fn appeal(&mut self, side: Side, slot: u64, now: UnixTime) -> Result<()> {
        self.require(DisputeStatus::Voting)?;
        require!(self.is_panel() && self.round == 0, EscrowError::NoAppeal);
        require!(now.get() > self.reveal_by.get() && now.get() <= self.final_at.get(), EscrowError::NoAppeal);
        let has_won = match self.verdict_of(0) {
            Some(Verdict::Stands) => side == Side::Provider,
            Some(Verdict::Counter) => side != Side::Provider,
            _ => false,
        };
        require!(!has_won, EscrowError::NothingToAppeal);
        self.appellant = side as u8;
        self.appeal_deposit = self.appeal_price().ok_or(EscrowError::Overflow)?.get().into();
        self.round = 1;
        self.wait_for_draw(slot, now)
    }

    /// Base units that an appeal costs until it is won.
    #[inline(always)]
    pub fn appeal_price(&self) -> Option<Amount> {
        self.deposit.get().checked_mul(crate::constants::APPEAL_MULTIPLE).map(Amount::new)
    }

    #[inline(always)]
    pub fn appeal_made(&self) -> Option<(Side, Amount)> {
        let deposit = Amount::new(self.appeal_deposit.get());
        match self.appellant {
            1 => Some((Side::Provider, deposit)),
            2 => Some((Side::Challenger, deposit)),
            3 => Some((Side::Client, deposit)),
            _ => None,
        }
    }

    /// The verdict, once nobody can change it any more. Without one the provider is paid no earlier than if nobody had challenged,
    /// at `settle_after`: a friend of its own must not shorten what others have to look at the result.
    #[inline(always)]
    pub fn decide(&self, settle_after: i64, now: UnixTime) -> Result<Verdict> {
        let waits_until = match self.status {
            s if s == DisputeStatus::Drawing as u8 => self.draw_by,
            s if s == DisputeStatus::Voting as u8 => self.final_at,
            _ => return Err(EscrowError::WrongState.into()),
        };
        require!(now.get() > waits_until.get(), EscrowError::VoteStillOpen);
        let second = if self.round == 1 { self.verdict_of(1) } else { None };
        let first = || self.verdict_of(0).filter(|first| !self.is_doubted(*first));
        let verdict = second.or_else(first).unwrap_or(Verdict::Undecided);
        require!(verdict != Verdict::Undecided || now.get() >= settle_after, EscrowError::ReviewWindowOpen);
        Ok(verdict)
    }

    /// Weight that was revealed for the verdict in a round.
    #[inline(always)]
    pub fn winners(&self, round: u8, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Undecided => 0,
            _ => self.rounds[round as usize].tally[verdict as usize - 1].get(),
        }
    }

    /// Writes down which output a verdict of `Neither` is for: that of the round which decided. What both rounds count for
    /// `Neither` is from then on what was revealed for it.
    #[inline(always)]
    pub fn name_third(&mut self, verdict: Verdict) {
        if verdict != Verdict::Neither {
            return;
        }
        let round = if self.verdict_of(1) == Some(verdict) { 1 } else { 0 };
        self.third = self.rounds[round].leading_third();
        for round in &mut self.rounds {
            round.tally[2] = round.weight_of(&self.third).into();
        }
    }

    /// Whether a vote that was opened loses nothing though it was not right: where nothing was decided, where its juror could not run the
    /// job, and in an appeal that decided nothing itself.
    #[inline(always)]
    pub fn is_spared(&self, choice: u8, round: u8) -> bool {
        let undecided = Verdict::Undecided as u8;
        choice != 0
            && (self.verdict == undecided || choice == undecided || (round == 1 && self.verdict_of(1).is_none()))
    }

    /// Whether a vote said what was decided.
    #[inline(always)]
    pub fn is_right(&self, choice: u8, output: &[u8; 32]) -> bool {
        choice == self.verdict && (choice != Verdict::Neither as u8 || *output == self.third)
    }

    #[inline(always)]
    pub fn resolve(&mut self, verdict: Verdict, pots: [Amount; 2], now: UnixTime) {
        for (round, pot) in self.rounds.iter_mut().zip(pots) {
            round.pot = pot.get().into();
        }
        self.verdict = verdict as u8;
        self.resolved_at = now.get().into();
        self.status = DisputeStatus::Resolved as u8;
    }

    /// Marks a member that was drawn and never committed.
    #[inline(always)]
    pub fn punish(&mut self, seat: u8) -> Result<Address> {
        self.require(DisputeStatus::Resolved)?;
        require!(seat < self.drawn, EscrowError::NotDrawn);
        let bit = 1u32 << seat;
        let done = self.committed.get() | self.punished.get();
        require!(done & bit == 0, EscrowError::NotAbsent);
        self.punished = (self.punished.get() | bit).into();
        Ok(self.members[seat as usize])
    }

    /// Whether nothing is left to do but to close it: every vote is closed, and every absent member was slashed. Anybody can see to
    /// both, and where a bond's vault is frozen, its claim lapses in the end.
    #[inline(always)]
    pub fn require_wound_up(&self) -> Result<()> {
        self.require(DisputeStatus::Resolved)?;
        require!(self.votes_open.get() == 0, EscrowError::VotesOpen);
        let seats = (1u32 << self.drawn) - 1;
        require!((self.committed.get() | self.punished.get()) & seats == seats, EscrowError::VotesOpen);
        Ok(())
    }
}
