//! Joule's indexer: what the chain says, in a form that can be asked.
//!
//! ```text
//! gRPC -> source -> order -> decode -> store -> api
//!                     \-> overlay ------^   \-> scheduler
//! ```
//!
//! Each folder is one step; `pipeline` joins them. The README says what is guaranteed and how.

pub mod api;
pub mod check;
pub mod config;
pub mod copied;
pub mod crash;
pub mod decode;
pub mod export;
pub mod feed;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod health;
pub mod order;
pub mod patience;
pub mod pipeline;
pub mod query;
pub mod redecode;
pub mod rewind;
pub mod row;
pub mod scheduler;
pub mod schema;
pub mod source;
pub mod store;
pub mod telemetry;
#[cfg(any(test, feature = "fuzz"))]
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod testing;
pub mod types;
pub mod verify;

use anyhow::Context as _;
use config::Settings;
use feed::Feed;
use health::Health;
use joule_cors::Cors;
use joule_listen::Limits;
use patience::patiently;
use pipeline::{Pipeline, Shared};
use query::{Overlay, View};
use scheduler::Scheduler;
use source::{grpc::Grpc, rpc::Rpc, History, Source};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::StoreError;
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Items that a reader of the feed may be behind.
const FEED_ITEMS: usize = 16_384;
/// Longest head of a request.
const HEADER_BYTES: usize = 64 * 1024;
/// How long requests that were begun may take when the indexer stops.
const DRAIN: Duration = Duration::from_secs(10);

/// A running indexer.
pub struct Indexer {
    address: SocketAddr,
    pipeline: Pipeline,
    server: JoinHandle<TaskTracker>,
    health: Arc<Health>,
    stop: CancellationToken,
}

impl Indexer {
    /// Follows the chain through gRPC and RPC.
    pub async fn start(settings: &Settings, stop: CancellationToken) -> anyhow::Result<Self> {
        let health = Arc::new(Health::of(settings.grpc.names()));
        let history = Rpc::new(settings.rpc.clone(), settings.accept_gap);
        Self::start_with(Grpc::all(settings), history, health, settings, stop).await
    }

    /// Follows any sources. The API is bound before anything else happens.
    pub async fn start_with(
        sources: Vec<impl Source>,
        history: impl History,
        health: Arc<Health>,
        settings: &Settings,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let Settings { database, listen, .. } = settings;
        let listener = joule_listen::bind(*listen, "--listen or `listen` in [indexer]").await?;
        let address = listener.local_addr()?;
        let cors = Cors::new(&settings.cors_origins, &["etag"]).context("check --cors-origins")?;
        let metrics = telemetry::metrics().context("metrics cannot be collected")?;
        let opening = {
            let (database, health, stop) = (database.clone(), health.clone(), stop.clone());
            move || {
                let store = patiently(&health, &stop, StoreError::is_away, || database.open_alone())?;
                let scheduler = patiently(&health, &stop, StoreError::is_away, || Scheduler::load(&*store))?;
                Ok::<_, StoreError>((store, scheduler))
            }
        };
        let (store, scheduler) = tokio::task::spawn_blocking(opening).await??;
        let overlay = Arc::new(Overlay::default());
        let feed = Arc::new(Feed::new(FEED_ITEMS));
        let scheduler = Arc::new(scheduler);
        let view = View::new(store.clone(), overlay.clone());
        let state = api::State {
            view,
            feed: feed.clone(),
            health: health.clone(),
            scheduler: scheduler.clone(),
            metrics,
            readers: Arc::new(Semaphore::new(settings.connections.div_ceil(2))),
            stop: stop.clone(),
        };
        let shared = Shared { store, overlay, feed, health: health.clone(), scheduler, stop: stop.clone() };
        let mut pipeline = Pipeline::start(sources, history, shared)?;
        if pipeline.is_refused().await {
            // Nobody is answered from what belongs to another chain.
            pipeline.finished().await?;
            anyhow::bail!("nothing is followed");
        }
        let limits = Limits {
            connections: settings.connections,
            share: settings.address_share,
            header_bytes: HEADER_BYTES,
            header: settings.idle,
            write: settings.idle,
        };
        let router = api::router(state);
        let router = match cors {
            Some(cors) => cors.around(router),
            None => router,
        };
        let server = tokio::spawn(joule_listen::serve(listener, router, limits, stop.clone()));
        tracing::info!(%address, %database, "serving");
        Ok(Self { address, pipeline, server, health, stop })
    }

    /// Where the API is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for `stop`, or for a failure that trying again does not repair; then stores what was received and ends.
    pub async fn finished(self) -> anyhow::Result<()> {
        let Self { pipeline, server, health, stop, .. } = self;
        let stopping = stop.clone();
        tokio::spawn(async move {
            stopping.cancelled().await;
            health.stopping();
        });
        let result = pipeline.finished().await;
        // Whatever ended the pipeline, nobody should be answered from a store that no longer follows.
        stop.cancel();
        if timeout(DRAIN, server.await?.wait()).await.is_err() {
            tracing::warn!("requests are cut off: they took too long");
        }
        result
    }
}
