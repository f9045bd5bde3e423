//! Commitment levels above processed: a bank's content waits until its slot has come so far.

use crate::wire::{Look, Value};
use std::collections::BTreeMap;
use tonic::Status;
use yellowstone_grpc_proto::prelude::{CommitmentLevel, SlotStatus};

/// Slots after which a bank that is not settled never will be.
const LATEST: u64 = 128;

/// Holds what is not settled yet, by slot and bank.
pub struct Gate<T> {
    /// The status that lets content through; `None` when all goes through at once.
    opens: Option<SlotStatus>,
    held: BTreeMap<(u64, u64), Vec<T>>,
}

impl<T> Gate<T> {
    /// For a request's commitment; absent means processed.
    pub fn new(commitment: Option<i32>) -> Result<Self, Status> {
        let opens = match CommitmentLevel::try_from(commitment.unwrap_or_default()) {
            Ok(CommitmentLevel::Processed) => None,
            Ok(CommitmentLevel::Confirmed) => Some(SlotStatus::SlotConfirmed),
            Ok(CommitmentLevel::Finalized) => Some(SlotStatus::SlotFinalized),
            Err(_) => return Err(Status::invalid_argument("an unknown commitment level")),
        };
        Ok(Self { opens, held: BTreeMap::new() })
    }

    /// `item` is the update at hand, if anybody asked for it. Sends it, or holds it, and sends what it lets through.
    pub fn pass(&mut self, look: &Look, item: Option<T>, send: &mut dyn FnMut(T)) {
        let Some(opens) = self.opens else { return item.into_iter().for_each(send) };
        let number = |fields: &crate::wire::Fields, field| fields.get(field).map_or(0, Value::number);
        let (slot, bank) = match look {
            Look::Account(fields) => (number(fields, 2), number(fields, 4)),
            Look::Transaction(fields) => (number(fields, 2), number(fields, 3)),
            Look::BlockMeta(fields) => (number(fields, 1), number(fields, 10)),
            Look::Slot { slot, status, bank } => {
                if *status == opens as i32 {
                    self.held.remove(&(*slot, *bank)).into_iter().flatten().for_each(&mut *send);
                    self.held.retain(|(held, _), _| held + LATEST > *slot);
                }
                return item.into_iter().for_each(send);
            }
            Look::Other => return item.into_iter().for_each(send),
        };
        if let Some(item) = item {
            self.held.entry((slot, bank)).or_default().push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn account(slot: u64, bank: u64) -> Vec<u8> {
        let (mut inner, mut update) = (Vec::new(), Vec::new());
        wire::put_some(&mut inner, 2, slot);
        wire::put_some(&mut inner, 4, bank);
        wire::put_bytes(&mut update, wire::update::ACCOUNT, &inner);
        update
    }

    #[test]
    fn content_waits_for_its_banks_status_and_a_dead_banks_content_never_comes() {
        let mut sent = Vec::new();
        let mut gate = Gate::new(Some(CommitmentLevel::Confirmed as i32)).unwrap();
        let mut pass = |look: &Look, item| gate.pass(look, Some(item), &mut |item| sent.push(item));
        pass(&Look::of(&account(7, 1)), "dead");
        pass(&Look::of(&account(7, 2)), "first");
        pass(&Look::of(&account(8, 3)), "later");
        pass(&Look::of(&account(7, 2)), "second");
        let status = |slot, status, bank| Look::Slot { slot, status: status as i32, bank };
        pass(&status(7, SlotStatus::SlotProcessed, 2), "processed");
        pass(&status(7, SlotStatus::SlotConfirmed, 2), "confirmed");
        assert_eq!(sent, ["processed", "first", "second", "confirmed"]);
    }

    #[test]
    fn at_processed_everything_comes_at_once() {
        let mut sent = Vec::new();
        let mut gate = Gate::new(None).unwrap();
        gate.pass(&Look::of(&account(7, 1)), Some(1), &mut |item| sent.push(item));
        assert_eq!(sent, [1]);
        assert!(Gate::<()>::new(Some(9)).is_err());
    }
}
