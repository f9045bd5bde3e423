//! What blocks, snapshots and looks say.

use super::{Ledger, Work};
use crate::{
    decode::{self, DecodeError, Fact, Life, Program, Row, State, UNDECODABLE},
    row::{
        account::{is_live, Member},
        checkpoint::{CheckpointRow, ONE},
        dead_letter::{Letter, LetterRow},
        distribution,
        governed::{ClientRow, MintRow, ProtocolRow},
        model,
        payer::PayerRow,
        record::{key_cells, Kept as _},
        revenue::{self, Days, HowFar},
        AccountRow, EventRow,
    },
    store::{account, batch::history, days, tables::Change, Applied, Batch, Result},
    types::{AccountWrite, Address, Block, EventKey, HashMap, HashSet, Look, Snapshot, Unread, Version},
};
use joule_api::Commitment;
use joule_billing::event::AnyEvent;
use std::{
    borrow::Cow,
    collections::{btree_map::Entry, BTreeMap},
};

/// Accounts of a snapshot that are worked on at a time.
const AT_ONCE: usize = 4_096;

/// An event, and what it says.
struct Told {
    event: EventRow,
    fact: std::result::Result<Fact, DecodeError>,
}

/// The version of each account's newest living state: of those before it in one batch nothing would be left.
fn newest(blocks: &[Block]) -> HashMap<Address, Version> {
    let mut newest = HashMap::default();
    for write in blocks.iter().flat_map(|block| &block.writes).filter(|write| is_live(write)) {
        let known = newest.entry(write.address).or_insert(write.version);
        *known = write.version.max(*known);
    }
    newest
}

/// What may be made of an account.
pub(super) fn rows_of(row: &AccountRow) -> Vec<Row> {
    let address = row.address;
    match (&*row.kind, Program::of(&row.program)) {
        ("job", _) => vec![Row::Job(address)],
        ("provider", _) | (UNDECODABLE, Some(Program::Registry)) => vec![Row::Provider(address)],
        ("dispute", _) => vec![Row::Dispute(address)],
        ("channel", _) => vec![Row::Channel(address)],
        ("plan", _) => vec![Row::Plan(address)],
        (UNDECODABLE, Some(Program::Billing)) => vec![Row::Channel(address), Row::Plan(address)],
        (UNDECODABLE, Some(Program::Escrow)) => vec![Row::Job(address), Row::Dispute(address)],
        _ => Vec::new(),
    }
}

fn told(block: &Block) -> Vec<Told> {
    let of = |transaction: &std::sync::Arc<crate::types::Transaction>| {
        let (signature, index) = (transaction.signature, transaction.index);
        let told = move |raw| {
            let event = EventRow::new(signature, index, block.slot, block.block_time, raw);
            Told { fact: event.fact(), event }
        };
        transaction.events.iter().map(told).collect::<Vec<_>>()
    };
    block.transactions.iter().flat_map(of).collect()
}

impl Work<'_> {
    pub(super) fn apply(mut self, batch: &Batch) -> Result<Applied> {
        let newest = newest(&batch.blocks);
        let told: Vec<Vec<Told>> = batch.blocks.iter().map(told).collect();
        self.read_ahead(&batch.blocks, &told)?;
        for (block, told) in batch.blocks.iter().zip(told) {
            self.block(block, told, &newest)?;
        }
        for snapshot in &batch.snapshots {
            self.snapshot(snapshot)?;
        }
        for look in &batch.looks {
            self.look(look)?;
        }
        // Nothing of them changes any more, and they may be written meanwhile.
        self.accounts.settle(self.tables)?;
        self.rebuild()?;
        self.checkpoint(batch)?;
        self.flush()
    }

    /// What is certain to be asked for, at once.
    fn read_ahead(&mut self, blocks: &[Block], told: &[Vec<Told>]) -> Result<()> {
        let facts = || told.iter().flatten().filter_map(|told| told.fact.as_ref().ok());
        let lives = facts().filter_map(Fact::life).map(|life| life.address);
        let written = blocks.iter().flat_map(|block| &block.writes).map(|write| write.address);
        self.accounts.load(self.tables, written.chain(lives))?;
        let transactions = blocks.iter().flat_map(|block| &block.transactions);
        self.letters.load(self.tables, transactions.map(|it| Letter::Transaction(it.signature)))?;
        let events: Vec<EventKey> = told.iter().flatten().map(|told| told.event.key).collect();
        self.stored = history::rows(self.tables, &events)?.into_keys().collect();
        let channels: HashSet<Address> = facts().filter_map(revenue::channel_of).map(|(channel, _)| channel).collect();
        self.channels.load(self.tables, channels)
    }

    fn checkpoint(&mut self, batch: &Batch) -> Result<()> {
        let table = CheckpointRow::table();
        let before = self.tables.get(table, &["id"], &[key_cells(&ONE)?])?.pop();
        let known = before.as_ref().map(CheckpointRow::of_cells).transpose()?;
        let Some(slot) = batch.checkpoint.or(known.map(|known| known.slot)) else { return Ok(()) };
        let now = CheckpointRow {
            one: ONE,
            slot: known.map_or(slot, |known| known.slot.max(slot)),
            finalized: known.map_or(0, |known| known.finalized).max(batch.finalized.unwrap_or_default()),
            listed: batch.lists_all() || (!batch.unlisted && known.is_none_or(|known| known.listed)),
        };
        self.tables.put(table, vec![Change { before, now: now.to_cells()? }])
    }

    fn block(&mut self, block: &Block, told: Vec<Told>, newest: &HashMap<Address, Version>) -> Result<()> {
        for write in &block.writes {
            let is_old = newest.get(&write.address).is_some_and(|newest| write.version < *newest);
            // How far a channel had come is counted by the day, whatever it came to since.
            if !is_old || !is_live(write) || Program::of(&write.owner) == Some(Program::Billing) {
                self.write(write, block.block_time)?;
            }
        }
        for transaction in &block.transactions {
            let letter = Letter::Transaction(transaction.signature);
            match &transaction.unread {
                Some(unread) => self.unread(letter, block.slot, transaction.index, unread)?,
                None => self.letters.remove(self.tables, letter)?,
            }
        }
        let mut closings = BTreeMap::new();
        for told in told {
            self.event(told, &mut closings)?;
        }
        // Old nodes do not show a closing to whoever asks by owner, so the event has to do. The last word in a block
        // counts: a provider may retire and register again.
        for (program, life) in closings.into_values() {
            if life.closed {
                self.close(&life.address, &program, Version::closing(block.slot), life.kind.into())?;
            }
        }
        Ok(())
    }

    fn event(&mut self, told: Told, closings: &mut BTreeMap<Address, (Address, Life)>) -> Result<()> {
        let Told { event, fact } = told;
        let new = self.stored.insert(event.key);
        if new {
            self.events.add(&event, fact.as_ref().ok())?;
        }
        match &fact {
            Ok(fact) => {
                self.rows.extend(fact.rows());
                if let Some(life) = fact.life() {
                    closings.insert(life.address, (event.program, life));
                }
                if new {
                    self.happened(&event, fact)?;
                }
            }
            Err(error) if new => {
                self.dead(Letter::Event(event.key), &event.program, event.slot, &event.data, &error.to_string())?;
            }
            Err(_) => {}
        }
        if new {
            self.applied.changes.events.push(event);
        }
        Ok(())
    }

    /// An event is stored and understood for the first time: what it adds is added.
    pub(super) fn happened(&mut self, event: &EventRow, fact: &Fact) -> Result<()> {
        let Some((channel, fact)) = revenue::channel_of(fact) else { return Ok(()) };
        if let AnyEvent::Distributed(e) = fact {
            let of = self.channels.get(self.tables, &channel)?;
            let known = of.map(|of| [&of.payer, &of.provider, &of.model].map(|party| Some(party.clone())));
            let divided = distribution::from_event(event, e, known.unwrap_or_default());
            let place = distribution::place(&event.key);
            self.distributions.absent(place);
            self.distributions.put(self.tables, place, divided)?;
            self.divided.entry(channel).or_default().push(place);
        }
        self.ledger(&channel)?.happened(fact, distribution::time(event));
        Ok(())
    }

    pub(super) fn ledger(&mut self, channel: &Address) -> Result<&mut Days> {
        let ledger = match self.ledgers.entry(*channel) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let days = days::load(self.tables, channel)?;
                new.insert(Ledger { before: days.clone(), now: days })
            }
        };
        Ok(&mut ledger.now)
    }

    /// A channel's state was seen, at a time if that is known: an older one too says how far it had come by then. Without a
    /// time it counts from the beginning.
    pub(super) fn saw(
        &mut self,
        address: &Address,
        state: &joule_billing::state::Channel,
        slot: u64,
        time: Option<i64>,
    ) -> Result<()> {
        let at = time.unwrap_or(state.opened_at.get());
        self.ledger(address)?.saw(at, HowFar::of(state, slot));
        self.rows.insert(Row::Channel(*address));
        Ok(())
    }

    /// `time` is that of the block that shows it, in Unix seconds.
    fn write(&mut self, write: &AccountWrite, time: Option<i64>) -> Result<()> {
        let before = self.accounts.get(self.tables, &write.address)?;
        if write.version.is_snapshot() {
            if let Some(row) = AccountRow::seen_again(before, write) {
                return self.accounts.put(self.tables, write.address, row);
            }
        }
        if !is_live(write) {
            if self.close(&write.address, &write.owner, write.version, UNDECODABLE.into())? {
                self.touch(&write.address)?;
            }
            return Ok(());
        }
        let decoded = match Program::of(&write.owner) {
            Some(program) => decode::account(program, write.version.slot, &write.data),
            None => return Ok(()),
        };
        let kind = decoded.as_ref().map_or(UNDECODABLE, State::kind);
        let was_undecodable = before.is_some_and(|before| before.kind == UNDECODABLE);
        let after = AccountRow::written(before, write, kind);
        if let Ok(State::Channel(state)) = &decoded {
            self.saw(&write.address, state, write.version.slot, time)?;
        }
        let Some(after) = after else { return Ok(()) };
        let closed = after.closed;
        self.accounts.put(self.tables, write.address, after)?;
        let letter = Letter::Account(write.address);
        match decoded {
            Ok(state) => {
                if was_undecodable {
                    self.letters.remove(self.tables, letter)?;
                }
                self.state(&write.address, &state, write.version.slot, closed)
            }
            Err(error) => self.dead(letter, &write.owner, write.version.slot, &write.data, &error.to_string()),
        }
    }

    /// Marks an account as closed if that is newer than what is known.
    fn close(&mut self, address: &Address, owner: &Address, version: Version, kind: Cow<'static, str>) -> Result<bool> {
        let before = self.accounts.get(self.tables, address)?;
        let Some(after) = AccountRow::closing(before, address, owner, version, kind) else { return Ok(false) };
        let listed = before.and_then(AccountRow::listed);
        let was_undecodable = before.is_some_and(|before| before.kind == UNDECODABLE);
        self.accounts.put(self.tables, *address, after)?;
        if let Some(member) = listed {
            self.members.insert(key_cells(&member)?, false);
        }
        if was_undecodable {
            self.letters.remove(self.tables, Letter::Account(*address))?;
        }
        Ok(true)
    }

    /// Stores what a newer state says, in the tables that are no more than that, and remembers the rest for rebuilding.
    pub(super) fn state(&mut self, address: &Address, state: &State, slot: u64, closed: bool) -> Result<()> {
        let (tables, address) = (&mut *self.tables, *address);
        match state {
            State::Job(_) => {
                self.rows.insert(Row::Job(address));
            }
            State::Provider(_) => {
                self.rows.insert(Row::Provider(address));
            }
            State::Dispute(_) => {
                self.rows.insert(Row::Dispute(address));
            }
            State::Channel(_) => {
                self.rows.insert(Row::Channel(address));
            }
            State::Plan(_) => {
                self.rows.insert(Row::Plan(address));
            }
            State::Payer(payer) => {
                let before = self.payers.get(tables, &address)?.map_or(0, |before| before.balance);
                self.deltas.prepaid(Address::from(&payer.mint), before, payer.balance.get());
                self.payers.put(tables, address, PayerRow::new(&address, payer, slot))?;
            }
            State::Model(state) => {
                let model = model::from_state(&address, state, slot, Commitment::Confirmed);
                self.models.put(tables, address, model)?;
            }
            State::Bid(_) | State::Bond(_) | State::Claim(_) | State::PriceList(_) => {
                if let Some(parent) = state.parent().filter(|_| !closed) {
                    let member = Member { kind: state.kind().into(), parent, address };
                    self.members.insert(key_cells(&member)?, true);
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
            State::Client(client) => self.clients.put(tables, address, ClientRow::new(&address, client, slot))?,
            State::Protocol(of) => self.protocols.put(tables, address, ProtocolRow::new(&address, of, slot))?,
            State::AcceptedMint(mint) => self.mints.put(tables, address, MintRow::new(&address, mint, slot))?,
        }
        Ok(())
    }

    /// Every account that the store takes for alive and the snapshot does not have was closed while nobody looked.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        let alive: HashSet<Address> = snapshot.accounts.iter().map(|write| write.address).collect();
        for writes in snapshot.accounts.chunks(AT_ONCE) {
            self.accounts.load(self.tables, writes.iter().map(|write| write.address))?;
            for write in writes {
                self.write(write, snapshot.block_time)?;
            }
            self.accounts.spill(self.tables)?;
        }
        self.accounts.spill(self.tables)?;
        let mut gone = Vec::new();
        account::live(self.tables, &snapshot.program, |row| {
            if !alive.contains(&row.address) {
                gone.push((row.address, row.program, row.kind));
            }
        })?;
        for (address, program, kind) in gone {
            if self.close(&address, &program, Version::snapshot(snapshot.slot), kind)? {
                self.touch(&address)?;
            }
        }
        Ok(())
    }

    fn look(&mut self, look: &Look) -> Result<()> {
        let named = look.found.iter().map(|write| write.address).chain(look.gone.iter().copied());
        self.accounts.load(self.tables, named)?;
        for write in &look.found {
            self.write(write, look.block_time)?;
        }
        for address in &look.gone {
            let known = self.accounts.get(self.tables, address)?.filter(|row| !row.closed);
            if let Some((program, kind)) = known.map(|row| (row.program, row.kind.clone())) {
                if self.close(address, &program, Version::snapshot(look.slot), kind)? {
                    self.touch(address)?;
                }
            }
        }
        Ok(())
    }

    /// An account is gone: what was made of it is made again.
    fn touch(&mut self, address: &Address) -> Result<()> {
        let Some(row) = self.accounts.get(self.tables, address)? else { return Ok(()) };
        self.rows.extend(rows_of(row));
        Ok(())
    }

    fn dead(&mut self, letter: Letter, program: &Address, slot: u64, data: &bytes::Bytes, reason: &str) -> Result<()> {
        tracing::warn!(%letter, slot, %reason, "undecodable; kept as a dead letter");
        self.applied.dead_letters += 1;
        let (data, reason) = (data.clone(), reason.to_owned().into());
        let row =
            LetterRow { letter, kind: letter.kind().into(), program: *program, slot, data, reason, tx_index: None };
        self.letters.put(self.tables, letter, row)
    }

    fn unread(&mut self, letter: Letter, slot: u64, index: u64, unread: &Unread) -> Result<()> {
        if self.letters.get(self.tables, &letter)?.is_some() {
            return Ok(());
        }
        tracing::warn!(%letter, slot, reason = %unread.reason, "unreadable; kept as a dead letter");
        self.applied.dead_letters += 1;
        let row = LetterRow {
            letter,
            kind: letter.kind().into(),
            // Which programs it called is not known.
            program: Address::SYSTEM,
            slot,
            data: unread.data.clone(),
            reason: unread.reason.clone().into(),
            tx_index: Some(index),
        };
        self.letters.put(self.tables, letter, row)
    }
}
