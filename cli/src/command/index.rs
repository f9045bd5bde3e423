//! `joule index`: what the indexer knows, and whether it is well.

use crate::{context::Options, failure::Failure, output};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Health and totals; exits with 5 when the indexer is not well
    Status,
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    let Command::Status = command;
    let index = options.index();
    let health = index.health().await?;
    let totals = index.totals().await?;
    if options.json {
        output::json(&serde_json::json!({ "health": health, "totals": totals }))?;
    } else {
        println!(
            "indexer {}: {}, stream at slot {}, stored up to slot {}",
            index.base(),
            health.phase,
            health.tip_slot,
            health.checkpoint_slot
        );
        println!("providers: {} active of {}", totals.providers_active, totals.providers_total);
        let mut table = output::table([
            "mint",
            "open",
            "accepted",
            "delivered",
            "settled",
            "refunded",
            "escrowed",
            "to providers",
            "fees",
            "refunded to clients",
        ]);
        for m in &totals.mints {
            table.add_row([
                output::short(&m.mint),
                m.jobs_open.to_string(),
                m.jobs_accepted.to_string(),
                m.jobs_delivered.to_string(),
                m.jobs_settled.to_string(),
                m.jobs_refunded.to_string(),
                m.escrowed.to_string(),
                m.paid_to_providers.to_string(),
                m.paid_in_fees.to_string(),
                m.refunded.to_string(),
            ]);
        }
        println!("{table}");
    }
    match health.ok {
        true => Ok(()),
        false => {
            let reason = health.reason.unwrap_or_else(|| health.phase.clone());
            Err(Failure::Api(joule_api::ApiError::Refused { status: 503, code: "unwell".into(), message: reason }))
        }
    }
}
