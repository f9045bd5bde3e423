//! Events: history, once each.

use crate::{
    decode::{self, Fact},
    row::{
        cell::Cell,
        event::{Filed, Link, EVENT_ACCOUNTS, ROW_EVENTS},
        record::{key_cells, Cells, Kept, Reading, Record, Table},
        EventRow,
    },
    store::{
        tables::{Change, Range, Tables},
        Result,
    },
    types::{Address, EventKey, HashMap, HashSet},
};
use std::collections::BTreeSet;

/// How many of the newest events of an account count for its row, beside those that happen to it once: what anybody can have
/// happen again and again must not make a row dearer than this to rebuild.
const NEWEST: usize = 256;

const EVENT_KEY: [&str; 3] = ["signature", "instruction", "inner"];

/// The events that a batch adds.
#[derive(Default)]
pub struct Events {
    new: HashMap<EventKey, EventRow>,
    filed: Vec<Change>,
    /// By whom they concern.
    links: HashMap<Address, BTreeSet<Link>>,
    /// Of these, what happens to a row once.
    once: HashMap<Address, BTreeSet<Link>>,
}

impl Events {
    /// An event that is not stored.
    pub fn add(&mut self, event: &EventRow, fact: Option<&Fact>) -> Result<()> {
        self.filed.push(Change { before: None, now: Filed::new(event, fact).to_cells()? });
        self.new.insert(event.key, event.clone());
        self.link(event, fact);
        Ok(())
    }

    /// Names an event that is stored and could not be named before.
    pub fn name(&mut self, tables: &mut dyn Tables, event: &EventRow, fact: &Fact) -> Result<()> {
        let stored = tables.get(Filed::table(), &EVENT_KEY, &[key_cells(&event.key)?])?.pop();
        self.filed.push(Change { before: stored, now: Filed::new(event, Some(fact)).to_cells()? });
        self.new.insert(event.key, event.clone());
        self.link(event, Some(fact));
        Ok(())
    }

    fn link(&mut self, event: &EventRow, fact: Option<&Fact>) {
        let Some(fact) = fact else { return };
        for address in fact.accounts() {
            self.links.entry(address).or_default().insert(Link::new(address, event));
        }
        if !fact.repeats() {
            for address in fact.rows().iter().map(decode::Row::address) {
                self.once.entry(address).or_default().insert(Link::new(address, event));
            }
        }
    }

    pub fn flush(self, tables: &mut dyn Tables) -> Result<()> {
        let links = |of: HashMap<Address, BTreeSet<Link>>| -> Result<Vec<Change>> {
            let mut all: Vec<Link> = of.into_values().flatten().collect();
            all.sort_unstable();
            let change =
                |link: &Link| Ok(Change { before: None, now: Cells { row: key_cells(link)?, lists: Vec::new() } });
            all.iter().map(change).collect()
        };
        for (table, changes) in
            [(Filed::table(), self.filed), (&*EVENT_ACCOUNTS, links(self.links)?), (&*ROW_EVENTS, links(self.once)?)]
        {
            if !changes.is_empty() {
                tables.put(table, changes)?;
            }
        }
        Ok(())
    }
}

/// What rows are rebuilt from.
#[derive(Default)]
pub struct Histories(HashMap<Address, History>);

#[derive(Default)]
struct History {
    /// Oldest first.
    events: Vec<EventRow>,
    /// Some of them were stored before the batch.
    stored: bool,
}

impl Histories {
    /// What is stored of some accounts, and what a batch adds: all of it that counts, or what happened after a slot, where the
    /// account says the rest.
    pub fn load(tables: &mut dyn Tables, of: &[(Address, Option<u64>)], events: &Events) -> Result<Self> {
        let (told, whole): (Vec<_>, Vec<_>) = of.iter().copied().partition(|(_, told)| told.is_some());
        let mut wanted: Vec<(Address, BTreeSet<Link>)> = Vec::with_capacity(of.len());
        let none = BTreeSet::new();
        let added = |address: &Address| events.links.get(address).unwrap_or(&none);
        let since = links(tables, &EVENT_ACCOUNTS, &told, usize::MAX)?;
        for ((address, told), mut links) in told.iter().zip(since) {
            links.extend(added(address).iter().filter(|link| Some(link.slot) > *told));
            wanted.push((*address, links));
        }
        let newest = links(tables, &EVENT_ACCOUNTS, &whole, NEWEST)?;
        // Whoever has fewer has nothing older.
        let is_long = |(address, links): (&Address, &BTreeSet<Link>)| links.len() + added(address).len() >= NEWEST;
        let long: Vec<_> = whole
            .iter()
            .zip(&newest)
            .filter(|((address, _), links)| is_long((address, links)))
            .map(|(of, _)| *of)
            .collect();
        let once = links(tables, &ROW_EVENTS, &long, usize::MAX)?;
        let mut once: HashMap<Address, BTreeSet<Link>> = long.iter().map(|(address, _)| *address).zip(once).collect();
        for ((address, _), mut links) in whole.iter().zip(newest) {
            links.extend(added(address));
            while links.len() > NEWEST {
                links.pop_first();
            }
            links.extend(events.once.get(address).unwrap_or(&none));
            links.append(&mut once.remove(address).unwrap_or_default());
            wanted.push((*address, links));
        }
        let stored: HashSet<EventKey> = wanted
            .iter()
            .flat_map(|(_, links)| links)
            .map(Link::key)
            .filter(|key| !events.new.contains_key(key))
            .collect();
        let stored = rows(tables, &stored.into_iter().collect::<Vec<_>>())?;
        let row = |link: &Link| events.new.get(&link.key()).or_else(|| stored.get(&link.key())).cloned();
        let history = |links: BTreeSet<Link>| History {
            events: links.iter().filter_map(row).collect(),
            stored: links.iter().any(|link| stored.contains_key(&link.key())),
        };
        let wanted = wanted.into_iter().filter(|(_, links)| !links.is_empty());
        Ok(Self(wanted.map(|(address, links)| (address, history(links))).collect()))
    }

    /// Oldest first.
    pub fn of(&self, address: &Address) -> &[EventRow] {
        self.0.get(address).map_or(&[], |history| &history.events)
    }

    /// Whether any of them was stored before the batch.
    pub fn is_stored(&self, address: &Address) -> bool {
        self.0.get(address).is_some_and(|history| history.stored)
    }
}

/// Of each account the newest links, after the slot if there is one.
fn links(
    tables: &mut dyn Tables,
    table: &'static Table,
    of: &[(Address, Option<u64>)],
    limit: usize,
) -> Result<Vec<BTreeSet<Link>>> {
    let range = |(address, above): &(Address, Option<u64>)| Range {
        prefix: vec![Cell::Key(address.0)],
        above: above.map(Cell::Uint),
    };
    let ranges: Vec<Range> = of.iter().map(range).collect();
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    let link = |cells: Cells| Ok(Link::read(&mut Reading(&cells.row))?);
    let set = |rows: Vec<Cells>| rows.into_iter().map(link).collect::<Result<BTreeSet<Link>>>();
    tables.newest(table, &ranges, limit)?.into_iter().map(set).collect()
}

/// The events of some keys that are stored.
pub fn rows(tables: &mut dyn Tables, keys: &[EventKey]) -> Result<HashMap<EventKey, EventRow>> {
    if keys.is_empty() {
        return Ok(HashMap::default());
    }
    let keys = keys.iter().map(key_cells).collect::<std::result::Result<Vec<_>, _>>()?;
    let event = |cells| Ok(Filed::of_cells(cells)?.event);
    let found = tables.get(Filed::table(), &EVENT_KEY, &keys)?.into_iter().map(event).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().map(|event| (event.key, event)).collect())
}

/// What concerns an account, newest first.
pub fn newest(tables: &mut dyn Tables, address: &Address, above: Option<u64>, limit: usize) -> Result<Vec<EventRow>> {
    let links = links(tables, &EVENT_ACCOUNTS, &[(*address, above)], limit)?.pop().unwrap_or_default();
    let found = rows(tables, &links.iter().map(Link::key).collect::<Vec<_>>())?;
    Ok(links.iter().rev().filter_map(|link| found.get(&link.key()).cloned()).collect())
}

/// What a row is rebuilt from, newest first: what happened to it once, and the newest of everything that concerns its account. What
/// can happen again and again says where things stand, so that the newest of it is enough.
pub fn whole(tables: &mut dyn Tables, address: &Address) -> Result<Vec<EventRow>> {
    let mut histories = Histories::load(tables, &[(*address, None)], &Events::default())?;
    let mut events = histories.0.remove(address).unwrap_or_default().events;
    events.reverse();
    Ok(events)
}
