//! The schema, one step after the other. A step that was released never changes.

use super::Postgres;
use crate::store::{Result, StoreError};

/// One a version of the schema.
pub const STEPS: &[&str] = &[
    include_str!("../../../migrations/postgres/0001_tables.sql"),
    include_str!("../../../migrations/postgres/0002_rewind.sql"),
];

/// Whether any step was taken.
pub fn is_made(store: &Postgres) -> Result<bool> {
    let connection = store.get(&store.readers)?;
    let rows = connection.query("select to_regclass('schema_version') is not null".to_owned(), Vec::new())?;
    Ok(rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)))
}

pub fn migrate(store: &Postgres) -> Result<()> {
    let connection = store.get(&store.writer)?;
    let known = STEPS.len() as i64;
    let migrated = connection.begin(super::BEGIN).and_then(|()| {
        connection.batch("create table if not exists schema_version (version bigint not null)")?;
        let rows = connection.query("select version from schema_version".to_owned(), Vec::new())?;
        let found: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        for step in &STEPS[found.max(0) as usize..] {
            connection.batch(*step)?;
        }
        if found < known {
            connection.batch(format!("delete from schema_version; insert into schema_version values ({known})"))?;
        }
        Ok(())
    });
    match migrated {
        Ok(()) => connection.end("commit"),
        Err(error) => {
            let _ = connection.end("rollback");
            Err(error)
        }
    }
}

/// What makes the table, without its indexes.
#[cfg(test)]
pub fn definition(table: &crate::row::record::Table) -> String {
    use super::{table::quoted, value::name};
    use crate::row::record::Column;
    let column = |column: &Column| {
        format!("    {} {}{}", quoted(&column.name), name(column.kind), if column.nullable { "" } else { " not null" })
    };
    let columns = |columns: &[Column]| columns.iter().map(column).collect::<Vec<_>>().join(",\n");
    let key: Vec<_> = table.key().iter().map(|column| quoted(&column.name)).collect();
    let mut sql = format!(
        "create table {} (\n{},\n    primary key ({})\n);\n",
        table.name,
        columns(&table.columns),
        key.join(", ")
    );
    for list in &table.lists {
        sql.push_str(&format!(
            "create table {} (\n    \"of\" bytea not null,\n    \"place\" bigint not null,\n{},\n    primary key (\"of\", \"place\")\n);\n",
            list.table,
            columns(&list.columns)
        ));
    }
    sql
}
