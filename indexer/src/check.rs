//! What an indexer would do with its settings, by what they name: the chain by RPC and by gRPC, the database.

use crate::{
    config::Settings,
    source::{grpc::Grpc, rpc::Rpc, History as _},
    store::database_is_of,
};
use joule_cors::Cors;
use joule_settings::Report;
use rusqlite::{Connection, OpenFlags};
use std::{path::Path, sync::Arc, time::Duration};

/// For the RPC node, which is asked again anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shape alone, if `offline`.
pub async fn check(settings: &Settings, offline: bool) -> Report {
    let mut report = shape(settings);
    if !offline && report.ok {
        let node = Rpc::new(settings.rpc.clone(), false);
        let stream = Grpc::new(settings, Arc::default());
        let (genesis, slot) = tokio::join!(tokio::time::timeout(PATIENCE, node.genesis()), stream.slot());
        let genesis = rpc(&mut report, settings, genesis.unwrap_or_else(|_| Err(anyhow::anyhow!("it takes too long"))));
        database(&mut report, settings, genesis.as_deref());
        match slot {
            Ok(slot) => report.good("grpc", format_args!("{} is at slot {slot}", settings.grpc)),
            Err(error) => report.waits("grpc", error, "check grpc and x_token; it is tried again"),
        }
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

fn rpc(report: &mut Report, settings: &Settings, genesis: anyhow::Result<String>) -> Option<String> {
    match genesis {
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

/// Made, and never written to: what a start leaves that was ended at once.
fn is_blank(path: &Path) -> bool {
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let tables = opened.and_then(|conn| conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)));
    tables.is_ok_and(|tables: i64| tables == 0)
}

fn database(report: &mut Report, settings: &Settings, genesis: Option<&str>) {
    let path = &settings.database;
    if !path.exists() || is_blank(path) {
        return joule_checks::writable(report, "database", path.parent().unwrap_or(Path::new("")));
    }
    let advice = "name the one of this chain by --database or `database`";
    match database_is_of(path, genesis) {
        Ok(()) => report.good("database", format_args!("{} goes on from where it is", path.display())),
        Err(error) => report.wrong("database", error, advice),
    }
}
