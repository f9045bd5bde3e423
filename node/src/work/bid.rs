//! Bids: placed, looked after until the job is somebody's, and taken back.

use super::{wanted, Ended, Fit, Obstacle, Worker};
use crate::{
    chain::{Address, ChainError, JobStatus},
    executor::Tie,
    telemetry,
};
use tracing::info;

impl Worker {
    pub(super) async fn place_bid(&self, fit: &Fit) -> Result<Ended, Obstacle> {
        let Fit { job, terms, .. } = fit;
        let sent = self.chain.place_bid(&job.address, terms.price).await;
        let Some(bid) = self.chain.bid(&job.address).await? else {
            sent?;
            return Ok(Ended::Over);
        };
        let [price, budget, bond] =
            [terms.price, job.budget, bid.exposure.get()].map(|units| self.chain.show(&job.mint, units));
        info!(job = %job.address, client = %job.client, id = job.id, price, budget, bond, bid_until = job.bid_until, "bid");
        telemetry::bid("placed");
        Ok(Ended::Bid)
    }

    /// Looks after a bid: has the job awarded once bidding is over, or ended if that was too late, and takes back what did not
    /// win.
    pub async fn follow_bid(self, address: Address) -> Ended {
        match self.follow_bid_once(address).await {
            Ok(ended) => ended,
            Err(error) => Ended::Later(error.to_string()),
        }
    }

    async fn follow_bid_once(&self, address: Address) -> Result<Ended, ChainError> {
        let bid = self.chain.bid(&address).await?;
        let job = self.chain.job(&address).await?;
        if let Some(job) = job.as_ref().filter(|job| self.has(job, JobStatus::Accepted)) {
            info!(job = %address, client = %job.client, id = job.id, "the bid won");
            telemetry::bid("won");
            return Ok(Ended::Won(job.clone()));
        }
        let Some(bid) = bid else { return Ok(Ended::Over) };
        if let Some(job) = job.as_ref().filter(|job| job.status == JobStatus::Open) {
            let wanted = wanted(job);
            if !self.executor.keeps(&wanted) {
                // A bid that was made by hand, or without the disk. If it is not to be had now, it is asked for again.
                let _ = self.executor.secure(wanted, Tie::Bound).await;
            }
            let now = self.chain.now().await?;
            if now <= job.bid_until {
                return Ok(Ended::Later("bids are still being taken".into()));
            }
            // Whoever is bound by a job that nobody moves on moves it on.
            let sent = match now <= job.accept_by {
                true => self.chain.award_bid(&address).await,
                false => self.chain.expire(&address).await,
            };
            return Ok(match self.chain.job(&address).await? {
                Some(after) if self.has(&after, JobStatus::Accepted) => {
                    info!(job = %address, client = %after.client, id = after.id, "the bid won");
                    telemetry::bid("won");
                    Ended::Won(after)
                }
                Some(after) if after.status == JobStatus::Open => {
                    Ended::Later(sent.err().map_or("the chain has not moved it on yet".into(), |e| e.to_string()))
                }
                _ => Ended::Later("somebody else has the job, or nobody; the bid is taken back next".into()),
            });
        }
        let sent = self.chain.withdraw_bid(&address, &bid).await;
        if self.chain.bid(&address).await?.is_some() {
            sent?;
        }
        info!(job = %address, "the bid did not win and was taken back");
        telemetry::bid("lost");
        Ok(Ended::Over)
    }
}
