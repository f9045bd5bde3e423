//! The stores that a run may be about.

use super::cluster::Cluster;
use crate::compare::{self, Stored};
use anyhow::Result;
use std::{path::PathBuf, sync::Arc, time::Duration};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    Sqlite,
    /// With a server of its own for each run
    Postgres,
}

/// One store of an indexer, empty at first.
pub trait Store: Send + Sync {
    /// What the indexer is told to use it.
    fn arguments(&self) -> Vec<String>;
    /// For reading, once the indexer has made it.
    fn open(&self) -> Option<Box<dyn Stored>>;
    /// Up to where everything is stored; `None` before anything is, and while it does not answer.
    fn reached(&self) -> Option<u64> {
        self.open()?.checkpoint().ok().flatten()
    }
    /// Has it take nothing for so long. Blocks.
    fn stall(&self, time: Duration) -> Result<()>;
    /// Ends its server, at once or not, and starts it again after so long. Blocks. False where it has none.
    fn restart(&self, away: Duration, at_once: bool) -> Result<bool>;
}

impl Engine {
    pub fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).map_or(String::new(), |value| value.get_name().to_owned())
    }

    /// `place` is a path that nothing else uses.
    pub fn store(self, place: PathBuf) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::Sqlite => Arc::new(Sqlite(place)),
            Self::Postgres => Arc::new(Cluster::start()?),
        })
    }
}

struct Sqlite(PathBuf);

impl Store for Sqlite {
    fn arguments(&self) -> Vec<String> {
        vec!["--database".to_owned(), self.0.display().to_string()]
    }

    fn open(&self) -> Option<Box<dyn Stored>> {
        compare::open(&self.0).ok().filter(|store| store.checkpoint().is_ok())
    }

    fn stall(&self, time: Duration) -> Result<()> {
        let conn = rusqlite::Connection::open(&self.0)?;
        conn.busy_timeout(Duration::from_secs(20))?;
        conn.execute_batch("begin immediate")?;
        std::thread::sleep(time);
        Ok(conn.execute_batch("rollback")?)
    }

    fn restart(&self, _: Duration, _: bool) -> Result<bool> {
        Ok(false)
    }
}
