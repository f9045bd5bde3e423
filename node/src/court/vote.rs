//! Votes: under seal, with what opens them on the disk first; and opened in their time.

use super::{Court, Obstacle};
use crate::{chain::Address, work::Ended};
use joule_artifacts::Hash;
use joule_sdk::{
    ballot::Ballot,
    escrow::state::{Dispute, Job as State, Vote},
    instruction::escrow,
};
use tracing::info;

impl Court {
    /// Runs the job unless an earlier life of this node has done so, writes the vote down, and only then commits to it: from a
    /// seat in a panel, or in a quorum. `mine` is the vote's address.
    pub(super) async fn commit(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        mine: &Address,
        seat: Option<u8>,
    ) -> Result<Ended, Obstacle> {
        let stake = dispute.deposit.get();
        let lockable = self.chain.lockable(&job.mint).await?;
        if lockable < stake {
            let reason = format!(
                "a vote takes {stake} base units of its bond, which has {lockable} left: `joule provider bond deposit`"
            );
            // A member that does not come is slashed: the bond may be filled up in time.
            return Ok(if seat.is_some() { Ended::Later(reason) } else { Ended::Refused(reason) });
        }
        let ballot = match self.ballots.find(mine, dispute.opened_at.get())? {
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
        let commitment = ballot.commitment(&address, &self.chain.authority());
        let instructions = match seat {
            Some(seat) => {
                let (member, mut instructions) = self.chain.member(&job.mint).await?;
                instructions.push(escrow::commit_seat(member, dispute, &job.mint, seat, commitment));
                instructions
            }
            None => {
                let (candidate, mut instructions) = self.chain.candidate(&job.mint).await?;
                instructions.push(escrow::commit_vote(candidate, address, job, commitment, stake));
                instructions
            }
        };
        let sent = self.chain.send(&instructions).await;
        match self.chain.chain().find::<Vote>(mine).await? {
            None => sent?,
            Some(_) => info!(job = %address, stake, seat, round = dispute.round, "vote committed"),
        }
        Ok(Ended::Over)
    }

    pub(super) async fn reveal(&self, address: Address, mine: &Address, ballot: &Ballot) -> Result<(), Obstacle> {
        let sent = self.chain.send(&[escrow::reveal_vote(address, *mine, ballot.output, ballot.salt)]).await;
        match self.chain.chain().find::<Vote>(mine).await? {
            Some(vote) if vote.choice == 0 => sent?,
            _ => info!(job = %address, output = %Hash::from(ballot.output), "vote revealed"),
        }
        Ok(())
    }
}
