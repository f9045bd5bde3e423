//! A file, served: Yellowstone gRPC as a validator's plugin speaks it, and JSON-RPC as far as an indexer asks.
//!
//! What is measured is who listens, so that this costs little: updates are sent as they stand in the file, with the names of the
//! filters before and the time behind them, and are never decoded.

mod chain;
mod codec;
pub mod faults;
mod filter;
pub mod ledger;
mod level;
mod rpc;
mod service;
mod session;

pub use chain::{Chain, Hook, Rate, Start};

use anyhow::{Context, Result};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[derive(clap::Args)]
pub struct Args {
    /// What `record` or `scale` made
    #[arg(long)]
    file: PathBuf,
    /// Updates a second, or `max`
    #[arg(long, default_value = "max")]
    rate: Rate,
    #[arg(long, default_value = "127.0.0.1:10000", value_name = "ADDRESS")]
    listen: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:8899", value_name = "ADDRESS")]
    rpc_listen: SocketAddr,
    /// Milliseconds between the blocks in which nothing happens and the rest, for whoever looks around before it follows
    #[arg(long, default_value_t = 2_000)]
    settle_ms: u64,
    /// Keep all of it in memory, so that JSON-RPC knows what happened in it; for files of moderate size
    #[arg(long)]
    history: bool,
}

/// Serves until Ctrl-C.
pub async fn run(args: Args) -> Result<()> {
    let chain = Chain::open(&args.file, args.rate, Start::After(Duration::from_millis(args.settle_ms)))?;
    let chain = Arc::new(if args.history { chain.with_history()? } else { chain });
    let stop = CancellationToken::new();
    let served = start(chain, args.listen, args.rpc_listen, stop.clone()).await?;
    println!("gRPC http://{}, RPC http://{}; Ctrl-C stops it", served.grpc, served.rpc);
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    Ok(())
}

/// Where it listens.
#[derive(Debug, Clone, Copy)]
pub struct Served {
    pub grpc: SocketAddr,
    pub rpc: SocketAddr,
}

/// Serves in the background until `stop`. Port 0 takes a free one.
pub async fn start(chain: Arc<Chain>, grpc: SocketAddr, rpc: SocketAddr, stop: CancellationToken) -> Result<Served> {
    let bind = |address| async move {
        TcpListener::bind(address).await.with_context(|| format!("cannot listen at {address}"))
    };
    let (grpc, rpc) = (bind(grpc).await?, bind(rpc).await?);
    let served = Served { grpc: grpc.local_addr()?, rpc: rpc.local_addr()? };
    let answers = axum::serve(rpc, rpc::router(chain.clone())).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::spawn(async move { answers.await });
    tokio::spawn(service::serve(grpc, chain, stop));
    Ok(served)
}
