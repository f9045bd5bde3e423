//! What an indexer would do with its settings, by what they name: the chain by RPC and by gRPC, the database.

use crate::{
    config::Settings,
    source::{grpc::Grpc, rpc::Rpc, Endpoint, History as _},
    store::{self, database_is_of, is_blank, ClickHouse, Database, Postgres},
};
use joule_cors::Cors;
use joule_settings::{Report, Url};
use std::{net::IpAddr, path::Path, time::Duration};

/// For the RPC node, which is asked again anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shape alone, if `offline`.
pub async fn check(settings: &Settings, offline: bool) -> Report {
    let mut report = shape(settings);
    if !offline && report.ok {
        for ca in settings.grpc.0.iter().filter_map(|endpoint| endpoint.ca.as_ref()) {
            if let Err(error) = std::fs::File::open(ca) {
                let found = format_args!("cannot read {}: {error}", ca.display());
                report.wrong("grpc_ca", found, "name a file of PEM certificates");
            }
        }
        let node = Rpc::new(settings.rpc.clone(), false);
        let streams = Grpc::all(settings);
        let slots = futures::future::join_all(streams.iter().map(Grpc::slot));
        let (genesis, slots) = tokio::join!(tokio::time::timeout(PATIENCE, node.genesis()), slots);
        let genesis = rpc(&mut report, settings, genesis.unwrap_or_else(|_| Err(anyhow::anyhow!("it takes too long"))));
        database(&mut report, settings, genesis.as_deref());
        endpoints(&mut report, settings, &slots);
    }
    report
}

/// What needs nobody to answer.
pub fn shape(settings: &Settings) -> Report {
    let mut report = Report::new("indexer");
    let urls = settings.grpc.0.iter().map(|endpoint| ("grpc", &endpoint.url));
    for (of, url) in std::iter::once(("rpc", &settings.rpc)).chain(urls) {
        if !matches!(url.scheme(), "http" | "https") || url.host().is_empty() {
            report.wrong(
                of,
                format_args!("{url:?} is not an http(s) address"),
                "write one such as http://127.0.0.1:8899",
            );
        }
    }
    for Endpoint { url, x_token, .. } in &settings.grpc.0 {
        if x_token.is_some() && url.scheme() == "http" && !is_here(url.host()) {
            report.warning("grpc", format_args!("the token for {url} goes in the clear"), "write https://");
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

/// One that works is enough to follow the chain.
fn endpoints(report: &mut Report, settings: &Settings, slots: &[anyhow::Result<u64>]) {
    let works = slots.iter().any(Result::is_ok);
    for (Endpoint { url, .. }, slot) in settings.grpc.0.iter().zip(slots) {
        match slot {
            Ok(slot) => report.good("grpc", format_args!("{url} is at slot {slot}")),
            Err(error) if works => {
                report.warning("grpc", error, "the others are followed meanwhile; it is tried again");
            }
            Err(error) => report.waits("grpc", error, "check grpc and x_token; it is tried again"),
        }
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
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

/// What a server says of its database: whether there are tables.
fn server(report: &mut Report, url: &Url, found: store::Result<bool>, advice: &str) {
    match found {
        Ok(false) => report.good("database", format_args!("{url} has no tables yet; they will be made")),
        Ok(true) => report.good("database", format_args!("{url} goes on from where it is")),
        Err(error) if error.is_away() => {
            report.waits(
                "database",
                format_args!("{url}: {error}"),
                "start its server, or check database; it is asked again",
            );
        }
        Err(error) => report.wrong("database", error, advice),
    }
}

fn database(report: &mut Report, settings: &Settings, genesis: Option<&str>) {
    let advice = "name the one of this chain by --database or `database`";
    let path = match &settings.database {
        Database::File(path) => path,
        Database::Postgres(url) => {
            return server(report, url, Postgres::is_of(url.expose(), genesis), advice);
        }
        Database::ClickHouse(url) => {
            return server(report, url, ClickHouse::is_of(url.expose(), genesis), advice);
        }
    };
    if !path.exists() || is_blank(path) {
        return joule_checks::writable(report, "database", path.parent().unwrap_or(Path::new("")));
    }
    match database_is_of(path, genesis) {
        Ok(()) => report.good("database", format_args!("{} goes on from where it is", path.display())),
        Err(error) => report.wrong("database", error, advice),
    }
}
