//! A store against the truth.

mod postgres;
pub mod rows;
mod sqlite;

use crate::truth::{AccountRow, EventRow, Letter, Life, Reader, Row};
use anyhow::{bail, Result};
use serde::Serialize;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Examples of a kind of difference that are shown.
const SHOWN: usize = 3;

#[derive(clap::Args)]
pub struct Args {
    /// What `scale` wrote beside its file
    #[arg(long)]
    truth: PathBuf,
    /// The indexer's SQLite file, or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long)]
    database: String,
}

/// An account as a store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    pub address: [u8; 32],
    /// Of the last write that is known.
    pub slot: u64,
    pub write_version: u64,
    pub lamports: u64,
    /// SHA-256 of its last data while it was alive.
    pub data: [u8; 32],
    pub closed: bool,
}

/// A store that can be read in the order of its keys, in bounded memory. An error of `each` ends it.
pub trait Stored: Send {
    /// Everything up to here is stored. `None` before anything is.
    fn checkpoint(&self) -> Result<Option<u64>>;
    /// Whether accounts are known as of then.
    fn is_listed(&self) -> Result<bool>;
    fn accounts(&self, each: &mut dyn FnMut(StoredAccount) -> Result<()>) -> Result<()>;
    fn events(&self, each: &mut dyn FnMut(EventRow) -> Result<()>) -> Result<()>;
    /// What it could not read.
    fn letters(&self) -> Result<Vec<Letter>>;
    /// Names of all tables.
    fn tables(&self) -> Result<Vec<String>>;
    /// All of a table, in memory.
    fn table(&self, name: &str) -> Result<rows::Table>;
}

pub fn open(database: &Path) -> Result<Box<dyn Stored>> {
    Ok(Box::new(sqlite::Sqlite::open(database)?))
}

/// From a thread of a runtime that has several.
pub fn open_postgres(url: &str) -> Result<Box<dyn Stored>> {
    Ok(Box::new(postgres::Postgres::open(url)?))
}

/// What differs, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    pub accounts_missing: u64,
    pub accounts_too_many: u64,
    /// Another version, other lamports or other data.
    pub accounts_differ: u64,
    /// Closed on the chain and alive in the store, or the other way round.
    pub lives_differ: u64,
    pub events_missing: u64,
    pub events_too_many: u64,
    pub letters_missing: u64,
    pub letters_too_many: u64,
    /// Accounts that were closed without a word that a subscription by owner brings, and are alive in the store. No fault of it.
    pub closed_unseen: u64,
    #[serde(skip)]
    pub examples: Vec<String>,
}

impl Differences {
    pub fn is_none(&self) -> bool {
        [
            self.accounts_missing,
            self.accounts_too_many,
            self.accounts_differ,
            self.lives_differ,
            self.events_missing,
            self.events_too_many,
            self.letters_missing,
            self.letters_too_many,
        ]
        .iter()
        .all(|count| *count == 0)
    }

    fn note(&mut self, count: fn(&mut Self) -> &mut u64, example: impl FnOnce() -> String) {
        *count(self) += 1;
        if *count(self) <= SHOWN as u64 {
            self.examples.push(example());
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let store = if args.database.starts_with("postgres") {
        open_postgres(&args.database)?
    } else {
        open(Path::new(&args.database))?
    };
    let found = differences(&args.truth, &*store, &Shown::default())?;
    for example in &found.examples {
        println!("{example}");
    }
    println!("{}", serde_json::to_string(&found)?);
    if !found.is_none() {
        bail!("the store is not what the chain says");
    }
    Ok(())
}

/// What RPC has shown beside the stream, to fill gaps: an account that it has shown carries the slot as of which it did, and of what came
/// and went within a gap only the events are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Slots that the stream did not bring, both ends included, each up to the last one as of which accounts were shown.
    pub gaps: Vec<(u64, u64)>,
    /// Slots as of which accounts were shown.
    pub looks: BTreeSet<u64>,
    /// Accounts that are closed and whose last bytes came within a gap, with all bytes that they ever had.
    pub unseen: BTreeMap<[u8; 32], BTreeSet<Vec<u8>>>,
}

impl Shown {
    pub fn covers(&self, slot: u64) -> bool {
        self.gaps.iter().any(|(from, to)| (*from..=*to).contains(&slot))
    }
}

/// `shown` is empty where the stream brought everything.
pub fn differences(truth: &Path, store: &dyn Stored, shown: &Shown) -> Result<Differences> {
    let mut truth = Reader::open(truth)?;
    let mut found = Differences::default();
    let mut expected = truth.account()?;
    let mut each = |stored: StoredAccount| loop {
        let order = expected.as_ref().map_or(Ordering::Greater, |row| row.address.cmp(&stored.address));
        match (&expected, order) {
            (Some(row), Ordering::Less) => {
                found.note(|found| &mut found.accounts_missing, || format!("missing: {}", account(row)));
                expected = truth.account()?;
            }
            (Some(row), Ordering::Equal) => {
                compare(row, &stored, shown, &mut found);
                expected = truth.account()?;
                return Ok(());
            }
            _ => {
                let example = || format!("not on the chain: {}", name(&stored.address));
                found.note(|found| &mut found.accounts_too_many, example);
                return Ok(());
            }
        }
    };
    store.accounts(&mut each)?;
    while let Some(row) = expected {
        found.note(|found| &mut found.accounts_missing, || format!("missing: {}", account(&row)));
        expected = truth.account()?;
    }
    let mut expected = truth.event()?;
    let mut each = |stored: EventRow| loop {
        let order = expected.as_ref().map_or(Ordering::Greater, |row| row.key().cmp(&stored.key()));
        match (&expected, order) {
            (Some(row), Ordering::Less) => {
                found.note(|found| &mut found.events_missing, || format!("missing: {}", event(row)));
                expected = truth.event()?;
            }
            (Some(_), Ordering::Equal) => {
                expected = truth.event()?;
                return Ok(());
            }
            _ => {
                found.note(|found| &mut found.events_too_many, || format!("not on the chain: {}", event(&stored)));
                return Ok(());
            }
        }
    };
    store.events(&mut each)?;
    while let Some(row) = expected {
        found.note(|found| &mut found.events_missing, || format!("missing: {}", event(&row)));
        expected = truth.event()?;
    }
    let (expected, stored) = (truth.letters()?, store.letters()?);
    let [expected, stored] = [expected, stored].map(BTreeSet::from_iter);
    for letter in expected.difference(&stored) {
        found.note(|found| &mut found.letters_missing, || format!("missing: {}", unread(letter)));
    }
    for letter in stored.difference(&expected) {
        found.note(|found| &mut found.letters_too_many, || format!("can be read: {}", unread(letter)));
    }
    Ok(found)
}

fn compare(row: &AccountRow, stored: &StoredAccount, shown: &Shown, found: &mut Differences) {
    let show = || format!("{} is stored as {stored:?}", account(row));
    let by_look = stored.write_version == 0 && stored.slot >= row.slot && shown.looks.contains(&stored.slot);
    match (row.life, stored.closed) {
        (Life::Open, false) => {
            if (row.slot, row.write_version) != (stored.slot, stored.write_version) && !by_look {
                return found.note(|found| &mut found.accounts_differ, show);
            }
        }
        (Life::ClosedUnseen, false) => found.closed_unseen += 1,
        (Life::Closed | Life::ClosedUnseen, true) => {
            // The version of a closing depends on what told of it.
            if row.slot != stored.slot && !by_look {
                return found.note(|found| &mut found.accounts_differ, show);
            }
        }
        (Life::Closed, false) | (Life::Open, true) => return found.note(|found| &mut found.lives_differ, show),
    }
    // What is closed has none.
    let lamports = if stored.closed { 0 } else { row.lamports };
    if stored.closed && shown.unseen.contains_key(&row.address) && stored.lamports == 0 {
        return;
    }
    if (lamports, row.data) != (stored.lamports, stored.data) {
        found.note(|found| &mut found.accounts_differ, show);
    }
}

fn name(address: &[u8]) -> String {
    bs58::encode(address).into_string()
}

fn account(row: &AccountRow) -> String {
    format!("account {} of slot {}, write {}, {:?}", name(&row.address), row.slot, row.write_version, row.life)
}

fn unread(letter: &Letter) -> String {
    match letter {
        Letter::Account(address) => format!("the account {}, which cannot be read", name(address)),
        Letter::Event { signature, instruction, inner } => {
            let row = EventRow { signature: *signature, instruction: *instruction, inner: *inner };
            format!("the {}, which cannot be read", event(&row))
        }
        Letter::Transaction(signature) => format!("the transaction {}, which cannot be read", name(signature)),
    }
}

fn event(row: &EventRow) -> String {
    format!("event {}/{} of {}", row.instruction, row.inner, name(&row.signature))
}
