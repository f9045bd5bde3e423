//! Bids, and how a job comes to its provider, as the escrow tells of it.

use super::{
    jobs::{enrolled, live, require_backed, require_running},
    Called, Story,
};
use crate::{
    check::Violation,
    model::{Model, Offer, Thing},
};
use bytemuck::Zeroable;
use joule_sdk::{
    escrow::{
        constants::LATE,
        event::{BidPlaced, BidWithdrawn, JobAccepted},
        state::{Bid, JobStatus},
    },
    Pubkey,
};

impl Story {
    pub(super) fn bid_withdrawn(&mut self, model: &mut Model, e: &BidWithdrawn) -> Result<(), Violation> {
        let is_open = model.jobs.get(&e.job).is_some_and(|entry| entry.job.status == JobStatus::Open as u8);
        Violation::unless(!is_open, "a bid was withdrawn while it binds")?;
        let offer = self.end_bid(model, &e.bid)?;
        Violation::unless(offer.bid.job == e.job, "a bid for another job")?;
        self.expect_released(model, &offer.bid.claim, 0)
    }

    pub(super) fn bid_placed(&mut self, model: &mut Model, e: &BidPlaced, called: &Called) -> Result<(), Violation> {
        require_running(model, called)?;
        let provider = *enrolled(model, &e.provider, called)?;
        let (payer, payout) = (called.account("payer")?, called.account("payout")?);
        let locked = self.take_locked(&e.bid)?;
        let requirements = live(model, &e.job)?.job.requirements;
        require_backed(model, &requirements, &locked)?;
        let entry = live(model, &e.job)?;
        let job = &mut entry.job;
        let is_time = called.now <= job.bid_until.get() && job.status == JobStatus::Open as u8;
        Violation::unless(is_time, "a bid out of time")?;
        let binds = job.accept_by.get() + job.work_window.get() as i64 + job.review_window.get() as i64;
        Violation::unless(locked.until >= binds + LATE as i64, "a claim that ends before it can be needed")?;
        if job.best_bid == Pubkey::default() || e.price < job.best_price {
            (job.best_bid, job.best_price) = (e.bid, e.price);
        }
        let mint = job.mint;
        Violation::unless(entry.affords(e.price.get()), "a bid for more than the client pays")?;
        let exposure = entry.exposure(e.price.get());
        let fits = exposure == e.exposure.get() as u128 && locked.amount == e.exposure.get();
        Violation::unless(fits, "a bid with another claim than its price wants")?;
        let bid = Bid {
            job: e.job,
            provider: e.provider,
            authority: provider.authority,
            payout_owner: provider.payout_owner,
            payout,
            claim: locked.claim,
            claim_payer: payer,
            rent_payer: payer,
            price: e.price,
            exposure: e.exposure,
            placed_at: called.now.into(),
            ..Bid::zeroed()
        };
        self.rents.push((e.bid, payer));
        model.name([e.bid], Thing::Bid(e.bid));
        model.bids.insert(e.bid, Offer { bid, mint });
        Ok(())
    }

    /// A bid's account is closed.
    fn end_bid(&mut self, model: &mut Model, bid: &Pubkey) -> Result<Offer, Violation> {
        let offer = model.bids.remove(bid).ok_or_else(|| Violation::new("an event about a bid that is not open"))?;
        model.forget([*bid]);
        self.rents.push((*bid, offer.bid.rent_payer));
        Ok(offer)
    }

    pub(super) fn accepted(&mut self, model: &mut Model, e: &JobAccepted, called: &Called) -> Result<(), Violation> {
        let bid = match called.name {
            "accept" => {
                require_running(model, called)?;
                Violation::unless(e.bid == Pubkey::default(), "a bid that nobody has made")?;
                let provider = *enrolled(model, &e.provider, called)?;
                let locked = self.take_locked(&e.job)?;
                let requirements = live(model, &e.job)?.job.requirements;
                require_backed(model, &requirements, &locked)?;
                let payer = called.account("payer")?;
                Violation::unless(locked.amount == e.exposure.get(), "accepted with another claim than is said")?;
                Violation::unless(live(model, &e.job)?.job.bid_until.get() == 0, "accepted over the bidders' heads")?;
                Bid {
                    job: e.job,
                    provider: e.provider,
                    authority: provider.authority,
                    payout_owner: provider.payout_owner,
                    payout: called.account("payout")?,
                    claim: locked.claim,
                    claim_payer: payer,
                    price: e.price,
                    exposure: e.exposure,
                    ..Bid::zeroed()
                }
            }
            _ => {
                let bid = called.account("bid")?;
                let job = live(model, &e.job)?.job;
                match called.name {
                    "pick_bid" => called.signed_by(&job.client)?,
                    _ => {
                        let is_best = called.now > job.bid_until.get() && job.best_bid == bid;
                        Violation::unless(is_best, "awarded early, or to another than the cheapest")?;
                    }
                }
                let offer = self.end_bid(model, &bid)?;
                Violation::unless(offer.bid.job == e.job && e.bid == bid, "a bid for another job")?;
                model.mark("bid won");
                offer.bid
            }
        };
        let until = model.holds.get(&bid.claim).map(|hold| hold.lapses_at());
        let entry = live(model, &e.job)?;
        let (exposure, affords) = (entry.exposure(bid.price.get()), entry.affords(bid.price.get()));
        let job = &mut entry.job;
        let is_time = job.status == JobStatus::Open as u8 && called.now <= job.accept_by.get();
        Violation::unless(is_time, "accepted out of time")?;
        Violation::unless(exposure == bid.exposure.get() as u128, "accepted for another claim than the price wants")?;
        Violation::unless(affords, "accepted for more than the client pays")?;
        let deliver_by = called.now + job.work_window.get() as i64;
        let needed = deliver_by + job.review_window.get() as i64 + 8 * job.vote_window.get() as i64 + LATE as i64;
        // A bid's claim may have lapsed only if nobody looked after the job for a month.
        let outlasts = until.is_none_or(|until| until >= needed);
        Violation::unless(outlasts, "a claim that ends before it can be needed")?;
        job.provider = bid.provider;
        job.provider_authority = bid.authority;
        job.payout_owner = bid.payout_owner;
        job.payout = bid.payout;
        job.claim = bid.claim;
        job.claim_payer = bid.claim_payer;
        job.exposure = bid.exposure;
        if job.pricing == 1 {
            job.rate = bid.price;
        } else {
            job.price = bid.price;
        }
        job.accepted_at = called.now.into();
        job.deliver_by = deliver_by.into();
        job.status = JobStatus::Accepted as u8;
        Ok(())
    }
}
