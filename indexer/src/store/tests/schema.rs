//! The tables that migrations leave are those that rows are written to.

use super::*;
use crate::{
    row::{inner_tables, record::Kept, tables},
    store::sqlite::table::definition,
};
use rusqlite::Connection;
use serde_json::Value;

#[test]
fn a_record_is_as_wide_as_its_columns() {
    use joule_api::{Channel, Dispute, Job, Model, Plan, Provider};
    fn is_so<N: Kept>() {
        assert_eq!(N::WIDTH, N::table().columns.len(), "{}", N::table().name);
    }
    is_so::<Job>();
    is_so::<Provider>();
    is_so::<Dispute>();
    is_so::<Model>();
    is_so::<Channel>();
    is_so::<Plan>();
    is_so::<crate::row::distribution::Divided>();
}

#[test]
fn every_table_is_what_it_is_said_to_be() {
    let (folder, _store) = open_sqlite();
    let conn = Connection::open(folder.path().join("deep/indexer.sqlite")).unwrap();
    let mut asked = conn.prepare("select sql || ';' from sqlite_schema where type = 'table' and name = ?1").unwrap();
    for table in tables().into_iter().chain(inner_tables()) {
        let wanted = definition(table);
        let found: Vec<String> = [table.name]
            .into_iter()
            .chain(table.lists.iter().map(|list| list.table.as_str()))
            .map(|name| asked.query_row([name], |row| row.get(0)).unwrap_or_default())
            .map(|sql: String| sql.replace("CREATE TABLE", "create table"))
            .collect();
        assert_eq!(found.join("\n") + "\n", wanted, "write this into a migration: {wanted}");
    }
}

#[test]
fn every_table_of_postgresql_is_what_it_is_said_to_be() {
    for table in tables().into_iter().chain(inner_tables()) {
        let wanted = postgres::definition(table);
        let name = format!("create table {} (", table.name);
        let newest = postgres::STEPS.iter().rev().find(|step| step.contains(&name));
        assert!(newest.is_some_and(|step| step.contains(&wanted)), "write this into a migration: {wanted}");
    }
}

#[test]
fn every_table_of_clickhouse_is_what_it_is_said_to_be() {
    let wanted: String = tables().into_iter().chain(inner_tables()).map(clickhouse::definition).collect();
    assert!(clickhouse::STEPS[0].starts_with(&wanted), "write this into a migration: {wanted}");
}

/// A database as the release before left it: the demo's, of 93 events.
fn of_the_release_before(folder: &std::path::Path) -> std::path::PathBuf {
    let path = folder.join("indexer.sqlite");
    let packed = include_bytes!("../../../tests/fixtures/schema-8.sqlite.zst");
    std::fs::write(&path, zstd::decode_all(&packed[..]).unwrap()).unwrap();
    path
}

/// What a table had as JSON in a column.
fn bodies(conn: &Connection, table: &str) -> Vec<Value> {
    let mut statement = conn.prepare(&format!("select body from {table}")).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|body| serde_json::from_str(&body.unwrap()).unwrap()).collect()
}

fn rows<F: Filter<Noun: serde::Serialize> + Default>(store: &Sqlite) -> Vec<Value> {
    let page = PageRequest { after: None, limit: 1_000 };
    let nouns = store.list(&F::default(), &page, &[]).unwrap();
    let plain = |mut noun: F::Noun| {
        noun.set_commitment(Commitment::Confirmed);
        serde_json::to_value(noun).unwrap()
    };
    nouns.into_iter().map(plain).collect()
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    for value in &mut values {
        // Summed beside it, before.
        for field in ["paid_out", "returned", "jobs_running", "jobs_settled", "jobs_failed", "earned"] {
            value.as_object_mut().unwrap().remove(field);
        }
    }
    values.sort_by_key(|value| value["address"].to_string());
    values
}

#[test]
fn a_store_of_the_release_before_is_brought_up_to_date_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = of_the_release_before(folder.path());
    let before = Connection::open(&path).unwrap();
    let of = |table| sorted(bodies(&before, table));
    let then = [of("jobs"), of("providers"), of("disputes"), of("models"), of("channels"), of("plans")];
    let distributions = bodies(&before, "distributions");
    drop(before);
    let store = Sqlite::open(&path).unwrap();
    let now = [
        rows::<JobFilter>(&store),
        rows::<ProviderFilter>(&store),
        rows::<DisputeFilter>(&store),
        rows::<ModelFilter>(&store),
        rows::<ChannelFilter>(&store),
        rows::<PlanFilter>(&store),
    ]
    .map(sorted);
    assert_eq!(now, then);
    assert_eq!(then.map(|rows| rows.len()), [4, 6, 1, 1, 1, 0]);
    let page = PageRequest { after: None, limit: 10 };
    let divided = store.list(&DistributionFilter::default(), &page, &[]).unwrap();
    assert!(divided.iter().all(|of| of.payer.is_some() && of.model.is_some()));
    let confirmed = |of: crate::row::distribution::Divided| {
        serde_json::to_value(joule_api::Distribution { commitment: Commitment::Confirmed, ..of.into() }).unwrap()
    };
    let mut divided: Vec<Value> = divided.into_iter().map(confirmed).collect();
    let mut distributions = distributions;
    for list in [&mut divided, &mut distributions] {
        list.sort_by_key(|of| of["signature"].to_string());
    }
    assert_eq!((divided.len(), divided), (2, distributions));
    // The books are the same, and so is what a rebuilding of everything would say.
    assert_eq!(crate::verify::audit(&store).unwrap().differences, []);
}
