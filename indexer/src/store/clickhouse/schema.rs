//! The schema, one step after the other, as SQL for one server. A step that was released never changes. With a cluster each table is one
//! of each server's, `jobs_local`, and `jobs` is all of them; with replicas the tables of a shard are one.

use super::{
    servers::Servers,
    value::Input,
    wire::{code, Bound, Wire, UNKNOWN_DATABASE, UNKNOWN_TABLE},
};
use crate::store::{Result, StoreError};

/// One a version of the schema.
pub const STEPS: &[&str] = &[include_str!("../../../migrations/clickhouse/0001_tables.sql")];

const CREATE: &str = "create table if not exists ";
const ENGINE: &str = "ReplacingMergeTree(";

/// What version every statement knows; none: nothing was made.
pub fn version(wire: &Wire) -> Result<Option<i64>> {
    match wire.select("select max(version) from schema_version where id = 1", Bound::default(), &[]) {
        Ok(answer) => Ok(Input(&answer).uint().map(|version| version as i64).filter(|version| *version > 0)),
        Err(error) if matches!(code(&error), Some(UNKNOWN_TABLE | UNKNOWN_DATABASE)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn migrate(wire: &Wire, servers: &Servers) -> Result<()> {
    let known = STEPS.len() as i64;
    let found = version(wire)?.unwrap_or_default();
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    check_cluster(wire, servers)?;
    for at in 0..wire.count() {
        wire.execute_at(at, Some("default"), &format!("create database if not exists `{}`", servers.database))?;
        for step in &STEPS[found.max(0) as usize..] {
            for statement in statements(step, servers) {
                wire.execute_at(at, None, &statement)?;
            }
        }
    }
    let mut row = vec![1];
    row.extend_from_slice(&(known as u64).to_le_bytes());
    wire.insert("schema_version (id, version)", row.into())
}

/// Tables are made at each server, so all of them have to be named.
fn check_cluster(wire: &Wire, servers: &Servers) -> Result<()> {
    let Some(cluster) = &servers.cluster else { return Ok(()) };
    let refused = |reason: String| StoreError::Open { path: cluster.clone(), reason };
    let of = format!("select count() from system.clusters where cluster = '{cluster}'");
    // The database may not be there yet.
    let answer = wire.select_from_system(&of)?;
    let count = Input(&answer).uint().unwrap_or_default();
    match count {
        0 => Err(refused("the servers know no cluster of this name; see system.clusters".to_owned())),
        count if count != wire.count() as u64 => Err(refused(format!(
            "the cluster has {count} servers and the URL names {}: name all of them, with commas between, to have tables made there",
            wire.count()
        ))),
        _ => Ok(()),
    }
}

/// The statements of a step, as some servers need them.
pub fn statements(step: &str, servers: &Servers) -> Vec<String> {
    let plain = step.split(";\n").map(|statement| {
        statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n").trim().to_owned()
    });
    plain.filter(|statement| !statement.is_empty()).flat_map(|statement| placed(statement, servers)).collect()
}

fn placed(statement: String, Servers { cluster, replicated, database, .. }: &Servers) -> Vec<String> {
    let Some(rest) = statement.strip_prefix(CREATE) else { return vec![statement] };
    let Some((name, rest)) = rest.split_once(' ') else { return vec![statement] };
    let mut rest = rest.to_owned();
    if *replicated {
        let path = format!("Replicated{ENGINE}'/clickhouse/tables/{{shard}}/{database}/{name}', '{{replica}}', ");
        rest = rest.replacen(ENGINE, &path, 1);
    }
    let Some(cluster) = cluster else { return vec![format!("{CREATE}{name} {rest}")] };
    let key = rest.split_once("order by (").and_then(|(_, key)| key.split([',', ')']).next()).unwrap_or_default();
    let all = format!(
        "{CREATE}{name} as {name}_local engine = Distributed(`{cluster}`, `{database}`, {name}_local, cityHash64({key}))"
    );
    vec![format!("{CREATE}{name}_local {rest}"), all]
}

/// What makes the table.
#[cfg(test)]
pub fn definition(table: &crate::row::record::Table) -> String {
    use super::{sql::quoted, value::name, writing};
    use crate::row::record::Column;
    fn made<'a>(table: &str, columns: impl Iterator<Item = &'a Column>, key: &[&str]) -> String {
        let columns =
            columns.map(|column| format!("    {} {},\n", quoted(&column.name), name(column))).collect::<String>();
        let key = key.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        format!(
            "{CREATE}{table} (\n{columns}    _version UInt64,\n    _gone UInt8\n) engine = {ENGINE}_version)\n  \
             order by ({key}) settings index_granularity = 1024;\n"
        )
    }
    let mut sql = made(table.name, table.columns.iter(), &super::sql::key(table));
    for list in &table.lists {
        sql.push_str(&made(&list.table, writing::columns(list), &["of", "place"]));
    }
    sql
}
