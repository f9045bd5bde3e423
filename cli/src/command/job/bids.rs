//! Bids for a job: look, and pick one.

use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    output,
};
use joule_sdk::{escrow::state::Bid, instruction::escrow, pda};

pub async fn list(options: &Options, job: &str) -> Result<(), Failure> {
    let bids = options.index().bids(job).await?;
    if options.json {
        return output::json(&bids);
    }
    let mut table = output::table(["bid", "provider", "price", "bond", "placed"]);
    for b in bids {
        let (price, bond) = (b.price.to_string(), b.exposure.to_string());
        table.add_row([b.address, b.provider, price, bond, output::time(b.placed_at)]);
    }
    println!("{table}");
    Ok(())
}

pub async fn pick(options: &Options, job: &str, bid: &str) -> Result<(), Failure> {
    let (actor, job, named) = (Actor::of(options)?, address(job)?, address(bid)?);
    let of_provider = pda::bid(&job, &named);
    // Where it is a provider's address, there is no bid at it.
    let (place, found) = match actor.chain.find::<Bid>(&of_provider).await? {
        Some(found) => (of_provider, Some(found)),
        None => (named, actor.chain.find::<Bid>(&named).await.ok().flatten()),
    };
    let found = found.filter(|found| found.job == job);
    let found = found.ok_or_else(|| Failure::NotFound(format!("{bid} is no bid for job {job}: `joule job bids`")))?;
    actor.send(options, &[escrow::pick_bid(actor.key(), place, &found)], ("job", &job), "gave to the bidder: job").await
}
