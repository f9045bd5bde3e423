//! Accounts as the chain has them: raw bytes, guarded by version.

use crate::{
    decode::{Program, UNDECODABLE},
    row::account::{is_live, AccountRow},
    store::Result,
    types::{AccountWrite, Address, Version},
};
use rusqlite::{params, Connection, OptionalExtension, Row};

/// Stores a write if it tells something newer than what is stored. False when it does not.
pub fn put(conn: &Connection, write: &AccountWrite, kind: &str) -> Result<bool> {
    if !is_live(write) {
        return close(conn, &write.address, &write.owner, write.version, UNDECODABLE);
    }
    // An account that is closed already still takes the bytes of a newer life than the one it remembers.
    let mut statement = conn.prepare_cached(
        "insert into accounts
             (address, program, data, lamports, closed, slot, write_version, since, live_slot, live_write, kind)
         values (?1, ?2, ?3, ?4, 0, ?5, ?6, ?5, ?5, ?6, ?7)
         on conflict (address) do update set
             lamports = iif((excluded.slot, excluded.write_version) > (slot, write_version), excluded.lamports, lamports),
             closed = iif((excluded.slot, excluded.write_version) > (slot, write_version), 0, closed),
             write_version = iif((excluded.slot, excluded.write_version) > (slot, write_version),
                                 excluded.write_version, write_version),
             since = iif((excluded.slot, excluded.write_version) > (slot, write_version), excluded.since, since),
             slot = max(excluded.slot, slot),
             program = excluded.program, data = excluded.data, kind = excluded.kind,
             live_slot = excluded.live_slot, live_write = excluded.live_write
         where (excluded.live_slot, excluded.live_write) > (live_slot, live_write)",
    )?;
    let changed = statement.execute(params![
        write.address.0,
        write.owner.0,
        write.data,
        write.lamports as i64,
        write.version.slot as i64,
        write.version.write as i64,
        kind,
    ])?;
    Ok(changed > 0)
}

/// Whether an account lives and is what a newer snapshot shows. Then nothing changes but that older writes will not count.
pub fn is_as_before(conn: &Connection, write: &AccountWrite) -> Result<bool> {
    let mut statement = conn.prepare_cached(
        "update accounts set slot = ?5, write_version = 0, live_slot = ?5, live_write = 0
         where address = ?1 and closed = 0 and slot < ?5 and program = ?2 and data = ?3 and lamports = ?4",
    )?;
    let (lamports, slot) = (write.lamports as i64, write.version.slot as i64);
    Ok(statement.execute(params![write.address.0, write.owner.0, write.data, lamports, slot])? > 0)
}

/// Marks an account as closed if that is newer than what is stored. An account that was never seen leaves a mark too, so
/// that an older write that comes later cannot bring it back; `kind` is what it is said to have been.
pub fn close(conn: &Connection, address: &Address, owner: &Address, version: Version, kind: &str) -> Result<bool> {
    let program = Program::of(owner).map_or(Address::SYSTEM, |_| *owner);
    let mut statement = conn.prepare_cached(
        "insert into accounts
             (address, program, data, lamports, closed, slot, write_version, since, live_slot, live_write, kind)
         values (?1, ?2, x'', 0, 1, ?3, ?4, ?3, -1, -1, ?5)
         on conflict (address) do update set
             lamports = 0, closed = 1, slot = excluded.slot, write_version = excluded.write_version,
             since = excluded.since,
             kind = iif(live_slot < 0 and kind = 'undecodable', excluded.kind, kind),
             program = iif(live_slot < 0, excluded.program, program)
         where (excluded.slot, excluded.write_version) > (slot, write_version)",
    )?;
    let changed =
        statement.execute(params![address.0, program.0, version.slot as i64, version.write as i64, kind])? > 0;
    if changed {
        conn.prepare_cached("delete from members where address = ?1")?.execute([address.0])?;
    }
    Ok(changed)
}

pub fn set_kind(conn: &Connection, address: &Address, kind: &str) -> Result<()> {
    conn.prepare_cached("update accounts set kind = ?2 where address = ?1")?.execute(params![address.0, kind])?;
    Ok(())
}

pub const COLUMNS: &str = "address, program, data, lamports, closed, slot, write_version, since, kind";

/// Remembers what a living account is listed under, until it is closed. A row too many does no harm: whoever lists looks at
/// the account itself.
pub fn list_under(conn: &Connection, kind: &str, parent: &Address, address: &Address) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "insert into members (kind, parent, address)
         select ?1, ?2, ?3 where exists (select 1 from accounts where address = ?3 and closed = 0)
         on conflict do nothing",
    )?;
    statement.execute(params![kind, parent.0, address.0])?;
    Ok(())
}

/// The accounts of a kind that live and belong to `parent`, by address.
pub fn members(conn: &Connection, kind: &str, parent: &Address) -> Result<Vec<AccountRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "select {COLUMNS} from accounts
         where address in (select address from members where kind = ?1 and parent = ?2) and closed = 0 order by address"
    ))?;
    let rows = statement.query_map(params![kind, parent.0], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter(|row| row.belongs_to(kind, parent)).collect())
}

pub fn get(conn: &Connection, address: &Address) -> Result<Option<AccountRow>> {
    let mut statement = conn.prepare_cached(&format!("select {COLUMNS} from accounts where address = ?1"))?;
    Ok(statement.query_row([address.0], read).optional()?)
}

pub fn live(conn: &Connection, program: &Address) -> Result<Vec<AccountRow>> {
    let mut statement = conn.prepare_cached(&format!(
        "select {COLUMNS} from accounts where program = ?1 and closed = 0 order by address"
    ))?;
    let rows = statement.query_map([program.0], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

pub fn read(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        address: Address(row.get(0)?),
        program: Address(row.get(1)?),
        data: row.get(2)?,
        lamports: row.get::<_, i64>(3)? as u64,
        closed: row.get(4)?,
        version: Version { slot: row.get::<_, i64>(5)? as u64, write: row.get::<_, i64>(6)? as u64 },
        since: row.get::<_, i64>(7)? as u64,
        kind: row.get(8)?,
    })
}
