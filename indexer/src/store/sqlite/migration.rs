//! The schema, one step after the other. A step that was released never changes. New tables are filled before old ones go.

use crate::{
    row::{
        distribution::Divided,
        record::Noun,
        revenue::{Days, Seen},
    },
    store::{
        tables::{Change, Tables as _},
        Result, StoreError,
    },
    types::Address,
};
use joule_api::{Channel, Dispute, Distribution, Job, Model, PaidOut, Plan, Provider};
use rusqlite::{Connection, TransactionBehavior};
use serde::de::DeserializeOwned;

use super::table::Open;

pub enum Step {
    Sql(&'static str),
    /// What SQL cannot say.
    Act(fn(&Connection) -> Result<()>),
}

/// One a version of the schema.
pub const STEPS: &[&[Step]] = &[
    &[Step::Sql(include_str!("../../../migrations/0001_base.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0002_governance.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0003_bonds_and_disputes.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0004_models.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0005_billing.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0006_vouchers_and_disputes.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0007_sound.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0008_row_events.sql"))],
    &[
        Step::Sql(include_str!("../../../migrations/0009_columns.sql")),
        Step::Act(fill_columns),
        Step::Sql(include_str!("../../../migrations/0009_columns_filled.sql")),
    ],
    &[Step::Sql(include_str!("../../../migrations/0010_rows_in_order.sql"))],
    &[Step::Sql(include_str!("../../../migrations/0011_rewind.sql"))],
];

pub fn run(conn: &mut Connection) -> Result<()> {
    let known = STEPS.len() as i64;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    migrate(&transaction, found.max(0) as usize, STEPS.len())?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// Takes the steps from one version to another.
pub fn migrate(conn: &Connection, from: usize, to: usize) -> Result<()> {
    for step in STEPS[from..to].iter().copied().flatten() {
        match step {
            Step::Sql(sql) => conn.execute_batch(sql)?,
            Step::Act(act) => act(conn)?,
        }
    }
    Ok(())
}

/// Rows were JSON in a column once.
fn fill_columns(conn: &Connection) -> Result<()> {
    convert::<Job>(conn, "old_jobs", |_| Ok(()))?;
    convert::<Provider>(conn, "old_providers", |_| Ok(()))?;
    convert::<Dispute>(conn, "old_disputes", |_| Ok(()))?;
    convert::<Model>(conn, "old_models", |_| Ok(()))?;
    convert::<Channel>(conn, "old_channels", |channel| {
        old_days(conn, &channel.key()?)?.total().fill(channel);
        Ok(())
    })?;
    convert::<Plan>(conn, "old_plans", |_| Ok(()))?;
    let mut statement = conn.prepare("select body, payer, provider, model, address from old_distributions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let known = |column| row.get::<_, Option<[u8; 32]>>(column).map(|key| key.map(|key| Address(key).to_string()));
        let address = Address(row.get(4)?).to_string();
        let of: Distribution = parse(&row.get::<_, String>(0)?)?;
        let divided = Divided::of(address, of, [known(1)?, known(2)?, known(3)?]);
        put(conn, &divided)?;
    }
    Ok(())
}

fn convert<N: Noun + DeserializeOwned>(
    conn: &Connection,
    from: &str,
    complete: impl Fn(&mut N) -> Result<()>,
) -> Result<()> {
    let mut statement = conn.prepare(&format!("select body from {from}"))?;
    let mut rows = statement.query([])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        let mut noun: N = parse(&row.get::<_, String>(0)?)?;
        complete(&mut noun)?;
        put(conn, &noun)?;
        count += 1;
        if count.is_multiple_of(100_000) {
            tracing::info!(table = N::table().name, rows = count, "bringing the database up to date");
        }
    }
    Ok(())
}

fn put<N: Noun>(conn: &Connection, noun: &N) -> Result<()> {
    Open(conn).put(N::table(), vec![Change { before: None, now: noun.to_cells()? }])
}

/// Numbers beyond 2^63 - 1 were negative once.
fn old_days(conn: &Connection, channel: &Address) -> Result<Days> {
    let mut statement = conn.prepare_cached(
        "select day, settled, sequence, units, amount, collected, returned, paid_shares, paid_fee, paid_provider
         from channel_days where channel = ?1",
    )?;
    let rows = statement.query_map([channel.0], |row| {
        let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
        let seen = Seen {
            settled: number(1)?,
            sequence: number(2)?,
            units: number(3)?,
            slot: 0,
            amount: number(4)?,
            collected: number(5)?,
            returned: number(6)?,
            paid: PaidOut { shares: number(7)?, fee: number(8)?, provider: number(9)? },
        };
        Ok((row.get(0)?, seen))
    })?;
    Ok(Days(rows.collect::<rusqlite::Result<_>>()?))
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| StoreError::Damaged(body.chars().take(80).collect(), error.to_string()))
}
