//! Slots as a validator tells of them: begun, their content, sealed by metadata, processed, confirmed and final, each a while after the
//! other; and attempts at slots that come to nothing.

use super::random::{mixed, Random};
use crate::wire;
use std::collections::VecDeque;
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, BlockHeight, Rewards, SlotStatus, SubscribeUpdate, SubscribeUpdateBlockMeta,
        SubscribeUpdateSlot, UnixTimestamp,
    },
    prost::Message,
};

/// Slots from a block to its confirmation, and to its finality.
const CONFIRMED_AFTER: u64 = 2;
const FINAL_AFTER: u64 = 32;
/// Slots that a block's metadata may be late.
const LATE: u64 = 24;

/// A block's place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub slot: u64,
    pub parent: u64,
    pub bank: u64,
    /// Unix seconds.
    pub time: i64,
}

/// What a block has in it, encoded: updates one after another, and where each ends.
#[derive(Debug, Default)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
    pub transactions: u64,
}

impl Content {
    /// What was written since the last call is one update.
    pub fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.transactions = 0;
    }

    pub fn get(&self, place: usize) -> &[u8] {
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[place]]
    }
}

/// How blocks come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disorder {
    /// Updates come up to so many places from where they were.
    pub reorder: usize,
    /// Share of updates that come twice.
    pub duplicates: f64,
    /// Share of blocks whose metadata and statuses come only when others after them are known.
    pub late: f64,
}

/// Tells of blocks in order, and keeps what is told of them later.
pub struct Slots {
    seed: u64,
    disorder: Disorder,
    /// What comes later, and after which slot.
    later: VecDeque<(u64, Vec<u8>)>,
    /// Main blocks that are not confirmed yet, and those that are and not final.
    processed: VecDeque<Place>,
    confirmed: VecDeque<Place>,
    height: u64,
    order: Vec<(usize, usize)>,
}

/// Where updates go.
pub type Sink<'a> = dyn FnMut(&[u8]) -> anyhow::Result<()> + 'a;

impl Slots {
    pub fn new(seed: u64, disorder: Disorder) -> Self {
        let (later, processed, confirmed) = Default::default();
        Self { seed, disorder, later, processed, confirmed, height: 0, order: Vec::new() }
    }

    /// A slot begins.
    pub fn begin(&self, place: &Place, out: &mut Sink) -> anyhow::Result<()> {
        out(&status(place.slot, None, None, SlotStatus::SlotFirstShredReceived))?;
        out(&status(place.slot, Some(place.parent), Some(place.bank), SlotStatus::SlotCreatedBank))
    }

    /// A block's content, in the order in which it happens to come.
    pub fn content(&mut self, content: &Content, random: &mut Random, out: &mut Sink) -> anyhow::Result<()> {
        let Disorder { reorder, duplicates, .. } = self.disorder;
        self.order.clear();
        for place in 0..content.len() {
            let mut come = || place + random.below(reorder as u64 + 1) as usize;
            self.order.push((come(), place));
            if random.chance(duplicates) {
                self.order.push((place + random.below(reorder as u64 + 8) as usize, place));
            }
        }
        self.order.sort_unstable();
        self.order.iter().try_for_each(|(_, place)| out(content.get(*place)))
    }

    /// A block of the chain is done.
    pub fn sealed(
        &mut self,
        place: Place,
        content: &Content,
        random: &mut Random,
        out: &mut Sink,
    ) -> anyhow::Result<()> {
        self.height += 1;
        let sealing = [self.meta(&place, content), status_of(&place, SlotStatus::SlotProcessed)];
        self.processed.push_back(place);
        if random.chance(self.disorder.late) {
            let after = place.slot + 1 + random.below(LATE);
            self.later.extend(sealing.map(|update| (after, update)));
        } else {
            out(&status(place.slot, None, None, SlotStatus::SlotCompleted))?;
            sealing.iter().try_for_each(|update| out(update))?;
        }
        self.advance(place.slot, out)
    }

    /// An attempt ends that others do not build on: with its metadata, or as dead.
    pub fn abandoned(&mut self, place: &Place, content: &Content, is_dead: bool, out: &mut Sink) -> anyhow::Result<()> {
        if is_dead {
            return out(&status_of(place, SlotStatus::SlotDead));
        }
        out(&self.meta(place, content))?;
        out(&status_of(place, SlotStatus::SlotProcessed))
    }

    /// All that is due once a slot is over.
    fn advance(&mut self, slot: u64, out: &mut Sink) -> anyhow::Result<()> {
        let due = |due: &(u64, Vec<u8>)| due.0 <= slot;
        // Late ones are few, and not in the order of what they wait for.
        for (_, update) in self.later.iter().filter(|later| due(later)) {
            out(update)?;
        }
        self.later.retain(|later| !due(later));
        while let Some(place) = self.processed.pop_front_if(|place| place.slot + CONFIRMED_AFTER <= slot) {
            out(&status_of(&place, SlotStatus::SlotConfirmed))?;
            self.confirmed.push_back(place);
        }
        while let Some(place) = self.confirmed.pop_front_if(|place| place.slot + FINAL_AFTER <= slot) {
            out(&status_of(&place, SlotStatus::SlotFinalized))?;
        }
        Ok(())
    }

    /// The chain ends here: every block is confirmed, and those that are old enough are final.
    pub fn end(&mut self, out: &mut Sink) -> anyhow::Result<()> {
        for (_, update) in std::mem::take(&mut self.later) {
            out(&update)?;
        }
        for place in std::mem::take(&mut self.processed) {
            out(&status_of(&place, SlotStatus::SlotConfirmed))?;
        }
        Ok(())
    }

    fn meta(&self, place: &Place, content: &Content) -> Vec<u8> {
        let meta = SubscribeUpdateBlockMeta {
            slot: place.slot,
            blockhash: self.hash(place.slot, place.bank),
            rewards: Some(Rewards::default()),
            block_time: Some(UnixTimestamp { timestamp: place.time }),
            block_height: Some(BlockHeight { block_height: self.height }),
            parent_slot: place.parent,
            parent_blockhash: self.hash(place.parent, self.bank_of(place.parent)),
            executed_transaction_count: content.transactions,
            entries_count: 1,
            bank_id: place.bank,
        };
        encoded(UpdateOneof::BlockMeta(meta))
    }

    fn bank_of(&self, slot: u64) -> u64 {
        let known = self.processed.iter().rev().chain(self.confirmed.iter().rev());
        known.clone().find(|place| place.slot == slot).map_or(0, |place| place.bank)
    }

    /// In base58.
    fn hash(&self, slot: u64, bank: u64) -> String {
        bs58::encode(mixed([self.seed, slot, bank, 0xb10c])).into_string()
    }
}

fn status_of(place: &Place, level: SlotStatus) -> Vec<u8> {
    status(place.slot, Some(place.parent), Some(place.bank), level)
}

fn status(slot: u64, parent: Option<u64>, bank_id: Option<u64>, status: SlotStatus) -> Vec<u8> {
    let dead_error = (status == SlotStatus::SlotDead).then(|| "replayed as dead".to_owned());
    encoded(UpdateOneof::Slot(SubscribeUpdateSlot { slot, parent, status: status.into(), dead_error, bank_id }))
}

fn encoded(update: UpdateOneof) -> Vec<u8> {
    SubscribeUpdate { update_oneof: Some(update), ..Default::default() }.encode_to_vec()
}

/// Writes an account update, without its data being copied twice.
pub fn put_account(out: &mut Vec<u8>, place: &Place, account: &Account) {
    let info = account.info_len();
    let body = {
        let head = 1 + wire::varint_len(info as u64);
        head + info + 1 + wire::varint_len(place.slot) + 1 + wire::varint_len(place.bank)
    };
    wire::put_head(out, wire::update::ACCOUNT, body);
    wire::put_head(out, 1, info);
    wire::put_bytes(out, 1, &account.address);
    wire::put_number(out, 2, account.lamports);
    wire::put_bytes(out, 3, &account.owner);
    wire::put_number(out, 5, u64::MAX);
    wire::put_bytes(out, 6, account.data);
    wire::put_number(out, 7, account.write_version);
    if let Some(signature) = account.signature {
        wire::put_bytes(out, 8, signature);
    }
    wire::put_some(out, 2, place.slot);
    wire::put_some(out, 4, place.bank);
}

/// One write of one account.
pub struct Account<'a> {
    pub address: [u8; 32],
    pub owner: [u8; 32],
    pub lamports: u64,
    pub data: &'a [u8],
    pub write_version: u64,
    pub signature: Option<&'a [u8; 64]>,
}

impl Account<'_> {
    fn info_len(&self) -> usize {
        let number = |value: u64| if value == 0 { 0 } else { 1 + wire::varint_len(value) };
        let bytes = |length: usize| 1 + wire::varint_len(length as u64) + length;
        bytes(32) * 2
            + number(self.lamports)
            + number(u64::MAX)
            + bytes(self.data.len())
            + number(self.write_version)
            + self.signature.map_or(0, |_| bytes(64))
    }
}
