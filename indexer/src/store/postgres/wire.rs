//! A connection for whoever may wait: what it asks is done on a runtime of the store's own, so that it can be used from any thread.

use crate::{
    row::cell::Cell as Value,
    store::{Result, StoreError},
};
use deadpool_postgres::{HookError, Object, PoolError};
use futures::pin_mut;
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    future::Future,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};
use tokio::runtime::Handle;
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    error::SqlState,
    types::{ToSql, Type},
    Row,
};

type Parameter = Box<dyn ToSql + Sync + Send>;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            // Only what is bounded is interrupted.
            Some(code) if *code == SqlState::QUERY_CANCELED => Self::TooMuch,
            Some(code) if AWAY.contains(code) => Self::Away(with_causes(&error)),
            None if error.is_closed() || is_of_network(&error) => Self::Away(with_causes(&error)),
            _ => Self::Database(with_causes(&error).into()),
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            error => Self::Database(with_causes(&error).into()),
        }
    }
}

/// What a server says that is being started or stopped, or that has too much to do.
const AWAY: [SqlState; 6] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::CONNECTION_FAILURE,
    SqlState::CONNECTION_DOES_NOT_EXIST,
];

/// It could not be reached, or went away while it was asked.
fn is_of_network(error: &tokio_postgres::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other};
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    // Those are a certificate that is not trusted, or what cannot be understood.
    cause.is_some_and(|cause| !matches!(cause.kind(), InvalidData | InvalidInput | Other))
}

/// What happened, and why: the first alone says "db error".
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

/// Waits for something, on whatever thread.
pub fn wait<T: Send + 'static>(
    runtime: &Handle,
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (done, waiting) = std::sync::mpsc::sync_channel(1);
    runtime.spawn(async move {
        // What it held is let go of before whoever waits goes on.
        let result = future.await;
        let _ = done.send(result);
    });
    let gone = |_| StoreError::Database("the connection's runtime is gone".into());
    waiting.recv().map_err(gone)?
}

/// See the module.
pub struct Connection {
    /// `None` when it is dropped.
    client: Option<Arc<Object>>,
    runtime: Handle,
    /// It is within a transaction.
    within: Cell<bool>,
    /// Tables that rows were copied into, within this transaction.
    copied: RefCell<HashSet<String>>,
}

impl Connection {
    pub fn new(client: Object, runtime: Handle) -> Self {
        Self { client: Some(Arc::new(client)), runtime, within: Cell::new(false), copied: RefCell::default() }
    }

    fn client(&self) -> Result<Arc<Object>> {
        self.client.clone().ok_or_else(|| StoreError::Database("the connection is gone".into()))
    }

    /// Statements without values and rows.
    pub fn batch(&self, sql: impl Into<String>) -> Result<()> {
        let (client, sql) = (self.client()?, sql.into());
        wait(&self.runtime, async move { Ok(client.batch_execute(&sql).await?) })
    }

    /// The rows of a statement whose values are arrays.
    pub fn query(&self, sql: String, arrays: Vec<Vec<Value>>) -> Result<Vec<Row>> {
        self.select(sql, Vec::new(), arrays)
    }

    /// The rows of a statement whose values are single ones, and then arrays.
    pub fn select(&self, sql: String, values: Vec<Value>, arrays: Vec<Vec<Value>>) -> Result<Vec<Row>> {
        let client = self.client()?;
        let values = values.into_iter().map(|value| Box::new(value) as Parameter);
        let parameters: Vec<_> = values.chain(arrays.into_iter().map(|array| Box::new(array) as Parameter)).collect();
        wait(&self.runtime, async move {
            let statement = client.prepare_cached(&sql).await?;
            let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|of| &**of as _).collect();
            Ok(client.query(&statement, &parameters).await?)
        })
    }

    pub fn execute(&self, sql: String, arrays: Vec<Vec<Value>>) -> Result<()> {
        self.query(sql, arrays).map(drop)
    }

    /// Opens a cursor, and says its name.
    pub fn cursor(&self, sql: String, values: Vec<Value>) -> Result<String> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let name = format!("pages_{}", OPENED.fetch_add(1, Ordering::Relaxed));
        let (client, sql) = (self.client()?, format!("declare {name} no scroll cursor for {sql}"));
        wait(&self.runtime, async move {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            client.execute(&sql, &values).await?;
            Ok(())
        })?;
        Ok(name)
    }

    /// The next rows of a cursor.
    pub fn fetch(&self, count: usize, cursor: &str) -> Result<Vec<Row>> {
        let (client, sql) = (self.client()?, format!("fetch {count} from {cursor}"));
        wait(&self.runtime, async move { Ok(client.query(&sql, &[]).await?) })
    }

    /// Makes a table for rows that are copied, where there is none, and empties it.
    pub fn stage(&self, table: &str, make: &str) -> Result<()> {
        self.batch(make)?;
        if !self.copied.borrow_mut().insert(table.to_owned()) {
            self.batch(format!("truncate {table}"))?;
        }
        Ok(())
    }

    /// Copies rows: `copy` names the table and its columns.
    pub fn copy(&self, copy: String, types: Vec<Type>, rows: Vec<Vec<Value>>) -> Result<()> {
        let client = self.client()?;
        wait(&self.runtime, async move {
            let writer = BinaryCopyInWriter::new(client.copy_in(&copy).await?, &types);
            pin_mut!(writer);
            for row in &rows {
                let mut values: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(row.len());
                for cell in row {
                    values.push(cell);
                }
                writer.as_mut().write(&values).await?;
            }
            writer.finish().await?;
            Ok(())
        })
    }

    /// Begins a transaction.
    pub fn begin(&self, how: &str) -> Result<()> {
        self.within.set(true);
        self.batch(how)
    }

    /// Ends it.
    pub fn end(self, how: &str) -> Result<()> {
        self.batch(how)?;
        self.within.set(false);
        Ok(())
    }
}

impl Drop for Connection {
    /// Whoever panics or fails within a transaction leaves it to nobody: the pool gets no connection back that is within one.
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| self.within.get()).and_then(Arc::into_inner) {
            drop(Object::take(client));
        }
    }
}
