//! What this node does about other people's results: it runs them again, challenges those that are wrong, and votes; and about
//! its own money, where a panel was wrong.
//!
//! Pure decisions are in `motion`, what is done about them beside it. As with jobs, the chain is the record and every step is
//! looked at again before anything is sent twice; only what opens a vote is kept on disk, before it is sent.

mod appeal;
mod check;
mod docket;
mod motion;
mod seat;
mod verdict;
mod vote;

pub use docket::Docket;

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient, Verification},
    executor::{Answer, ExecError, Executor, Tie, Wanted},
    fault::Fault,
    work::Ended,
};
use joule_sdk::{
    ballot::Ballots,
    escrow::state::{Dispute, Job as State, Panel, Vote},
    instruction::escrow,
    pda,
    units::UnixTime,
};
use motion::{is_late, motion, seat_of, side_of, tries_until, Motion, Stand};
use std::{io, sync::Arc};
use tokio::sync::Semaphore;
use tracing::info;

/// What this node takes upon itself, and at what risk.
#[derive(Debug, Clone, Default)]
pub struct Duty {
    pub mints: Vec<Address>,
    /// Runs delivered jobs again and challenges.
    pub verify: bool,
    /// Votes in quorums.
    pub vote: bool,
    /// The most that is put at risk in one dispute, in base units; a panel's seats risk what was staked for them, and no more.
    pub max_deposit: u64,
    /// Base units that are staked to be drawn for panels, anew for each epoch; none enrols for none.
    pub panel_stake: Option<u64>,
    /// The most that an appeal may cost, in base units; none appeals never.
    pub max_appeal: Option<u64>,
}

impl Duty {
    /// Whether there is anything to look for in disputes.
    pub fn is_any(&self) -> bool {
        self.verify || self.vote || self.panel_stake.is_some() || self.max_appeal.is_some()
    }

    /// Whether a delivered job is to be run again by `me`; `now` is the chain's time.
    pub fn wants_check(&self, job: &Job, me: &Address, now: i64) -> bool {
        self.verify
            && job.status == JobStatus::Delivered
            && job.verification != Verification::Review
            && now < job.settle_after
            && self.mints.contains(&job.mint)
            && job.provider_authority != *me
    }

    /// Whether `me` may vote and wants to.
    fn wants_vote(&self, job: &State, dispute: &Dispute, me: &Address) -> bool {
        self.vote
            && !dispute.is_panel()
            && self.mints.contains(&job.mint)
            && dispute.deposit.get() <= self.max_deposit
            && !dispute.is_party(job, me)
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Checks and votes. Cheap to clone.
#[derive(Clone)]
pub struct Court {
    pub chain: ProviderClient,
    pub executor: Executor,
    pub duty: Duty,
    pub ballots: Ballots,
    /// How many disputes are read from the chain at once: an indexer may invent as many as it likes.
    pub looks: Arc<Semaphore>,
}

/// For `Court::looks`.
pub const LOOKS: usize = 16;

impl Court {
    /// What a job comes to that this node has a part in; what that takes stays on its disk.
    async fn run(&self, job: Address, state: &State, tie: Tie) -> Result<Answer, ExecError> {
        let wanted = Wanted { job, spec: state.spec_hash.into(), input: state.input_hash.into() };
        self.executor.answer_to(wanted, tie, None).await
    }

    /// Takes the next step in a dispute, if there is one to be taken now. One that abstains neither votes nor appeals.
    pub async fn attend(self, job: Address, abstains: bool) -> Ended {
        match self.attend_once(job, abstains).await {
            Ok(ended) => ended,
            Err(Obstacle::Exec(error)) if error.fault() != Fault::Ours => Ended::Dropped(error.to_string()),
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn attend_once(&self, address: Address, abstains: bool) -> Result<Ended, Obstacle> {
        let (chain, me) = (self.chain.chain(), self.chain.authority());
        let place = pda::dispute(&address);
        let turn = self.looks.acquire().await;
        let (Some(job), Some(dispute)) = (chain.job(&address).await?, chain.find::<Dispute>(&place).await?) else {
            return Ok(Ended::Over);
        };
        drop(turn);
        let (seat, side) = (seat_of(&dispute, &me), side_of(&job, &dispute, &me));
        if !self.duty.mints.contains(&job.mint) && seat.is_none() && side.is_none() {
            return Ok(Ended::Over);
        }
        // Others have to run it too. What fails is tried again in a minute.
        let _ = self.executor.serve(&address).await;
        let mine = pda::vote(&place, dispute.round, &me);
        let vote = chain.find::<Vote>(&mine).await?;
        let ballot = self.ballots.find(&mine, dispute.opened_at.get())?;
        let stand = Stand {
            wants_vote: self.duty.wants_vote(&job, &dispute, &me),
            seat,
            abstains,
            vote: vote.as_ref(),
            can_open: ballot.is_some(),
            settle_after: job.settle_after.get(),
            side: side.filter(|_| self.duty.max_appeal.is_some() && !abstains),
        };
        match motion(&dispute, stand, chain.now().await?) {
            Motion::Nothing if ballot.is_none() && vote.is_some_and(|vote| vote.choice == 0) => {
                return Ok(Ended::Later(
                    "its vote was committed elsewhere, or the ballot is lost: it cannot be opened here".into(),
                ));
            }
            Motion::Nothing => {}
            Motion::Draw => self.draw(&place, &job, &dispute).await?,
            Motion::Commit(Some(seat)) => return self.commit_seat(address, &job, &dispute, &mine, seat).await,
            Motion::Commit(None) => return self.commit_vote(address, &job, &dispute, &mine).await,
            Motion::Excuse(seat) => self.excuse(address, &job, &dispute, &mine, seat).await?,
            Motion::Reveal => {
                let Some(ballot) = ballot else { return Ok(Ended::Over) };
                self.reveal(address, &mine, &ballot).await?;
            }
            Motion::Appeal => {
                let Some(side) = side else { return Ok(Ended::Over) };
                return self.appeal(address, &job, &dispute, side).await;
            }
            Motion::Resolve => self.resolve(address, &job, &dispute).await?,
            Motion::WindUp => self.wind_up(address, &job, &dispute).await?,
        }
        Ok(Ended::Over)
    }

    /// Has the panel drawn, once the slot is there whose hash draws it, and nobody has to be waited for.
    async fn draw(&self, place: &Address, job: &State, dispute: &Dispute) -> Result<(), Obstacle> {
        let chain = self.chain.chain();
        if dispute.lot != [0; 32] {
            let panel = chain.get::<Panel>(&dispute.panel).await?;
            if !dispute.would_seat(place, job, &panel, UnixTime::new(chain.now().await?)) {
                return Ok(());
            }
        }
        if chain.slot().await? <= dispute.draw_slot.get() {
            return Ok(());
        }
        let sent = self.chain.send(&[escrow::draw_panel(*place, dispute)]).await;
        match chain.find::<Dispute>(place).await? {
            Some(after) if after.status == dispute.status && after.lot != [0; 32] => {
                sent?;
                if dispute.lot == [0; 32] {
                    info!(job = %dispute.job, until = after.patient_until.get(), "the lot fell on a busy member: it is waited for");
                }
            }
            Some(after) if after.status == dispute.status && after.draw_slot == dispute.draw_slot => sent?,
            _ => info!(job = %dispute.job, round = dispute.round, "panel drawn, or a later slot chosen for it"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{job, me};

    #[test]
    fn others_results_are_checked_while_they_can_be_challenged() {
        let other = Address::new_from_array([9; 32]);
        let delivered =
            Job { verification: Verification::Quorum, provider_authority: other, ..job(JobStatus::Delivered) };
        let duty = Duty { mints: vec![delivered.mint], verify: true, max_deposit: 1, ..Duty::default() };
        assert!(duty.wants_check(&delivered, &me(), delivered.settle_after - 1));
        assert!(!duty.wants_check(&delivered, &me(), delivered.settle_after));
        assert!(!duty.wants_check(&delivered, &other, 0), "its own");
        let review = Job { verification: Verification::Review, ..delivered.clone() };
        assert!(!duty.wants_check(&review, &me(), 0), "nobody would judge");
        let idle = Duty { verify: false, ..duty };
        assert!(!idle.wants_check(&delivered, &me(), 0));
    }
}
