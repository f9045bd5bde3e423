//! Bids for a job: look, pick one, take one's own back.

use crate::{act::Actor, context::Options, failure::Failure, output, view::View};
use joule_sdk::{
    escrow::state::{Bid, JobStatus},
    instruction::escrow,
    pda, Pubkey,
};

pub async fn list(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let (index, job) = (options.index(), job.to_string());
    let (bids, job) = tokio::join!(index.bids(&job), index.job(&job));
    let (bids, job) = (bids?, job?);
    let view = View::of(options, [job.mint.as_str()]).await;
    if options.json {
        return view.json(&bids, Some(&job.mint));
    }
    let mut table = output::table(["bid", "provider", "price", "bond", "placed"]);
    for b in bids {
        let (price, bond) = (view.amount(&job.mint, b.price), view.amount(&job.mint, b.exposure));
        table.add_row([b.address, b.provider, price, bond, view.moment(b.placed_at)]);
    }
    println!("{table}");
    Ok(())
}

pub async fn pick(options: &Options, job: &Pubkey, bid: &Pubkey) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let of_provider = pda::bid(job, bid);
    // Where it is a provider's address, there is no bid at it.
    let (place, found) = match actor.chain.find::<Bid>(&of_provider).await? {
        Some(found) => (of_provider, Some(found)),
        None => (*bid, actor.chain.find::<Bid>(bid).await.ok().flatten()),
    };
    let found = found.filter(|found| found.job == *job);
    let found = found.ok_or_else(|| Failure::NotFound(format!("{bid} is no bid for job {job}: `joule job bids`")))?;
    actor.send(options, &[escrow::pick_bid(actor.key(), place, &found)], ("job", job), "gave to the bidder: job").await
}

pub async fn withdraw(options: &Options, job: &Pubkey, provider: &Pubkey) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let place = pda::bid(job, provider);
    let found = actor.chain.find::<Bid>(&place).await?;
    let found =
        found.ok_or_else(|| Failure::NotFound(format!("{provider} has no bid for job {job}: `joule job bids`")))?;
    let mint = match actor.chain.job(job).await? {
        Some(job) if job.status().is_ok_and(|status| status == JobStatus::Open) => {
            return Err(Failure::Rule {
                name: "BidBinds",
                message: format!("bid {place} binds while its job is open"),
            });
        }
        Some(job) => job.mint,
        // Its job is gone, and with it the only word of the token.
        None => options.mint()?,
    };
    actor.send(options, &[escrow::withdraw_bid(place, &found, mint)], ("bid", &place), "withdrew bid").await
}
