//! `joule index`: what the indexer knows, and whether it is well.

use crate::{context::Options, failure::Failure, output, view::View};
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
    let view = View::of(options, totals.mints.iter().map(|mint| mint.mint.as_str())).await;
    if options.json {
        view.json(&serde_json::json!({ "health": health, "totals": totals }), None)?;
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
            "token",
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
            let amount = |units: u128| view.amount(&m.mint, units);
            table.add_row([
                output::short(&m.mint),
                m.jobs_open.to_string(),
                m.jobs_accepted.to_string(),
                m.jobs_delivered.to_string(),
                m.jobs_settled.to_string(),
                m.jobs_refunded.to_string(),
                amount(m.escrowed),
                amount(m.paid_to_providers),
                amount(m.paid_in_fees),
                amount(m.refunded),
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
