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
    runner::RunError,
    work::Ended,
};
use joule_sdk::{
    ballot::Ballots,
    escrow::state::{Dispute, Job as State, Panel, Vote},
    instruction::escrow,
    pda,
    units::UnixTime,
};
use motion::{is_late, motion, seat_of, side_of, tries_until, was_drawn, Motion, Stand};
use std::{io, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::info;

/// What this node takes upon itself, and at what risk.
#[derive(Debug, Clone, Default)]
pub struct Duty {
    pub mints: Vec<Address>,
    /// Runs delivered jobs again and challenges.
    pub verify: bool,
    /// Votes in quorums.
    pub vote: bool,
    /// The least that must be at stake in a dispute, in base units: less is not worth the fees.
    pub min_deposit: u64,
    /// The most that is put at risk in one dispute, in base units; a panel's seats risk what was staked for them, and no more.
    pub max_deposit: u64,
    /// Base units that are staked to be drawn for panels, anew for each epoch; none enrols for none.
    pub panel_stake: Option<u64>,
    /// The most that an appeal may cost, in base units; none appeals never.
    pub max_appeal: Option<u64>,
    /// `Requirements` that may choose who votes in a quorum.
    pub trusted_requirements: Vec<Address>,
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
            && self.is_worth(job.exposure)
            && job.provider_authority != *me
    }

    /// Whether `me` may vote and wants to.
    fn wants_vote(&self, job: &State, dispute: &Dispute, me: &Address) -> bool {
        self.vote
            && !dispute.is_panel()
            && self.mints.contains(&job.mint)
            && self.is_worth(dispute.deposit.get())
            && !dispute.is_party(job, me)
    }

    /// Whether base units are worth the fees of a dispute about them, and not more than is put at risk.
    fn is_worth(&self, deposit: u64) -> bool {
        (self.min_deposit..=self.max_deposit).contains(&deposit)
    }

    /// Whether a dispute that this node is no part of is seen through all the same.
    fn sees_through(&self, job: &State, dispute: &Dispute) -> bool {
        self.mints.contains(&job.mint) && dispute.deposit.get() >= self.min_deposit
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
    pub places: Places,
}

/// How many jobs in dispute are run at once, whatever is staged. Seats and appeals, where money is at stake, never wait for votes in
/// quorums. Cheap to clone.
#[derive(Clone)]
pub struct Places {
    bound: Arc<Semaphore>,
    free: Arc<Semaphore>,
}

impl Places {
    /// So many of either kind.
    pub fn new(each: usize) -> Self {
        let places = || Arc::new(Semaphore::new(each));
        Self { bound: places(), free: places() }
    }

    async fn take(&self, tie: Tie) -> Result<OwnedSemaphorePermit, ExecError> {
        let places = if tie == Tie::Bound { &self.bound } else { &self.free };
        let taken = places.clone().acquire_owned().await;
        taken.map_err(|closed| RunError::Host(closed.to_string()).into())
    }
}

/// For `Court::looks`.
pub const LOOKS: usize = 16;

impl Court {
    /// What a job comes to that this node has a part in, once there is a place to run it; what that takes stays on its disk.
    async fn run(&self, job: Address, state: &State, tie: Tie) -> Result<Answer, ExecError> {
        let wanted = Wanted { job, spec: state.spec_hash.into(), input: state.input_hash.into() };
        self.executor.judge(wanted, tie, self.places.take(tie).await?).await
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
        let mine = pda::vote(&place, dispute.round, &me);
        let ballot = self.ballots.find(&mine, dispute.opened_at.get())?;
        let is_mine = side.is_some() || ballot.is_some() || was_drawn(&dispute, &me);
        if !is_mine && !self.duty.sees_through(&job, &dispute) {
            return Ok(Ended::Over);
        }
        // Others have to run it too. What fails is tried again in a minute.
        let _ = self.executor.serve(&address).await;
        let vote = chain.find::<Vote>(&mine).await?;
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
    use crate::{
        executor::Bounds,
        plan::tests::{job, me},
        runner::Runner,
    };
    use bytemuck::Zeroable;
    use joule_artifacts::ArtifactStore;
    use joule_sdk::Keypair;

    #[test]
    fn others_results_are_checked_while_they_can_be_challenged() {
        let other = Address::new_from_array([9; 32]);
        let delivered =
            Job { verification: Verification::Quorum, provider_authority: other, ..job(JobStatus::Delivered) };
        let duty = Duty { mints: vec![delivered.mint], verify: true, max_deposit: 900, ..Duty::default() };
        assert!(duty.wants_check(&delivered, &me(), delivered.settle_after - 1));
        assert!(!duty.wants_check(&delivered, &me(), delivered.settle_after));
        assert!(!duty.wants_check(&delivered, &other, 0), "its own");
        let review = Job { verification: Verification::Review, ..delivered.clone() };
        assert!(!duty.wants_check(&review, &me(), 0), "nobody would judge");
        let idle = Duty { verify: false, ..duty };
        assert!(!idle.wants_check(&delivered, &me(), 0));
    }

    #[test]
    fn dust_is_neither_checked_nor_voted_about_nor_seen_through() {
        let (mut state, mut dispute) = (State::zeroed(), Dispute::zeroed());
        (state.mint, dispute.mode) = (job(JobStatus::Open).mint, Verification::Quorum as u8);
        let duty = Duty {
            mints: vec![state.mint],
            verify: true,
            vote: true,
            min_deposit: 100,
            max_deposit: 900,
            ..Duty::default()
        };
        let mut wants = |deposit: u64| {
            dispute.deposit = deposit.into();
            let other = Address::new_from_array([9; 32]);
            let quorum =
                Job { verification: Verification::Quorum, provider_authority: other, ..job(JobStatus::Delivered) };
            let delivered = Job { exposure: deposit, ..quorum };
            let checks = duty.wants_check(&delivered, &me(), 0);
            (checks, duty.wants_vote(&state, &dispute, &me()), duty.sees_through(&state, &dispute))
        };
        assert_eq!(wants(99), (false, false, false));
        assert_eq!(wants(100), (true, true, true));
        assert_eq!(wants(900), (true, true, true));
        assert_eq!(wants(901), (false, false, true), "too dear for its own money, and worth a crank");
    }

    #[tokio::test]
    async fn staged_disputes_run_no_more_jobs_at_once_than_there_are_places_and_keep_no_seat_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let store = ArtifactStore::open(folder.path().to_str().unwrap()).unwrap();
        let key = folder.path().join("key.json");
        std::fs::write(&key, serde_json::to_string(&Keypair::new().to_bytes().to_vec()).unwrap()).unwrap();
        let court = Court {
            chain: ProviderClient::new("http://127.0.0.1:1", &key).unwrap(),
            executor: Executor::new(store, Runner::new().unwrap(), Bounds::widest()),
            duty: Duty::default(),
            ballots: Ballots::new(&folder.path().join("votes")),
            looks: Arc::new(Semaphore::new(LOOKS)),
            places: Places::new(1),
        };
        // Nothing that it names is there, so that a run that has begun ends at once.
        let (address, state) = (Address::default(), State::zeroed());
        let running = court.places.take(Tie::Free).await.unwrap();
        let waiting = [(); 3].map(|()| {
            let court = court.clone();
            tokio::spawn(async move { court.run(address, &State::zeroed(), Tie::Free).await.map(|_| ()) })
        });
        assert!(court.run(address, &state, Tie::Bound).await.is_err(), "a seat does not wait for votes");
        assert!(waiting.iter().all(|vote| !vote.is_finished()), "votes wait for one another");
        drop(running);
        for vote in waiting {
            assert!(vote.await.unwrap().is_err());
        }
        assert_eq!(court.places.free.available_permits(), 1);
    }
}
