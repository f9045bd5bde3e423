//! One batch, in one transaction.

use super::{account, checkpoint, days, dead_letter, event, payer, table};
use crate::{
    crash,
    decode::{self, Life, Program, Row, State, UNDECODABLE},
    row::{
        account::is_live,
        dead_letter::Letter,
        distribution, model,
        revenue::{self, Days},
        totals::Deltas,
        EventRow, UnreadRow,
    },
    store::{Applied, Batch, Redecoded, Result},
    types::{AccountWrite, Address, Block, Look, Snapshot, Transaction, Unread, Version},
};
use anchor_lang::prelude::Address as Key;
use joule_api::{Channel, Commitment};
use joule_billing::event::AnyEvent;
use rusqlite::{params, Connection, TransactionBehavior};
use std::collections::{btree_map::Entry, BTreeMap, BTreeSet, HashMap, HashSet};

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

/// The version of each account's newest living state: of those before it in one batch nothing would be left.
fn newest(blocks: &[Block]) -> HashMap<Address, Version> {
    let mut newest = HashMap::new();
    for write in blocks.iter().flat_map(|block| &block.writes).filter(|write| is_live(write)) {
        let known = newest.entry(write.address).or_insert(write.version);
        *known = write.version.max(*known);
    }
    newest
}

/// A transaction, and what has to be rebuilt before it ends.
pub(super) struct Work<'a> {
    pub conn: &'a Connection,
    pub rows: BTreeSet<Row>,
    pub ledgers: BTreeMap<Address, Ledger>,
    pub deltas: Deltas,
    pub applied: Applied,
}

/// The days of a channel, before this transaction and now.
pub(super) struct Ledger {
    pub before: Days,
    pub now: Days,
}

impl<'a> Work<'a> {
    fn new(conn: &'a Connection) -> Self {
        Self {
            conn,
            rows: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            deltas: Deltas::default(),
            applied: Applied::default(),
        }
    }

    fn apply(mut self, batch: &Batch) -> Result<Applied> {
        let newest = newest(&batch.blocks);
        for block in &batch.blocks {
            self.block(block, &newest)?;
        }
        for snapshot in &batch.snapshots {
            self.snapshot(snapshot)?;
        }
        for look in &batch.looks {
            self.look(look)?;
        }
        self.rebuild()?;
        let known = checkpoint::get(self.conn)?;
        let slot = batch.checkpoint.or(known.map(|known| known.slot));
        if let Some(slot) = slot {
            checkpoint::advance(self.conn, slot, batch.finalized.unwrap_or_default())?;
        }
        Ok(self.applied)
    }

    fn block(&mut self, block: &Block, newest: &HashMap<Address, Version>) -> Result<()> {
        for write in &block.writes {
            let is_old = newest.get(&write.address).is_some_and(|newest| write.version < *newest);
            // How far a channel had come is counted by the day, whatever it came to since.
            if !is_old || !is_live(write) || Program::of(&write.owner) == Some(Program::Billing) {
                self.write(write, block.block_time)?;
            }
        }
        let mut closings = BTreeMap::new();
        for transaction in &block.transactions {
            let Transaction { signature, index, .. } = **transaction;
            match &transaction.unread {
                Some(unread) => self.unread(&UnreadRow { signature, slot: block.slot, index }, unread)?,
                None => dead_letter::remove(self.conn, &Letter::Transaction(signature))?,
            }
            for raw in &transaction.events {
                let event = EventRow::new(transaction.signature, transaction.index, block.slot, block.block_time, raw);
                self.event(&event, &mut closings)?;
            }
        }
        // Old nodes do not show a closing to whoever asks by owner, so the event has to do. The last word in a block
        // counts: a provider may retire and register again.
        for (program, life) in closings.into_values() {
            if life.closed {
                account::close(self.conn, &life.address, &program, Version::closing(block.slot), life.kind)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &EventRow, closings: &mut BTreeMap<Address, (Address, Life)>) -> Result<()> {
        let fact = event.fact();
        let new = event::insert(self.conn, event, fact.as_ref().ok())?;
        match &fact {
            Ok(fact) => {
                self.rows.extend(fact.rows());
                if let Some(life) = fact.life() {
                    closings.insert(life.address, (event.program, life));
                }
            }
            Err(error) if new => {
                self.dead(&Letter::Event(event.key), &event.program, event.slot, &event.data, &error.to_string())?;
            }
            Err(_) => {}
        }
        if new {
            if let Ok(fact) = &fact {
                self.happened(event, fact)?;
            }
            self.applied.changes.events.push(event.clone());
        }
        Ok(())
    }

    /// An event is stored and understood for the first time: what it adds is added.
    fn happened(&mut self, event: &EventRow, fact: &decode::Fact) -> Result<()> {
        let Some((channel, fact)) = revenue::channel_of(fact) else { return Ok(()) };
        if let AnyEvent::Distributed(e) = fact {
            let of = table::find::<Channel>(self.conn, &channel)?;
            let parties = of.map(|of| [of.payer, of.provider, of.model].map(Some)).unwrap_or_default();
            table::put(self.conn, None, &distribution::from_event(event, e, parties))?;
        }
        self.ledger(&channel)?.happened(fact, distribution::time(event));
        Ok(())
    }

    pub fn ledger(&mut self, channel: &Address) -> Result<&mut Days> {
        let ledger = match self.ledgers.entry(*channel) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let days = days::load(self.conn, channel)?;
                new.insert(Ledger { before: days.clone(), now: days })
            }
        };
        Ok(&mut ledger.now)
    }

    /// A channel's state was seen, at a time if that is known: an older one too says how far it had come by then. Without a
    /// time it counts from the beginning.
    fn saw(&mut self, address: &Address, state: &joule_billing::state::Channel, time: Option<i64>) -> Result<()> {
        let at = time.unwrap_or(state.opened_at.get());
        self.ledger(address)?.saw(at, state.settled.get(), state.sequence.get(), state.units.get());
        self.rows.insert(Row::Channel(*address));
        Ok(())
    }

    /// `time` is that of the block that shows it, in Unix seconds.
    fn write(&mut self, write: &AccountWrite, time: Option<i64>) -> Result<()> {
        if write.version.is_snapshot() && account::is_as_before(self.conn, write)? {
            return Ok(());
        }
        let program = Program::of(&write.owner);
        let decoded = program.map(|program| decode::account(program, write.version.slot, &write.data));
        let kind = match &decoded {
            Some(Ok(state)) => state.kind(),
            _ => UNDECODABLE,
        };
        if let Some(Ok(State::Channel(state))) = decoded.as_ref().filter(|_| is_live(write)) {
            self.saw(&write.address, state, time)?;
        }
        if !account::put(self.conn, write, kind)? {
            return Ok(());
        }
        let letter = Letter::Account(write.address);
        match decoded {
            Some(Ok(state)) if is_live(write) => {
                dead_letter::remove(self.conn, &letter)?;
                self.state(&write.address, &state, write.version.slot)
            }
            Some(Err(error)) if is_live(write) => {
                self.dead(&letter, &write.owner, write.version.slot, &write.data, &error.to_string())
            }
            _ => {
                dead_letter::remove(self.conn, &letter)?;
                self.touch(&write.address)
            }
        }
    }

    /// Stores what a newer state says, in the tables that are no more than that, and remembers the rest for rebuilding.
    fn state(&mut self, address: &Address, state: &State, slot: u64) -> Result<()> {
        let bytes = |key: &Key| key.to_bytes();
        match state {
            State::Job(_) => {
                self.rows.insert(Row::Job(*address));
            }
            State::Provider(_) => {
                self.rows.insert(Row::Provider(*address));
            }
            State::Dispute(_) => {
                self.rows.insert(Row::Dispute(*address));
            }
            State::Channel(_) => {
                self.rows.insert(Row::Channel(*address));
            }
            State::Plan(_) => {
                self.rows.insert(Row::Plan(*address));
            }
            State::Payer(payer) => {
                let before = payer::put(self.conn, address, payer, slot)?;
                self.deltas.prepaid(Address::from(&payer.mint), before, payer.balance.get());
            }
            State::Model(state) => {
                let model = model::from_state(address, state, slot, Commitment::Confirmed);
                table::put(self.conn, table::find(self.conn, address)?.as_ref(), &model)?;
            }
            State::Bid(_) | State::Bond(_) | State::Claim(_) | State::PriceList(_) => {
                if let Some(parent) = state.parent() {
                    account::list_under(self.conn, state.kind(), &parent, address)?;
                }
            }
            // The account itself is all that is ever asked for.
            State::Vote(_)
            | State::Panel(_)
            | State::Cluster(_)
            | State::Attestor(_)
            | State::Attestations(_)
            | State::Requirements(_)
            | State::Pool(_)
            | State::Stake(_)
            | State::Service(_) => {}
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
        }
        Ok(())
    }

    /// Every account that the store takes for alive and the snapshot does not have was closed while nobody looked.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        for write in &snapshot.accounts {
            self.write(write, snapshot.block_time)?;
        }
        let alive: HashSet<Address> = snapshot.accounts.iter().map(|write| write.address).collect();
        for row in account::live(self.conn, &snapshot.program)? {
            if !alive.contains(&row.address)
                && account::close(self.conn, &row.address, &row.program, Version::snapshot(snapshot.slot), &row.kind)?
            {
                self.touch(&row.address)?;
            }
        }
        Ok(())
    }

    fn look(&mut self, look: &Look) -> Result<()> {
        for write in &look.found {
            self.write(write, look.block_time)?;
        }
        for address in &look.gone {
            if let Some(row) = account::get(self.conn, address)?.filter(|row| !row.closed) {
                if account::close(self.conn, address, &row.program, Version::snapshot(look.slot), &row.kind)? {
                    self.touch(address)?;
                }
            }
        }
        Ok(())
    }

    /// An account is gone: what was made of it is made again.
    fn touch(&mut self, address: &Address) -> Result<()> {
        let Some(row) = account::get(self.conn, address)? else { return Ok(()) };
        match (row.kind.as_str(), Program::of(&row.program)) {
            ("job", _) => self.rows.extend([Row::Job(*address)]),
            ("provider", _) | (UNDECODABLE, Some(Program::Registry)) => self.rows.extend([Row::Provider(*address)]),
            ("dispute", _) => self.rows.extend([Row::Dispute(*address)]),
            ("channel", _) => self.rows.extend([Row::Channel(*address)]),
            ("plan", _) => self.rows.extend([Row::Plan(*address)]),
            (UNDECODABLE, Some(Program::Billing)) => {
                self.rows.extend([Row::Channel(*address), Row::Plan(*address)]);
            }
            (UNDECODABLE, Some(Program::Escrow)) => {
                self.rows.extend([Row::Job(*address), Row::Dispute(*address)]);
            }
            _ => {}
        }
        Ok(())
    }

    fn dead(&mut self, letter: &Letter, program: &Address, slot: u64, data: &[u8], reason: &str) -> Result<()> {
        tracing::warn!(%letter, slot, %reason, "undecodable; kept as a dead letter");
        self.applied.dead_letters += 1;
        dead_letter::put(self.conn, letter, program, slot, data, reason)
    }

    fn unread(&mut self, row: &UnreadRow, unread: &Unread) -> Result<()> {
        if dead_letter::put_unread(self.conn, row, unread)? {
            tracing::warn!(transaction = %row.signature, slot = row.slot, reason = %unread.reason, "unreadable; kept as a dead letter");
            self.applied.dead_letters += 1;
        }
        Ok(())
    }

    fn redecode(mut self) -> Result<Redecoded> {
        let mut redecoded = Redecoded::default();
        for letter in dead_letter::all(self.conn)? {
            let decoded = match &letter {
                // Its bytes do not tell more than before: whoever has it must be asked.
                Letter::Transaction(_) => continue,
                Letter::Account(address) => match account::get(self.conn, address)? {
                    Some(row) => match row.state() {
                        Some(state) => {
                            account::set_kind(self.conn, address, state.kind())?;
                            if let State::Channel(channel) = &state {
                                self.saw(address, channel, None)?;
                            }
                            self.state(address, &state, row.since)?;
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
                            self.happened(&row, &fact)?;
                            self.rows.extend(fact.rows());
                            true
                        }
                        Err(_) => false,
                    },
                    None => false,
                },
            };
            redecoded.tried += 1;
            if decoded {
                dead_letter::remove(self.conn, &letter)?;
                redecoded.decoded += 1;
            }
        }
        self.rebuild()?;
        Ok(redecoded)
    }
}
