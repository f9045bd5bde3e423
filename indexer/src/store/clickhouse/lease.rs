//! One indexer a database. ClickHouse has no locks: whoever writes claims it in a row, and says again and again that it lives. A claim
//! that is silent is taken over by whoever comes next; whoever has lost its claim, however late it wakes up, writes no batch more.

use super::{
    value::{put_bytes, Input},
    wire::{Bound, Wire},
};
use crate::store::{Result, StoreError};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

const INTO: &str = "lease (id, holder, beat)";
/// A claim that is given up, or taken over.
const GONE: u64 = u64::MAX;
const EVERY: Duration = Duration::from_secs(2);
/// Seconds by the servers' clocks after which a claim is silent.
const SILENT: i64 = 10;
/// How long somebody else's claim is looked at: longer than one is silent.
const WATCHED: Duration = Duration::from_secs(SILENT as u64 + 3);
const AGAIN: Duration = Duration::from_millis(300);

/// Held for as long as it lives.
pub struct Lease {
    holder: String,
    wire: Arc<Wire>,
    beating: tokio::task::JoinHandle<()>,
}

struct Claim {
    holder: String,
    beat: u64,
    silent: bool,
}

fn row(holder: &str, beat: u64) -> bytes::Bytes {
    let mut row = vec![1];
    put_bytes(holder.as_bytes(), &mut row);
    row.extend_from_slice(&beat.to_le_bytes());
    row.into()
}

fn claims(wire: &Wire) -> Result<Vec<Claim>> {
    let sql = format!(
        "select holder, max(beat) as last, toInt64(now() - argMax(at, beat)) >= {SILENT} as silent from lease where id = 1 \
         group by holder having last < {GONE}"
    );
    let answer = wire.select(&sql, Bound::default(), &[])?;
    let (mut input, mut claims) = (Input(&answer), Vec::new());
    while !input.0.is_empty() {
        let (Some(holder), Some(beat), Some(silent)) = (input.bytes(), input.uint(), input.take(1)) else {
            return Err(StoreError::Damaged("lease".to_owned(), "it cannot be read".to_owned()));
        };
        claims.push(Claim { holder: String::from_utf8_lossy(holder).into_owned(), beat, silent: silent != [0] });
    }
    Ok(claims)
}

impl Lease {
    /// `path` is the database's, for whoever is refused.
    pub fn take(wire: &Arc<Wire>, path: &str) -> Result<Self> {
        let taken = || StoreError::Taken { path: path.to_owned() };
        let until = Instant::now() + WATCHED;
        let mut seen: Vec<Claim> = Vec::new();
        loop {
            let others = claims(wire)?;
            for dead in others.iter().filter(|claim| claim.silent) {
                wire.insert(INTO, row(&dead.holder, GONE))?;
            }
            let alive = |claim: &Claim| seen.iter().any(|seen| seen.holder == claim.holder && seen.beat < claim.beat);
            if others.iter().any(alive) || Instant::now() > until {
                return Err(taken());
            }
            if others.iter().all(|claim| claim.silent) {
                let holder = format!("{:x}", RandomState::new().build_hasher().finish());
                wire.insert(INTO, row(&holder, 1))?;
                // Of two that come at once at least one sees the other.
                if claims(wire)?.iter().all(|claim| claim.holder == holder) {
                    return Ok(Self::held(holder, wire));
                }
                wire.insert(INTO, row(&holder, GONE))?;
            }
            if seen.is_empty() {
                seen = others;
            }
            let apart = RandomState::new().build_hasher().finish() % 200;
            std::thread::sleep(AGAIN + Duration::from_millis(apart));
        }
    }

    fn held(holder: String, wire: &Arc<Wire>) -> Self {
        let (beat, of, by) = (AtomicU64::new(2), Arc::downgrade(wire), holder.clone());
        let beating = wire.runtime().spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(wire) = of.upgrade() else { return };
                let (next, by) = (beat.fetch_add(1, Ordering::Relaxed), by.clone());
                let beaten = tokio::task::spawn_blocking(move || wire.insert(INTO, row(&by, next))).await;
                if let Ok(Err(error)) = beaten {
                    tracing::warn!(%error, "the database does not hear that this indexer lives");
                }
            }
        });
        Self { holder, wire: wire.clone(), beating }
    }

    /// An error if somebody else has taken it over.
    pub fn check(&self, path: &str) -> Result<()> {
        match claims(&self.wire)?.iter().any(|claim| claim.holder == self.holder) {
            true => Ok(()),
            false => Err(StoreError::Taken { path: path.to_owned() }),
        }
    }
}

#[cfg(test)]
impl Lease {
    /// Says nothing any more, and so it was long ago.
    pub fn forget(self) {
        self.beating.abort();
        let mut row = row(&self.holder, 1_000_000).to_vec();
        row.extend_from_slice(&1_000_000_000u32.to_le_bytes());
        self.wire.insert("lease (id, holder, beat, at)", row.into()).unwrap();
        std::mem::forget(self);
    }

    pub fn lose(&self) {
        self.wire.insert(INTO, row(&self.holder, GONE)).unwrap();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.beating.abort();
        let _ = self.wire.insert(INTO, row(&self.holder, GONE));
    }
}
