//! One batch, in one transaction.

use super::super::{
    account, checkpoint,
    dead_letter::{self, Letter},
    event, job, provider,
    totals::{self, Deltas},
    Applied, Batch, EventRow, Redecoded, Result,
};
use crate::{
    crash,
    decode::{self, Program, State, UNDECODABLE},
    types::{AccountWrite, Address, Block, Snapshot, Version},
};
use anchor_lang::prelude::Address as Key;
use joule_api::Commitment;
use rusqlite::{params, Connection, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Every event that a job or provider can have, for rebuilding it. A job has at most a handful.
const ALL: usize = 1 << 20;

pub fn batch(conn: &mut Connection, batch: &Batch) -> Result<Applied> {
    // Immediate: a transaction that begins as a reader cannot wait for another writer, it can only fail.
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied = Work::new(&transaction).apply(batch)?;
    crash::point(crash::Point::MidBatchBeforeCommit);
    transaction.commit()?;
    crash::point(crash::Point::AfterCommit);
    if !batch.snapshots.is_empty() {
        crash::point(crash::Point::AfterSnapshot);
    }
    Ok(applied)
}

pub fn redecode(conn: &mut Connection) -> Result<Redecoded> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let redecoded = Work::new(&transaction).redecode()?;
    transaction.commit()?;
    Ok(redecoded)
}

/// A transaction, and what has to be rebuilt before it ends.
struct Work<'a> {
    conn: &'a Connection,
    jobs: BTreeSet<Address>,
    providers: BTreeSet<Address>,
    applied: Applied,
}

impl<'a> Work<'a> {
    fn new(conn: &'a Connection) -> Self {
        Self { conn, jobs: BTreeSet::new(), providers: BTreeSet::new(), applied: Applied::default() }
    }

    fn apply(mut self, batch: &Batch) -> Result<Applied> {
        for block in &batch.blocks {
            self.block(block)?;
        }
        for snapshot in &batch.snapshots {
            self.snapshot(snapshot)?;
        }
        self.rebuild()?;
        let known = checkpoint::get(self.conn)?;
        let slot = batch.checkpoint.or(known.map(|known| known.slot));
        if let Some(slot) = slot {
            checkpoint::advance(self.conn, slot, batch.finalized.unwrap_or_default())?;
        }
        Ok(self.applied)
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        for write in &block.writes {
            self.write(write)?;
        }
        let mut closings = BTreeMap::new();
        for transaction in &block.transactions {
            for raw in &transaction.events {
                let event = EventRow::new(transaction.signature, transaction.index, block.slot, block.block_time, raw);
                self.event(&event, &mut closings)?;
            }
        }
        // Old nodes do not show a closing to whoever asks by owner, so the event has to do. The last word in a block
        // counts: a provider may retire and register again.
        for (address, (program, closed)) in closings {
            if closed {
                account::close(self.conn, &address, &program, Version::closing(block.slot))?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &EventRow, closings: &mut BTreeMap<Address, (Address, bool)>) -> Result<()> {
        let fact = event.fact();
        let new = event::insert(self.conn, event, fact.as_ref().ok())?;
        match &fact {
            Ok(fact) => {
                let Some(subject) = fact.accounts().first().copied() else { return Ok(()) };
                self.touch(&event.program, subject);
                if let Some(closed) = fact.closes() {
                    closings.insert(subject, (event.program, closed));
                }
            }
            Err(error) if new => {
                self.dead(&Letter::Event(event.key), &event.program, event.slot, &event.data, &error.to_string())?;
            }
            Err(_) => {}
        }
        if new {
            self.applied.events.push(event.to_api(Commitment::Confirmed));
        }
        Ok(())
    }

    fn write(&mut self, write: &AccountWrite) -> Result<()> {
        let program = Program::of(&write.owner);
        let decoded = program.map(|program| decode::account(program, &write.data));
        let kind = match &decoded {
            Some(Ok(state)) => state.kind(),
            _ => UNDECODABLE,
        };
        if !account::put(self.conn, write, kind)? {
            return Ok(());
        }
        let letter = Letter::Account(write.address);
        match decoded {
            Some(Ok(state)) if account::is_live(write) => {
                dead_letter::remove(self.conn, &letter)?;
                self.state(&write.address, &state, write.version.slot)
            }
            Some(Err(error)) if account::is_live(write) => {
                self.dead(&letter, &write.owner, write.version.slot, &write.data, &error.to_string())
            }
            _ => {
                dead_letter::remove(self.conn, &letter)?;
                self.jobs.insert(write.address);
                self.providers.insert(write.address);
                Ok(())
            }
        }
    }

    /// Stores what a newer state says, in the tables that are no more than that, and remembers the rest for rebuilding.
    fn state(&mut self, address: &Address, state: &State, slot: u64) -> Result<()> {
        let bytes = |key: &Key| key.to_bytes();
        match state {
            State::Job(_) => {
                self.jobs.insert(*address);
            }
            State::Provider(_) => {
                self.providers.insert(*address);
            }
            State::Client(client) => {
                self.conn
                    .prepare_cached(
                        "insert or replace into clients (address, client, next_job, slot) values (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![address.0, bytes(&client.client), client.next_job.get() as i64, slot as i64])?;
            }
            State::Protocol(protocol) => {
                let list = |value: serde_json::Value| value.to_string();
                self.conn
                    .prepare_cached(
                        "insert or replace into protocol
                             (address, authority, guardian, fee_bps, staged_fee_bps, staged_fee_at, paused_until, slot)
                         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        address.0,
                        bytes(&protocol.authority),
                        bytes(&protocol.guardian),
                        list(protocol.fee_bps.map(|bps| bps.get()).into()),
                        list(protocol.staged_fee_bps.map(|bps| bps.get()).into()),
                        list(protocol.staged_fee_at.map(|at| at.get()).into()),
                        list(protocol.paused_until.map(|until| until.get()).into()),
                        slot as i64,
                    ])?;
            }
            State::AcceptedMint(mint) => {
                let rewards = mint.reward_vault != Key::default();
                self.conn
                    .prepare_cached(
                        "insert or replace into accepted_mints
                             (address, mint, fee_vault, decimals, min_amount, enabled, kept, owed_rewards,
                              outflow_limit, outflow_window, reward_vault, reward_bps, slot)
                         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    )?
                    .execute(params![
                        address.0,
                        bytes(&mint.mint),
                        bytes(&mint.fee_vault),
                        mint.decimals,
                        mint.min_amount.get().to_string(),
                        mint.is_enabled(),
                        mint.kept.get().to_string(),
                        mint.owed_rewards.get().to_string(),
                        mint.outflow_limit.get().to_string(),
                        mint.outflow_window.get(),
                        rewards.then(|| bytes(&mint.reward_vault)),
                        mint.reward_bps.get(),
                        slot as i64,
                    ])?;
            }
            // Kept as accounts alone.
            State::Attestor(_) | State::Attestations(_) | State::Requirements(_) => {}
        }
        Ok(())
    }

    /// Every account that the store takes for alive and the snapshot does not have was closed while nobody looked.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        for write in &snapshot.accounts {
            self.write(write)?;
        }
        let alive: HashSet<Address> = snapshot.accounts.iter().map(|write| write.address).collect();
        for row in account::live(self.conn, &snapshot.program)? {
            if !alive.contains(&row.address)
                && account::close(self.conn, &row.address, &row.program, Version::snapshot(snapshot.slot))?
            {
                self.touch(&row.program, row.address);
            }
        }
        Ok(())
    }

    fn touch(&mut self, program: &Address, address: Address) {
        match Program::of(program) {
            Some(Program::Escrow) => self.jobs.insert(address),
            Some(Program::Registry) => self.providers.insert(address),
            _ => false,
        };
    }

    fn dead(&mut self, letter: &Letter, program: &Address, slot: u64, data: &[u8], reason: &str) -> Result<()> {
        tracing::warn!(?letter, slot, reason, "undecodable; kept as a dead letter");
        self.applied.dead_letters += 1;
        dead_letter::put(self.conn, letter, program, slot, data, reason)
    }

    /// Providers first: a job may have to ask who runs its provider.
    fn rebuild(&mut self) -> Result<()> {
        let mut deltas = Deltas::default();
        let mut changed = Vec::new();
        for address in std::mem::take(&mut self.providers) {
            let row = account::get(self.conn, &address)?;
            let needs_events = row.as_ref().is_some_and(|row| row.state().is_none());
            let events = if needs_events { event::of_account(self.conn, &address, ALL)? } else { Vec::new() };
            let Some(after) = provider::rebuild(&address, row.as_ref(), &events) else { continue };
            let before = provider::get(self.conn, &address)?;
            if before.is_none() {
                // Jobs that name a provider nobody had heard of yet.
                self.jobs.extend(job::of_provider(self.conn, &address)?);
            }
            if before.as_ref() != Some(&after) {
                provider::put(self.conn, &address, &after)?;
                changed.push((address, after));
            }
        }
        for address in std::mem::take(&mut self.jobs) {
            let row = account::get(self.conn, &address)?;
            let events = event::of_account(self.conn, &address, ALL)?;
            let mut failed = None;
            let authority = |provider: &Address| {
                provider::authority(self.conn, provider).unwrap_or_else(|error| {
                    failed = Some(error);
                    None
                })
            };
            let rebuilt = job::rebuild(&address, row.as_ref(), &events, authority);
            if let Some(error) = failed {
                return Err(error);
            }
            let Some(after) = rebuilt else { continue };
            let before = job::get(self.conn, &address)?;
            if before.as_ref() != Some(&after) {
                job::put(self.conn, &address, &after)?;
                deltas.changed(before.as_ref(), &after);
                self.applied.jobs.push(after);
            }
        }
        deltas.write(self.conn)?;
        for (address, mut provider) in changed {
            totals::count_for(self.conn, &address, &mut provider)?;
            self.applied.providers.push(provider);
        }
        Ok(())
    }

    fn redecode(mut self) -> Result<Redecoded> {
        let mut redecoded = Redecoded::default();
        for letter in dead_letter::all(self.conn)? {
            redecoded.tried += 1;
            let decoded = match &letter {
                Letter::Account(address) => match account::get(self.conn, address)? {
                    Some(row) => match row.state() {
                        Some(state) => {
                            account::set_kind(self.conn, address, state.kind())?;
                            self.state(address, &state, row.version.slot)?;
                            true
                        }
                        None => false,
                    },
                    None => false,
                },
                Letter::Event(key) => match event::get(self.conn, key)? {
                    Some(row) => match row.fact() {
                        Ok(fact) => {
                            event::name(self.conn, &row, &fact)?;
                            if let Some(subject) = fact.accounts().first() {
                                self.touch(&row.program, *subject);
                            }
                            true
                        }
                        Err(_) => false,
                    },
                    None => false,
                },
            };
            if decoded {
                dead_letter::remove(self.conn, &letter)?;
                redecoded.decoded += 1;
            }
        }
        self.rebuild()?;
        Ok(redecoded)
    }
}
