//! Ending a job: approve, challenge, cancel, stop, crank.

use crate::{
    act::{hashless, Actor},
    context::Options,
    failure::Failure,
    token::Token,
};
use joule_artifacts::Hash;
use joule_sdk::{
    escrow::state::{epoch_at, Bid, Job, JobStatus, Panel, Verification},
    instruction::escrow::{self, Challenger},
    pda,
    units::UnixTime,
    Instruction, Pubkey,
};

/// A job on the chain, with what is needed to end it.
struct Found {
    actor: Actor,
    address: Pubkey,
    job: Job,
    token: Token,
}

impl Found {
    async fn by(options: &Options, address: &Pubkey) -> Result<Self, Failure> {
        let (actor, address) = (Actor::of(options)?, *address);
        let job = actor.chain.job(&address).await?;
        let none = || Failure::NotFound(format!("no job {address} on the chain: it has ended, or never was"));
        let job = job.ok_or_else(none)?;
        let token = Token::at(options, &actor.chain, job.mint).await?;
        Ok(Self { actor, address, job, token })
    }

    async fn send(&self, options: &Options, instruction: Instruction, done: &str) -> Result<(), Failure> {
        self.actor.send(options, &[instruction], ("job", &self.address), done).await
    }

    /// Otherwise the signature of the job's client would be missing, which says less.
    fn only_the_client(&self) -> Result<(), Failure> {
        let (client, signer) = (self.job.client, self.actor.key());
        match signer == client {
            true => Ok(()),
            false => {
                Err(Failure::Refused(format!("job {} is {client}'s to decide about, not {signer}'s", self.address)))
            }
        }
    }

    fn status(&self) -> Result<JobStatus, Failure> {
        self.job.status().map_err(|_| {
            Failure::Refused(format!("job {} stands at something that this version does not know", self.address))
        })
    }

    /// Refuses unless the job stands at `wanted`.
    fn only_when(&self, wanted: JobStatus, otherwise: &str) -> Result<(), Failure> {
        match self.status()? == wanted {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "job {} {otherwise}; `joule job show` says where it stands",
                self.address
            ))),
        }
    }
}

pub async fn approve(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    found.only_the_client()?;
    found.only_when(JobStatus::Delivered, "has no result to agree with")?;
    let instruction = escrow::approve(found.address, &found.job, found.token.program, found.job.result_hash);
    found.send(options, instruction, "approved and paid job").await
}

pub async fn cancel(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    found.only_the_client()?;
    found.only_when(JobStatus::Open, "is a provider's already, and can be taken back no longer")?;
    let instruction = escrow::cancel(found.address, &found.job, found.token.program);
    found.send(options, instruction, "cancelled and refunded job").await
}

/// `result` is the hash of what is right, or a file with it, which the jurors and the client can then fetch.
pub async fn challenge(options: &Options, job: &Pubkey, result: &str) -> Result<(), Failure> {
    let result: Result<Hash, Vec<u8>> = match result.parse() {
        Ok(hash) => Ok(hash),
        Err(_) => Err(hashless(result)?),
    };
    let found = Found::by(options, job).await?;
    if found.job.verification == Verification::Review as u8 {
        return Err(Failure::Refused(format!("nobody judges results of job {job}: its client approves, or is silent")));
    }
    found.only_when(JobStatus::Delivered, "has no result that could be challenged")?;
    let me = found.actor.key();
    let tokens = found.token.account_of(&me);
    let deposit = found.job.exposure.get();
    found.actor.can_pay(options, &found.token, deposit, "the deposit of a challenge").await?;
    let who = Challenger { challenger: me, payer: me, source: tokens, account: tokens };
    let panel = bench(&found, &me).await?;
    let result = match result {
        Ok(hash) => hash,
        Err(file) => options.store()?.put(file).await?,
    };
    let instruction = escrow::challenge(who, found.address, panel, found.token.program, *result.as_bytes());
    found.send(options, instruction, "challenged the result of job").await
}

/// The panel that judges a challenge made now, where one judges.
async fn bench(found: &Found, challenger: &Pubkey) -> Result<Option<Pubkey>, Failure> {
    if found.job.verification != Verification::Panel as u8 {
        return Ok(None);
    }
    let epoch = epoch_at(UnixTime::new(found.actor.chain.now().await?));
    let address = pda::panel(&found.job.mint, epoch);
    let (job, exposure) = (&found.job, found.job.exposure.get());
    let stake = found.token.show(exposure);
    match found.actor.chain.find::<Panel>(&address).await? {
        Some(panel) if panel.can_judge(job, challenger, exposure) => Ok(Some(address)),
        _ => Err(Failure::Refused(format!(
            "no panel can judge it in epoch {epoch}: it takes {} members that are no parties to it and have staked {stake} \
             or more each, and half of what all have staked",
            job.jurors
        ))),
    }
}

/// Seconds between reading the clock and the transaction being there.
const SLACK: u32 = 5;

pub async fn stop(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    found.only_the_client()?;
    // What the provider may have reported by the time this arrives, and not what it may report later.
    let elapsed = found.actor.chain.now().await? - found.job.accepted_at.get();
    let seconds = u32::try_from(elapsed.max(0)).unwrap_or(u32::MAX).saturating_add(SLACK);
    let instruction = escrow::stop(found.address, &found.job, found.token.program, seconds);
    found.send(options, instruction, "stopped and paid job").await
}

pub async fn pay(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let instruction = escrow::pay(found.address, &found.job, found.token.program);
    found.send(options, instruction, "paid what was owed by job").await
}

pub async fn redirect(options: &Options, job: &Pubkey, to: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let (me, state) = (found.actor.key(), &found.job);
    if ![state.client, state.payout_owner, state.challenger].contains(&me) {
        let who = options.who(&me);
        return Err(Failure::Refused(format!("job {job} pays {who} nothing that could go elsewhere")));
    }
    let instruction = escrow::redirect(me, found.address, *to);
    found.send(options, instruction, &format!("what is {}'s goes to {to} from job", options.who(&me))).await
}

pub async fn fail(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let instruction = escrow::fail(found.address, &found.job, found.token.program);
    found.send(options, instruction, "refunded, and its provider slashed: job").await
}

pub async fn crank(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let (address, state, token_program) = (found.address, &found.job, found.token.program);
    let status = found.status()?;
    let (instruction, done) = match status {
        JobStatus::Open
            if state.best_bid != Pubkey::default() && found.actor.chain.now().await? <= state.accept_by.get() =>
        {
            let bid = found.actor.chain.get::<Bid>(&state.best_bid).await?;
            (escrow::award_bid(state.best_bid, &bid), "gave to the cheapest bidder: job")
        }
        JobStatus::Open => (escrow::expire(address, state, token_program), "refunded job"),
        JobStatus::Accepted => (escrow::fail(address, state, token_program), "refunded, and its provider slashed: job"),
        JobStatus::Delivered => (escrow::settle(address, state, token_program), "paid job"),
        JobStatus::Challenged => (escrow::resolve(address, state, token_program), "carried out the verdict about job"),
        JobStatus::Settled | JobStatus::Refunded => {
            (escrow::pay(address, state, token_program), "paid what was owed by job")
        }
    };
    found.send(options, instruction, done).await
}
