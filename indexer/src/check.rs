//! What an indexer would do with its settings, by what they name: the chain by RPC and by gRPC, the database.

use crate::{
    config::Settings,
    source::{grpc::Grpc, rpc::Rpc, History as _},
    store::database_is_of,
};
use joule_cors::Cors;
use joule_settings::Report;
use std::{path::Path, sync::Arc};

/// The shape alone, if `offline`.
pub async fn check(settings: &Settings, offline: bool) -> Report {
    let mut report = shape(settings);
    if !offline && report.ok {
        let genesis = rpc(&mut report, settings).await;
        database(&mut report, settings, genesis.as_deref());
        grpc(&mut report, settings).await;
    }
    report
}

/// What needs nobody to answer.
pub fn shape(settings: &Settings) -> Report {
    let mut report = Report::new("indexer");
    for (of, url) in [("rpc", &settings.rpc), ("grpc", &settings.grpc)] {
        let good =
            ["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
        if !good {
            report.wrong(
                of,
                format_args!("{url:?} is not an http(s) address"),
                "write one such as http://127.0.0.1:8899",
            );
        }
    }
    if let Err(error) = Cors::new(&settings.cors_origins, &[]) {
        report.wrong("cors_origins", error, "name web pages so");
    }
    if report.ok {
        report.good("settings", format_args!("their form is good; the API would be at {}", settings.listen));
    }
    report
}

async fn rpc(report: &mut Report, settings: &Settings) -> Option<String> {
    match Rpc::new(settings.rpc.clone(), false).genesis().await {
        Ok(genesis) => {
            report.good("rpc", format_args!("{} serves the chain of genesis {genesis}", settings.rpc));
            Some(genesis)
        }
        Err(error) => {
            let cause = joule_checks::last_cause(error.as_ref());
            report.waits(
                "rpc",
                format_args!("{} does not answer: {cause}", settings.rpc),
                "check rpc; it is asked again",
            );
            None
        }
    }
}

fn database(report: &mut Report, settings: &Settings, genesis: Option<&str>) {
    let path = &settings.database;
    if !path.exists() {
        return joule_checks::writable(report, "database", path.parent().unwrap_or(Path::new("")));
    }
    let advice = "name the one of this chain by --database or `database`";
    match database_is_of(path, genesis) {
        Ok(()) => report.good("database", format_args!("{} goes on from where it is", path.display())),
        Err(error) => report.wrong("database", error, advice),
    }
}

async fn grpc(report: &mut Report, settings: &Settings) {
    let stream = Grpc::new(settings, Arc::default());
    match stream.slot().await {
        Ok(slot) => report.good("grpc", format_args!("{} is at slot {slot}", settings.grpc)),
        Err(error) => report.waits("grpc", error, "check grpc and x_token; it is tried again"),
    }
}
