//! A program is upgraded and writes otherwise from then on: what it wrote before stays what it was.

use super::*;
use crate::{
    decode::{earlier, Program},
    types::{AccountWrite, RawEvent, Signature, Transaction},
};
use anchor_lang::{
    bytemuck::{self, Zeroable},
    prelude::Address as Key,
    Discriminator, Event,
};
use joule_billing::{event as stated, state};

const PLAN: Address = Address([70; 32]);
const CHANNEL: Address = Address([71; 32]);
const PAYER: Address = Address([72; 32]);

fn key(address: Address) -> Key {
    Key::new_from_array(address.0)
}

fn write(slot: u64, write: u64, data: Vec<u8>) -> AccountWrite {
    let (owner, version) = (Program::Billing.address(), Version { slot, write });
    AccountWrite { address: PLAN, owner, lamports: 1_000, data: data.into(), version }
}

fn block(slot: u64, data: Vec<u8>, event: Vec<u8>) -> Block {
    let raw = RawEvent { instruction: 0, inner: 0, program: Program::Billing.address(), data: event.into() };
    let signature = Signature([slot as u8; 64]);
    let transaction = Transaction { signature, index: 0, events: vec![raw], unread: None };
    let writes = if data.is_empty() { Vec::new() } else { vec![write(slot, 1, data).into()] };
    Block { slot, block_time: Some(slot as i64), writes, transactions: vec![transaction.into()] }
}

fn old_plan() -> earlier::Plan {
    earlier::Plan { channel: key(CHANNEL), payer: key(PAYER), rate: 7.into(), started_at: 3.into() }
}

fn old_start() -> earlier::Started {
    earlier::Started { plan: key(PLAN), channel: key(CHANNEL), payer: key(PAYER), rate: 7.into(), at: 3.into() }
}

#[test]
fn what_was_written_before_an_upgrade_is_read_after_it_and_what_came_after_by_the_new_layout() {
    let (_folder, store) = open();
    let before = earlier::UNTIL - 1;
    let old = earlier::bytes(&old_plan());
    store.apply(&confirmed(vec![block(before, old.clone(), earlier::bytes(&old_start()))])).unwrap();
    let plan = || store.get::<Plan>(&PLAN).unwrap().unwrap();
    assert_eq!((plan().rate, plan().period, plan().status), (7, 0, PlanStatus::Running));

    // Long after, a snapshot shows the same bytes, and another indexer sees them for the first time.
    let later = earlier::UNTIL + 100;
    let (program, accounts) = (Program::Billing.address(), vec![write(later, 0, old)]);
    let snapshot = Snapshot { program, slot: later, block_time: Some(9), accounts };
    let seen = Batch { snapshots: vec![snapshot], checkpoint: Some(later), ..Batch::default() };
    let (_other, late) = open();
    for store in [&store, &late] {
        store.apply(&seen).unwrap();
        let plan = store.get::<Plan>(&PLAN).unwrap().unwrap();
        assert_eq!((plan.rate, plan.started_at), (7, 3));
        assert_eq!(store.account(&PLAN).unwrap().unwrap().kind, "plan");
    }

    // The upgraded program writes it again, and states what it states today.
    let new = state::Plan { period: 60.into(), lockup: 420.into(), status: 2, ..state_of(old_plan()) };
    let paused = stated::PlanPaused { plan: key(PLAN), channel: key(CHANNEL), ..Zeroable::zeroed() };
    let bytes = [state::Plan::DISCRIMINATOR, bytemuck::bytes_of(&new)].concat();
    store.apply(&confirmed(vec![block(later + 1, bytes, paused.data())])).unwrap();
    assert_eq!((plan().period, plan().lockup, plan().status), (60, 420, PlanStatus::Paused));
    let names: Vec<_> = store.events(&PLAN, 9).unwrap().iter().map(|event| event.fact().unwrap().name()).collect();
    assert_eq!(names, ["PlanPaused", "PlanStarted"]);
    assert_eq!(store.dead_letters().unwrap(), 0);
}

#[test]
fn an_event_of_the_wrong_side_of_an_upgrade_is_a_dead_letter() {
    let (_folder, store) = open();
    let new = stated::PlanStarted { plan: key(PLAN), channel: key(CHANNEL), ..Zeroable::zeroed() };
    let sides = [(earlier::UNTIL, earlier::bytes(&old_start())), (earlier::UNTIL - 1, new.data())];
    for (letters, (slot, event)) in (1..).zip(sides) {
        store.apply(&confirmed(vec![block(slot, Vec::new(), event)])).unwrap();
        assert_eq!(store.dead_letters().unwrap(), letters);
    }
    assert!(store.get::<Plan>(&PLAN).unwrap().is_none());
}

#[test]
fn an_account_that_was_closed_after_an_upgrade_keeps_what_it_was_before() {
    let (_folder, store) = open();
    let before = earlier::UNTIL - 1;
    store.apply(&confirmed(vec![block(before, earlier::bytes(&old_plan()), earlier::bytes(&old_start()))])).unwrap();
    let closed = AccountWrite { lamports: 0, ..write(earlier::UNTIL + 5, 1, Vec::new()) };
    let block = Block { slot: earlier::UNTIL + 5, writes: vec![closed.into()], ..Block::default() };
    store.apply(&confirmed(vec![block])).unwrap();
    let row = store.account(&PLAN).unwrap().unwrap();
    assert!(row.closed && row.state().is_some());
    assert_eq!(store.get::<Plan>(&PLAN).unwrap().unwrap().status, PlanStatus::Ended);
}

fn state_of(plan: earlier::Plan) -> state::Plan {
    plan.into()
}
