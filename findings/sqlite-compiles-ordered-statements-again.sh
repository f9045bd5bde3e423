#!/usr/bin/env bash
# A cached statement with `order by` and a bound value is compiled again at each execution; with QPSG it never is.
#
# Guess: a prepared statement is compiled once, whatever is bound to it. That is what caching statements is for.
# Seen:  SQLite's planner looks at bound values where rows are to be ordered, and marks the statement as expired whenever they are bound
#        again, to the same values too. rusqlite's cache clears the bindings of a statement that returns to it, which counts as binding.
#        100 executions of one cached statement are 100 compilations, with a limit or without; without an order, or once
#        SQLITE_DBCONFIG_ENABLE_QPSG is on, none. Rows and plan are the same. In an indexer that reads the newest 256 rows for
#        each update, this was 46 % of all CPU. Switching QPSG on does not help statements that are in the cache already.
# With:  rusqlite 0.41.1 with the SQLite 3.54.1 that it brings (crates).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "limit"
version = "0.0.0"
edition = "2021"

[dependencies]
rusqlite = { version = "=0.41.1", features = ["bundled"] }

[workspace]
TOML
cat >src/main.rs <<'RS'
use rusqlite::{config::DbConfig, Connection, StatementStatus, ToSql};

/// How often a cached statement is compiled again in 100 executions.
fn again(stable: bool, sql: &str, values: &[&dyn ToSql]) -> i32 {
    let db = Connection::open_in_memory().unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, stable).unwrap();
    db.execute_batch(
        "create table t (a, b, primary key (a, b)) without rowid; insert into t values (1, 1), (1, 2), (1, 3), (2, 1);",
    )
    .unwrap();
    let execute = |_| {
        let mut statement = db.prepare_cached(sql).unwrap();
        assert_eq!(statement.query_map(values, |row| row.get::<_, i64>(0)).unwrap().count(), 3);
        statement.reset_status(StatementStatus::RePrepare)
    };
    (0..100).map(execute).sum()
}

fn main() {
    let seen = [false, true].map(|stable| {
        [
            again(stable, "select b from t where a = ?1 order by b desc limit ?2", &[&1, &256]),
            again(stable, "select b from t where a = ?1 order by b desc", &[&1]),
            again(stable, "select b from t where a = ?1", &[&1]),
        ]
    });
    println!("SQLite {}, compiled again in 100 executions with [order and limit, order, neither]:", rusqlite::version());
    println!("as it comes {:?}, with QPSG {:?}", seen[0], seen[1]);
    assert_eq!((rusqlite::version(), seen), ("3.54.1", [[100, 100, 0], [0, 0, 0]]));
}
RS
CARGO_TARGET_DIR=$dir/target cargo run --quiet 2>cargo.log || { tail -n 20 cargo.log >&2; exit 1; }
