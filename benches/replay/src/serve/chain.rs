//! The chain of a file, and how far it has been told.

use super::{
    faults::Faults,
    ledger::{Block, Ledger},
};
use crate::{
    file::{Header, Reader},
    wire::{Fields, Look, Value},
};
use anyhow::{Context, Result};
use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, Mutex, OnceLock,
    },
    time::{Duration, Instant},
};

/// Called with each update just before it is sent.
pub type Hook = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Updates a second of the blocks at the end in which nothing happens: 10 slots.
const TAIL: f64 = 70.0;

/// Updates a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As many as whoever listens takes.
    Max,
    Of(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let rate = text.replace('_', "").parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
        rate.map(Self::Of).ok_or_else(|| format!("{text} is no rate: give updates a second, or max"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Of(rate) => write!(f, "{rate}"),
        }
    }
}

/// When the part that is measured begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// So long after somebody was told of all before it.
    After(Duration),
    /// Once this is set.
    When(Arc<AtomicBool>),
}

pub struct Chain {
    path: PathBuf,
    pub header: Header,
    pub rate: Rate,
    start: Start,
    /// When the first update after the lead was due.
    started: OnceLock<Instant>,
    /// The place from which on nothing happens, and when that was due.
    pub tail: Option<u64>,
    tail_started: OnceLock<Instant>,
    /// Updates that somebody was sent.
    told: AtomicU64,
    tip: AtomicU64,
    /// What RPC knows: the last block before the file, or all of it.
    pub ledger: Ledger,
    pub faults: Option<Faults>,
    /// Of accounts that RPC has shown: at least as of which slot they were asked for, and as of which they were.
    pub shown: Mutex<BTreeSet<(u64, u64)>>,
    pub hook: Option<Hook>,
}

impl Chain {
    pub fn open(path: &Path, rate: Rate, start: Start) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let base = base(&mut reader)?.with_context(|| format!("{} has no block", path.display()))?;
        let tip = AtomicU64::new(base.slot);
        Ok(Self {
            path: path.to_owned(),
            header: reader.header,
            rate,
            start,
            started: OnceLock::new(),
            tail: None,
            tail_started: OnceLock::new(),
            told: AtomicU64::new(0),
            tip,
            ledger: Ledger::of_base(base),
            faults: None,
            shown: Mutex::default(),
            hook: None,
        })
    }

    /// With all of it in memory, so that RPC knows what happened in it.
    pub fn with_history(mut self) -> Result<Self> {
        self.ledger = Ledger::read(self.ledger.base().clone(), self.reader()?)?;
        Ok(self)
    }

    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.path)
    }

    /// When the part that is measured began.
    pub fn started(&self) -> Option<Instant> {
        self.started.get().copied().filter(|started| *started <= Instant::now())
    }

    /// How long until the update at a place in the file is due, as far as that is known.
    pub fn wait(&self, place: u64) -> Duration {
        let Some(after) = place.checked_sub(self.header.lead) else { return Duration::ZERO };
        let started = match &self.start {
            Start::After(settle) => *self.started.get_or_init(|| Instant::now() + *settle),
            Start::When(begun) if begun.load(Ordering::Relaxed) => *self.started.get_or_init(Instant::now),
            Start::When(_) => return Duration::from_millis(2),
        };
        let at = |places: u64| match self.rate {
            Rate::Max => started,
            Rate::Of(rate) => started + Duration::from_secs_f64(places as f64 / rate),
        };
        let due = match self.tail.filter(|tail| place >= *tail) {
            None => at(after),
            Some(tail) => {
                let begun = self.tail_started.get_or_init(|| match self.rate {
                    Rate::Max => Instant::now(),
                    Rate::Of(_) => at(tail.saturating_sub(self.header.lead)),
                });
                *begun + Duration::from_secs_f64((place - tail) as f64 / TAIL)
            }
        };
        due.saturating_duration_since(Instant::now())
    }

    /// Updates of the file that are past for whoever comes and does not ask for them.
    pub fn past(&self) -> u64 {
        let told = self.told.load(Ordering::Relaxed);
        let Some(started) = self.started() else { return told };
        let body = match self.rate {
            Rate::Of(rate) => self.header.lead + (started.elapsed().as_secs_f64() * rate) as u64,
            Rate::Max => 0,
        };
        let Some(tail) = self.tail else { return told.max(body) };
        if body >= tail {
            // It begins, whether or not anybody listens.
            self.wait(tail);
        }
        let tail = match self.tail_started.get() {
            Some(begun) => tail + (begun.elapsed().as_secs_f64() * TAIL) as u64,
            None => body.min(tail),
        };
        told.max(tail)
    }

    pub fn tell(&self, place: u64, slot: Option<u64>) {
        self.told.fetch_max(place + 1, Ordering::Relaxed);
        if let Some(slot) = slot {
            self.tip.fetch_max(slot, Ordering::Relaxed);
        }
    }

    /// The newest slot: that somebody was told of, or that the chain has come to meanwhile.
    pub fn tip(&self) -> u64 {
        self.tip.load(Ordering::Relaxed).max(self.ledger.tip(self.past()))
    }

    /// Something goes wrong, as planned.
    pub fn fault(&self, what: &'static str) {
        if let Some(faults) = &self.faults {
            faults.count(what);
        }
    }

    /// The oldest slot that a subscriber may ask for.
    pub fn first_available(&self) -> u64 {
        let first = self.header.first_slot;
        let kept = self.faults.as_ref().and_then(|faults| faults.kept_slots());
        kept.map_or(first, |kept| first.max((self.tip() + 1).saturating_sub(kept)))
    }
}

/// The parent of the first block.
fn base(reader: &mut Reader) -> Result<Option<Block>> {
    while let Some(record) = reader.next()? {
        let Look::BlockMeta(meta) = Look::of(&record) else { continue };
        let number = |field| meta.get(field).map_or(0, Value::number);
        let text = |field| meta.get(field).map_or(String::new(), |text| String::from_utf8_lossy(text.bytes()).into());
        let time = meta.get(4).and_then(|time| Fields(time.bytes()).get(1)).map_or(0, Value::number);
        let (slot, hash) = (number(6), text(7));
        return Ok(Some(Block {
            slot,
            parent: slot.saturating_sub(1),
            parent_hash: hash.clone(),
            hash,
            height: slot,
            time: time as i64,
            transactions: Vec::new(),
        }));
    }
    Ok(None)
}
