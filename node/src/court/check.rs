//! Running others' delivered jobs again, and challenging results that are wrong.

use super::{Court, Obstacle};
use crate::{
    chain::{Address, Job, JobStatus, Verification},
    executor::{Tie, Wanted},
    fault::Fault,
    telemetry,
    work::Ended,
};
use joule_sdk::{
    escrow::state::{epoch_at, Panel},
    instruction::escrow::{self, Challenger},
    pda,
    units::UnixTime,
};
use tracing::{info, warn};

impl Court {
    /// Runs a delivered job again and challenges it if the result is another.
    pub async fn check(self, address: Address) -> Ended {
        match self.check_once(address).await {
            Ok(ended) => ended,
            Err(Obstacle::Exec(error)) if error.fault() != Fault::Ours => Ended::Dropped(error.to_string()),
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn check_once(&self, address: Address) -> Result<Ended, Obstacle> {
        let Some(job) = self.chain.job(&address).await? else { return Ok(Ended::Over) };
        if !self.duty.wants_check(&job, &self.chain.authority(), self.chain.now().await?) {
            return Ok(Ended::Over);
        }
        // Before it is run: nobody would decide what comes of it.
        if let Err(reason) = self.bench(&job).await? {
            return Ok(Ended::Later(reason));
        }
        if job.verification == Verification::Quorum {
            let trusted = &self.duty.trusted_requirements;
            if let Err(narrowed) = self.chain.is_open(job.requirements, job.exposure, trusted).await? {
                return Ok(Ended::Refused(narrowed.to_string()));
            }
        }
        let wanted = Wanted { job: address, spec: job.spec_hash, input: job.input_hash };
        let answer = self.executor.try_out(wanted).await?;
        let (result, mine) = (job.result_hash, answer.hash());
        if mine == result {
            info!(job = %address, %result, "ran it again: the result is right");
            telemetry::court("checked");
            return Ok(Ended::Checked);
        }
        if answer.depends_on_machine() {
            return Ok(Ended::Dropped(format!(
                "this machine could not run it to its end, and says nothing about {result}"
            )));
        }
        warn!(job = %address, %result, %mine, "ran it again: the result is wrong");
        telemetry::court("checked");
        let token_program = self.chain.token_program(&job.mint).await?;
        let tokens = pda::associated_token(&self.chain.authority(), &job.mint, &token_program);
        let has = self.chain.chain().token_balance(&tokens).await?;
        if has < job.exposure {
            return Ok(Ended::Later(format!("a challenge costs {}; {tokens} has {has}", job.exposure)));
        }
        // An appeal would run it once more. Where there is nothing to be run, there is nothing to be kept.
        match self.executor.secure(wanted, Tie::Bound).await {
            Err(error) if error.fault() == Fault::Ours => Err(error)?,
            _ => {}
        }
        // Stored before it is named: whoever judges can fetch it, and so can the client.
        self.executor.store(answer.bytes).await?;
        let me = self.chain.authority();
        let who = Challenger { challenger: me, payer: me, source: tokens, account: tokens };
        // Running it may have taken the rest of the epoch.
        let panel = match self.bench(&job).await? {
            Ok(panel) => panel,
            Err(reason) => return Ok(Ended::Later(reason)),
        };
        let sent = self.chain.send(&[escrow::challenge(who, address, panel, token_program, *mine.as_bytes())]).await;
        match self.chain.chain().job(&address).await? {
            Some(after) if after.challenger == me => {
                let deposit = self.chain.show(&job.mint, job.exposure);
                info!(job = %address, deposit, counter = %mine, "challenged");
                telemetry::court("challenged");
            }
            Some(after) if after.status == JobStatus::Delivered as u8 => sent?,
            _ => info!(job = %address, "somebody else was quicker to challenge it"),
        }
        Ok(Ended::Checked)
    }

    /// The panel that would judge now, where one judges; or why none can, and a challenge would be refused.
    async fn bench(&self, job: &Job) -> Result<Result<Option<Address>, String>, Obstacle> {
        if job.verification != Verification::Panel {
            return Ok(Ok(None));
        }
        let (chain, me) = (self.chain.chain(), self.chain.authority());
        let epoch = epoch_at(UnixTime::new(chain.now().await?));
        let address = pda::panel(&job.mint, epoch);
        let Some(state) = chain.job(&job.address).await? else { return Ok(Ok(Some(address))) };
        let can_judge = |panel: Panel| panel.can_judge(&state, &me, job.exposure);
        Ok(match chain.find::<Panel>(&address).await?.is_some_and(can_judge) {
            true => Ok(Some(address)),
            false => Err(format!("no panel can judge it in epoch {epoch}, and nobody can challenge it: too few are enrolled with its exposure of {}", self.chain.show(&job.mint, job.exposure))),
        })
    }
}
