//! Forks, dead slots, duplicates, disorder, replays, gaps: without a network.

use super::{
    line::{LATE, LATE_WITHOUT_FINALITY},
    *,
};
use crate::types::{Address, Signature, Version};
use proptest::prelude::*;

pub(super) fn bank(slot: u64, bank: u64) -> BankRef {
    BankRef { slot, bank }
}

pub(super) fn write(slot: u64, id: u64, version: u64) -> Update {
    let write = AccountWrite {
        address: Address([version as u8; 32]),
        owner: Address([1; 32]),
        lamports: 1,
        data: vec![version as u8].into(),
        version: Version { slot, write: version },
    };
    Update::Account { bank: bank(slot, id), write: write.into() }
}

pub(super) fn transaction(slot: u64, id: u64, index: u64) -> Update {
    let transaction = Transaction { signature: Signature([index as u8; 64]), index, events: vec![], unread: None };
    Update::Transaction { bank: bank(slot, id), transaction: transaction.into() }
}

pub(super) fn begun(slot: u64, id: u64) -> Update {
    Update::Slot { slot, bank: Some(id), parent: None, status: SlotStatus::Begun }
}

pub(super) fn meta(slot: u64, id: u64, parent: u64) -> Update {
    Update::BlockMeta {
        bank: bank(slot, id),
        parent,
        parent_hash: None,
        hash: None,
        block_time: Some(1_000 + slot as i64),
        received: std::time::Instant::now(),
    }
}

pub(super) fn status(slot: u64, status: SlotStatus) -> Update {
    Update::Slot { slot, bank: None, parent: None, status }
}

pub(super) fn confirmed(slot: u64) -> Update {
    status(slot, SlotStatus::Confirmed)
}

/// A bank with a write and a transaction, from its beginning to its end.
pub(super) fn whole(slot: u64, id: u64, parent: u64) -> Vec<Update> {
    vec![begun(slot, id), write(slot, id, slot * 10), transaction(slot, id, 0), meta(slot, id, parent)]
}

fn feed(order: &mut Order, updates: impl IntoIterator<Item = Update>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for update in updates {
        order.push(0, update, &mut effects);
    }
    effects
}

pub(super) fn commits(effects: &[Effect]) -> Vec<u64> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Commit { block, .. } => Some(block.slot),
            _ => None,
        })
        .collect()
}

pub(super) fn gaps(effects: &[Effect]) -> Vec<(Option<u64>, u64)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Gap(Gap { after, upto, .. }) => Some((*after, *upto)),
            _ => None,
        })
        .collect()
}

pub(super) fn dropped(effects: &[Effect]) -> Vec<BankRef> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Dropped(banks) => Some(banks.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

#[test]
fn a_confirmed_block_is_committed_with_its_content_in_order() {
    let mut order = Order::new(Some(9), 1);
    let effects = feed(
        &mut order,
        [
            begun(10, 1),
            write(10, 1, 7),
            write(10, 1, 3),
            transaction(10, 1, 1),
            transaction(10, 1, 0),
            meta(10, 1, 9),
            confirmed(10),
        ],
    );
    let Some(Effect::Commit { block, frontier: 10 }) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(block.writes.iter().map(|write| write.version.write).collect::<Vec<_>>(), [3, 7]);
    assert_eq!(block.transactions.iter().map(|transaction| transaction.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(block.block_time, Some(1_010));
    assert_eq!((order.frontier(), order.held(), order.tip(0)), (Some(10), 0, 10));
}

#[test]
fn unconfirmed_content_is_shown_at_once_and_only_once() {
    let mut order = Order::new(Some(9), 1);
    let effects = feed(&mut order, [write(10, 1, 3), write(10, 1, 3), transaction(10, 1, 0), transaction(10, 1, 0)]);
    assert_eq!(effects.len(), 2);
    assert!(matches!(effects[0], Effect::Write { .. }) && matches!(effects[1], Effect::Transaction { .. }));
}

#[test]
fn a_confirmation_before_the_block_metadata_waits_for_it() {
    let mut order = Order::new(Some(9), 1);
    assert!(commits(&feed(&mut order, [begun(10, 1), write(10, 1, 1), confirmed(10)])).is_empty());
    assert_eq!(commits(&feed(&mut order, [meta(10, 1, 9)])), [10]);
}

#[test]
fn confirming_a_slot_confirms_its_ancestors_and_kills_other_forks() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.extend(whole(11, 2, 9));
    updates.extend(whole(12, 3, 10));
    updates.push(confirmed(12));
    let effects = feed(&mut order, updates);
    assert_eq!(commits(&effects), [10, 12]);
    assert_eq!(dropped(&effects), [bank(11, 2)]);
}

#[test]
fn a_dead_slot_is_dropped_and_its_second_bank_is_committed() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = vec![begun(10, 1), write(10, 1, 5)];
    updates.push(Update::Slot { slot: 10, bank: Some(1), parent: None, status: SlotStatus::Dead });
    updates.extend(whole(10, 2, 9));
    updates.push(confirmed(10));
    let effects = feed(&mut order, updates);
    assert_eq!(dropped(&effects), [bank(10, 1)]);
    let Some(Effect::Commit { block, .. }) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(block.writes[0].version.write, 100);
}

#[test]
fn a_dead_slot_without_a_bank_is_dropped_whole() {
    let mut order = Order::new(Some(9), 1);
    let effects = feed(&mut order, [write(10, 1, 5), write(10, 2, 6), status(10, SlotStatus::Dead)]);
    assert_eq!(dropped(&effects), [bank(10, 1), bank(10, 2)]);
    assert_eq!(order.held(), 0);
}

#[test]
fn the_confirmed_bank_of_a_slot_wins_over_a_later_one() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.extend([begun(10, 2), write(10, 2, 55), meta(10, 2, 9)]);
    updates.push(Update::Slot { slot: 10, bank: Some(1), parent: None, status: SlotStatus::Confirmed });
    let effects = feed(&mut order, updates);
    let Some(Effect::Commit { block, .. }) = effects.iter().find(|effect| matches!(effect, Effect::Commit { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(block.writes[0].version.write, 100);
    assert_eq!(dropped(&effects), [bank(10, 2)]);
}

#[test]
fn a_missing_parent_is_a_gap_and_nothing_passes_it_until_it_is_filled() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(12, 1, 11);
    updates.push(confirmed(12));
    assert_eq!(gaps(&feed(&mut order, updates)), [(Some(9), 11)]);
    let mut more = whole(13, 2, 12);
    more.push(confirmed(13));
    let effects = feed(&mut order, more);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![]));
    let mut effects = Vec::new();
    order.filled(11, &mut effects);
    assert_eq!(commits(&effects), [12, 13]);
}

#[test]
fn an_empty_store_asks_for_everything_before_the_first_whole_block() {
    let mut order = Order::new(None, 1);
    // Half of 10 came before the connection.
    let mut updates = vec![write(10, 1, 1), meta(10, 1, 9)];
    updates.push(confirmed(10));
    assert_eq!(gaps(&feed(&mut order, updates)), []);
    let mut updates = vec![write(11, 2, 2), meta(11, 2, 10)];
    updates.push(confirmed(11));
    assert_eq!(gaps(&feed(&mut order, updates)), [(None, 10)]);
    let mut effects = Vec::new();
    order.filled(10, &mut effects);
    assert_eq!(commits(&effects), [11]);
}

#[test]
fn a_bank_that_was_running_at_connection_is_never_committed_from_the_stream() {
    let mut order = Order::new(Some(9), 1);
    let effects = feed(&mut order, [write(10, 1, 1), meta(10, 1, 9), confirmed(10)]);
    assert!(commits(&effects).is_empty());
    let mut updates = whole(11, 2, 10);
    updates.push(confirmed(11));
    let effects = feed(&mut order, updates);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![(Some(9), 10)]));
}

#[test]
fn a_parent_that_is_sealed_late_says_nothing_of_a_child_that_was_running_at_connection() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = vec![write(11, 2, 1), meta(11, 2, 10)];
    updates.extend(whole(12, 3, 11));
    updates.extend([meta(10, 1, 9), confirmed(10), confirmed(11), confirmed(12)]);
    let effects = feed(&mut order, updates);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![(Some(9), 11)]));
}

#[test]
fn a_replay_makes_its_slots_whole() {
    let mut order = Order::new(Some(9), 1);
    let mut effects = Vec::new();
    order.connected(0, Some(9), &mut effects);
    let effects = feed(&mut order, [meta(9, 1, 8), write(10, 2, 1), meta(10, 2, 9), confirmed(10)]);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![10], vec![]));
}

#[test]
fn a_replay_that_begins_too_late_is_a_gap() {
    let mut order = Order::new(Some(5), 1);
    order.connected(0, Some(5), &mut Vec::new());
    let effects = feed(&mut order, [meta(9, 1, 8), write(10, 2, 1), meta(10, 2, 9), confirmed(9), confirmed(10)]);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![]), "8 may be late");
    let effects = feed(&mut order, [status(8 + LATE, SlotStatus::Finalized)]);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![(Some(5), 8)]));
}

/// As a server does that cannot seal a block at once: metadata and statuses only with finality.
fn late(order: &mut Order, slot: u64, id: u64, parent: u64) {
    let content = [begun(slot, id), write(slot, id, slot), transaction(slot, id, 0)];
    assert!(commits(&feed(order, content)).is_empty(), "child of {parent}");
}

#[test]
fn a_late_block_is_waited_for_and_what_follows_it_comes_after_it() {
    let mut order = Order::new(Some(9), 1);
    late(&mut order, 10, 1, 9);
    late(&mut order, 11, 2, 10);
    for slot in 12..42 {
        let mut updates = whole(slot, slot, slot - 1);
        updates.push(confirmed(slot));
        let effects = feed(&mut order, updates);
        assert_eq!((commits(&effects), gaps(&effects)), (vec![], vec![]));
    }
    // Others are said to be final first.
    let effects = feed(&mut order, [status(12, SlotStatus::Finalized), meta(10, 1, 9), confirmed(10)]);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![10], vec![]));
    let effects = feed(&mut order, [meta(11, 2, 10), confirmed(11)]);
    assert_eq!(commits(&effects), (11..42).collect::<Vec<_>>());
    let Effect::Commit { block, .. } = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((block.slot, block.writes.len(), block.transactions.len()), (11, 1, 1));
    assert_eq!(gaps(&effects), []);
}

#[test]
fn a_block_of_which_nothing_is_heard_may_be_late_too() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.push(confirmed(10));
    updates.extend(whole(12, 3, 11));
    updates.push(confirmed(12));
    let effects = feed(&mut order, updates);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![10], vec![]));
    let effects = feed(&mut order, [begun(11, 2), write(11, 2, 5), meta(11, 2, 10), confirmed(11)]);
    assert_eq!((commits(&effects), gaps(&effects)), (vec![11, 12], vec![]));
}

#[test]
fn what_has_not_come_well_after_its_finality_is_a_gap() {
    for (last, expected) in [(LATE - 1, vec![]), (LATE, vec![(Some(9), 10)])] {
        let mut order = Order::new(Some(9), 1);
        late(&mut order, 10, 1, 9);
        let mut updates = whole(11, 2, 10);
        updates.push(confirmed(11));
        updates.push(status(10 + last, SlotStatus::Finalized));
        assert_eq!(gaps(&feed(&mut order, updates)), expected);
    }
    // A chain that does not finalize.
    for (last, expected) in [(LATE_WITHOUT_FINALITY - 1, vec![]), (LATE_WITHOUT_FINALITY, vec![(Some(9), 10)])] {
        let mut order = Order::new(Some(9), 1);
        late(&mut order, 10, 1, 9);
        let mut updates = whole(11, 2, 10);
        updates.push(begun(10 + last, 3));
        updates.push(confirmed(11));
        assert_eq!(gaps(&feed(&mut order, updates)), expected);
    }
}

#[test]
fn a_lost_connection_forgets_what_was_not_confirmed_and_repeats_nothing_after_it() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.push(confirmed(10));
    updates.push(write(11, 2, 1));
    feed(&mut order, updates);
    let mut effects = Vec::new();
    order.disconnected(0, &mut effects);
    assert_eq!(effects, [Effect::Hidden(vec![bank(11, 2)])]);
    assert_eq!(order.held(), 0);
    order.connected(0, Some(10), &mut effects);
    let mut replay = whole(10, 1, 9);
    replay.push(confirmed(10));
    replay.extend(whole(11, 2, 10));
    replay.push(confirmed(11));
    assert_eq!(commits(&feed(&mut order, replay)), [11]);
}

#[test]
fn a_late_part_of_a_committed_bank_is_passed_on_and_of_a_dead_one_is_not() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.push(confirmed(10));
    feed(&mut order, updates);
    assert_eq!(commits(&feed(&mut order, [write(10, 1, 77)])), [10]);
    assert_eq!(feed(&mut order, [write(10, 2, 78), write(4, 1, 79)]), []);
}

#[test]
fn finality_is_told_once_and_confirms() {
    let mut order = Order::new(Some(9), 1);
    let mut updates = whole(10, 1, 9);
    updates.push(status(10, SlotStatus::Finalized));
    updates.push(status(10, SlotStatus::Finalized));
    let effects = feed(&mut order, updates);
    assert_eq!(commits(&effects), [10]);
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Finalized(10)).count(), 1);
}

/// A chain with forks: for each slot its parent, and whether it is on the chain that gets confirmed.
fn chain() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
    prop::collection::vec((1u64..3, any::<bool>()), 1..20).prop_map(|steps| {
        let (mut slots, mut head, mut slot) = (Vec::new(), 100, 100);
        for (skip, main) in steps {
            slot += skip;
            slots.push((slot, head, main));
            if main {
                head = slot;
            }
        }
        slots
    })
}

proptest! {
    /// Content in any order within its slot, anything twice, forks in between: the same blocks come out.
    #[test]
    fn every_confirmed_block_comes_out_once_in_order_and_complete(
        slots in chain(),
        shuffles in prop::collection::vec(any::<prop::sample::Index>(), 200),
        again in prop::collection::vec(any::<bool>(), 200),
    ) {
        let mut choice = shuffles.into_iter().cycle();
        let mut again = again.into_iter().cycle();
        let mut order = Order::new(Some(100), 1);
        let mut effects = Vec::new();
        for (slot, parent, main) in &slots {
            let mut content: Vec<Update> = (0..4).map(|n| write(*slot, *slot, slot % 16 * 10 + n)).collect();
            content.extend((0..3).map(|n| transaction(*slot, *slot, n)));
            order.push(0, begun(*slot, *slot), &mut effects);
            while !content.is_empty() {
                let update = content.swap_remove(choice.next().unwrap().index(content.len()));
                if again.next().unwrap() {
                    order.push(0, update.clone(), &mut effects);
                }
                order.push(0, update, &mut effects);
            }
            order.push(0, meta(*slot, *slot, *parent), &mut effects);
            // Only some confirmations arrive: the others are implied.
            if *main && again.next().unwrap() {
                order.push(0, confirmed(*slot), &mut effects);
            }
        }
        let last = slots.iter().rev().find(|(_, _, main)| *main).map(|(slot, ..)| *slot);
        if let Some(last) = last {
            order.push(0, confirmed(last), &mut effects);
        }
        let expected: Vec<u64> = slots.iter().filter(|(_, _, main)| *main).map(|(slot, ..)| *slot).collect();
        prop_assert_eq!(commits(&effects), expected);
        prop_assert_eq!(gaps(&effects), vec![]);
        for effect in &effects {
            if let Effect::Commit { block, .. } = effect {
                prop_assert_eq!((block.writes.len(), block.transactions.len()), (4, 3));
            }
        }
    }
}
