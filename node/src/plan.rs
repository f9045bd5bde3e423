//! Decides, without touching anything: is this job worth taking, at what price, and what does it need now?

use crate::chain::{Address, Job, JobStatus, Verification};
use joule_artifacts::JobSpec;

/// Which jobs are taken, and for how much.
#[derive(Debug, Clone)]
pub struct Policy {
    pub mints: Vec<Address>,
    /// Base units.
    pub min_price: u64,
    /// Base units for 10^9 units of fuel; none asks the whole budget.
    pub price_per_gigafuel: Option<u64>,
    /// Base units for a second of work; none takes no job that is paid by the second.
    pub price_per_second: Option<u64>,
    pub max_fuel: u64,
    pub max_memory_bytes: u64,
    pub max_timeout_ms: u64,
    /// Ways of verifying that are put up with.
    pub modes: Vec<Verification>,
    /// Seconds: jurors that have less time are whoever happens to be awake.
    pub min_vote_window: u32,
    /// Votes without which nothing is decided, where there is a quorum.
    pub min_quorum: u8,
    /// The most that is locked of the bond, in basis points of the price.
    pub max_bond_bps: u16,
}

/// Why a job is not taken. None of this changes while a job is open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("its token {0} is not one that this node takes")]
    Mint(Address),
    #[error("its budget of {budget} is below the price of {price}")]
    Budget { budget: u64, price: u64 },
    #[error("the time to accept it, or to bid for it, has passed")]
    TooLate,
    #[error("results are verified by {0}, which this node does not put up with")]
    Mode(&'static str),
    #[error("jurors get {window} s; this node wants at least {least} s")]
    VoteWindow { window: u32, least: u32 },
    #[error("{quorum} votes decide; this node wants at least {least}")]
    Quorum { quorum: u8, least: u8 },
    #[error("it wants {bps} basis points of its price as bond; this node risks {most}")]
    Bond { bps: u16, most: u16 },
    #[error("it is paid by the second, and this node has no price for one: --price-per-second")]
    PerSecond,
    #[error("its limit of {asked} {what} is above this node's {allowed}")]
    Limit { what: &'static str, asked: u64, allowed: u64 },
    #[error("its work window of {window} s leaves no room for its time limit of {timeout_ms} ms")]
    Window { window: u32, timeout_ms: u64 },
}

/// The name of a way of verifying, as the settings have it.
pub fn mode_name(mode: Verification) -> &'static str {
    match mode {
        Verification::Review => "review",
        Verification::Quorum => "quorum",
        Verification::Panel => "panel",
    }
}

/// Seconds of a work window that go into fetching, storing and two transactions.
const OVERHEAD: u64 = 2;

impl Policy {
    /// What can be said before the spec is fetched. `now` is the chain's time, in Unix seconds.
    pub fn consider(&self, job: &Job, now: i64) -> Result<(), Refusal> {
        if !self.mints.contains(&job.mint) {
            return Err(Refusal::Mint(job.mint));
        }
        if job.budget < self.min_price {
            return Err(Refusal::Budget { budget: job.budget, price: self.min_price });
        }
        let until = if job.bid_until > 0 { job.bid_until } else { job.accept_by };
        if now > until {
            return Err(Refusal::TooLate);
        }
        if job.per_second && self.price_per_second.is_none() {
            return Err(Refusal::PerSecond);
        }
        self.put_up_with(job)
    }

    /// How results are verified, and what of the bond is at stake.
    fn put_up_with(&self, job: &Job) -> Result<(), Refusal> {
        if !self.modes.contains(&job.verification) {
            return Err(Refusal::Mode(mode_name(job.verification)));
        }
        if job.bond_bps > self.max_bond_bps {
            return Err(Refusal::Bond { bps: job.bond_bps, most: self.max_bond_bps });
        }
        if job.verification != Verification::Review && job.vote_window < self.min_vote_window {
            return Err(Refusal::VoteWindow { window: job.vote_window, least: self.min_vote_window });
        }
        if job.verification == Verification::Quorum && job.jurors < self.min_quorum {
            return Err(Refusal::Quorum { quorum: job.jurors, least: self.min_quorum });
        }
        Ok(())
    }

    /// The price to ask, in base units, or base units a second; fee included.
    pub fn price(&self, job: &Job, spec: &JobSpec) -> Result<u64, Refusal> {
        for (what, asked, allowed) in [
            ("units of fuel", spec.fuel, self.max_fuel),
            ("bytes of memory", spec.memory_bytes, self.max_memory_bytes),
            ("ms of time", spec.timeout_ms, self.max_timeout_ms),
        ] {
            if asked > allowed {
                return Err(Refusal::Limit { what, asked, allowed });
            }
        }
        if spec.timeout_ms.div_ceil(1000) + OVERHEAD > u64::from(job.work_window) {
            return Err(Refusal::Window { window: job.work_window, timeout_ms: spec.timeout_ms });
        }
        if job.per_second {
            let price = self.price_per_second.ok_or(Refusal::PerSecond)?;
            let most = job.budget.min(job.max_rate);
            return if price > most { Err(Refusal::Budget { budget: most, price }) } else { Ok(price) };
        }
        let Some(rate) = self.price_per_gigafuel else { return Ok(job.budget) };
        // Rounded up: the last started unit of fuel is paid.
        let price = (u128::from(spec.fuel) * u128::from(rate)).div_ceil(1_000_000_000);
        let price = u64::try_from(price).unwrap_or(u64::MAX).max(self.min_price);
        if price > job.budget {
            return Err(Refusal::Budget { budget: job.budget, price });
        }
        Ok(price)
    }
}

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
    use joule_artifacts::Hash;

    pub fn me() -> Address {
        Address::new_from_array([1; 32])
    }

    fn mint() -> Address {
        Address::new_from_array([2; 32])
    }

    fn policy() -> Policy {
        Policy {
            mints: vec![mint()],
            min_price: 100,
            price_per_gigafuel: None,
            price_per_second: None,
            max_fuel: 10_000_000_000,
            max_memory_bytes: 1 << 20,
            max_timeout_ms: 60_000,
            modes: vec![Verification::Review, Verification::Quorum],
            min_vote_window: 3_600,
            min_quorum: 3,
            max_bond_bps: 15_000,
        }
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
            vote_window: 0,
            reported: 0,
            bond_bps: 10_000,
            jurors: 0,
            per_second: false,
            max_rate: 0,
        }
    }

    fn spec(fuel: u64, memory: u64, timeout: u64) -> JobSpec {
        JobSpec::new(Hash::of(b"module"), fuel, memory, timeout).unwrap()
    }

    #[test]
    fn a_job_is_considered_until_the_last_second() {
        let open = job(JobStatus::Open);
        assert_eq!(policy().consider(&open, 50), Ok(()));
        assert_eq!(policy().consider(&open, 51), Err(Refusal::TooLate));
    }

    #[test]
    fn other_tokens_and_small_budgets_are_refused() {
        let other = Address::new_from_array([9; 32]);
        assert_eq!(policy().consider(&Job { mint: other, ..job(JobStatus::Open) }, 0), Err(Refusal::Mint(other)));
        let small = Job { budget: 99, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&small, 0), Err(Refusal::Budget { budget: 99, price: 100 }));
    }

    #[test]
    fn bids_are_made_until_the_last_second_of_bidding() {
        let bidding = Job { bid_until: 20, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&bidding, 20), Ok(()));
        assert_eq!(policy().consider(&bidding, 21), Err(Refusal::TooLate));
    }

    #[test]
    fn no_bond_is_put_at_stake_before_jurors_that_the_node_does_not_trust() {
        let quorum = Job { verification: Verification::Quorum, vote_window: 3_600, jurors: 3, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&quorum, 0), Ok(()));
        let consider = |job: Job| policy().consider(&job, 0).unwrap_err();
        assert_eq!(
            consider(Job { vote_window: 3_599, ..quorum.clone() }),
            Refusal::VoteWindow { window: 3_599, least: 3_600 }
        );
        assert_eq!(consider(Job { jurors: 1, ..quorum.clone() }), Refusal::Quorum { quorum: 1, least: 3 });
        assert_eq!(consider(Job { bond_bps: 15_001, ..quorum.clone() }), Refusal::Bond { bps: 15_001, most: 15_000 });
        assert_eq!(consider(Job { verification: Verification::Panel, ..quorum }), Refusal::Mode("panel"));
    }

    #[test]
    fn seconds_are_sold_only_at_a_price_and_within_the_budget() {
        let metered = Job { per_second: true, max_rate: u64::MAX, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&metered, 0), Err(Refusal::PerSecond));
        let selling = |price| Policy { price_per_second: Some(price), ..policy() };
        assert_eq!(selling(7).consider(&metered, 0), Ok(()));
        assert_eq!(selling(7).price(&metered, &spec(1, 65_536, 1000)), Ok(7));
        let dear = selling(1001).price(&metered, &spec(1, 65_536, 1000));
        assert_eq!(dear, Err(Refusal::Budget { budget: 1000, price: 1001 }));
        assert_eq!(metered.bond_for(7), Some(1000), "it answers for the whole budget");
        assert_eq!(job(JobStatus::Open).bond_for(700), Some(700));
        assert_eq!(job(JobStatus::Open).bond_for(7), Some(100), "and always for a tenth of it");
        let capped = Job { max_rate: 6, ..metered };
        assert_eq!(selling(7).price(&capped, &spec(1, 65_536, 1000)), Err(Refusal::Budget { budget: 6, price: 7 }));
    }

    #[test]
    fn the_whole_budget_is_asked_unless_there_is_a_rate() {
        let open = job(JobStatus::Open);
        assert_eq!(policy().price(&open, &spec(1, 65_536, 1000)), Ok(1000));
        let rated = Policy { price_per_gigafuel: Some(300), ..policy() };
        assert_eq!(rated.price(&open, &spec(2_000_000_001, 65_536, 1000)), Ok(601));
        assert_eq!(rated.price(&open, &spec(1, 65_536, 1000)), Ok(100));
        let dear = rated.price(&open, &spec(4_000_000_000, 65_536, 1000));
        assert_eq!(dear, Err(Refusal::Budget { budget: 1000, price: 1200 }));
        let absurd = Policy { price_per_gigafuel: Some(u64::MAX), ..policy() };
        assert!(matches!(absurd.price(&open, &spec(10_000_000_000, 65_536, 1000)), Err(Refusal::Budget { .. })));
    }

    #[test]
    fn limits_beyond_the_node_are_refused_by_name() {
        let open = job(JobStatus::Open);
        for (spec, named) in [
            (spec(10_000_000_001, 65_536, 1000), "units of fuel"),
            (spec(1, (1 << 20) + 1, 1000), "bytes of memory"),
            (spec(1, 65_536, 60_001), "ms of time"),
        ] {
            assert!(matches!(policy().price(&open, &spec), Err(Refusal::Limit { what, .. }) if what == named));
        }
        assert_eq!(policy().price(&open, &spec(1, 65_536, 58_000)), Ok(1000));
        assert!(matches!(policy().price(&open, &spec(1, 65_536, 58_001)), Err(Refusal::Window { .. })));
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
