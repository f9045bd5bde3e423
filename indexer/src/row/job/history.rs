//! What events add to a job.

use super::{known, known_hash};
use crate::row::dispute;
use joule_api::{Job, JobStatus, Payout, Pricing};
use joule_escrow::{event as escrow, math};
use joule_units::Amount;

/// Adds what an event says and the job does not know yet. Facts come in the order in which they happened.
pub fn happened(job: &mut Job, fact: &escrow::AnyEvent) {
    use escrow::AnyEvent as E;
    match fact {
        E::BidPlaced(e) => {
            // Of equal ones the first stays.
            if job.best_bid.is_none() || e.price.get() < job.best_price {
                job.best_bid = known(&e.bid);
                job.best_price = e.price.get();
            }
        }
        E::JobAccepted(e) => {
            reach(job, JobStatus::Accepted);
            job.provider = known(&e.provider);
            job.exposure = e.exposure.get();
            job.deliver_by = Some(e.deliver_by.get());
            match job.pricing {
                Pricing::Fixed => job.price = e.price.get(),
                Pricing::PerSecond => job.rate = e.price.get(),
            }
        }
        E::WorkReported(e) => job.reported = job.reported.max(e.seconds.get()),
        E::JobDelivered(e) => {
            reach(job, JobStatus::Delivered);
            job.result_hash = known_hash(&e.result_hash);
            job.settle_after = Some(e.settle_after.get());
            if job.pricing == Pricing::PerSecond {
                job.price = math::metered(Amount::new(job.rate), job.reported, Amount::new(job.budget)).get();
            }
        }
        E::JobSettled(e) => {
            reach(job, JobStatus::Settled);
            job.provider = known(&e.provider);
            job.price = e.price.get();
            job.result_hash = known_hash(&e.result_hash);
            let paid = payout(e.paid_provider.get(), e.paid_fee.get(), 0, e.paid_client.get());
            let owed = payout(e.owed_provider.get(), e.owed_fee.get(), 0, e.owed_client.get());
            moved(job, &paid, owed, e.closed);
        }
        E::JobRefunded(e) => {
            reach(job, JobStatus::Refunded);
            job.provider = known(&e.provider).or(job.provider.take());
            add(&mut job.slashed, e.slashed.get());
            let paid = payout(0, e.paid_fee.get(), 0, e.paid_client.get());
            moved(job, &paid, payout(0, e.owed_fee.get(), 0, e.owed_client.get()), e.closed);
        }
        E::JobPaid(e) => {
            let paid = payout(e.paid_provider.get(), e.paid_fee.get(), e.paid_challenger.get(), e.paid_client.get());
            let owed = payout(e.owed_provider.get(), e.owed_fee.get(), e.owed_challenger.get(), e.owed_client.get());
            let owed = Payout { jurors: job.owed.jurors, ..owed };
            moved(job, &paid, owed, e.closed);
        }
        E::JobChallenged(_)
        | E::DisputeAppealed(_)
        | E::DisputeResolved(_)
        | E::VoteClosed(_)
        | E::AbsentPunished(_)
        | E::DisputeClosed(_) => disputed(job, fact),
        // They change nothing of the job's own, or belong to something else.
        E::JobOpened(_)
        | E::JobRedirected(_)
        | E::BidWithdrawn(_)
        | E::PanelDrawn(_)
        | E::VoteCommitted(_)
        | E::VoteRevealed(_)
        | E::ResolverEnrolled(_)
        | E::PanelClosed(_) => {}
    }
}

/// What the events of a dispute add to its job.
fn disputed(job: &mut Job, fact: &escrow::AnyEvent) {
    use escrow::AnyEvent as E;
    match fact {
        E::JobChallenged(e) => {
            reach(job, JobStatus::Challenged);
            job.provider = known(&e.provider);
            job.result_hash = known_hash(&e.result_hash);
            job.challenger = known(&e.challenger);
            job.dispute = known(&e.dispute);
            job.disputed = true;
            add(&mut job.deposited, e.deposit.get());
        }
        E::DisputeAppealed(e) => add(&mut job.deposited, e.deposit.get()),
        E::DisputeResolved(e) => {
            job.verdict = dispute::verdict(e.verdict);
            let pays = joule_escrow::state::Verdict::from_number(e.verdict).is_ok_and(|v| v.pays_provider());
            reach(job, if pays { JobStatus::Settled } else { JobStatus::Refunded });
            job.price = e.price.get();
            add(&mut job.slashed, e.slashed.get());
            let paid = payout(e.paid_provider.get(), e.paid_fee.get(), e.paid_challenger.get(), e.paid_client.get());
            let owed = payout(e.owed_provider.get(), e.owed_fee.get(), e.owed_challenger.get(), e.owed_client.get());
            moved(job, &paid, Payout { jurors: e.jurors.get(), ..owed }, 0);
        }
        E::VoteClosed(e) => {
            add(&mut job.slashed, e.slashed.get());
            add(&mut job.paid.jurors, e.paid.get());
            job.owed.jurors = job.owed.jurors.saturating_sub(e.paid.get());
        }
        E::AbsentPunished(e) => add(&mut job.slashed, e.slashed.get()),
        E::DisputeClosed(_) => {
            job.disputed = false;
            job.owed.jurors = 0;
        }
        _ => {}
    }
}

fn reach(job: &mut Job, status: JobStatus) {
    if status.progress() > job.status.progress() {
        job.status = status;
    }
}

const fn payout(provider: u64, fee: u64, challenger: u64, client: u64) -> Payout {
    Payout { provider, fee, challenger, jurors: 0, client }
}

fn moved(job: &mut Job, paid: &Payout, owed: Payout, closed: u8) {
    add(&mut job.paid.provider, paid.provider);
    add(&mut job.paid.fee, paid.fee);
    add(&mut job.paid.challenger, paid.challenger);
    add(&mut job.paid.client, paid.client);
    job.owed = owed;
    job.closed |= closed == 1;
}

fn add(sum: &mut u64, amount: u64) {
    *sum = sum.saturating_add(amount);
}
