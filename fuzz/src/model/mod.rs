//! What must be true, kept apart from the chain: whose every unit in a vault is, what was paid out of it, and how many units
//! there are at all. `story` feeds it with what was sent and what the programs stated; `check` compares it with the accounts.

mod bond;
mod book;
mod card;
mod fees;
mod flow;
mod job;
mod pool;
mod tab;
mod trial;
mod wallet;

pub use bond::{Hold, Surety};
pub use book::{root, Book, Signed};
pub use card::{Card, Sheet};
pub use fees::{Fees, Governed, BILLING, ESCROW, SERVICES};
pub use flow::Flow;
pub use job::{is_decided, Entry, Offer, Parts};
pub use pool::{Basin, Share};
pub use tab::{Promise, Tab, PARTIES};
pub use trial::{awards, penalty, Ballot, Table, Trial};
pub use wallet::Wallet;

use crate::{cast::Cast, chain};
use joule_sdk::{
    billing::{self, state::Channel},
    escrow::{self, state::Job},
    pda,
    registry::state::PriceList,
    Pubkey,
};
use litesvm::LiteSVM;
use std::collections::{BTreeMap, VecDeque};

/// How many closed jobs are remembered, to be tried again.
const REMEMBERED: usize = 32;

/// A registered provider.
#[derive(Clone, Copy)]
pub struct Enrolled {
    /// Who signs for it.
    pub authority: Pubkey,
    pub payout_owner: Pubkey,
    /// Whoever paid for its account.
    pub rent_payer: Pubkey,
    /// Unix seconds: when it last said what it is.
    pub stated_at: i64,
}

/// What a resolver has in a panel, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// What it enrolled with.
    pub stake: u64,
    /// What of it is left, once a part was slashed.
    pub left: u64,
    /// What of it stands behind disputes.
    pub engaged: u64,
}

impl Seat {
    pub fn answers(&self, at_risk: u64) -> bool {
        self.left >= at_risk.div_ceil(2)
    }

    pub fn is_busy(&self, at_risk: u64) -> bool {
        self.answers(at_risk) && self.left.saturating_sub(self.engaged) < at_risk.min(self.left)
    }
}

/// A credential. Times in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    pub attestor: Pubkey,
    pub schema: u32,
    /// Since when it has counted without a gap.
    pub since: i64,
    pub expires_at: i64,
}

/// Something that is nothing but somebody's word and its rent.
#[derive(Clone, Copy)]
pub struct Paper {
    /// Whose it is: the client of requirements, the subject of attestations, the mint of a panel.
    pub of: Pubkey,
    /// Whoever paid for it.
    pub rent_payer: Pubkey,
}

/// What an address is, so that whatever is touched can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A job and its vault.
    Job(Pubkey),
    Bid(Pubkey),
    /// The dispute of a job and its votes.
    Trial(Pubkey),
    Panel(Pubkey),
    /// A bond, its vault and its claims.
    Bond(Pubkey),
    /// A pool, its vault and its stakes.
    Pool(Pubkey),
    /// A mint's fee vault, and what the treasury says about it.
    Fees(Pubkey),
    Paper(Pubkey),
    /// A model and its price lists.
    Card(Pubkey),
    /// A payer and its vault.
    Wallet(Pubkey),
    /// A channel and its plan.
    Tab(Pubkey),
}

pub struct Model {
    pub protocol: Pubkey,
    /// What the protocol's authority has decided.
    pub governed: Governed,
    /// Jobs that have not been closed.
    pub jobs: BTreeMap<Pubkey, Entry>,
    pub bids: BTreeMap<Pubkey, Offer>,
    /// By job.
    pub trials: BTreeMap<Pubkey, Trial>,
    /// Claims.
    pub holds: BTreeMap<Pubkey, Hold>,
    pub bonds: BTreeMap<Pubkey, Surety>,
    pub pools: BTreeMap<Pubkey, Basin>,
    /// By mint.
    pub fees: BTreeMap<Pubkey, Fees>,
    pub panels: BTreeMap<Pubkey, Paper>,
    /// What everybody has staked to be drawn, by panel and resolver.
    pub enrolled: BTreeMap<(Pubkey, Pubkey), Seat>,
    /// Attestors by their account, and who signs for them.
    pub attestors: BTreeMap<Pubkey, Pubkey>,
    /// Attestations and requirements.
    pub papers: BTreeMap<Pubkey, Paper>,
    /// Credentials that may still be asked for, by the account of their subject.
    pub credentials: BTreeMap<Pubkey, Vec<Credential>>,
    /// Requirements that no new job may name, and since when.
    pub retired: BTreeMap<Pubkey, i64>,
    /// What requirements want a bond to have free, in base units; they are named by their content and never forgotten.
    pub min_bonds: BTreeMap<Pubkey, u64>,
    /// Models of the registry's, by their account.
    pub cards: BTreeMap<Pubkey, Card>,
    /// By the address of the account.
    pub providers: BTreeMap<Pubkey, Enrolled>,
    /// The id of each client's next job.
    pub next_id: BTreeMap<Pubkey, u64>,
    /// Units of each mint: minted less burnt.
    pub supply: BTreeMap<Pubkey, u64>,
    /// Jobs closed lately, as they were before.
    pub closed: VecDeque<(Pubkey, Job)>,
    /// What has come to pass how often: verdicts, slashes, debts.
    pub milestones: BTreeMap<&'static str, u64>,
    /// Payers by their account.
    pub wallets: BTreeMap<Pubkey, Wallet>,
    /// Channels that have not been closed.
    pub tabs: BTreeMap<Pubkey, Tab>,
    /// Plans, by channel.
    pub flows: BTreeMap<Pubkey, Flow>,
    /// What was served, by channel.
    pub books: BTreeMap<Pubkey, Book>,
    pub signed: Signed,
    /// Channels closed lately, as they were before.
    pub shut: VecDeque<(Pubkey, Channel)>,
    /// Who signs for the claims of a service, by its program.
    pub claim_signers: BTreeMap<Pubkey, Pubkey>,
    things: BTreeMap<Pubkey, Thing>,
    /// How many jobs there have been.
    pub opened: u64,
}

impl Model {
    pub fn new(svm: &LiteSVM, cast: &Cast) -> Self {
        let supply = |mint: &Pubkey| chain::supply(svm, mint).expect("a mint");
        let mut model = Self {
            protocol: pda::protocol(),
            governed: Governed::new(svm, cast.authority),
            jobs: BTreeMap::new(),
            bids: BTreeMap::new(),
            trials: BTreeMap::new(),
            holds: BTreeMap::new(),
            bonds: BTreeMap::new(),
            pools: BTreeMap::new(),
            fees: cast.tokens.iter().map(|token| (token.mint, Fees::new(svm, token))).collect(),
            panels: BTreeMap::new(),
            enrolled: BTreeMap::new(),
            attestors: BTreeMap::new(),
            papers: BTreeMap::new(),
            credentials: BTreeMap::new(),
            retired: BTreeMap::new(),
            min_bonds: BTreeMap::new(),
            cards: BTreeMap::new(),
            providers: BTreeMap::new(),
            next_id: BTreeMap::new(),
            supply: cast.tokens.iter().map(|token| (token.mint, supply(&token.mint))).collect(),
            closed: VecDeque::new(),
            milestones: BTreeMap::new(),
            wallets: BTreeMap::new(),
            tabs: BTreeMap::new(),
            flows: BTreeMap::new(),
            books: BTreeMap::new(),
            signed: Signed::default(),
            shut: VecDeque::new(),
            claim_signers: [escrow::ID, billing::ID].map(|service| (service, pda::claim_signer(&service))).into(),
            things: BTreeMap::new(),
            opened: 0,
        };
        for token in &cast.tokens {
            model.name([token.fee_vault, token.accepted], Thing::Fees(token.mint));
        }
        model
    }

    /// Says what an address is.
    pub fn name<const N: usize>(&mut self, addresses: [Pubkey; N], thing: Thing) {
        self.things.extend(addresses.map(|address| (address, thing)));
    }

    pub fn forget<const N: usize>(&mut self, addresses: [Pubkey; N]) {
        addresses.iter().for_each(|address| {
            self.things.remove(address);
        });
    }

    pub fn thing(&self, address: &Pubkey) -> Option<Thing> {
        self.things.get(address).copied()
    }

    /// The addresses of everything that there is.
    pub fn addresses(&self) -> Vec<Pubkey> {
        self.things.keys().copied().collect()
    }

    /// Everything that there is.
    pub fn things(&self) -> impl Iterator<Item = Thing> + '_ {
        self.things.values().copied()
    }

    /// Counts that something has come to pass.
    pub fn mark(&mut self, milestone: &'static str) {
        *self.milestones.entry(milestone).or_default() += 1;
    }

    /// Units that nobody was asked for reach an account: in a vault they are a gift, whoever sent them.
    pub fn give(&mut self, account: &Pubkey, amount: u64) {
        match self.thing(account) {
            Some(Thing::Job(job)) => {
                if let Some(entry) = self.jobs.get_mut(&job) {
                    entry.gifts += amount as u128;
                    entry.late += amount as u128;
                }
            }
            Some(Thing::Bond(bond)) => {
                if let Some(bond) = self.bonds.get_mut(&bond) {
                    bond.gifts += amount;
                }
            }
            Some(Thing::Pool(pool)) => {
                if let Some(pool) = self.pools.get_mut(&pool) {
                    pool.gifts += amount;
                }
            }
            Some(Thing::Wallet(payer)) => {
                if let Some(wallet) = self.wallets.get_mut(&payer) {
                    wallet.gifts += amount as u128;
                }
            }
            Some(Thing::Fees(mint)) => {
                if let Some(fees) = self.fees.get_mut(&mint) {
                    fees.balance += amount as u128;
                }
            }
            _ => {}
        }
    }

    /// A price list as it was when it was first looked at, and has been ever since.
    pub fn list(&self, address: &Pubkey) -> Option<PriceList> {
        let Some(Thing::Card(card)) = self.thing(address) else { return None };
        let mut lists = self.cards.get(&card)?.lists.iter();
        let seen = lists.find(|sheet| sheet.address == *address)?.seen.as_ref()?;
        joule_sdk::account::decode(seen).ok()
    }

    /// Lets go of a channel that was closed.
    pub fn shut(&mut self, channel: &Pubkey) -> Option<Tab> {
        let tab = self.tabs.remove(channel)?;
        self.books.remove(channel);
        self.forget([*channel]);
        self.shut.push_back((*channel, tab.channel));
        if self.shut.len() > REMEMBERED {
            self.shut.pop_front();
        }
        Some(tab)
    }

    /// Takes in a job that was opened.
    pub fn open(&mut self, entry: Entry) {
        self.opened += 1;
        self.name([entry.address, entry.job.vault], Thing::Job(entry.address));
        self.jobs.insert(entry.address, entry);
    }

    /// Lets go of a job that was closed.
    pub fn close(&mut self, job: &Pubkey) -> Option<Entry> {
        let entry = self.jobs.remove(job)?;
        self.forget([entry.address, entry.job.vault]);
        self.closed.push_back((entry.address, entry.job));
        if self.closed.len() > REMEMBERED {
            self.closed.pop_front();
        }
        Some(entry)
    }
}
