//! Joule's accounts and events in PostgreSQL, by Carbon: its Yellowstone source, a decoder, its PostgreSQL processors. See ../README.md.

mod accounts;
mod column;
mod dump;
mod events;
mod migration;

use accounts::{JouleAccount, JouleAccountWithMetadata, JouleDecoder};
use carbon_core::{
    error::{CarbonResult, Error},
    pipeline::{Pipeline, ShutdownStrategy, DEFAULT_CHANNEL_BUFFER_SIZE},
    postgres::{
        processors::{PostgresAccountProcessor, PostgresJsonInstructionProcessor},
        rows::GenericInstructionMigration,
    },
};
use carbon_yellowstone_grpc_datasource::{YellowstoneGrpcClientConfig, YellowstoneGrpcGeyserClient};
use clap::Parser;
use events::JouleEvent;
use migration::JouleAccountsMigration;
use sqlx_migrator::{Info as _, Migrate as _, Migrator, Plan};
use std::collections::HashMap;
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, SubscribeRequestFilterAccounts, SubscribeRequestFilterTransactions,
};

#[derive(Parser)]
struct Args {
    /// Where updates come from; without it what is stored is printed
    #[arg(long)]
    grpc: Option<String>,
    #[arg(long)]
    database: String,
    /// Updates between the source and the pipeline; what is more, the source drops
    #[arg(long, default_value_t = DEFAULT_CHANNEL_BUFFER_SIZE)]
    buffer: usize,
}

#[tokio::main]
async fn main() -> CarbonResult<()> {
    env_logger::init();
    let failed = |error: &dyn std::error::Error| Error::Custom(error.to_string());
    let args = Args::parse();
    let pool = sqlx::PgPool::connect(&args.database).await.map_err(|error| failed(&error))?;
    let Some(grpc) = args.grpc else { return dump::dump(&pool).await };
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("nobody has done so before");

    let mut migrator = Migrator::default();
    migrator.add_migration(Box::new(JouleAccountsMigration)).map_err(|error| failed(&error))?;
    migrator.add_migration(Box::new(GenericInstructionMigration)).map_err(|error| failed(&error))?;
    let mut connection = pool.acquire().await.map_err(|error| failed(&error))?;
    migrator.run(&mut connection, &Plan::apply_all()).await.map_err(|error| failed(&error))?;
    drop(connection);

    let decoder = JouleDecoder::new();
    let programs: Vec<String> = decoder.programs.iter().map(ToString::to_string).collect();
    let accounts = SubscribeRequestFilterAccounts { owner: programs.clone(), ..Default::default() };
    let transactions = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: programs,
        ..Default::default()
    };
    let source = YellowstoneGrpcGeyserClient::new(
        grpc,
        None,
        Some(CommitmentLevel::Confirmed),
        HashMap::from([("accounts".to_owned(), accounts)]),
        HashMap::from([("transactions".to_owned(), transactions)]),
        Default::default(),
        YellowstoneGrpcClientConfig::default(),
        None,
        None,
    );
    Pipeline::builder()
        .datasource(source)
        .account(decoder.clone(), PostgresAccountProcessor::<JouleAccount, JouleAccountWithMetadata>::new(pool.clone()))
        .instruction(decoder, PostgresJsonInstructionProcessor::<JouleEvent>::new(pool.clone()))
        .channel_buffer_size(args.buffer)
        .shutdown_strategy(ShutdownStrategy::Immediate)
        .build()?
        .run()
        .await
}
