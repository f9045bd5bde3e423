//! What must be true, kept apart from the chain: whose every unit in a vault is, what was paid out of it, and how many units
//! there are at all. `story` feeds it with what was sent and what the programs stated; `check` compares it with the accounts.

use crate::{cast::Cast, chain};
use joule_sdk::{
    escrow::state::{Job, JobStatus},
    pda, Pubkey,
};
use litesvm::LiteSVM;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many closed jobs are remembered, to be tried again.
const REMEMBERED: usize = 32;

/// Base units paid out of a vault so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paid {
    pub provider: u64,
    pub fee: u64,
    pub client: u64,
}

/// A registered provider.
#[derive(Clone, Copy)]
pub struct Enrolled {
    /// Who signs for it.
    pub authority: Pubkey,
    /// Whoever paid for its account.
    pub rent_payer: Pubkey,
}

/// A job that has not been closed.
#[derive(Clone)]
pub struct Entry {
    pub address: Pubkey,
    /// The account as it was when it was last touched.
    pub job: Job,
    pub vault: Pubkey,
    /// Whoever paid for job and vault.
    pub rent_payer: Pubkey,
    /// Base units that others than the client sent to the vault.
    pub gifts: u64,
    /// Those of them that came after the last payment, and so are in nobody's debts yet.
    pub late_gifts: u64,
    pub paid: Paid,
}

impl Entry {
    /// What the vault must hold, in base units: the budget until the job is settled or refunded, and then what is owed.
    pub fn liabilities(&self) -> u128 {
        let job = &self.job;
        match is_decided(job) {
            false => job.budget.get() as u128 + self.gifts as u128,
            true => {
                let owed = [job.owed_provider, job.owed_fee, job.owed_client];
                owed.iter().map(|part| part.get() as u128).sum::<u128>() + self.late_gifts as u128
            }
        }
    }

    /// What provider, protocol and client are to receive in all, however long it takes: the formula that everybody was
    /// told, worked out once more.
    pub fn entitled(&self) -> [u128; 3] {
        let job = &self.job;
        let (budget, price) = (job.budget.get() as u128, job.price.get() as u128);
        let earned = if job.status == JobStatus::Settled as u8 { price } else { 0 };
        let fee = earned * job.fee_bps.get() as u128 / 10_000;
        [earned - fee, fee, budget + self.gifts as u128 - earned]
    }
}

/// Whether it is known who gets the budget.
pub fn is_decided(job: &Job) -> bool {
    job.status == JobStatus::Settled as u8 || job.status == JobStatus::Refunded as u8
}

pub struct Model {
    pub protocol: Pubkey,
    /// Who governs the protocol.
    pub authority: Pubkey,
    jobs: Vec<Entry>,
    by_address: HashMap<Pubkey, usize>,
    by_vault: HashMap<Pubkey, Pubkey>,
    /// Jobs closed lately, as they were before.
    pub closed: VecDeque<(Pubkey, Job)>,
    /// By the address of the account.
    pub providers: BTreeMap<Pubkey, Enrolled>,
    /// The id of each client's next job.
    pub next_id: BTreeMap<Pubkey, u64>,
    /// Units of each mint: minted less burnt.
    pub supply: BTreeMap<Pubkey, u64>,
    /// How many jobs there have been.
    pub opened: u64,
}

impl Model {
    pub fn new(svm: &LiteSVM, cast: &Cast) -> Self {
        let supply = |mint: &Pubkey| chain::supply(svm, mint).expect("a mint");
        Self {
            protocol: pda::protocol(),
            authority: cast.authority,
            jobs: Vec::new(),
            by_address: HashMap::new(),
            by_vault: HashMap::new(),
            closed: VecDeque::new(),
            // The world comes with one, whose key is nobody's here.
            providers: BTreeMap::new(),
            next_id: BTreeMap::new(),
            supply: cast.tokens.iter().map(|token| (token.mint, supply(&token.mint))).collect(),
            opened: 0,
        }
    }

    /// The jobs that are not closed, oldest first but for gaps that later ones have filled.
    pub fn jobs(&self) -> impl Iterator<Item = &Entry> {
        self.jobs.iter()
    }

    pub fn entry(&self, job: &Pubkey) -> Option<&Entry> {
        self.by_address.get(job).map(|place| &self.jobs[*place])
    }

    pub fn entry_mut(&mut self, job: &Pubkey) -> Option<&mut Entry> {
        self.by_address.get(job).map(|place| &mut self.jobs[*place])
    }

    /// The job whose vault it is.
    pub fn job_of_vault(&self, vault: &Pubkey) -> Option<Pubkey> {
        self.by_vault.get(vault).copied()
    }

    /// Takes in a job that was opened.
    pub fn open(&mut self, entry: Entry) {
        self.opened += 1;
        self.by_address.insert(entry.address, self.jobs.len());
        self.by_vault.insert(entry.vault, entry.address);
        self.jobs.push(entry);
    }

    /// Lets go of a job that was closed.
    pub fn close(&mut self, job: &Pubkey) -> Option<Entry> {
        let place = self.by_address.remove(job)?;
        let entry = self.jobs.swap_remove(place);
        if let Some(moved) = self.jobs.get(place) {
            self.by_address.insert(moved.address, place);
        }
        self.by_vault.remove(&entry.vault);
        self.closed.push_back((entry.address, entry.job));
        if self.closed.len() > REMEMBERED {
            self.closed.pop_front();
        }
        Some(entry)
    }
}
