//! `joule dispute`: challenged results, panels and votes by hand. `joule-node` does the same by itself.

mod panel;
mod show;
mod verdict;
mod vote;

pub use show::explain;

use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
};
use clap::{Subcommand, ValueEnum};
use joule_sdk::{
    escrow::state::{Dispute, Job},
    pda, Instruction, Pubkey,
};
use joule_settings::Amount;

#[derive(Subcommand)]
pub enum Command {
    /// List disputes, newest first
    List {
        #[arg(long)]
        status: Option<Status>,
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Go on after an earlier page
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show the dispute about a job: its deadlines, its panel's members, its votes
    Show {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Vote under seal: what the job comes to, which `joule-node exec` finds out. Any provider with a bond votes in a quorum that was
    /// eligible when the dispute opened, in a panel only whoever was drawn. As much as the challenger's deposit is lost by a wrong
    /// vote and by silence: a quorum's voter locks it now, a member has with its seat
    Vote {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// The result's hash, or a file with it
        #[arg(long, value_name = "HASH|FILE", required_unless_present = "could_not_run")]
        result: Option<String>,
        /// In a panel: say that you could not run the job. Nothing is earned by it and nothing lost, where silence is slashed
        #[arg(long, conflicts_with = "result")]
        could_not_run: bool,
    },
    /// Open the signer's vote, once nobody can commit any more
    Reveal {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Have a panel's members drawn by lot; anyone may, a few seconds after the challenge or the appeal. While the stake of somebody on
    /// whom the lot fell stands behind other disputes, it is waited for: draw again, within its time
    Draw {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Ask for a second, larger panel, once a first one has voted: its client, challenger or provider may. Costs twice the
    /// challenger's deposit, which comes back with a verdict for whoever appealed, with none, or if no panel could be seated for it
    Appeal {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Have a verdict carried out; then, at another call, votes closed, absent members slashed and the dispute wound up; anyone may
    Resolve {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Enrol the signer for the panels of the next epoch. Takes a stake of its bond, and whoever is drawn must vote; the stake answers
    /// for that, and nothing else
    Enroll {
        /// In tokens, such as 100: the chance of being drawn, and the largest deposit it can be drawn for
        stake: Amount,
    },
    /// Take back the stakes of past epochs. Nobody can leave a panel early: a stake stays until no dispute can need it, 38 days
    /// after its epoch. Says which are locked, and until when
    Unenroll,
    /// Show who can be drawn in this epoch
    Panel {
        /// In the next epoch: it can still be enrolled for
        #[arg(long)]
        next: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Drawing,
    Voting,
    Resolved,
    Closed,
}

/// A dispute on the chain with its job, and whoever asks.
struct Found {
    actor: Actor,
    address: Pubkey,
    place: Pubkey,
    job: Job,
    dispute: Dispute,
}

impl Found {
    async fn by(options: &Options, job: &Pubkey) -> Result<Self, Failure> {
        let (actor, address) = (Actor::of(options)?, *job);
        let place = pda::dispute(&address);
        let dispute = actor.chain.find::<Dispute>(&place).await?;
        let job = actor.chain.job(&address).await?;
        let (Some(job), Some(dispute)) = (job, dispute) else {
            return Err(Failure::NotFound(format!("there is no dispute about job {address}: wound up, or never was")));
        };
        Ok(Self { actor, address, place, job, dispute })
    }

    async fn send(&self, options: &Options, instructions: &[Instruction], done: &str) -> Result<(), Failure> {
        self.actor.send(options, instructions, ("job", &self.address), done).await
    }
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { status, limit, cursor } => {
            let mut filter = vec![("limit", limit.to_string())];
            let status = status.and_then(|s| s.to_possible_value()).map(|v| v.get_name().to_owned());
            for (name, value) in [("status", status), ("cursor", cursor)] {
                filter.extend(value.map(|value| (name, value)));
            }
            show::list(options, &filter).await
        }
        Command::Show { job } => show::show(options, &job).await,
        Command::Vote { job, result, could_not_run: _ } => vote::vote(options, &job, result.as_deref()).await,
        Command::Reveal { job } => vote::reveal(options, &job).await,
        Command::Draw { job } => verdict::draw(options, &job).await,
        Command::Appeal { job } => verdict::appeal(options, &job).await,
        Command::Resolve { job } => verdict::resolve(options, &job).await,
        Command::Enroll { stake } => panel::enroll(options, &stake).await,
        Command::Unenroll => panel::unenroll(options).await,
        Command::Panel { next } => panel::show(options, next).await,
    }
}
