//! Slots as a validator tells of them: begun, their content, sealed by metadata, processed, confirmed and final, each a while after the
//! other; and attempts at slots that come to nothing.

use super::random::{mixed, Random};
use anyhow::Result;
use std::collections::{BTreeMap, VecDeque};
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
/// Blocks whose banks are remembered, for those that are built on them.
const RECENT: usize = 64;
/// Updates of a block in which nothing happens: statuses, and its metadata.
pub const EMPTY: u64 = 7;

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
    pub reorder: u64,
    /// Share of updates that come twice.
    pub duplicates: f64,
}

/// Tells of blocks in order, and keeps what is told of them later.
pub struct Slots {
    seed: u64,
    disorder: Disorder,
    /// What comes after a slot is over.
    later: BTreeMap<u64, Vec<Vec<u8>>>,
    /// Banks of the newest blocks.
    recent: VecDeque<Place>,
    height: u64,
    order: Vec<(usize, usize)>,
    /// Updates that came twice.
    pub repeated: u64,
}

/// Where updates go.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

impl Slots {
    pub fn new(seed: u64, disorder: Disorder) -> Self {
        let (later, recent) = Default::default();
        Self { seed, disorder, later, recent, height: 0, order: Vec::new(), repeated: 0 }
    }

    /// A slot begins.
    pub fn begin(&self, place: &Place, out: &mut Sink) -> Result<()> {
        out(&status(place.slot, None, None, SlotStatus::SlotFirstShredReceived))?;
        out(&status_of(place, SlotStatus::SlotCreatedBank))
    }

    /// A block's content, in the order in which it happens to come.
    pub fn content(&mut self, content: &Content, random: &mut Random, out: &mut Sink) -> Result<()> {
        let Disorder { reorder, duplicates, .. } = self.disorder;
        self.order.clear();
        for place in 0..content.len() {
            self.order.push((place + random.below(reorder + 1) as usize, place));
            if random.chance(duplicates) {
                self.repeated += 1;
                self.order.push((place + random.below(reorder + 8) as usize, place));
            }
        }
        self.order.sort_unstable();
        self.order.iter().try_for_each(|(_, place)| out(content.get(*place)))
    }

    /// A block of the chain is done. `late` is how likely it is told late.
    pub fn sealed(
        &mut self,
        place: Place,
        content: &Content,
        late: f64,
        random: &mut Random,
        out: &mut Sink,
    ) -> Result<()> {
        self.height += 1;
        let slot = place.slot;
        let sealing = [self.meta(&place, content), status_of(&place, SlotStatus::SlotProcessed)];
        let confirmed = status_of(&place, SlotStatus::SlotConfirmed);
        if random.chance(late) {
            let late = self.later.entry(slot + 1 + random.below(LATE)).or_default();
            late.extend(sealing);
            late.push(confirmed);
        } else {
            out(&status(slot, None, None, SlotStatus::SlotCompleted))?;
            sealing.iter().try_for_each(|update| out(update))?;
            self.later.entry(slot + CONFIRMED_AFTER).or_default().push(confirmed);
        }
        self.later.entry(slot + FINAL_AFTER).or_default().push(status_of(&place, SlotStatus::SlotFinalized));
        self.recent.push_back(place);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.advance(slot, out)
    }

    /// An attempt ends that nothing is built on: with its metadata, or as dead.
    pub fn abandoned(&mut self, place: &Place, content: &Content, is_dead: bool, out: &mut Sink) -> Result<()> {
        if is_dead {
            return out(&status_of(place, SlotStatus::SlotDead));
        }
        self.recent.push_back(*place);
        out(&self.meta(place, content))?;
        out(&status_of(place, SlotStatus::SlotProcessed))
    }

    /// All that is due once a slot is over.
    fn advance(&mut self, slot: u64, out: &mut Sink) -> Result<()> {
        let left = self.later.split_off(&(slot + 1));
        let due = std::mem::replace(&mut self.later, left);
        due.values().flatten().try_for_each(|update| out(update))
    }

    /// The chain ends here, and all of it is final.
    pub fn end(&mut self, out: &mut Sink) -> Result<()> {
        self.advance(u64::MAX - 1, out)
    }

    fn meta(&self, place: &Place, content: &Content) -> Vec<u8> {
        let parent = self.recent.iter().rev().find(|recent| recent.slot == place.parent);
        let meta = SubscribeUpdateBlockMeta {
            slot: place.slot,
            blockhash: self.hash(place.slot, place.bank),
            rewards: Some(Rewards::default()),
            block_time: Some(UnixTimestamp { timestamp: place.time }),
            block_height: Some(BlockHeight { block_height: self.height }),
            parent_slot: place.parent,
            parent_blockhash: self.hash(place.parent, parent.map_or(0, |parent| parent.bank)),
            executed_transaction_count: content.transactions,
            entries_count: 1,
            bank_id: place.bank,
        };
        encoded(UpdateOneof::BlockMeta(meta))
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
