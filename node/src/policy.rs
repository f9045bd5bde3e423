//! Decides, without touching anything: is this job worth taking, at what price, and at what risk?

use crate::{
    chain::{Address, Job, Verification},
    electorate::Narrowed,
};
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
    /// Ways of verifying that are put up with.
    pub modes: Vec<Verification>,
    /// Seconds: jurors that have less time are whoever happens to be awake.
    pub min_vote_window: u32,
    /// Votes without which nothing is decided, where there is a quorum.
    pub min_quorum: u8,
    /// Members of a first panel.
    pub min_panel: u8,
    /// `Requirements` that may choose who votes in a quorum.
    pub trusted_requirements: Vec<Address>,
    /// The most that is locked of the bond, in basis points of what the job can earn.
    pub max_bond_bps: u16,
    /// Seconds for which a bid may bind while others still bid; and in all, where nobody can award the job.
    pub max_bid_window: u32,
    pub max_accept_window: u32,
    /// Seconds for which a delivered job may wait for its client, with the bond locked.
    pub max_review_window: u32,
}

/// What is asked for a job, and what is put at stake for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Base units, or base units a second; fee included.
    pub price: u64,
    /// Base units that are locked of the bond.
    pub bond: u64,
}

/// Why a job is not taken. None of this changes while a job is open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("its token {0} is not one that this node takes")]
    Mint(Address),
    #[error("its budget of {budget} is below the price of {price}")]
    Budget { budget: u64, price: u64 },
    #[error("its budget of {budget} pays for {paid} s at {rate} a second, and its time limit is {timeout_ms} ms")]
    Money { budget: u64, paid: u64, rate: u64, timeout_ms: u64 },
    #[error("the time to accept it, or to bid for it, has passed")]
    TooLate,
    #[error("{what} takes {seconds} s; this node waits {most} s at most")]
    Wait { what: &'static str, seconds: i64, most: u32 },
    #[error("results are verified by {0}, which this node does not put up with")]
    Mode(&'static str),
    #[error("jurors get {window} s; this node wants at least {least} s")]
    VoteWindow { window: u32, least: u32 },
    #[error("{quorum} votes decide; this node wants at least {least}")]
    Quorum { quorum: u8, least: u8 },
    #[error("a panel of {panel} decides; this node wants at least {least}")]
    Panel { panel: u8, least: u8 },
    #[error(transparent)]
    Electorate(#[from] Narrowed),
    #[error("it locks {bond} of the bond and can earn {earns}; this node risks {most} for that")]
    Bond { bond: u64, earns: u64, most: u64 },
    #[error("it is paid by the second, and this node has no price for one: --price-per-second")]
    PerSecond,
    #[error("its input of {bytes} bytes does not fit into the {memory} bytes of memory that its spec allows")]
    Input { bytes: u64, memory: u64 },
    #[error("its work window of {window} s leaves no room for its time limit of {timeout_ms} ms")]
    Window { window: u32, timeout_ms: u64 },
}

impl Refusal {
    /// With its amounts as `show` has them.
    pub fn say(&self, show: impl Fn(u64) -> String) -> String {
        match self {
            Self::Budget { budget, price } => {
                format!("its budget of {} is below the price of {}", show(*budget), show(*price))
            }
            Self::Money { budget, paid, rate, timeout_ms } => format!(
                "its budget of {} pays for {paid} s at {} a second, and its time limit is {timeout_ms} ms",
                show(*budget),
                show(*rate)
            ),
            Self::Bond { bond, earns, most } => format!(
                "it locks {} of the bond and can earn {}; this node risks {} for that",
                show(*bond),
                show(*earns),
                show(*most)
            ),
            other => other.to_string(),
        }
    }
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
        let until = if job.takes_bids() { job.bid_until } else { job.accept_by };
        if now > until {
            return Err(Refusal::TooLate);
        }
        if job.per_second && self.price_per_second.is_none() {
            return Err(Refusal::PerSecond);
        }
        self.wait_for(job, now)?;
        self.put_up_with(job)
    }

    /// How long a promise may bind before there is work or pay.
    fn wait_for(&self, job: &Job, now: i64) -> Result<(), Refusal> {
        let mut waits = vec![("its client's review", i64::from(job.review_window), self.max_review_window)];
        if job.takes_bids() {
            waits.push(("bidding", job.bid_until - now, self.max_bid_window));
            waits.push(("awarding", job.accept_by - now, self.max_accept_window));
        }
        match waits.into_iter().find(|(_, seconds, most)| *seconds > i64::from(*most)) {
            Some((what, seconds, most)) => Err(Refusal::Wait { what, seconds, most }),
            None => Ok(()),
        }
    }

    /// How results are verified.
    fn put_up_with(&self, job: &Job) -> Result<(), Refusal> {
        if !self.modes.contains(&job.verification) {
            return Err(Refusal::Mode(mode_name(job.verification)));
        }
        if job.verification != Verification::Review && job.vote_window < self.min_vote_window {
            return Err(Refusal::VoteWindow { window: job.vote_window, least: self.min_vote_window });
        }
        if job.verification == Verification::Quorum && job.jurors < self.min_quorum {
            return Err(Refusal::Quorum { quorum: job.jurors, least: self.min_quorum });
        }
        if job.verification == Verification::Panel && job.jurors < self.min_panel {
            return Err(Refusal::Panel { panel: job.jurors, least: self.min_panel });
        }
        Ok(())
    }

    /// What is asked for it, if there is time for it and it is worth its risk.
    pub fn terms(&self, job: &Job, spec: &JobSpec) -> Result<Terms, Refusal> {
        if seconds(spec) + OVERHEAD > u64::from(job.work_window) {
            return Err(Refusal::Window { window: job.work_window, timeout_ms: spec.timeout_ms });
        }
        let (price, earns) = if job.per_second { self.rate(job, spec)? } else { self.fixed(job, spec)? };
        let bond = job.bond_for(price).unwrap_or(u64::MAX);
        let most = u128::from(earns) * u128::from(self.max_bond_bps) / 10_000;
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        if bond > most {
            return Err(Refusal::Bond { bond, earns, most });
        }
        Ok(Terms { price, bond })
    }

    /// The price of a second, and of all of them: the budget must pay for every second that the spec allows.
    fn rate(&self, job: &Job, spec: &JobSpec) -> Result<(u64, u64), Refusal> {
        let price = self.price_per_second.ok_or(Refusal::PerSecond)?;
        let most = job.budget.min(job.max_rate);
        if price > most {
            return Err(Refusal::Budget { budget: most, price });
        }
        match price.checked_mul(seconds(spec)).filter(|all| *all <= job.budget) {
            Some(all) => Ok((price, all)),
            None => Err(Refusal::Money {
                budget: job.budget,
                paid: job.budget / price.max(1),
                rate: price,
                timeout_ms: spec.timeout_ms,
            }),
        }
    }

    /// The price, which is what it earns.
    fn fixed(&self, job: &Job, spec: &JobSpec) -> Result<(u64, u64), Refusal> {
        let Some(rate) = self.price_per_gigafuel else { return Ok((job.budget, job.budget)) };
        // Rounded up: the last started unit of fuel is paid.
        let price = (u128::from(spec.fuel) * u128::from(rate)).div_ceil(1_000_000_000);
        let price = u64::try_from(price).unwrap_or(u64::MAX).max(self.min_price);
        if price > job.budget {
            return Err(Refusal::Budget { budget: job.budget, price });
        }
        Ok((price, price))
    }

    /// What can be said once the input is there.
    pub fn fits(&self, spec: &JobSpec, input_bytes: u64) -> Result<(), Refusal> {
        if input_bytes > spec.memory_bytes {
            return Err(Refusal::Input { bytes: input_bytes, memory: spec.memory_bytes });
        }
        Ok(())
    }
}

fn seconds(spec: &JobSpec) -> u64 {
    spec.timeout_ms.div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chain::JobStatus, plan::tests::job};
    use joule_artifacts::Hash;

    fn policy() -> Policy {
        Policy {
            mints: vec![job(JobStatus::Open).mint],
            min_price: 100,
            price_per_gigafuel: None,
            price_per_second: None,
            modes: vec![Verification::Review, Verification::Quorum],
            min_vote_window: 3_600,
            min_quorum: 3,
            min_panel: 3,
            trusted_requirements: Vec::new(),
            max_bond_bps: 15_000,
            max_bid_window: 600,
            max_accept_window: 1_200,
            max_review_window: 86_400,
        }
    }

    fn spec(fuel: u64, memory: u64, timeout: u64) -> JobSpec {
        JobSpec::new(Hash::of(b"module"), fuel, memory, timeout).unwrap()
    }

    fn price(policy: &Policy, job: &Job, spec: &JobSpec) -> Result<u64, Refusal> {
        policy.terms(job, spec).map(|terms| terms.price)
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
    fn no_promise_binds_for_longer_than_the_policy_allows() {
        let open = Job { review_window: 86_400, accept_by: 90 * 86_400, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&open, 0), Ok(()), "an offer that is accepted at once binds nobody before");
        let late = Job { review_window: 86_401, ..open.clone() };
        let wait = |what, seconds, most| Err(Refusal::Wait { what, seconds, most });
        assert_eq!(policy().consider(&late, 0), wait("its client's review", 86_401, 86_400));
        let bidding = Job { bid_until: 89 * 86_400, ..open.clone() };
        assert_eq!(policy().consider(&bidding, 0), wait("bidding", 89 * 86_400, 600));
        let short = Job { bid_until: 600, ..open };
        assert_eq!(policy().consider(&short, 0), wait("awarding", 90 * 86_400, 1_200));
        assert_eq!(policy().consider(&Job { accept_by: 1_200, ..short }, 0), Ok(()));
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
        assert_eq!(consider(Job { verification: Verification::Panel, ..quorum }), Refusal::Mode("panel"));
    }

    #[test]
    fn no_bond_is_put_at_stake_before_a_panel_that_one_bought_member_decides() {
        let sitting = Policy { modes: vec![Verification::Panel], ..policy() };
        let panel = Job { verification: Verification::Panel, vote_window: 3_600, jurors: 3, ..job(JobStatus::Open) };
        assert_eq!(sitting.consider(&panel, 0), Ok(()));
        let single = Job { jurors: 1, ..panel };
        assert_eq!(sitting.consider(&single, 0), Err(Refusal::Panel { panel: 1, least: 3 }));
        assert_eq!(Policy { min_panel: 1, ..sitting }.consider(&single, 0), Ok(()));
    }

    #[test]
    fn what_is_locked_of_the_bond_is_bounded_by_what_the_job_earns_whatever_the_client_calls_it() {
        let open = job(JobStatus::Open);
        let spec = spec(1_000_000_000, 65_536, 1_000);
        let dear = Job { bond_bps: 15_000, ..open.clone() };
        assert_eq!(policy().terms(&dear, &spec), Ok(Terms { price: 1_000, bond: 1_500 }));
        let dearer = Job { bond_bps: 15_001, ..open.clone() };
        assert_eq!(policy().terms(&dearer, &spec), Err(Refusal::Bond { bond: 1_501, earns: 1_000, most: 1_500 }));

        // A price far below the budget: a tenth of that is locked all the same.
        let rated = Policy { price_per_gigafuel: Some(2_500), ..policy() };
        let large = Job { budget: 5_000_000, ..open.clone() };
        assert_eq!(rated.terms(&large, &spec), Err(Refusal::Bond { bond: 500_000, earns: 2_500, most: 3_750 }));
        assert_eq!(rated.terms(&Job { budget: 37_500, ..large }, &spec), Ok(Terms { price: 2_500, bond: 3_750 }));

        // By the second it is locked for the whole budget, and earns what its time limit allows.
        let metered = Job { per_second: true, max_rate: u64::MAX, ..open };
        let selling = Policy { price_per_second: Some(500), ..policy() };
        assert_eq!(selling.terms(&metered, &spec), Err(Refusal::Bond { bond: 1_000, earns: 500, most: 750 }));
        let whole = Policy { price_per_second: Some(1_000), ..policy() };
        assert_eq!(whole.terms(&metered, &spec), Ok(Terms { price: 1_000, bond: 1_000 }));
    }

    #[test]
    fn seconds_are_sold_only_at_a_price_and_within_the_budget() {
        let metered = Job { per_second: true, max_rate: u64::MAX, ..job(JobStatus::Open) };
        assert_eq!(policy().consider(&metered, 0), Err(Refusal::PerSecond));
        let selling = |price| Policy { price_per_second: Some(price), max_bond_bps: u16::MAX, ..policy() };
        assert_eq!(selling(700).consider(&metered, 0), Ok(()));
        assert_eq!(price(&selling(700), &metered, &spec(1, 65_536, 1_000)), Ok(700));
        let dear = price(&selling(1_001), &metered, &spec(1, 65_536, 1_000));
        assert_eq!(dear, Err(Refusal::Budget { budget: 1_000, price: 1_001 }));
        assert_eq!(metered.bond_for(7), Some(1_000), "it answers for the whole budget");
        assert_eq!(job(JobStatus::Open).bond_for(700), Some(700));
        assert_eq!(job(JobStatus::Open).bond_for(7), Some(100), "and always for a tenth of it");
        let capped = Job { max_rate: 699, ..metered };
        let dear = price(&selling(700), &capped, &spec(1, 65_536, 1_000));
        assert_eq!(dear, Err(Refusal::Budget { budget: 699, price: 700 }));
    }

    #[test]
    fn a_budget_pays_for_every_second_that_the_time_limit_allows() {
        let metered = Job { per_second: true, max_rate: u64::MAX, ..job(JobStatus::Open) };
        let selling = Policy { price_per_second: Some(250), ..policy() };
        assert_eq!(price(&selling, &metered, &spec(1, 65_536, 4_000)), Ok(250));
        let longer = price(&selling, &metered, &spec(1, 65_536, 4_001));
        assert_eq!(longer, Err(Refusal::Money { budget: 1_000, paid: 4, rate: 250, timeout_ms: 4_001 }));
        let absurd = Policy { price_per_second: Some(u64::MAX), ..policy() };
        let rich = Job { budget: u64::MAX, ..metered };
        assert!(matches!(price(&absurd, &rich, &spec(1, 65_536, 4_000)), Err(Refusal::Money { .. })));
    }

    #[test]
    fn the_whole_budget_is_asked_unless_there_is_a_rate() {
        let open = job(JobStatus::Open);
        assert_eq!(price(&policy(), &open, &spec(1, 65_536, 1_000)), Ok(1_000));
        let rated = Policy { price_per_gigafuel: Some(300), ..policy() };
        assert_eq!(price(&rated, &open, &spec(2_000_000_001, 65_536, 1_000)), Ok(601));
        assert_eq!(price(&rated, &open, &spec(1, 65_536, 1_000)), Ok(100));
        let dear = price(&rated, &open, &spec(4_000_000_000, 65_536, 1_000));
        assert_eq!(dear, Err(Refusal::Budget { budget: 1_000, price: 1_200 }));
        let absurd = Policy { price_per_gigafuel: Some(u64::MAX), ..policy() };
        assert!(matches!(price(&absurd, &open, &spec(10_000_000_000, 65_536, 1_000)), Err(Refusal::Budget { .. })));
    }

    #[test]
    fn there_must_be_time_to_fetch_run_and_deliver() {
        let open = job(JobStatus::Open);
        assert_eq!(price(&policy(), &open, &spec(1, 65_536, 58_000)), Ok(1_000));
        assert!(matches!(price(&policy(), &open, &spec(1, 65_536, 58_001)), Err(Refusal::Window { .. })));
    }

    #[test]
    fn an_input_that_no_memory_holds_is_refused() {
        let spec = spec(1, 65_536, 1_000);
        assert_eq!(policy().fits(&spec, 65_536), Ok(()));
        assert_eq!(policy().fits(&spec, 65_537), Err(Refusal::Input { bytes: 65_537, memory: 65_536 }));
    }
}
