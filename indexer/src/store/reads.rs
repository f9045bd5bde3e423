//! What is asked of a store, for every engine.

use super::{
    account,
    batch::{self, history},
    days, listing, scan,
    tables::{Change, Engine, Tables},
    Applied, Batch, Beyond, Checkpoint, Moment, Redecoded, Result, Rows, Scan, Scanned, Store, StoreError,
};
use crate::{
    query::{Condition, Query, RevenueFilter},
    row::{
        cell::{address, Cell, Named as _},
        checkpoint::{ChainRow, CheckpointRow, One, ONE},
        dead_letter::{Letter, LetterRow},
        record::{key_cells, Kept, Table},
        revenue::{self, RevenueRow, Sums},
        totals::{self, Counters, Scope, Total},
        AccountRow, EventRow, UnreadRow,
    },
    types::{Address, HashMap},
};
use joule_api::{Model, Revenue, RevenueBy, Totals};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// The one row of a table that has no more.
fn one<R: Kept<Key = One>>(tables: &mut dyn Tables) -> Result<Option<R>> {
    let found = tables.get(R::table(), &["id"], &[key_cells(&ONE)?])?.pop();
    Ok(found.map(R::of_cells).transpose()?)
}

pub(super) fn checkpoint(tables: &mut dyn Tables) -> Result<Option<Checkpoint>> {
    let row: Option<CheckpointRow> = one(tables)?;
    Ok(row.map(|row| Checkpoint { slot: row.slot, finalized: row.finalized }))
}

/// Up to here nothing can be undone.
fn finalized(tables: &mut dyn Tables) -> Result<u64> {
    Ok(checkpoint(tables)?.map_or(0, |checkpoint| checkpoint.finalized))
}

fn check_chain(tables: &mut dyn Tables, genesis: &str) -> Result<bool> {
    match one::<ChainRow>(tables)? {
        None => Ok(false),
        Some(row) if row.genesis == genesis => Ok(true),
        Some(row) => Err(StoreError::OtherChain { stored: row.genesis.into_owned(), found: genesis.to_owned() }),
    }
}

/// Sums of a time, in no order.
fn sums(tables: &mut dyn Tables, conditions: &[Condition]) -> Result<Vec<RevenueRow>> {
    let rows = tables.all(RevenueRow::table(), conditions)?;
    Ok(rows.into_iter().map(RevenueRow::of_cells).collect::<std::result::Result<_, _>>()?)
}

/// Who made the models.
fn creators(tables: &mut dyn Tables, rows: &[RevenueRow]) -> Result<BTreeMap<Address, Address>> {
    let models: BTreeSet<Address> = rows.iter().map(|row| row.key.model).collect();
    let models = models.iter().map(key_cells).collect::<std::result::Result<Vec<_>, _>>()?;
    let creator = |cells| -> Result<(Address, Address)> {
        let model = Model::of_cells(cells)?;
        Ok((address(&model.address)?, address(&model.creator)?))
    };
    tables.get(Model::table(), &["address"], &models)?.into_iter().map(creator).collect()
}

fn revenue(tables: &mut dyn Tables, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
    let (from, to) = filter.days;
    let mut conditions = Vec::new();
    conditions.extend(from.map(|day| Condition::From("day", Cell::Int(day))));
    conditions.extend(to.map(|day| Condition::Below("day", Cell::Int(day))));
    conditions.extend(filter.mint.map(|mint| Condition::Is("mint", Cell::Key(mint.0))));
    let rows = sums(tables, &conditions)?;
    let creators = match filter.by {
        RevenueBy::Creator => creators(tables, &rows)?,
        _ => BTreeMap::new(),
    };
    Ok(revenue::report(filter.by, rows, &creators))
}

impl<E: Engine> Store for E {
    fn bind(&self, genesis: &str) -> Result<()> {
        self.write(|tables| {
            if !check_chain(tables, genesis)? {
                let row = ChainRow { one: ONE, genesis: genesis.to_owned().into() };
                tables.put(ChainRow::table(), vec![Change { before: None, now: row.to_cells()? }])?;
            }
            Ok(())
        })
    }

    fn check_chain(&self, genesis: &str) -> Result<()> {
        self.read(false, |tables| check_chain(tables, genesis).map(drop))
    }

    fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        self.read(false, checkpoint)
    }

    fn is_listed(&self) -> Result<bool> {
        self.read(false, |tables| Ok(one::<CheckpointRow>(tables)?.is_none_or(|row| row.listed)))
    }

    fn beyond(&self, slot: u64) -> Result<Beyond> {
        self.read_long(|tables| batch::beyond(tables, slot))
    }

    fn rewind(&self, to: u64, done: &mut dyn FnMut(u64)) -> Result<Beyond> {
        batch::rewind(self, to, done)
    }

    fn apply(&self, batch: &Batch) -> Result<Applied> {
        batch::apply(self, batch)
    }

    fn row(&self, table: &'static Table, address: &Address) -> Result<Rows> {
        self.read(false, |tables| {
            let rows = tables.get(table, &["address"], &[key_cells(address)?])?;
            Ok(Rows { rows, finalized: finalized(tables)? })
        })
    }

    fn rows(&self, table: &'static Table, query: &Query) -> Result<Rows> {
        self.read(true, |tables| Ok(Rows { rows: listing::rows(tables, table, query)?, finalized: finalized(tables)? }))
    }

    fn counters(&self, provider: &Address) -> Result<Counters> {
        self.read(false, |tables| {
            Counters::read(provider, |key| {
                let found = tables.get(Total::table(), &["scope", "key", "name"], &[key_cells(&key)?])?.pop();
                Ok(found.map(Total::of_cells).transpose()?.map_or(0, |total| total.value))
            })
        })
    }

    fn earned(&self, channel: &Address) -> Result<Sums> {
        self.read(false, |tables| Ok(days::load(tables, channel)?.total()))
    }

    fn revenue(&self, filter: &RevenueFilter) -> Result<Vec<Revenue>> {
        self.read(true, |tables| revenue(tables, filter))
    }

    fn revenue_by_mint(&self) -> Result<Vec<(Address, Sums)>> {
        let mut by_mint: BTreeMap<Address, Sums> = BTreeMap::new();
        for RevenueRow { key, sums } in self.read(false, |tables| sums(tables, &[]))? {
            by_mint.entry(key.mint).or_default().add(&sums, 1);
        }
        Ok(by_mint.into_iter().collect())
    }

    fn totals(&self) -> Result<Totals> {
        self.read(true, |tables| {
            let scopes = [Scope::All, Scope::Mint].map(|scope| vec![Cell::Name(scope.name().into())]);
            let sums = tables.get(Total::table(), &["scope"], &scopes)?;
            let sums = sums.into_iter().map(Total::of_cells).collect::<std::result::Result<Vec<_>, _>>()?;
            Ok(totals::report(checkpoint(tables)?.map_or(0, |checkpoint| checkpoint.slot), sums))
        })
    }

    fn account(&self, address: &Address) -> Result<Option<AccountRow>> {
        self.read(false, |tables| account::get(tables, address))
    }

    fn members(&self, kind: &str, parent: &Address) -> Result<Vec<AccountRow>> {
        self.read(true, |tables| account::members(tables, kind, parent))
    }

    fn live_accounts(&self, program: &Address) -> Result<Vec<AccountRow>> {
        let mut rows = Vec::new();
        self.read(false, |tables| account::live(tables, program, |row| rows.push(row)))?;
        rows.sort_unstable_by_key(|row| row.address);
        Ok(rows)
    }

    fn live_heads(&self, program: &Address) -> Result<HashMap<Address, u64>> {
        let mut heads = HashMap::default();
        self.read(false, |tables| account::live(tables, program, |row| heads.extend([(row.address, row.lamports)])))?;
        Ok(heads)
    }

    fn events(&self, address: &Address, limit: usize) -> Result<Vec<EventRow>> {
        self.read(false, |tables| history::newest(tables, address, None, limit))
    }

    fn history(&self, address: &Address) -> Result<Vec<EventRow>> {
        self.read(false, |tables| history::whole(tables, address))
    }

    fn events_since(&self, address: &Address, slot: u64) -> Result<Vec<EventRow>> {
        self.read(false, |tables| history::newest(tables, address, Some(slot), usize::MAX))
    }

    fn scan(&self, wanted: &Scan, each: &mut dyn FnMut(Scanned) -> ControlFlow<()>) -> Result<Moment> {
        self.read_long(|tables| {
            let genesis = one::<ChainRow>(tables)?.map(|row| row.genesis.into_owned());
            let moment = Moment { genesis, checkpoint: checkpoint(tables)? };
            scan::run(tables, wanted, each)?;
            Ok(moment)
        })
    }

    fn redecode(&self) -> Result<Redecoded> {
        batch::redecode(self)
    }

    fn unread(&self) -> Result<Vec<UnreadRow>> {
        let wanted = [Condition::Is("kind", Cell::Name("transaction".into()))];
        let letters = self.read(false, |tables| tables.all(LetterRow::table(), &wanted))?;
        let mut unread = Vec::new();
        for letter in letters {
            let LetterRow { letter, slot, tx_index, .. } = LetterRow::of_cells(letter)?;
            if let Letter::Transaction(signature) = letter {
                unread.push(UnreadRow { signature, slot, index: tx_index.unwrap_or_default() });
            }
        }
        unread.sort_unstable_by_key(|row| (row.slot, row.index, row.signature));
        Ok(unread)
    }

    fn dead_letters(&self) -> Result<u64> {
        self.read(false, |tables| tables.count(LetterRow::table()))
    }
}
