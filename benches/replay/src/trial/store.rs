//! The stores that a run may be about.

use crate::compare::{self, Stored};
use anyhow::Result;
use std::{path::PathBuf, sync::Arc, time::Duration};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    Sqlite,
}

/// One store of an indexer, empty at first.
pub trait Store: Send + Sync {
    /// What the indexer is told to use it.
    fn arguments(&self) -> Vec<String>;
    /// For reading, once the indexer has made it.
    fn open(&self) -> Option<Box<dyn Stored>>;
    /// Has it take nothing for so long. Blocks.
    fn stall(&self, time: Duration) -> Result<()>;
}

impl Engine {
    /// `place` is a path that nothing else uses.
    pub fn store(self, place: PathBuf) -> Arc<dyn Store> {
        match self {
            Self::Sqlite => Arc::new(Sqlite(place)),
        }
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
}
