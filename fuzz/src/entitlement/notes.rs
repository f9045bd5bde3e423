//! What is known about jobs and channels by whoever watches, kept apart from the chain.

use joule_sdk::{
    billing::state::Channel as OnChain,
    escrow::state::{Job as State, Verdict},
    registry::state::Criteria,
    voucher::{tree, Format, Prices, Receipt},
    Pubkey,
};
use std::collections::{BTreeMap, BTreeSet};

pub type Hash = [u8; 32];

/// What every job comes to.
pub const TRUTH: Hash = [9; 32];
/// What liars say it comes to.
pub const LIES: [Hash; 3] = [[7; 32], [5; 32], [6; 32]];

/// What a member of a panel says that cannot run the job.
pub const NOTHING: Hash = [0; 32];

pub struct Job {
    /// As it was last seen.
    pub state: State,
    /// What it asked of providers when it was opened.
    pub wanted: Option<Criteria>,
    /// Unix seconds: when its result was delivered.
    pub delivered_at: i64,
    pub case: Option<Case>,
    /// Who has promised something and does not keep it, on purpose.
    pub asleep: BTreeSet<Pubkey>,
}

impl Job {
    /// Base units that the provider gets of the price.
    pub fn net(&self) -> u64 {
        let price = self.state.price.get();
        price - (price as u128 * self.state.fee_bps.get() as u128 / 10_000) as u64
    }
}

/// What became of a juror's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Will be cast.
    Planned,
    Cast,
    Open,
    /// Refused, and why.
    Refused(String),
    /// Its juror holds less than it needs.
    Unable,
}

pub struct Case {
    /// What honest jurors say.
    pub truth: Verdict,
    /// Members that have heard that they were drawn, and rounds that were drawn.
    pub seated: u8,
    pub rounds: u8,
    /// Honest jurors' votes, by round, with what they weigh.
    pub votes: BTreeMap<(u8, Pubkey), (u64, Vote)>,
    pub verdict: Option<Verdict>,
}

impl Case {
    /// Why jurors were refused.
    pub fn reasons(&self) -> BTreeSet<String> {
        let refused = |(_, vote): &(u64, Vote)| match vote {
            Vote::Refused(why) => Some(why.clone()),
            _ => None,
        };
        self.votes.values().filter_map(refused).collect()
    }
}

pub struct Channel {
    /// As it was last seen.
    pub state: OnChain,
    pub prices: Prices,
    pub receipts: Vec<Receipt>,
    /// Receipts that ask for too much, by their places.
    pub bad: BTreeSet<usize>,
    /// A second receipt of one number, by its place.
    pub twin: Option<(usize, Receipt)>,
    /// What the owner has promised: newest voucher, and the key that signed.
    pub voucher: Option<(Vec<u8>, Pubkey, Promise)>,
    /// Batches that were signed for it and others.
    pub batch: Option<Batch>,
    /// What was promised to be paid for, by the root of its tree: how many receipts.
    pub roots: BTreeMap<Hash, usize>,
    /// The most that the owner has signed for.
    pub promised: u64,
    /// The most that the provider has brought, or could not though it had the right to.
    pub earned: u64,
    /// What the provider locked, and when.
    pub backs: Vec<(i64, u64)>,
    /// Receipts in the tree under what is settled.
    pub settled: usize,
    /// Somebody has shown that the provider lied.
    pub is_condemned: bool,
    /// The payer does not look at receipts.
    pub is_asleep: bool,
    /// Whether it is still there.
    pub is_open: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub sequence: u64,
    pub cumulative: u64,
    pub expires_at: i64,
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub message: Vec<u8>,
    pub signer: Pubkey,
    pub promises: Vec<(Pubkey, Promise)>,
}

impl Channel {
    pub fn total(&self) -> u64 {
        self.receipts.iter().map(|receipt| receipt.amount.get().get()).sum()
    }

    /// How many receipts were paid for by what is settled: a payer that is honest promises whole ones, in their order.
    pub fn count_settled(&mut self) {
        let (mut total, mut count) = (0, 0);
        for receipt in &self.receipts {
            total += receipt.amount.get().get();
            if total > self.state.settled.get() {
                break;
            }
            count += 1;
        }
        self.settled = self.roots.get(&self.state.usage_root).copied().unwrap_or(0).max(count);
    }

    pub fn leaves(&self, count: usize) -> Vec<Hash> {
        self.receipts[..count].iter().map(|receipt| tree::leaf(receipt.as_bytes())).collect()
    }

    /// The provider's part of `earned`.
    pub fn part(&self, earned: u64) -> u64 {
        let others = (self.state.share_bps.get() + self.state.fee_bps.get()) as u128;
        earned - (earned as u128 * others / 10_000) as u64
    }

    /// What is still locked of what the provider locked, by the word of the documents.
    pub fn live(&self, now: i64) -> u64 {
        self.backs.iter().filter(|(at, _)| now < at + DISPUTE).map(|(_, amount)| amount).sum()
    }

    /// A promise that the channel as it is must take now.
    pub fn takes(&self, promise: &Promise, signer: &Pubkey, now: i64) -> bool {
        let (channel, session) = (&self.state, &self.state.session);
        let is_open = channel.closes_at.get() == 0 || now < channel.closes_at.get();
        let is_within = promise.cumulative <= channel.cap.get() && promise.cumulative <= session.limit.get();
        let is_new = promise.cumulative > channel.settled.get();
        let is_timely = now <= promise.expires_at && promise.expires_at <= session.expires_at.get();
        self.is_open && is_open && is_within && is_new && is_timely && session.signer == *signer
    }
}

/// Seconds from `back` in which a receipt can be disputed: SECURITY.md.
pub const DISPUTE: i64 = 3 * 24 * 60 * 60;

pub fn root(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<tree::Frontier>().root()
}
