//! Joule's accounts and events in PostgreSQL, by Yellowstone Vixen: its source, two parsers, and a handler. See ../README.md.

mod accounts;
mod column;
mod events;
mod store;

use accounts::AccountParser;
use clap::Parser;
use column::Failed;
use events::EventParser;
use store::Store;
use yellowstone_vixen::{
    config::{BufferConfig, VixenConfig},
    CommitmentLevel, Pipeline, Runtime,
};
use yellowstone_vixen_yellowstone_grpc_source::{YellowstoneGrpcConfig, YellowstoneGrpcSource};

#[derive(Parser)]
struct Args {
    /// Where updates come from; without it what is stored is printed
    #[arg(long)]
    grpc: Option<String>,
    #[arg(long)]
    database: String,
    /// Updates that are handled at a time, each with a connection; without it as many as there are cores, which is Vixen's default
    #[arg(long)]
    jobs: Option<usize>,
    /// Connect once: without it the client connects again by itself, and drops what it takes for a repetition
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let args = Args::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let store = Store::open(&args.database, args.jobs.unwrap_or(cores)).await?;
    let Some(endpoint) = args.grpc else { return store.dump().await };
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("nobody has done so before");
    store.make().await?;
    let source = YellowstoneGrpcConfig {
        endpoint,
        x_token: None,
        timeout: 120,
        commitment_level: Some(CommitmentLevel::Confirmed),
        from_slot: None,
        max_decoding_message_size: None,
        accept_compression: None,
        auto_reconnect: !args.once,
        reconnect_max_retries: None,
        reconnect_slot_retention: None,
    };
    let buffer = BufferConfig { jobs: args.jobs, ..Default::default() };
    let runtime = Runtime::<YellowstoneGrpcSource>::builder()
        .account(Pipeline::new(AccountParser, [store.clone()]))
        .instruction(Pipeline::new(EventParser::new(), [store]))
        .build(VixenConfig { source, buffer });
    Ok(runtime.try_run_async().await?)
}
