//! What this node does about other people's results: it runs them again, challenges those that are wrong, and votes.
//!
//! Pure decisions come first, then what is done about them. As with jobs, the chain is the record and every step is looked at
//! again before anything is sent twice; only what opens a vote is kept on disk, before it is sent.

use crate::{
    chain::{Address, ChainError, Job, JobStatus, ProviderClient, Verification},
    executor::{Answer, ExecError, Executor},
    work::Ended,
};
use joule_artifacts::Hash;
use joule_sdk::{
    ballot::{Ballot, Ballots},
    escrow::state::{Dispute, DisputeStatus, Job as State, Vote},
    instruction::escrow::{self, Challenger},
    pda,
    staking::state::Claim,
};
use std::io;
use tracing::{info, warn};

/// What this node takes upon itself, and at what risk.
#[derive(Debug, Clone)]
pub struct Duty {
    pub mints: Vec<Address>,
    /// Runs delivered jobs again and challenges.
    pub verify: bool,
    /// Votes in quorums.
    pub vote: bool,
    /// The most that is put at risk in one dispute, in base units.
    pub max_deposit: u64,
}

impl Duty {
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

/// What a dispute needs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Members of the panel are to be drawn.
    Draw,
    /// This node votes.
    Commit,
    /// This node opens its vote.
    Reveal,
    /// The verdict is there.
    Resolve,
    /// Votes are to be closed one by one, then the dispute.
    WindUp,
    Nothing,
}

/// `vote` is this node's on the chain, and `can_open` whether it knows what opens it; `now` is the chain's time.
pub fn motion(dispute: &Dispute, wants_vote: bool, vote: Option<&Vote>, can_open: bool, now: i64) -> Motion {
    let is = |status: DisputeStatus| dispute.status == status as u8;
    if is(DisputeStatus::Resolved) {
        return Motion::WindUp;
    }
    if is(DisputeStatus::Drawing) {
        return if now > dispute.draw_by.get() { Motion::Resolve } else { Motion::Draw };
    }
    if now > dispute.final_at.get() {
        return Motion::Resolve;
    }
    match vote {
        None if wants_vote && now <= dispute.commit_by.get() => Motion::Commit,
        Some(vote)
            if vote.choice == 0 && can_open && now > dispute.commit_by.get() && now <= dispute.reveal_by.get() =>
        {
            Motion::Reveal
        }
        _ => Motion::Nothing,
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
}

impl Court {
    /// Delivered jobs that this node should run again, and the jobs in dispute, whoever's they are.
    pub async fn docket(&self) -> Result<(Vec<Address>, Vec<Address>), ChainError> {
        let chain = self.chain.chain();
        let mut checks = Vec::new();
        if self.duty.verify {
            let (now, me) = (chain.now().await?, self.chain.authority());
            let delivered = chain.jobs_standing(JobStatus::Delivered).await?;
            let jobs = delivered.iter().filter_map(|(address, state)| Job::from_state(*address, state));
            checks.extend(jobs.filter(|job| self.duty.wants_check(job, &me, now)).map(|job| job.address));
        }
        let cases = chain.disputes().await?.into_iter().map(|(_, dispute)| dispute.job).collect();
        Ok((checks, cases))
    }

    /// Runs a delivered job again and challenges it if the result is another.
    pub async fn check(self, address: Address) -> Ended {
        match self.check_once(address).await {
            Ok(ended) => ended,
            Err(Obstacle::Exec(error)) if !error.may_pass() => Ended::Dropped(error.to_string()),
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn check_once(&self, address: Address) -> Result<Ended, Obstacle> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Ended::Over) };
        if !self.duty.wants_check(&job, &self.chain.authority(), self.chain.now().await?) {
            return Ok(Ended::Over);
        }
        let answer = self.run(job.spec_hash, job.input_hash).await?;
        let (result, mine) = (job.result_hash, answer.hash());
        if mine == result {
            info!(job = %address, %result, "ran it again: the result is right");
            return Ok(Ended::Checked);
        }
        if answer.depends_on_machine() {
            return Ok(Ended::Dropped(format!(
                "this machine could not run it to its end, and says nothing about {result}"
            )));
        }
        warn!(job = %address, %result, %mine, "ran it again: the result is wrong");
        if job.exposure > self.duty.max_deposit {
            let most = self.duty.max_deposit;
            return Ok(Ended::Refused(format!("a challenge costs {}; this node risks {most}", job.exposure)));
        }
        let token_program = self.chain.token_program(&job.mint).await?;
        let tokens = pda::associated_token(&self.chain.authority(), &job.mint, &token_program);
        let has = self.chain.chain().token_balance(&tokens).await?;
        if has < job.exposure {
            return Ok(Ended::Later(format!("a challenge costs {}; {tokens} has {has}", job.exposure)));
        }
        // Stored before it is named: whoever judges can fetch it, and so can the client.
        self.executor.store(answer.bytes).await?;
        let me = self.chain.authority();
        let who = Challenger { challenger: me, payer: me, source: tokens, account: tokens };
        let sent = self.chain.send(&[escrow::challenge(who, address, token_program, *mine.as_bytes())]).await;
        match self.chain.chain().job(&address).await? {
            Some(after) if after.challenger == me => {
                info!(job = %address, deposit = job.exposure, counter = %mine, "challenged");
            }
            Some(after) if after.status == JobStatus::Delivered as u8 => sent?,
            _ => info!(job = %address, "somebody else was quicker to challenge it"),
        }
        Ok(Ended::Checked)
    }

    async fn run(&self, spec: Hash, input: Hash) -> Result<Answer, ExecError> {
        let spec = self.executor.spec(spec).await?;
        self.executor.answer(self.executor.prepare(spec, input).await?).await
    }

    /// Takes the next step in a dispute, if there is one to be taken now. One that abstains does everything but vote.
    pub async fn attend(self, job: Address, abstains: bool) -> Ended {
        match self.attend_once(job, abstains).await {
            Ok(ended) => ended,
            Err(Obstacle::Exec(error)) if !error.may_pass() => Ended::Dropped(error.to_string()),
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn attend_once(&self, address: Address, abstains: bool) -> Result<Ended, Obstacle> {
        let (chain, me) = (self.chain.chain(), self.chain.authority());
        let place = pda::dispute(&address);
        let (Some(job), Some(dispute)) = (chain.job(&address).await?, chain.find::<Dispute>(&place).await?) else {
            return Ok(Ended::Over);
        };
        if !self.duty.mints.contains(&job.mint) && job.provider_authority != me {
            return Ok(Ended::Over);
        }
        let mine = pda::vote(&place, 0, &me);
        let vote = chain.find::<Vote>(&mine).await?;
        let ballot = self.ballots.find(&mine, dispute.opened_at.get())?;
        let wants_vote = !abstains && self.duty.wants_vote(&job, &dispute, &me);
        match motion(&dispute, wants_vote, vote.as_ref(), ballot.is_some(), chain.now().await?) {
            Motion::Nothing if ballot.is_none() && vote.is_some_and(|vote| vote.choice == 0) => {
                return Ok(Ended::Later(
                    "its vote was committed elsewhere, or the ballot is lost: it cannot be opened here".into(),
                ));
            }
            Motion::Nothing => return Ok(Ended::Over),
            Motion::Draw => self.chain.send(&[escrow::draw_panel(place, &dispute)]).await?,
            Motion::Commit => return self.commit(address, &job, &dispute, &mine, ballot).await,
            Motion::Reveal => {
                let Some(ballot) = ballot else { return Ok(Ended::Over) };
                let sent = self.chain.send(&[escrow::reveal_vote(address, mine, ballot.output, ballot.salt)]).await;
                match chain.find::<Vote>(&mine).await? {
                    Some(vote) if vote.choice == 0 => sent?,
                    _ => info!(job = %address, output = %Hash::from(ballot.output), "vote revealed"),
                }
            }
            Motion::Resolve => {
                let token_program = self.chain.token_program(&job.mint).await?;
                let sent = self.chain.send(&[escrow::resolve(address, &job, token_program)]).await;
                match chain.find::<Dispute>(&place).await? {
                    Some(after) if after.status == dispute.status => sent?,
                    Some(after) => info!(job = %address, verdict = after.verdict, "resolved"),
                    None => {}
                }
            }
            Motion::WindUp => self.wind_up(address, &job, &dispute, &mine).await?,
        }
        Ok(Ended::Over)
    }

    /// Runs the job unless an earlier life of this node has done so, writes the vote down, and only then commits to it.
    async fn commit(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        ballot: Option<Ballot>,
    ) -> Result<Ended, Obstacle> {
        let stake = dispute.deposit.get();
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < stake {
            return Ok(Ended::Refused(format!(
                "a vote takes {stake} base units of its bond, which has {lockable} left: `joule provider bond deposit`"
            )));
        }
        let ballot = match ballot {
            Some(ballot) => ballot,
            None => {
                let answer = self.run(job.spec_hash.into(), job.input_hash.into()).await?;
                let output = answer.hash();
                let is_named = [job.result_hash, dispute.counter_result].contains(output.as_bytes());
                if answer.depends_on_machine() && !is_named {
                    return Ok(Ended::Dropped("this machine could not run it to its end, and abstains".into()));
                }
                let ballot = Ballot::new(dispute.opened_at.get(), *output.as_bytes())?;
                self.ballots.keep(mine, &ballot)?;
                ballot
            }
        };
        let me = self.chain.authority();
        let (candidate, mut instructions) = self.chain.candidate(&job.mint).await?;
        instructions.push(escrow::commit_vote(candidate, address, job, ballot.commitment(&address, &me), stake));
        let sent = self.chain.send(&instructions).await;
        match self.chain.chain().find::<Vote>(mine).await? {
            None => sent?,
            Some(_) => info!(job = %address, stake, "vote committed"),
        }
        Ok(Ended::Over)
    }

    /// Closes every vote and punishes who was drawn and never voted, then closes the dispute and pays what is left to the client.
    async fn wind_up(&self, address: Address, job: &State, dispute: &Dispute, mine: &Address) -> Result<(), Obstacle> {
        let (chain, place) = (self.chain.chain(), pda::dispute(&address));
        let token_program = self.chain.token_program(&job.mint).await?;
        for (vote, state) in chain.votes_in(&place).await? {
            let sent = self.chain.send(&[escrow::close_vote(address, job, vote, &state, token_program)]).await;
            if chain.find::<Vote>(&vote).await?.is_some() {
                sent?;
            }
        }
        let done = dispute.committed.get() | dispute.punished.get();
        for seat in (0..dispute.drawn).filter(|seat| done & (1 << seat) == 0) {
            let claim = pda::seat_claim(&dispute.panel, &dispute.members[seat as usize]);
            // Gone: there is nothing left to be slashed.
            let payer = chain.find::<Claim>(&claim).await?.map_or(self.chain.authority(), |claim| claim.rent_payer);
            let punish = escrow::punish_absent(address, job, dispute, seat, payer, token_program);
            if let Err(error) = self.chain.send(&[punish]).await {
                // Somebody else may have; a dispute can be closed without, a step later.
                warn!(job = %address, seat, %error, "cannot punish a member that never voted");
            }
        }
        self.ballots.forget(mine);
        let close = escrow::close_dispute(place, dispute);
        let pay = escrow::pay(address, job, token_program);
        if self.chain.send(&[close.clone(), pay]).await.is_err() && chain.find::<Dispute>(&place).await?.is_some() {
            // Somebody cannot be paid yet, which keeps nobody from closing the dispute.
            let sent = self.chain.send(&[close]).await;
            if chain.find::<Dispute>(&place).await?.is_some() {
                sent?;
            }
        }
        info!(job = %address, "dispute wound up");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{job, me};

    /// Committed until 10, revealed until 20.
    fn voting() -> Dispute {
        let mut dispute = <Dispute as bytemuck::Zeroable>::zeroed();
        dispute.status = DisputeStatus::Voting as u8;
        (dispute.commit_by, dispute.reveal_by, dispute.final_at) = (10.into(), 20.into(), 20.into());
        dispute
    }

    fn vote(choice: u8) -> Vote {
        Vote { choice, ..<Vote as bytemuck::Zeroable>::zeroed() }
    }

    #[test]
    fn a_vote_is_committed_and_opened_in_its_time() {
        let dispute = voting();
        assert_eq!(motion(&dispute, true, None, false, 10), Motion::Commit);
        assert_eq!(motion(&dispute, true, None, true, 10), Motion::Commit, "written down, and lost on its way");
        assert_eq!(motion(&dispute, false, None, false, 10), Motion::Nothing);
        assert_eq!(motion(&dispute, true, None, true, 11), Motion::Nothing, "too late");
        assert_eq!(motion(&dispute, true, Some(&vote(0)), true, 10), Motion::Nothing, "never twice");
        assert_eq!(motion(&dispute, true, Some(&vote(0)), true, 11), Motion::Reveal);
        assert_eq!(motion(&dispute, false, Some(&vote(0)), true, 20), Motion::Reveal, "whatever it would do today");
        assert_eq!(motion(&dispute, true, Some(&vote(0)), false, 15), Motion::Nothing);
        assert_eq!(motion(&dispute, true, Some(&vote(2)), true, 15), Motion::Nothing, "open already");
    }

    #[test]
    fn a_verdict_is_carried_out_as_soon_as_nobody_can_change_it() {
        let mut dispute = voting();
        assert_eq!(motion(&dispute, true, Some(&vote(2)), true, 20), Motion::Nothing);
        assert_eq!(motion(&dispute, true, Some(&vote(2)), true, 21), Motion::Resolve);
        dispute.status = DisputeStatus::Resolved as u8;
        assert_eq!(motion(&dispute, true, None, false, 0), Motion::WindUp);
    }

    #[test]
    fn a_panel_is_drawn_in_time_or_done_without() {
        let mut dispute = voting();
        dispute.status = DisputeStatus::Drawing as u8;
        dispute.draw_by = 5.into();
        assert_eq!(motion(&dispute, true, None, false, 5), Motion::Draw);
        assert_eq!(motion(&dispute, true, None, false, 6), Motion::Resolve);
    }

    #[test]
    fn others_results_are_checked_while_they_can_be_challenged() {
        let other = Address::new_from_array([9; 32]);
        let delivered =
            Job { verification: Verification::Quorum, provider_authority: other, ..job(JobStatus::Delivered) };
        let duty = Duty { mints: vec![delivered.mint], verify: true, vote: false, max_deposit: 1 };
        assert!(duty.wants_check(&delivered, &me(), delivered.settle_after - 1));
        assert!(!duty.wants_check(&delivered, &me(), delivered.settle_after));
        assert!(!duty.wants_check(&delivered, &other, 0), "its own");
        let review = Job { verification: Verification::Review, ..delivered.clone() };
        assert!(!duty.wants_check(&review, &me(), 0), "nobody would judge");
        let idle = Duty { verify: false, ..duty };
        assert!(!idle.wants_check(&delivered, &me(), 0));
    }
}
