//! One history: the cluster, who is who, what honest people are about to do, and what is known about every job and channel.

use super::{
    cast::{Cast, Person},
    finding::{Finding, Kind},
    honest::Duty,
    notes::{Channel, Job},
    setting::Setting,
    watch,
};
use crate::chain;
use anchor_lang::Discriminator;
use fastrand::Rng;
use joule_sdk::{billing, escrow, registry, registry::state::Criteria, staking, token_program, Instruction, Pubkey};
use joule_tests::Refusal;
use litesvm::{types::TransactionMetadata, LiteSVM};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_clock::Clock;
use solana_slot_hashes::SlotHashes;
use solana_transaction::{Message, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// Slots in two seconds.
const SLOTS: i64 = 5;
/// Transactions that are shown when something is wrong.
const SHOWN: usize = 4_000;

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Job,
    Dispute,
    Vote,
    Bid,
    Panel,
    Bond,
    Claim,
    Stake,
    Service,
    Provider,
    Attestations,
    Requirements,
    Channel,
    Plan,
    Payer,
    /// A token account that a program owns.
    Vault,
    /// One that is never closed.
    Lasting,
}

/// Who sends a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Honest,
    Gang,
}

/// Votes of a round by their jurors: stake and output.
type Opened = BTreeMap<Pubkey, (u64, [u8; 32])>;

/// A vote under its seal.
#[derive(Clone, Copy)]
pub struct Seal {
    pub output: [u8; 32],
    pub salt: [u8; 32],
}

pub struct Play {
    pub svm: LiteSVM,
    pub rng: Rng,
    pub cast: Cast,
    pub now: i64,
    begin: (i64, u64),
    pub slot: u64,
    /// Current price lists, each with its model.
    pub prices: Vec<(Pubkey, Pubkey)>,
    /// Every account of our programs.
    pub index: BTreeMap<Pubkey, What>,
    pub jobs: BTreeMap<Pubkey, Job>,
    pub channels: BTreeMap<Pubkey, Channel>,
    /// Every requirement that was ever published, which its address is made of.
    pub papers: BTreeMap<Pubkey, Criteria>,
    /// Accounts that are never closed and were there before.
    pub lasting: BTreeSet<Pubkey>,
    pub seals: BTreeMap<Pubkey, Seal>,
    /// Votes that were opened, by dispute and round: what each weighs, and for which output.
    pub opened: BTreeMap<(Pubkey, u8), Opened>,
    /// What the gang does not think of this time: with fewer things to do, it does some of them more often.
    pub forgotten: BTreeSet<&'static str>,
    /// Who judges most jobs this time: a `Verification`.
    pub fashion: Option<u8>,
    /// Whether the gang's jurors agree on nothing but that the truth is another.
    pub is_contrary: bool,
    /// What the gang has tried how often, and how often it could.
    pub tried: BTreeMap<&'static str, (u64, u64)>,
    /// What honest people are about to do, by time.
    pub agenda: BTreeMap<(i64, u64), Duty>,
    planned: u64,
    /// What the gang is at, one after another.
    pub focus: Option<Pubkey>,
    /// By how much an honest person's tokens may at least be expected to change, in base units.
    pub due: BTreeMap<Pubkey, i128>,
    /// Lamports that honest people have put into accounts that are never closed.
    pub sunk: BTreeMap<Pubkey, u64>,
    pub findings: Vec<Finding>,
    /// Whose bond somebody else's program holds: what they cannot do for want of it is not said again.
    pub robbed: BTreeSet<Pubkey>,
    /// Why honest people were refused what.
    pub refused: BTreeMap<String, u64>,
    /// What has come about how often.
    pub marks: BTreeMap<&'static str, u64>,
    /// Transactions that were sent, and those that succeeded.
    pub steps: u64,
    pub done: u64,
    pub log: Vec<String>,
    /// Whether nobody turns a crank before everybody goes home, which may be long after.
    pub is_lazy: bool,
    /// Whether nothing new begins any more.
    pub is_ending: bool,
    /// Whether everybody is going home: then nobody steals any more.
    pub is_over: bool,
}

impl Play {
    pub fn new(setting: &Setting, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut cast = Cast::new(setting.mint, setting.program, setting.crank);
        cast.corrupt(&mut rng);
        let mut play = Self {
            svm: setting.svm.clone(),
            rng,
            cast,
            now: setting.now,
            begin: (setting.now, setting.slot),
            slot: setting.slot,
            prices: setting.prices.clone(),
            index: BTreeMap::new(),
            jobs: BTreeMap::new(),
            channels: BTreeMap::new(),
            papers: BTreeMap::new(),
            lasting: BTreeSet::new(),
            seals: BTreeMap::new(),
            opened: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            fashion: None,
            is_contrary: false,
            tried: BTreeMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            focus: None,
            due: BTreeMap::new(),
            sunk: BTreeMap::new(),
            findings: Vec::new(),
            refused: BTreeMap::new(),
            marks: BTreeMap::new(),
            robbed: BTreeSet::new(),
            steps: 0,
            done: 0,
            log: Vec::new(),
            is_lazy: false,
            is_ending: false,
            is_over: false,
        };
        let all = play.svm.accounts_db().inner.iter();
        let all: Vec<(Pubkey, What)> =
            all.filter_map(|(address, account)| Some((*address, what(&play.cast, account)?))).collect();
        play.index.extend(all);
        let lasting = play.index.iter().filter(|(_, what)| matches!(what, What::Lasting | What::Payer));
        play.lasting = lasting.map(|(address, _)| *address).collect();
        play
    }

    /// Something is wrong. The same is said once.
    pub fn find(&mut self, kind: Kind, what: String) {
        if !self.findings.iter().any(|finding| finding.kind == kind && finding.what == what) {
            self.log.push(format!("        !! {}: {what}", kind.name()));
            self.findings.push(Finding { kind, what, step: self.steps });
        }
    }

    pub fn mark(&mut self, what: &'static str) {
        *self.marks.entry(what).or_default() += 1;
    }

    /// Sends one transaction and looks at what it did.
    pub fn send(&mut self, by: By, what: &str, instructions: &[Instruction]) -> Result<(), String> {
        let message = Message::new(instructions, Some(&self.cast.crank));
        let signers = &message.account_keys[..message.header.num_required_signatures as usize];
        let may_sign = signers.iter().all(|key| *key == self.cast.crank || self.cast.is_rogue(key));
        assert!(by == By::Honest || self.is_over || may_sign, "a gang that signs for others: {what}");
        let before = watch::Before::take(self, &message.account_keys);
        self.steps += 1;
        let sent = self.svm.send_transaction(Transaction::new_unsigned(message.clone()));
        let sent = sent.map_err(|failed| Refusal::from(failed).name);
        if self.log.len() < SHOWN {
            let who = if by == By::Gang { "gang" } else { "honest" };
            let end = sent.as_ref().map_or_else(|name| name.as_str(), |_| "done");
            self.log.push(format!("{:>9} {who}: {what} -> {end}", self.now - self.begin.0));
        }
        if let (By::Honest, Err(why), false) = (by, &sent, self.is_over) {
            let words = what
                .split(' ')
                .filter(|word| word.parse::<u64>().is_err() && !word.starts_with('['))
                .collect::<Vec<_>>()
                .join(" ");
            *self.refused.entry(format!("{words}: {why}")).or_default() += 1;
        }
        let done: TransactionMetadata = sent?;
        self.done += 1;
        self.reindex(&message.account_keys);
        watch::look(self, before, instructions, &message, &done);
        Ok(())
    }

    fn reindex(&mut self, keys: &[Pubkey]) {
        for key in keys {
            let is = chain::find(&self.svm, key).and_then(|account| what(&self.cast, account));
            match is {
                Some(what) => self.index.insert(*key, what),
                None => self.index.remove(key),
            };
        }
    }

    pub fn all(&self, what: What) -> Vec<Pubkey> {
        self.index.iter().filter(|(_, is)| **is == what).map(|(address, _)| *address).collect()
    }

    pub fn read<T: bytemuck::Pod + Discriminator>(&self, address: &Pubkey) -> Option<T> {
        chain::read(&self.svm, address)
    }

    pub fn is_there(&self, address: &Pubkey) -> bool {
        self.index.contains_key(address)
    }

    /// Base units in a token account.
    pub fn balance(&self, address: &Pubkey) -> u64 {
        chain::purse(&self.svm, address).map_or(0, |purse| purse.amount)
    }

    pub fn set_time(&mut self, now: i64) {
        if now <= self.now {
            return;
        }
        self.now = now;
        self.slot = self.begin.1 + ((now - self.begin.0) * SLOTS / 2) as u64;
        let mut clock = self.svm.get_sysvar::<Clock>();
        (clock.unix_timestamp, clock.slot) = (now, self.slot);
        self.svm.set_sysvar(&clock);
    }

    /// Lets the cluster know the hashes of the slots before this one; only those who draw look at them.
    pub fn hash_slots(&mut self) {
        let salt = self.rng.u64(..) | 1;
        let hash = |slot: u64| {
            let mut bytes = [7; 32];
            bytes[..8].copy_from_slice(&slot.wrapping_mul(salt).to_le_bytes());
            bytes.into()
        };
        let known: Vec<_> = (self.slot.saturating_sub(512)..self.slot).rev().map(|slot| (slot, hash(slot))).collect();
        self.svm.set_sysvar(&SlotHashes::new(&known));
    }

    pub fn plan(&mut self, at: i64, duty: Duty) {
        self.planned += 1;
        self.agenda.insert((at.max(self.now), self.planned), duty);
    }

    /// A moment from one to another, both included: often the first or the last one.
    pub fn moment(&mut self, from: i64, to: i64) -> i64 {
        let to = to.max(from);
        match self.rng.u32(..20) {
            0..=3 => from,
            4..=6 => to,
            7 => (to - 1).max(from),
            8..=11 => self.rng.i64(from..=to.min(from + 600)),
            _ => self.rng.i64(from..=to),
        }
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.rng.usize(..all.len())].clone())
    }

    /// One of the gang.
    pub fn rogue(&mut self) -> Option<(Pubkey, Pubkey)> {
        self.rogue_that(|_| true)
    }

    /// One of the gang, and its token account.
    pub fn rogue_that(&mut self, is: impl Fn(&Person) -> bool) -> Option<(Pubkey, Pubkey)> {
        let all = self.cast.people.iter().filter(|person| person.is_rogue && is(person));
        let all: Vec<(Pubkey, Pubkey)> = all.map(|person| (person.key, person.tokens)).collect();
        self.pick(&all)
    }

    pub fn anybody(&mut self) -> (Pubkey, Pubkey) {
        let person = &self.cast.people[self.rng.usize(..self.cast.people.len())];
        (person.key, person.tokens)
    }

    pub fn tokens_of(&self, key: &Pubkey) -> Pubkey {
        self.cast.of(key).map_or(*key, |person| person.tokens)
    }

    /// An honest person gains or loses at least this much.
    pub fn owe(&mut self, who: &Pubkey, amount: i128) {
        if self.cast.is_honest(who) {
            *self.due.entry(*who).or_default() += amount;
        }
    }

    /// Keys that must have signed.
    pub fn signers(instructions: &[Instruction]) -> BTreeSet<Pubkey> {
        let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
        metas.filter(|meta| meta.is_signer).map(|meta| meta.pubkey).collect()
    }
}

/// What an account is to us; `None` for what is no program's of ours and no vault.
fn what(cast: &Cast, account: &AccountSharedData) -> Option<What> {
    let (owner, data) = (account.owner(), account.data());
    if chain::is_token_program(owner) {
        let purse = chain::as_purse(account)?;
        return cast.of(&purse.owner).is_none().then_some(What::Vault);
    }
    if *owner == token_program::ASSOCIATED || data.len() < 8 {
        return None;
    }
    macro_rules! one_of {
        ($($program:ident: $($account:ident => $what:ident),+;)+) => {
            $($(if *owner == $program::ID && data.starts_with($program::state::$account::DISCRIMINATOR) {
                return Some(What::$what);
            })+)+
        };
    }
    one_of! {
        escrow: Job => Job, Dispute => Dispute, Vote => Vote, Bid => Bid, Panel => Panel, Client => Lasting;
        staking: Bond => Bond, Claim => Claim, Stake => Stake, Service => Service, Pool => Lasting;
        registry: Provider => Provider, Attestations => Attestations, Requirements => Requirements, Attestor => Lasting,
            Model => Lasting, PriceList => Lasting;
        billing: Channel => Channel, Plan => Plan, Payer => Payer, Cluster => Lasting;
    }
    None
}
