//! Ending a job: approve, challenge, cancel, stop, crank.

use crate::{
    act::read,
    context::{address, Options},
    failure::Failure,
    output,
};
use joule_sdk::{
    escrow::state::{epoch_at, Bid, Job, JobStatus, Panel, Verification},
    instruction::escrow::{self, Challenger},
    pda,
    units::UnixTime,
    Chain, Instruction, Keypair, Pubkey, Signer,
};

/// A job on the chain, with what is needed to end it.
struct Found {
    chain: Chain,
    signer: Keypair,
    address: Pubkey,
    job: Job,
    token_program: Pubkey,
}

async fn find(options: &Options, text: &str) -> Result<Found, Failure> {
    let (chain, signer, address) = (options.chain()?, options.signer()?, address(text)?);
    let job = chain.job(&address).await?;
    let job =
        job.ok_or_else(|| Failure::NotFound(format!("no job {address} on the chain: it has ended, or never was")))?;
    let token_program = chain.token_program_of(&job.mint).await?;
    Ok(Found { chain, signer, address, job, token_program })
}

async fn send(options: &Options, found: &Found, instruction: Instruction, done: &str) -> Result<(), Failure> {
    let bar = output::spinner("sending");
    let signature = found.chain.send(&[instruction], &[&found.signer]).await?;
    bar.finish_and_clear();
    if options.json {
        return output::json(
            &serde_json::json!({ "job": found.address.to_string(), "signature": signature.to_string() }),
        );
    }
    println!("{done} {}", found.address);
    Ok(())
}

/// Otherwise the signature of the job's client would be missing, which says less.
fn only_the_client(found: &Found) -> Result<(), Failure> {
    let (client, signer) = (found.job.client, found.signer.pubkey());
    match signer == client {
        true => Ok(()),
        false => Err(Failure::Refused(format!("job {} is {client}'s to decide about, not {signer}'s", found.address))),
    }
}

pub async fn approve(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    only_the_client(&found)?;
    if !found.job.status().is_ok_and(|status| status == JobStatus::Delivered) {
        return Err(Failure::Refused(format!(
            "job {job} has no result to agree with yet; `joule job show` says where it stands"
        )));
    }
    let instruction = escrow::approve(found.address, &found.job, found.token_program, found.job.result_hash);
    send(options, &found, instruction, "approved and paid job").await
}

pub async fn cancel(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    only_the_client(&found)?;
    let instruction = escrow::cancel(found.address, &found.job, found.token_program);
    send(options, &found, instruction, "cancelled and refunded job").await
}

/// `result` is the hash of what is right, or a file with it, which the jurors and the client can then fetch.
pub async fn challenge(options: &Options, job: &str, result: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    if found.job.verification == Verification::Review as u8 {
        return Err(Failure::Refused(format!("nobody judges results of job {job}: its client approves, or is silent")));
    }
    let result = match result.parse() {
        Ok(hash) => hash,
        Err(_) => options.store()?.put(read(result.as_ref())?).await?,
    };
    let me = found.signer.pubkey();
    let tokens = pda::associated_token(&me, &found.job.mint, &found.token_program);
    let (has, wants) = (found.chain.token_balance(&tokens).await?, found.job.exposure.get());
    if has < wants {
        return Err(Failure::Refused(format!(
            "a challenge costs {wants} base units until it is won; {tokens} has {has}"
        )));
    }
    let who = Challenger { challenger: me, payer: me, source: tokens, account: tokens };
    let panel = bench(&found, &me).await?;
    let instruction = escrow::challenge(who, found.address, panel, found.token_program, *result.as_bytes());
    send(options, &found, instruction, "challenged the result of job").await
}

/// The panel that judges a challenge made now, where one judges.
async fn bench(found: &Found, challenger: &Pubkey) -> Result<Option<Pubkey>, Failure> {
    if found.job.verification != Verification::Panel as u8 {
        return Ok(None);
    }
    let epoch = epoch_at(UnixTime::new(found.chain.now().await?));
    let address = pda::panel(&found.job.mint, epoch);
    let (job, exposure) = (&found.job, found.job.exposure.get());
    match found.chain.find::<Panel>(&address).await? {
        Some(panel) if panel.can_judge(job, challenger, exposure) => Ok(Some(address)),
        _ => Err(Failure::Refused(format!(
            "no panel can judge it in epoch {epoch}: it takes {} members that are no parties to it and have staked {exposure} base units \
             or more each, and half of what all have staked",
            job.jurors
        ))),
    }
}

/// Seconds between reading the clock and the transaction being there.
const SLACK: u32 = 5;

pub async fn stop(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    only_the_client(&found)?;
    // What the provider may have reported by the time this arrives, and not what it may report later.
    let elapsed = found.chain.now().await? - found.job.accepted_at.get();
    let seconds = u32::try_from(elapsed.max(0)).unwrap_or(u32::MAX).saturating_add(SLACK);
    let instruction = escrow::stop(found.address, &found.job, found.token_program, seconds);
    send(options, &found, instruction, "stopped and paid job").await
}

pub async fn pay(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    let instruction = escrow::pay(found.address, &found.job, found.token_program);
    send(options, &found, instruction, "paid what was owed by job").await
}

pub async fn fail(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    let instruction = escrow::fail(found.address, &found.job, found.token_program);
    send(options, &found, instruction, "refunded, and its provider slashed: job").await
}

pub async fn crank(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    let (address, state, token_program) = (found.address, &found.job, found.token_program);
    let status = state.status().map_err(|_| Failure::Input(format!("job {job} has an unknown status")))?;
    let (instruction, done) = match status {
        JobStatus::Open if state.best_bid != Pubkey::default() && found.chain.now().await? <= state.accept_by.get() => {
            let bid = found.chain.get::<Bid>(&state.best_bid).await?;
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
    send(options, &found, instruction, done).await
}
