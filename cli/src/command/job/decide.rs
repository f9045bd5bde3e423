//! Ending a job: approve, cancel, crank.

use crate::{
    context::{address, Options},
    failure::Failure,
    output,
};
use joule_sdk::{
    escrow::state::{Job, JobStatus},
    instruction::escrow,
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

pub async fn crank(options: &Options, job: &str) -> Result<(), Failure> {
    let found = find(options, job).await?;
    let status = found.job.status().map_err(|_| Failure::Input(format!("job {job} has an unknown status")))?;
    match status {
        JobStatus::Delivered | JobStatus::Settled => {
            let instruction = escrow::settle(found.address, &found.job, found.token_program);
            send(options, &found, instruction, "paid job").await
        }
        JobStatus::Open | JobStatus::Accepted | JobStatus::Refunded => {
            let instruction = escrow::expire(found.address, &found.job, found.token_program);
            send(options, &found, instruction, "refunded job").await
        }
    }
}
