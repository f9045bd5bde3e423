//! HTTP connections of a service that strangers can reach: accepted while there are places, read and written with limits, ended
//! gracefully.
//!
//! `axum::serve` has no limits, and copies every route, with all that its handlers hold, for each connection.

mod share;

pub use share::{Peer, Share, Shares, Taken};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::Service as _, Request};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After an error of accepting, such as too many open files: it passes.
const PAUSE: Duration = Duration::from_millis(100);
/// Of what one address wants too much of.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// What one connection, and all of them, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open at a time; further ones wait until one ends.
    pub connections: usize,
    /// Of these, those of one address; further ones are closed at once.
    pub share: Share,
    /// Longest head of a request, in bytes.
    pub header_bytes: usize,
    /// For the head of a request, and so also between two of them.
    pub header: Duration,
    /// For a client to take what is written.
    pub write: Duration,
}

/// Why there is no listening.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error(
        "{address} is in use already: stop the program that listens there, or choose another address by {setting}"
    )]
    Taken { address: SocketAddr, setting: &'static str },
    #[error("cannot listen on {address}: {source}; choose another address by {setting}")]
    Other { address: SocketAddr, setting: &'static str, source: std::io::Error },
}

/// Listens; `setting` is where the address can be changed.
pub async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => BindError::Taken { address, setting },
        _ => BindError::Other { address, setting, source },
    })
}

/// Serves until `stop`, and then listens no more. The connections that are still at a request are in what it returns: whoever
/// called it decides for how long. Requests have their [`Peer`] among their extensions.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) -> TaskTracker {
    // Once, so that connections share the routes.
    let router = router.with_state(());
    let places = Arc::new(Semaphore::new(limits.connections));
    let shares = Shares::new(limits.connections, limits.share);
    let mut warned: Option<Instant> = None;
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let Some(share) = shares.take(peer, 1) else {
                    if warned.is_none_or(|at| at.elapsed() > WARN_EVERY) {
                        warned = Some(Instant::now());
                        tracing::warn!(%peer, "an address has its share of connections, and more are closed: if it is a proxy, raise address_share");
                    }
                    continue;
                };
                let connection = connection(stream, peer, router.clone(), limits, stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop((place, share));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections
}

type Accepted = (TcpStream, Peer, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, address.ip().into(), place))
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, limits: Limits, stop: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header).max_buf_size(limits.header_bytes);
    // hyper waits for ever for a client that does not read.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write));
    let routes = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        routes.call(request)
    });
    let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
