//! What is written in one transaction, for every engine: what a batch touches is read at once, worked on in memory, and written at
//! once.

mod apply;
pub mod history;
mod rebuild;
mod redecode;
mod rewind;

use super::{
    held::Held,
    tables::{Engine, Tables},
    Applied, Batch, Redecoded, Result,
};
use crate::{
    crash,
    decode::Row,
    row::{
        cell::Cell,
        dead_letter::LetterRow,
        distribution::Divided,
        governed::{ClientRow, MintRow, ProtocolRow},
        payer::PayerRow,
        revenue::{Days, RevenueKey, RevenueRow, Sums},
        totals::{Deltas, Total},
        AccountRow,
    },
    types::{Address, EventKey, HashMap, HashSet},
};
use history::Events;
use joule_api::{Channel, Dispute, Job, Model, Plan, Provider};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts and transactions for which a second thread pays.
const MUCH: usize = if cfg!(test) { 4 } else { 512 };

pub fn apply(engine: &impl Engine, batch: &Batch) -> Result<Applied> {
    let act = |tables: &mut dyn Tables| {
        let applied = Work::new(tables).apply(batch)?;
        crash::point(crash::Point::MidBatchBeforeCommit);
        Ok(applied)
    };
    let applied = if batch.len() < MUCH { engine.write(act) } else { engine.write_much(act) }?;
    crash::point(crash::Point::AfterCommit);
    if !batch.snapshots.is_empty() {
        crash::point(crash::Point::AfterSnapshot);
    }
    Ok(applied)
}

pub use rewind::{beyond, rewind};

pub fn redecode(engine: &impl Engine) -> Result<Redecoded> {
    engine.write(|tables| Work::new(tables).redecode())
}

/// A transaction, and what has to be rebuilt before it ends.
struct Work<'a> {
    tables: &'a mut dyn Tables,
    accounts: Held<AccountRow>,
    letters: Held<LetterRow>,
    payers: Held<PayerRow>,
    clients: Held<ClientRow>,
    protocols: Held<ProtocolRow>,
    mints: Held<MintRow>,
    jobs: Held<Job>,
    providers: Held<Provider>,
    disputes: Held<Dispute>,
    models: Held<Model>,
    channels: Held<Channel>,
    plans: Held<Plan>,
    distributions: Held<Divided>,
    revenue: Held<RevenueRow>,
    totals: Held<Total>,
    events: Events,
    /// Events of the batch that are stored already.
    stored: HashSet<EventKey>,
    /// Keys of [`Member`](crate::row::account::Member), and whether they are listed from now on.
    members: BTreeMap<Vec<Cell>, bool>,
    /// What each channel has divided in this batch.
    divided: HashMap<Address, Vec<Address>>,
    /// Additions to revenue.
    earnings: BTreeMap<RevenueKey, Sums>,
    rows: BTreeSet<Row>,
    ledgers: BTreeMap<Address, Ledger>,
    deltas: Deltas,
    applied: Applied,
    /// What nothing says any more goes.
    rewinds: bool,
}

/// The days of a channel, before this transaction and now.
struct Ledger {
    before: Days,
    now: Days,
}

impl<'a> Work<'a> {
    fn new(tables: &'a mut dyn Tables) -> Self {
        Self {
            tables,
            accounts: Held::default(),
            letters: Held::default(),
            payers: Held::default(),
            clients: Held::default(),
            protocols: Held::default(),
            mints: Held::default(),
            jobs: Held::default(),
            providers: Held::default(),
            disputes: Held::default(),
            models: Held::default(),
            channels: Held::default(),
            plans: Held::default(),
            distributions: Held::default(),
            revenue: Held::default(),
            totals: Held::default(),
            events: Events::default(),
            stored: HashSet::default(),
            members: BTreeMap::new(),
            divided: HashMap::default(),
            earnings: BTreeMap::new(),
            rows: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            deltas: Deltas::default(),
            applied: Applied::default(),
            rewinds: false,
        }
    }
}
