//! Decides, without touching anything: what does a job of this provider need now?

use crate::chain::{Address, Job, JobStatus};

/// What a job needs from the provider `me` now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Run it and submit the result.
    Work,
    /// Accepted and not delivered in time: nothing can be done any more, and anyone may have it refunded and the bond slashed.
    Missed,
    /// Delivered; `settle` is possible from this time on.
    Wait(i64),
    /// The review window has passed.
    Settle,
    /// Challenged: the jurors have it.
    Judged,
    /// Settled, but the payout account could not receive so many base units.
    Owed(u64),
    /// Nothing: it is open, another's, or over.
    Nothing,
}

/// The next step of a job; `now` is the chain's time, in Unix seconds.
pub fn step(job: &Job, me: &Address, now: i64) -> Step {
    if job.status == JobStatus::Open || job.provider_authority != *me {
        return Step::Nothing;
    }
    match job.status {
        JobStatus::Accepted if now <= job.deliver_by => Step::Work,
        JobStatus::Accepted => Step::Missed,
        JobStatus::Delivered if now >= job.settle_after => Step::Settle,
        JobStatus::Delivered => Step::Wait(job.settle_after),
        JobStatus::Challenged => Step::Judged,
        JobStatus::Settled if job.owed_provider > 0 => Step::Owed(job.owed_provider),
        JobStatus::Open | JobStatus::Settled | JobStatus::Refunded => Step::Nothing,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::chain::Verification;
    use joule_artifacts::Hash;

    pub fn me() -> Address {
        Address::new_from_array([1; 32])
    }

    fn mint() -> Address {
        Address::new_from_array([2; 32])
    }

    pub fn job(status: JobStatus) -> Job {
        Job {
            address: Address::new_from_array([3; 32]),
            client: Address::new_from_array([4; 32]),
            id: 7,
            status,
            verification: Verification::Review,
            provider_authority: me(),
            mint: mint(),
            requirements: Address::default(),
            budget: 1000,
            price: 900,
            owed_provider: 0,
            rate: 0,
            exposure: 900,
            spec_hash: Hash::of(b"spec"),
            input_hash: Hash::of(b"input"),
            result_hash: Hash::of(b"result"),
            accept_by: 50,
            bid_until: 0,
            deliver_by: 100,
            settle_after: 200,
            work_window: 60,
            review_window: 60,
            vote_window: 0,
            reported: 0,
            bond_bps: 10_000,
            jurors: 0,
            per_second: false,
            max_rate: 0,
        }
    }

    #[test]
    fn each_state_has_its_step() {
        assert_eq!(step(&job(JobStatus::Open), &me(), 0), Step::Nothing);
        assert_eq!(step(&job(JobStatus::Accepted), &me(), 100), Step::Work);
        assert_eq!(step(&job(JobStatus::Accepted), &me(), 101), Step::Missed);
        assert_eq!(step(&job(JobStatus::Delivered), &me(), 199), Step::Wait(200));
        assert_eq!(step(&job(JobStatus::Delivered), &me(), 200), Step::Settle);
        assert_eq!(step(&job(JobStatus::Challenged), &me(), 500), Step::Judged);
        assert_eq!(step(&job(JobStatus::Settled), &me(), 0), Step::Nothing);
        assert_eq!(step(&Job { owed_provider: 5, ..job(JobStatus::Settled) }, &me(), 0), Step::Owed(5));
        assert_eq!(step(&job(JobStatus::Refunded), &me(), 0), Step::Nothing);
    }

    #[test]
    fn anothers_job_is_left_alone() {
        let other = Address::new_from_array([9; 32]);
        for status in [JobStatus::Accepted, JobStatus::Delivered, JobStatus::Settled] {
            assert_eq!(step(&job(status), &other, 1_000), Step::Nothing);
        }
    }
}
