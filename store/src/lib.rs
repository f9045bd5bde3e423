//! An artifact service: bytes in, hash out; hash in, bytes out, for whoever can reach it.
//!
//! ```text
//! PUT -> receive (traffic, space) -> crates/artifacts -> give (traffic) -> GET
//! ```

pub mod api;
pub mod check;
pub mod config;
mod failure;
mod give;
mod health;
mod receive;
mod space;
pub mod telemetry;
mod traffic;

use anyhow::Context as _;
use config::Settings;
use joule_artifacts::ArtifactStore;
use joule_cors::Cors;
use joule_listen::Limits;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longest head of a request, in bytes.
const HEADER_BYTES: usize = 16 << 10;
/// How long requests that were begun may take when it stops.
const DRAIN: Duration = Duration::from_secs(20);

/// A running service.
pub struct Server {
    address: SocketAddr,
    connections: JoinHandle<TaskTracker>,
    stop: CancellationToken,
}

impl Server {
    /// On return it serves. Without `metrics` there is no `/metrics`.
    pub async fn start(
        settings: &Settings,
        metrics: Option<PrometheusHandle>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = joule_listen::bind(settings.listen, "--listen or `listen` in [store]").await?;
        let address = listener.local_addr()?;
        let cors = Cors::new(&settings.cors_origins, &["retry-after"]).context("check --cors-origins")?;
        let store = ArtifactStore::open(&settings.artifacts)?;
        if let Some(folder) = store.folder() {
            joule_artifacts::sweep(folder).with_context(|| format!("clearing {}", folder.display()))?;
        }
        let space = space::Space::measure(&store, settings).await?;
        let state = Arc::new(api::State::new(store, space, settings, metrics));
        let router = api::router(state);
        let router = match cors {
            Some(cors) => cors.around(router),
            None => router,
        };
        let limits = Limits {
            connections: settings.connections,
            share: settings.address_share,
            header_bytes: HEADER_BYTES,
            header: settings.idle,
            write: settings.idle,
        };
        let connections = tokio::spawn(joule_listen::serve(listener, router, limits, stop.clone()));
        tracing::info!(%address, artifacts = settings.artifacts, "serving");
        Ok(Self { address, connections, stop })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for `stop`, and then for the requests that were begun.
    pub async fn finished(self) -> anyhow::Result<()> {
        self.stop.cancelled().await;
        if timeout(DRAIN, self.connections.await?.wait()).await.is_err() {
            tracing::warn!("requests are cut off: they took too long");
        }
        Ok(())
    }
}
