//! The chain of a file, and how far it has been told.

use crate::{
    file::{Header, Reader},
    wire::{Fields, Look, Value},
};
use anyhow::{Context, Result};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        atomic::{AtomicU64, Ordering},
        OnceLock,
    },
    time::{Duration, Instant},
};

/// Called with each update just before it is sent.
pub type Hook = Box<dyn Fn(&[u8]) + Send + Sync>;

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

/// The last block before the file.
#[derive(Debug, Clone, Default)]
pub struct Base {
    pub slot: u64,
    pub blockhash: String,
    /// Unix seconds.
    pub time: i64,
}

pub struct Chain {
    path: PathBuf,
    pub header: Header,
    pub base: Base,
    pub rate: Rate,
    settle: Duration,
    /// When the first update after the lead was due.
    started: OnceLock<Instant>,
    /// Updates that somebody was sent.
    told: AtomicU64,
    tip: AtomicU64,
    pub hook: Option<Hook>,
}

impl Chain {
    pub fn open(path: &Path, rate: Rate, settle: Duration) -> Result<Self> {
        let mut reader = Reader::open(path)?;
        let base = base(&mut reader)?.with_context(|| format!("{} has no block", path.display()))?;
        let tip = AtomicU64::new(base.slot);
        Ok(Self {
            path: path.to_owned(),
            header: reader.header,
            base,
            rate,
            settle,
            started: OnceLock::new(),
            told: AtomicU64::new(0),
            tip,
            hook: None,
        })
    }

    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.path)
    }

    /// When the part that is measured began.
    pub fn started(&self) -> Option<Instant> {
        self.started.get().copied().filter(|started| *started <= Instant::now())
    }

    /// When the update at a place in the file is due.
    pub fn due(&self, place: u64) -> Instant {
        let Some(after) = place.checked_sub(self.header.lead) else { return Instant::now() };
        let started = *self.started.get_or_init(|| Instant::now() + self.settle);
        match self.rate {
            Rate::Max => started,
            Rate::Of(rate) => started + Duration::from_secs_f64(after as f64 / rate),
        }
    }

    /// Updates of the file that are past for whoever comes and does not ask for them.
    pub fn past(&self) -> u64 {
        let told = self.told.load(Ordering::Relaxed);
        match (self.rate, self.started()) {
            (Rate::Of(rate), Some(started)) => {
                told.max(self.header.lead + (started.elapsed().as_secs_f64() * rate) as u64)
            }
            _ => told,
        }
    }

    pub fn tell(&self, place: u64, slot: Option<u64>) {
        self.told.fetch_max(place + 1, Ordering::Relaxed);
        if let Some(slot) = slot {
            self.tip.fetch_max(slot, Ordering::Relaxed);
        }
    }

    /// The newest slot that somebody was told of.
    pub fn tip(&self) -> u64 {
        self.tip.load(Ordering::Relaxed)
    }
}

/// The parent of the first block.
fn base(reader: &mut Reader) -> Result<Option<Base>> {
    while let Some(record) = reader.next()? {
        let Look::BlockMeta(meta) = Look::of(&record) else { continue };
        let number = |field| meta.get(field).map_or(0, Value::number);
        let text = |field| meta.get(field).map_or(String::new(), |text| String::from_utf8_lossy(text.bytes()).into());
        let time = meta.get(4).and_then(|time| Fields(time.bytes()).get(1)).map_or(0, Value::number);
        return Ok(Some(Base { slot: number(6), blockhash: text(7), time: time as i64 }));
    }
    Ok(None)
}
