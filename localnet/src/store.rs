//! The artifact service of a local network, for whoever has no part of its folder, such as web pages.

use crate::{ports::Reserved, LocalnetError};
use joule_settings::Causes;
use joule_store::{config::Settings, Server};
use std::path::Path;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Any page that is open on this machine may store here.
const MAX_STORED: u64 = 10 << 30;

/// Dropped, it stops by itself.
pub struct Store {
    server: Server,
    stop: DropGuard,
}

impl Store {
    /// `reserved` is the port's, which is chosen by whoever binds it if it is 0.
    pub async fn start(folder: &Path, port: u16, reserved: Reserved) -> Result<Self, LocalnetError> {
        let failed = |error: &dyn std::fmt::Display| LocalnetError::Artifacts(error.to_string());
        let settings = Settings {
            artifacts: folder.display().to_string(),
            listen: ([127, 0, 0, 1], port).into(),
            max_stored: MAX_STORED,
            cors_origins: vec!["*".to_owned()],
            ..Settings::default()
        };
        drop(reserved);
        let stop = CancellationToken::new();
        let started = Server::start(&settings, None, stop.clone()).await;
        let server = started.map_err(|error| failed(&Causes(error.as_ref())))?;
        Ok(Self { server, stop: stop.drop_guard() })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.server.finished().await {
            tracing::warn!(%error);
        }
    }
}
