//! Following a job: as the indexer has it, and where that lags or is away, as the chain does.

use super::status;
use crate::{context::Options, failure::Failure, output, view::View};
use joule_api::{Client, Job, JobStatus, Payout};
use joule_artifacts::Hash;
use joule_sdk::{
    ending::Ending,
    escrow::state::{Job as OnChain, JobStatus as Standing},
    Chain, Pubkey,
};
use serde::Serialize;
use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How often the indexer is asked, and the chain.
const POLL: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_secs(2);
/// How long the indexer may be away, or not know a job that was just posted, where nobody else is asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may be behind the end of a job before the chain's word is taken; it has more to say.
const LAG: Duration = Duration::from_secs(5);
/// The largest result that is fetched, in bytes.
const MAX_RESULT: u64 = joule_artifacts::MAX_OUTPUT_BYTES;

/// Waits until a job has ended as the indexer has it, and calls `seen` for every change of its status.
pub async fn final_status(index: &Client, job: &str, mut seen: impl FnMut(&Job)) -> Result<Job, Failure> {
    // When the indexer last answered.
    let mut answered = Instant::now();
    let mut last = None;
    loop {
        match index.job(job).await {
            Ok(found) => {
                answered = Instant::now();
                if last != Some(found.status) {
                    seen(&found);
                    last = Some(found.status);
                }
                if is_final(found.status) {
                    return Ok(found);
                }
            }
            // The indexer may be a moment behind, or be restarting.
            Err(error) if answered.elapsed() < PATIENCE => drop(error),
            Err(error) if error.is_not_found() => return Err(Failure::NotFound(format!("no job {job}: {error}"))),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(POLL).await;
    }
}

fn is_final(status: JobStatus) -> bool {
    matches!(status, JobStatus::Settled | JobStatus::Refunded)
}

/// A job, by whoever knew it. Amounts in base units.
#[derive(Clone, Serialize)]
struct Seen {
    address: String,
    status: JobStatus,
    mint: String,
    provider: Option<String>,
    price: String,
    challenger: Option<String>,
    result_hash: Option<String>,
    accept_by: Option<i64>,
    deliver_by: Option<i64>,
    settle_after: Option<i64>,
    paid: Payout,
    /// `indexer` or `chain`.
    from: &'static str,
}

impl Seen {
    fn indexed(job: &Job) -> Self {
        Self {
            address: job.address.clone(),
            status: job.status,
            mint: job.mint.clone(),
            provider: job.provider.clone(),
            price: job.price.to_string(),
            challenger: job.challenger.clone(),
            result_hash: job.result_hash.clone(),
            accept_by: Some(job.accept_by),
            deliver_by: job.deliver_by,
            settle_after: job.settle_after,
            paid: job.paid,
            from: "indexer",
        }
    }

    fn on_chain(address: &Pubkey, job: &OnChain) -> Option<Self> {
        let known = |key: &Pubkey| (*key != Pubkey::default()).then(|| key.to_string());
        let when = |moment: i64| (moment != 0).then_some(moment);
        Some(Self {
            address: address.to_string(),
            status: status_of(job.status().ok()?),
            mint: job.mint.to_string(),
            provider: known(&job.provider),
            price: job.price.get().to_string(),
            challenger: known(&job.challenger),
            result_hash: hash(&job.result_hash),
            accept_by: when(job.accept_by.get()),
            deliver_by: when(job.deliver_by.get()),
            settle_after: when(job.settle_after.get()),
            paid: Payout::default(),
            from: "chain",
        })
    }

    /// `last` is what was seen before it ended, if anybody looked.
    fn ended(address: &Pubkey, ending: &Ending, last: Option<&Self>) -> Self {
        let paid = Payout {
            provider: ending.paid.provider,
            fee: ending.paid.fee,
            challenger: ending.paid.challenger,
            jurors: 0,
            client: ending.paid.client,
        };
        let known = (ending.provider != Pubkey::default()).then(|| ending.provider.to_string());
        Self {
            address: address.to_string(),
            status: if ending.is_settled { JobStatus::Settled } else { JobStatus::Refunded },
            mint: ending.mint.to_string(),
            provider: known,
            price: ending.price.to_string(),
            challenger: last.and_then(|last| last.challenger.clone()),
            result_hash: hash(&ending.result_hash).or(last.and_then(|last| last.result_hash.clone())),
            accept_by: last.and_then(|last| last.accept_by),
            deliver_by: last.and_then(|last| last.deliver_by),
            settle_after: last.and_then(|last| last.settle_after),
            paid,
            from: "chain",
        }
    }

    /// Whether nobody has taken it in time.
    fn is_left(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        self.status == JobStatus::Open && self.accept_by.is_some_and(|last| last < now)
    }

    fn describe(&self, view: &View) -> String {
        let short = |value: &Option<String>| value.as_deref().map(output::short).unwrap_or_default();
        let price = view.amount(&self.mint, self.price.parse::<u64>().unwrap_or_default());
        match self.status {
            JobStatus::Open => format!("open, waiting for a provider until {}", view.when(self.accept_by)),
            JobStatus::Accepted => format!(
                "accepted by {} for {price}, to be delivered by {}",
                short(&self.provider),
                view.when(self.deliver_by)
            ),
            JobStatus::Delivered => format!(
                "delivered, result {}, pays by itself after {}",
                short(&self.result_hash),
                view.when(self.settle_after)
            ),
            JobStatus::Challenged => {
                format!("challenged by {}: jurors decide, see `joule dispute show`", short(&self.challenger))
            }
            JobStatus::Settled => {
                let shares = super::shares(&self.paid, &self.mint, view);
                format!("settled: {shares}; result {}", short(&self.result_hash))
            }
            JobStatus::Refunded => {
                format!("refunded: {} back to the client so far", view.amount(&self.mint, self.paid.client))
            }
        }
    }
}

fn hash(bytes: &[u8; 32]) -> Option<String> {
    (*bytes != [0; 32]).then(|| Hash::from(*bytes).to_string())
}

fn status_of(status: Standing) -> JobStatus {
    match status {
        Standing::Open => JobStatus::Open,
        Standing::Accepted => JobStatus::Accepted,
        Standing::Delivered => JobStatus::Delivered,
        Standing::Challenged => JobStatus::Challenged,
        Standing::Settled => JobStatus::Settled,
        Standing::Refunded => JobStatus::Refunded,
    }
}

/// What the chain has to say.
enum Look {
    Stands(Seen),
    /// It has ended, and the node still knows how.
    Ended(Seen),
    /// The account is gone, or never was.
    Gone,
}

async fn look(chain: &Chain, address: &Pubkey, last: Option<&Seen>) -> Result<Look, Failure> {
    if let Some(seen) = chain.job(address).await?.and_then(|job| Seen::on_chain(address, &job)) {
        return Ok(Look::Stands(seen));
    }
    let ending = chain.ending_of_job(address).await?;
    Ok(ending.map_or(Look::Gone, |ending| Look::Ended(Seen::ended(address, &ending, last))))
}

/// What both have said so far.
struct Following<'a> {
    index: Client,
    chain: &'a Chain,
    address: Pubkey,
    /// The newest.
    last: Option<Seen>,
    /// What the indexer said last, whole.
    indexed: Option<Job>,
    looked: Option<Instant>,
    /// Since when the chain says that it is over, and the indexer does not.
    over: Option<Instant>,
    since: Instant,
}

impl Following<'_> {
    /// Whether it has ended, as far as it must be known.
    async fn step(&mut self) -> Result<bool, Failure> {
        let said = self.index.job(&self.address.to_string()).await;
        let is_told = said.is_ok();
        if let Ok(job) = said {
            self.note(Seen::indexed(&job));
            let is_final = is_final(job.status);
            self.indexed = Some(job);
            if is_final {
                return Ok(true);
            }
        }
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(false);
        }
        self.looked = Some(Instant::now());
        match look(self.chain, &self.address, self.last.as_ref()).await {
            Ok(Look::Stands(seen)) => {
                let is_final = is_final(seen.status);
                self.note(seen);
                Ok(is_final && self.is_late(is_told))
            }
            Ok(Look::Ended(seen)) if self.is_late(is_told) => {
                self.note(seen);
                Ok(true)
            }
            Ok(Look::Ended(_)) => Ok(false),
            Ok(Look::Gone) if self.last.is_none() && (!is_told && self.since.elapsed() > LAG) => {
                Err(Failure::NotFound(format!("no job {}: neither indexer nor chain knows it", self.address)))
            }
            Ok(Look::Gone) => Ok(false),
            // One of the two is enough.
            Err(_) if is_told => Ok(false),
            Err(error) if self.since.elapsed() > PATIENCE => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// An indexer that answers has a moment to come to the end itself.
    fn is_late(&mut self, is_told: bool) -> bool {
        let over = *self.over.get_or_insert_with(Instant::now);
        !is_told || over.elapsed() > LAG
    }

    fn note(&mut self, seen: Seen) {
        // Of two words about the same, the indexer's has more in it.
        let rank = |seen: &Seen| (seen.status.progress(), seen.from == "indexer");
        if self.last.as_ref().is_none_or(|last| rank(&seen) >= rank(last)) {
            self.last = Some(seen);
        }
    }
}

pub async fn run(options: &Options, job: &Pubkey, file: Option<&Path>) -> Result<(), Failure> {
    let chain = options.chain()?;
    let bar = output::spinner("looking for the job");
    let mut following = Following {
        index: options.index(),
        chain: &chain,
        address: *job,
        last: None,
        indexed: None,
        looked: None,
        over: None,
        since: Instant::now(),
    };
    let (mut told, mut view, mut left) = (None, None, false);
    loop {
        let is_over = following.step().await?;
        if !left && following.last.as_ref().is_some_and(Seen::is_left) {
            left = true;
            bar.suspend(|| eprintln!("nobody has taken it in time, and nobody can any more: `joule job crank {job}` pays the budget back"));
        }
        if let Some(seen) = following.last.as_ref().filter(|seen| told != Some(seen.status)) {
            let view = match &mut view {
                None => view.insert(View::of(options, [seen.mint.as_str()]).await),
                Some(view) => view,
            };
            view.refresh(options).await;
            bar.set_message(seen.describe(view));
            if bar.is_hidden() && !options.json && !is_over {
                eprintln!("{}", seen.describe(view));
            }
            told = Some(seen.status);
        }
        if is_over {
            break;
        }
        tokio::time::sleep(POLL).await;
    }
    bar.finish_and_clear();
    let (Some(ended), Some(view)) = (following.last, view) else {
        return Err(Failure::NotFound(format!("no job {job}")));
    };
    if let (Some(file), Some(hash)) = (file, &ended.result_hash) {
        write(options, file, hash).await?;
    }
    match (options.json, following.indexed.filter(|job| is_final(job.status))) {
        (true, Some(whole)) => view.json(&whole, None)?,
        (true, None) => view.json(&ended, None)?,
        (false, _) => println!("{}", ended.describe(&view)),
    }
    match ended.status {
        JobStatus::Settled => Ok(()),
        _ => Err(Failure::Outcome(format!("job {job} was {}", status(ended.status)))),
    }
}

async fn write(options: &Options, file: &Path, hash: &str) -> Result<(), Failure> {
    let hash: Hash = hash.parse().map_err(|e| Failure::Outcome(format!("the indexer's result hash: {e}")))?;
    let result = options.store()?.get(hash, MAX_RESULT).await?;
    let why = |error: std::io::Error| joule_sdk::refusal::last_cause(&error);
    std::fs::write(file, &result).map_err(|e| Failure::Input(format!("cannot write {}: {}", file.display(), why(e))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use joule_sdk::ending::Paid;

    #[test]
    fn the_chain_says_of_an_end_what_the_indexer_would() {
        let (address, provider) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let ending = Ending {
            is_settled: true,
            provider,
            result_hash: [3; 32],
            price: 7,
            paid: Paid { provider: 6, fee: 1, ..Paid::default() },
            ..Ending::default()
        };
        let seen = serde_json::to_value(Seen::ended(&address, &ending, None)).unwrap();
        assert_eq!((&seen["status"], &seen["from"]), (&"settled".into(), &"chain".into()));
        assert_eq!((&seen["paid"]["provider"], &seen["price"]), (&"6".into(), &"7".into()));
        assert_eq!(seen["result_hash"], Hash::from([3; 32]).to_string());
        let refunded = Seen::ended(&address, &Ending::default(), None);
        assert_eq!((refunded.status, refunded.provider, refunded.result_hash), (JobStatus::Refunded, None, None));
    }
}
