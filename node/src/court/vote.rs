//! Votes: under seal, with what opens them on the disk first; and opened in their time.

use super::{is_late, tries_until, Court, Obstacle};
use crate::{
    chain::Address,
    executor::{Answer, ExecError, Tie},
    fault::Fault,
    telemetry,
    work::Ended,
};
use joule_artifacts::Hash;
use joule_sdk::{
    ballot::Ballot,
    escrow::state::{Dispute, Job as State, Vote},
    instruction::escrow,
    Instruction,
};
use std::time::Duration;
use tracing::{info, warn};

/// What a panel's member says that cannot run the job.
const CANNOT_RUN: [u8; 32] = [0; 32];

/// What came of running a job that is in dispute.
enum Tried {
    /// The hash of what it comes to.
    Output([u8; 32]),
    /// Not here, for this reason, whenever it is tried.
    Never(String),
    /// Not now, for this reason.
    NotYet(String),
}

impl Court {
    /// Votes in a quorum, if it was eligible when the dispute opened. `mine` is the vote's address.
    pub(super) async fn commit_vote(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
    ) -> Result<Ended, Obstacle> {
        let stake = dispute.deposit.get();
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < stake {
            return Ok(Ended::Refused(format!(
                "a vote takes {stake} base units of its bond, which has {lockable} left: `joule provider bond deposit`"
            )));
        }
        if let Err(reason) = self.chain.may_vote(job, dispute.eligible_at().get()).await? {
            return Ok(Ended::Refused(reason));
        }
        if let Err(narrowed) = self.chain.is_open(job.requirements, stake, &self.duty.trusted_requirements).await? {
            return Ok(Ended::Refused(narrowed.to_string()));
        }
        let ballot = match self.ballots.find(mine, dispute.opened_at.get())? {
            Some(ballot) => ballot,
            None => match self.try_to_run(address, job, dispute, Tie::Free).await? {
                Tried::Output(output) => self.write_down(mine, dispute, output)?,
                Tried::Never(reason) => return Ok(Ended::Dropped(reason)),
                Tried::NotYet(reason) => return Ok(Ended::Later(reason)),
            },
        };
        let commitment = ballot.commitment(&address, &self.chain.authority());
        let (candidate, mut instructions) = self.chain.candidate(&job.mint).await?;
        instructions.push(escrow::commit_vote(candidate, address, job, commitment, stake));
        self.send_vote(job, dispute, mine, &instructions).await?;
        Ok(Ended::Over)
    }

    /// Votes from a seat in a panel, whose stake was set aside when it was drawn. While it cannot run the job it tries again, and says
    /// so when hardly any time is left.
    pub(super) async fn commit_seat(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        seat: u8,
    ) -> Result<Ended, Obstacle> {
        let ballot = match self.ballots.find(mine, dispute.opened_at.get())? {
            Some(ballot) => ballot,
            None => match self.try_to_run(address, job, dispute, Tie::Bound).await? {
                Tried::Output(output) => self.write_down(mine, dispute, output)?,
                Tried::Never(reason) | Tried::NotYet(reason) if is_late(dispute, self.chain.now().await?) => {
                    warn!(job = %address, seat, %reason, "drawn, and cannot run the job: says so");
                    self.excuse(address, job, dispute, mine, seat).await?;
                    return Ok(Ended::Over);
                }
                Tried::Never(reason) => return Ok(Ended::Dropped(reason)),
                Tried::NotYet(reason) => return Ok(Ended::Later(reason)),
            },
        };
        self.send_seat(address, job, dispute, mine, seat, &ballot).await?;
        Ok(Ended::Over)
    }

    /// Says from a seat that it cannot run the job: neither rewarded nor slashed, where silence is slashed.
    pub(super) async fn excuse(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        seat: u8,
    ) -> Result<(), Obstacle> {
        let ballot = match self.ballots.find(mine, dispute.opened_at.get())? {
            Some(ballot) => ballot,
            None => self.write_down(mine, dispute, CANNOT_RUN)?,
        };
        self.send_seat(address, job, dispute, mine, seat, &ballot).await
    }

    /// Waits for a place, and runs it, for as long as there is time to.
    async fn try_to_run(&self, address: Address, job: &State, dispute: &Dispute, tie: Tie) -> Result<Tried, Obstacle> {
        let left = tries_until(dispute) - self.chain.now().await?;
        let patience = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        let run = self.run(address, job, tie);
        Ok(match tokio::time::timeout(patience, run).await {
            Ok(ran) => said(ran, job, dispute),
            Err(_) => Tried::NotYet("no answer in the time there is to vote".into()),
        })
    }

    fn write_down(&self, mine: &Address, dispute: &Dispute, output: [u8; 32]) -> Result<Ballot, Obstacle> {
        let ballot = Ballot::new(dispute.opened_at.get(), output)?;
        self.ballots.keep(mine, &ballot)?;
        Ok(ballot)
    }

    async fn send_seat(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        seat: u8,
        ballot: &Ballot,
    ) -> Result<(), Obstacle> {
        let commitment = ballot.commitment(&address, &self.chain.authority());
        let (member, mut instructions) = self.chain.member(&job.mint).await?;
        instructions.push(escrow::commit_seat(member, dispute, seat, commitment));
        self.send_vote(job, dispute, mine, &instructions).await
    }

    async fn send_vote(
        &self,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        instructions: &[Instruction],
    ) -> Result<(), Obstacle> {
        let sent = self.chain.send(instructions).await;
        match self.chain.chain().find::<Vote>(mine).await? {
            None => sent?,
            Some(vote) => {
                let stake = self.chain.show(&job.mint, vote.stake.get());
                info!(job = %dispute.job, stake, round = vote.round, "vote committed");
                telemetry::court("committed");
            }
        }
        Ok(())
    }

    pub(super) async fn reveal(&self, address: Address, mine: &Address, ballot: &Ballot) -> Result<(), Obstacle> {
        let sent = self.chain.send(&[escrow::reveal_vote(address, *mine, ballot.output, ballot.salt)]).await;
        match self.chain.chain().find::<Vote>(mine).await? {
            Some(vote) if vote.choice == 0 => return Ok(sent?),
            _ if ballot.output == CANNOT_RUN => info!(job = %address, "vote revealed: it could not run the job"),
            _ => info!(job = %address, output = %Hash::from(ballot.output), "vote revealed"),
        }
        telemetry::court("revealed");
        Ok(())
    }
}

/// What a run lets this node say about a job. Where another machine may rightly come to another end, it says nothing, unless one of
/// the parties came to the same.
fn said(ran: Result<Answer, ExecError>, job: &State, dispute: &Dispute) -> Tried {
    match ran {
        Ok(answer) => {
            let output = *answer.hash().as_bytes();
            let is_named = [job.result_hash, dispute.counter_result].contains(&output);
            match answer.depends_on_machine() && !is_named {
                true => Tried::Never("this machine could not run it to its end".into()),
                false => Tried::Output(output),
            }
        }
        Err(error) if error.fault() == Fault::Ours => Tried::NotYet(error.to_string()),
        Err(error) => Tried::Never(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::RunError;
    use joule_artifacts::JobSpec;

    #[test]
    fn a_machine_speaks_for_itself_alone_only_where_somebody_says_the_same() {
        let timed_out = RunError::TimedOut { timeout: Duration::from_secs(1) };
        let answer = |bytes: &'static [u8], run: RunError| Answer { bytes: bytes.into(), run: Err(run.into()) };
        let (mut job, dispute) = (<State as bytemuck::Zeroable>::zeroed(), bytemuck::Zeroable::zeroed());
        let late = || answer(b"late", timed_out.clone());
        assert!(matches!(said(Ok(late()), &job, &dispute), Tried::Never(_)));
        job.result_hash = *late().hash().as_bytes();
        assert!(matches!(said(Ok(late()), &job, &dispute), Tried::Output(output) if output == job.result_hash));
        let trapped = RunError::BadAbi(String::new());
        assert!(matches!(said(Ok(answer(b"abi", trapped)), &job, &dispute), Tried::Output(_)));
        let busy = ExecError::Run(RunError::Host("busy".into()));
        assert!(matches!(said(Err(busy), &job, &dispute), Tried::NotYet(_)));
        let newer = JobSpec::parse(br#"{"version":2}"#).unwrap_err();
        assert!(matches!(said(Err(newer.into()), &job, &dispute), Tried::Never(_)), "others may be able to read it");
    }
}
