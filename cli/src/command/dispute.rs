//! `joule dispute`: challenged results, and votes by hand. `joule-node` does the same by itself.

use crate::{
    act::{hash_or_file, Actor},
    context::{address, Options},
    failure::Failure,
    output::{self, word},
};
use clap::{Subcommand, ValueEnum};
use joule_api::{Case, Verdict};
use joule_artifacts::Hash;
use joule_sdk::{
    ballot::{Ballot, Ballots},
    escrow::state::{Dispute, DisputeStatus, Job, Vote},
    instruction::escrow,
    pda, Instruction, Pubkey, SdkError,
};

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
    /// Show the dispute about a job
    Show { job: String },
    /// Vote in a quorum, under seal: what the job comes to. `joule-node exec` says what that is
    Vote {
        job: String,
        /// The result's hash, or a file with it
        #[arg(long, value_name = "HASH|FILE")]
        result: String,
    },
    /// Open the signer's vote
    Reveal { job: String },
    /// Have a verdict carried out, or a decided dispute wound up; anyone may
    Resolve { job: String },
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
    async fn by(options: &Options, job: &str) -> Result<Self, Failure> {
        let (actor, address) = (Actor::of(options)?, address(job)?);
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

    /// The signer's vote.
    fn vote(&self) -> Pubkey {
        pda::vote(&self.place, self.dispute.round, &self.actor.key())
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
            list(options, &filter).await
        }
        Command::Show { job } => show(options, &job).await,
        Command::Vote { job, result } => vote(options, &job, &result).await,
        Command::Reveal { job } => reveal(options, &job).await,
        Command::Resolve { job } => resolve(options, &job).await,
    }
}

async fn vote(options: &Options, job: &str, result: &str) -> Result<(), Failure> {
    let result = hash_or_file(result)?;
    let found = Found::by(options, job).await?;
    if found.dispute.is_panel() {
        return Err(Failure::Refused("a panel decides this dispute: its members are drawn by lot".into()));
    }
    let me = found.actor.key();
    let provider = found.actor.chain.provider(&me).await?;
    let provider =
        provider.ok_or_else(|| Failure::Refused(format!("{me} is not a provider: `joule provider register`")))?;
    // On the disk before it is sent: a vote that cannot be opened loses its stake.
    let (ballots, opened_at) = (Ballots::beside(&options.key_file()?), found.dispute.opened_at.get());
    let kept = |error: std::io::Error| Failure::Other(error.into());
    let ballot = match ballots.find(&found.vote(), opened_at).map_err(kept)? {
        Some(ballot) if ballot.output != *result.as_bytes() => {
            let output = Hash::from(ballot.output);
            return Err(Failure::Refused(format!("a vote for {output} was made already, and may be on its way")));
        }
        Some(ballot) => ballot,
        None => Ballot::new(opened_at, *result.as_bytes()).map_err(kept)?,
    };
    ballots.keep(&found.vote(), &ballot).map_err(kept)?;
    let token_program = found.actor.chain.token_program_of(&found.job.mint).await?;
    let payout = pda::associated_token(&provider.payout_owner, &found.job.mint, &token_program);
    let attested =
        found.actor.chain.find::<joule_sdk::registry::state::Attestations>(&pda::attestations(&me)).await?.is_some();
    let juror = escrow::Provider { attested, ..escrow::Provider::new(me, payout) };
    let commitment = ballot.commitment(&found.address, &me);
    let stake = found.dispute.deposit.get();
    let commit = escrow::commit_vote(juror, found.address, &found.job, commitment, stake);
    let until = output::time(found.dispute.commit_by.get());
    let done = format!("voted; open it after {until} with `joule dispute reveal`: job");
    let sent = found.send(options, &[commit], &done).await;
    let was_refused = matches!(&sent, Err(Failure::Sdk(SdkError::Program(_) | SdkError::Refused { .. })));
    if was_refused && found.actor.chain.find::<Vote>(&found.vote()).await?.is_none() {
        // Nothing was committed, and the next try may say something else.
        ballots.forget(&found.vote());
    }
    sent
}

async fn reveal(options: &Options, job: &str) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let vote = found.vote();
    let ballots = Ballots::beside(&options.key_file()?);
    let ballot = ballots.find(&vote, found.dispute.opened_at.get()).map_err(|e| Failure::Other(e.into()))?;
    let ballot = ballot.ok_or_else(|| {
        Failure::NotFound("there is no ballot of this vote beside the key: it was made elsewhere, or not at all".into())
    })?;
    let reveal = escrow::reveal_vote(found.address, vote, ballot.output, ballot.salt);
    found.send(options, &[reveal], "opened the vote about job").await
}

async fn resolve(options: &Options, job: &str) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let (chain, token_program) = (&found.actor.chain, found.actor.chain.token_program_of(&found.job.mint).await?);
    if found.dispute.status != DisputeStatus::Resolved as u8 {
        let resolve = escrow::resolve(found.address, &found.job, token_program);
        return found.send(options, &[resolve], "carried out the verdict about job").await;
    }
    let bar = output::spinner("closing votes");
    for (address, vote) in chain.votes_in(&found.place).await? {
        let close = escrow::close_vote(found.address, &found.job, address, &vote, token_program);
        let sent = chain.send(&[close], &[&found.actor.signer]).await;
        if chain.find::<Vote>(&address).await?.is_some() {
            sent?;
        }
    }
    bar.finish_and_clear();
    let close = escrow::close_dispute(found.place, &found.dispute);
    found.send(options, &[close], "wound up the dispute about job").await
}

async fn list(options: &Options, filter: &[(&str, String)]) -> Result<(), Failure> {
    let page = options.index().disputes(filter).await?;
    if options.json {
        return output::json(&page);
    }
    let mut table = output::table(["job", "status", "mode", "challenger", "deposit", "votes", "verdict"]);
    for Case { dispute: d, .. } in &page.items {
        table.add_row([
            d.job.clone(),
            word(&d.status),
            word(&d.mode),
            output::short(&d.challenger),
            d.deposit.to_string(),
            d.votes.len().to_string(),
            d.verdict.map(explain).unwrap_or_default().to_owned(),
        ]);
    }
    println!("{table}");
    if let Some(cursor) = page.next_cursor {
        println!("more: --cursor {cursor}");
    }
    Ok(())
}

async fn show(options: &Options, job: &str) -> Result<(), Failure> {
    let case = options.index().dispute(job).await?;
    if options.json {
        return output::json(&case);
    }
    println!("{}", table(&case));
    Ok(())
}

/// A dispute and its votes, for people.
pub fn table(Case { dispute: d, .. }: &Case) -> String {
    let when = |moment: Option<i64>| moment.map_or("-".into(), output::time);
    let mut facts = output::table(["dispute", &d.address]);
    facts.add_rows([
        ["job", &d.job],
        ["status", &word(&d.status)],
        ["decided by", &word(&d.mode)],
        ["challenger", &d.challenger],
        ["deposit", &format!("{} base units", d.deposit)],
        ["delivered", &d.result_hash],
        ["the challenger says", &d.counter_result],
        ["votes until", &when(d.commit_by)],
        ["opened until", &when(d.reveal_by)],
        ["verdict from", &when(d.final_at)],
        ["verdict", d.verdict.map_or("-", explain)],
    ]);
    let mut votes = output::table(["juror", "stake", "says", "paid", "slashed"]);
    for v in &d.votes {
        votes.add_row([
            v.juror.clone(),
            v.stake.to_string(),
            v.choice.map_or("nothing yet", explain).to_owned(),
            v.paid.to_string(),
            v.slashed.to_string(),
        ]);
    }
    format!("{facts}\n{votes}")
}

/// What a verdict means.
pub fn explain(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stands => "the result is right",
        Verdict::Counter => "the challenger is right",
        Verdict::Neither => "both are wrong",
        Verdict::Undecided => "undecided",
    }
}
