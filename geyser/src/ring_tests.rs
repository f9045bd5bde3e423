//! Tests of the ring: what each level sees, in which order, and what replay brings back.

use yellowstone_grpc_proto::geyser::{
    SlotStatus, SubscribeUpdateAccountInfo, SubscribeUpdateBlockMeta, SubscribeUpdateTransactionInfo,
};

use super::*;
use crate::message::{AccountMessage, TransactionMessage};

fn account(slot: u64, key: u8, write_version: u64) -> Message {
    Message::Account(Arc::new(AccountMessage {
        info: SubscribeUpdateAccountInfo { pubkey: vec![key; 32], write_version, ..Default::default() },
        slot,
        bank_id: Some(slot),
        created_at: Timestamp::default(),
    }))
}

fn transaction(slot: u64) -> Message {
    Message::Transaction(Arc::new(TransactionMessage {
        info: SubscribeUpdateTransactionInfo::default(),
        account_keys: Default::default(),
        slot,
        bank_id: Some(slot),
        created_at: Timestamp::default(),
    }))
}

fn meta(slot: u64, parent_slot: u64, transactions: u64) -> Message {
    Message::BlockMeta(Arc::new(BlockMetaMessage {
        update: SubscribeUpdateBlockMeta {
            slot,
            parent_slot,
            blockhash: format!("hash{slot}"),
            executed_transaction_count: transactions,
            ..Default::default()
        },
        created_at: Timestamp::default(),
    }))
}

fn status(slot: u64, parent: Option<u64>, status: SlotStatus) -> Message {
    Message::Slot(Arc::new(SlotMessage {
        slot,
        parent,
        status,
        dead_error: None,
        bank_id: Some(slot),
        created_at: Timestamp::default(),
    }))
}

fn describe(message: &Message) -> String {
    match message {
        Message::Account(m) => format!("account {} v{}", m.slot, m.info.write_version),
        Message::Transaction(m) => format!("tx {}", m.slot),
        Message::Entry(m) => format!("entry {}", m.update.slot),
        Message::Slot(m) => format!("{:?} {}", m.status, m.slot),
        Message::BlockMeta(m) => format!("meta {}", m.update.slot),
        Message::Block(m) => format!("block {} a{} t{}", m.meta.update.slot, m.accounts.len(), m.transactions.len()),
        Message::Lost(slot) => format!("lost {slot}"),
    }
}

/// Feeds everything and returns what a subscriber at `level` sees.
fn seen(ring: &mut Ring, level: Level, input: impl IntoIterator<Item = Message>) -> Vec<String> {
    let mut lines = Vec::new();
    for message in input {
        for delivery in ring.push(message) {
            if delivery.to == Audience::All || delivery.to == Audience::Level(level) {
                lines.extend(delivery.messages.iter().map(describe));
            }
        }
    }
    lines
}

fn block(slot: u64) -> Vec<Message> {
    vec![
        account(slot, 1, slot * 10),
        account(slot, 1, slot * 10 + 1),
        transaction(slot),
        meta(slot, slot - 1, 1),
        status(slot, Some(slot - 1), SlotStatus::SlotProcessed),
        status(slot, Some(slot - 1), SlotStatus::SlotConfirmed),
    ]
}

#[test]
fn processed_sees_every_write_then_the_block_then_statuses() {
    let mut ring = Ring::new(8);
    assert_eq!(
        seen(&mut ring, Level::Processed, block(5)),
        ["account 5 v50", "account 5 v51", "tx 5", "block 5 a1 t1", "meta 5", "SlotProcessed 5", "SlotConfirmed 5"]
    );
}

#[test]
fn confirmed_sees_the_last_write_per_account_when_the_slot_is_confirmed() {
    let mut ring = Ring::new(8);
    assert_eq!(
        seen(&mut ring, Level::Confirmed, block(5)),
        ["SlotProcessed 5", "account 5 v51", "tx 5", "block 5 a1 t1", "meta 5", "SlotConfirmed 5"]
    );
}

#[test]
fn finalized_waits_for_finality() {
    let mut ring = Ring::new(8);
    assert_eq!(seen(&mut ring, Level::Finalized, block(5)), ["SlotProcessed 5", "SlotConfirmed 5"]);
    assert_eq!(
        seen(&mut ring, Level::Finalized, [status(5, Some(4), SlotStatus::SlotFinalized)]),
        ["account 5 v51", "tx 5", "block 5 a1 t1", "meta 5", "SlotFinalized 5"]
    );
}

#[test]
fn statuses_wait_for_a_late_transaction() {
    let mut ring = Ring::new(8);
    let lines = seen(
        &mut ring,
        Level::Confirmed,
        [
            account(5, 1, 50),
            meta(5, 4, 1),
            status(5, Some(4), SlotStatus::SlotProcessed),
            status(5, Some(4), SlotStatus::SlotConfirmed),
        ],
    );
    assert!(lines.is_empty(), "{lines:?}");
    assert_eq!(
        seen(&mut ring, Level::Confirmed, [transaction(5)]),
        ["SlotProcessed 5", "account 5 v50", "tx 5", "block 5 a1 t1", "meta 5", "SlotConfirmed 5"]
    );
}

#[test]
fn a_missing_processed_status_is_told_before_confirmed() {
    let mut ring = Ring::new(8);
    let lines = seen(&mut ring, Level::Processed, [meta(5, 4, 0), status(5, Some(4), SlotStatus::SlotConfirmed)]);
    assert_eq!(lines, ["block 5 a0 t0", "meta 5", "SlotProcessed 5", "SlotConfirmed 5"]);
}

#[test]
fn a_repeated_status_is_told_once() {
    let mut ring = Ring::new(8);
    seen(&mut ring, Level::Processed, block(5));
    let again = [status(5, Some(4), SlotStatus::SlotProcessed), status(5, Some(4), SlotStatus::SlotConfirmed)];
    assert!(seen(&mut ring, Level::Processed, again).is_empty());
}

#[test]
fn ancestors_become_final_with_their_descendant_oldest_first() {
    let mut ring = Ring::new(8);
    for slot in 5..8 {
        seen(&mut ring, Level::Finalized, block(slot));
    }
    let lines = seen(&mut ring, Level::Finalized, [status(7, Some(6), SlotStatus::SlotFinalized)]);
    let finals: Vec<_> = lines.iter().filter(|l| l.starts_with("SlotFinalized")).collect();
    assert_eq!(finals, ["SlotFinalized 5", "SlotFinalized 6", "SlotFinalized 7"]);
}

#[test]
fn a_fork_that_lost_is_dropped_without_becoming_final() {
    let mut ring = Ring::new(8);
    seen(&mut ring, Level::Processed, block(5));
    // Slot 6 and slot 7 both build on 5; 7 wins.
    seen(
        &mut ring,
        Level::Processed,
        [account(6, 2, 60), meta(6, 5, 0), status(6, Some(5), SlotStatus::SlotProcessed)],
    );
    seen(&mut ring, Level::Processed, [meta(7, 5, 0), status(7, Some(5), SlotStatus::SlotProcessed)]);
    let lines = seen(&mut ring, Level::Finalized, [status(7, Some(5), SlotStatus::SlotFinalized)]);
    assert!(lines.iter().all(|line| !line.ends_with(" 6")), "{lines:?}");
    let replayed = ring.replay(5, Level::Processed).unwrap();
    assert!(replayed.iter().flat_map(|b| b.iter()).all(|m| m.slot() != 6));
}

#[test]
fn a_dead_slot_is_announced_to_everybody_and_forgotten() {
    let mut ring = Ring::new(8);
    seen(&mut ring, Level::Processed, [account(6, 2, 60)]);
    assert_eq!(seen(&mut ring, Level::Finalized, [status(6, None, SlotStatus::SlotDead)]), ["SlotDead 6"]);
    assert_eq!(ring.first_available(), None);
}

#[test]
fn a_replaced_bank_leaves_nothing_behind() {
    let mut ring = Ring::new(8);
    seen(&mut ring, Level::Processed, [account(6, 2, 60)]);
    let created = Message::Slot(Arc::new(SlotMessage {
        slot: 6,
        parent: Some(5),
        status: SlotStatus::SlotCreatedBank,
        dead_error: None,
        bank_id: Some(99),
        created_at: Timestamp::default(),
    }));
    seen(&mut ring, Level::Processed, [created]);
    // A straggler of the replaced bank.
    seen(&mut ring, Level::Processed, [account(6, 3, 61)]);
    let lines = seen(&mut ring, Level::Confirmed, [meta(6, 5, 0), status(6, Some(5), SlotStatus::SlotConfirmed)]);
    assert!(lines.iter().all(|line| !line.starts_with("account")), "{lines:?}");
}

#[test]
fn replay_brings_back_content_summary_and_statuses_in_slot_order() {
    let mut ring = Ring::new(8);
    for slot in 5..7 {
        seen(&mut ring, Level::Processed, block(slot));
    }
    seen(&mut ring, Level::Processed, [account(7, 1, 70)]);
    let lines = |level| -> Vec<String> {
        let batches = ring.replay(6, level).unwrap();
        batches.iter().flat_map(|batch| batch.iter()).map(describe).collect()
    };
    assert_eq!(
        lines(Level::Processed),
        ["account 6 v61", "tx 6", "block 6 a1 t1", "meta 6", "SlotProcessed 6", "SlotConfirmed 6", "account 7 v70"]
    );
    assert_eq!(lines(Level::Finalized), ["SlotProcessed 6", "SlotConfirmed 6"]);
}

#[test]
fn the_ring_keeps_its_size_and_names_the_oldest_slot() {
    let mut ring = Ring::new(3);
    for slot in 5..15 {
        seen(&mut ring, Level::Processed, block(slot));
        seen(&mut ring, Level::Processed, [status(slot, Some(slot - 1), SlotStatus::SlotFinalized)]);
    }
    assert_eq!(ring.first_available(), Some(12));
    let refused = ring.replay(11, Level::Processed).unwrap_err();
    assert_eq!(refused, ReplayError::TooOld { from_slot: 11, first_available: 12 });
    assert_eq!(refused.to_string(), "broadcast from 11 is not available, last available: 12");
    assert!(ring.replay(12, Level::Processed).is_ok());
    assert!(ring.replay(14, Level::Processed).is_ok());
    assert_eq!(ring.replay(15, Level::Processed).unwrap_err(), ReplayError::Ahead);
    // A status of a forgotten slot changes nothing.
    assert!(seen(&mut ring, Level::Processed, [status(5, Some(4), SlotStatus::SlotFinalized)]).is_empty());
}

#[test]
fn slots_that_are_not_final_outlive_the_window() {
    let mut ring = Ring::new(2);
    for slot in 5..25 {
        seen(&mut ring, Level::Processed, block(slot));
    }
    assert_eq!(ring.first_available(), Some(5));
}

#[test]
fn replay_can_be_turned_off() {
    let mut ring = Ring::new(0);
    seen(&mut ring, Level::Processed, block(5));
    assert_eq!(ring.first_available(), None);
    assert_eq!(ring.replay(5, Level::Processed).unwrap_err(), ReplayError::Disabled);
}

#[test]
fn a_final_descendant_releases_a_block_that_never_completed() {
    let mut ring = Ring::new(8);
    seen(
        &mut ring,
        Level::Confirmed,
        [account(5, 1, 50), meta(5, 4, 3), status(5, Some(4), SlotStatus::SlotConfirmed)],
    );
    seen(&mut ring, Level::Confirmed, block(6));
    let lines = seen(&mut ring, Level::Confirmed, [status(6, Some(5), SlotStatus::SlotFinalized)]);
    assert!(lines.contains(&"account 5 v50".to_owned()), "{lines:?}");
    assert!(lines.contains(&"SlotConfirmed 5".to_owned()), "{lines:?}");
}
