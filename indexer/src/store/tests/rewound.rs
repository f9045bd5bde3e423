//! A store that is put back and learns what happened once more.

use super::{billing::Billed, *};
use crate::{
    row::{
        cell::Cell,
        inner_tables,
        record::{Cells, Table},
        tables,
        totals::Total,
    },
    types::Unread,
};
use std::collections::BTreeMap;

pub type Dump = BTreeMap<&'static str, Vec<Cells>>;

/// Every row of every table, but sums of nothing.
pub fn dump(store: &Tested) -> Dump {
    let all = |table: &'static Table| {
        let mut rows = store.read(false, |tables| tables.all(table, &[])).unwrap();
        rows.retain(|cells| table.name != Total::table().name || cells.row.last() != Some(&Cell::sum(0)));
        rows.sort_by(|one, other| one.row.cmp(&other.row));
        (table.name, rows)
    };
    tables().into_iter().chain(inner_tables()).map(all).collect()
}

fn assert_same(found: &Dump, expected: &Dump, of: &str) {
    for (name, expected) in expected {
        let found = &found[name];
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected, "{of}: {name}");
        }
        assert_eq!(found.len(), expected.len(), "{of}: {name}: {found:?}");
    }
}

/// What may happen, and what nobody can read.
#[derive(Debug, Clone)]
enum Step {
    Happens(Happening),
    BadAccount,
    BadEvent,
    Unread,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        16 => any::<Happening>().prop_map(Step::Happens),
        1 => Just(Step::BadAccount),
        1 => Just(Step::BadEvent),
        1 => Just(Step::Unread),
    ];
    prop::collection::vec(step, most / 2..most)
}

fn run(chain: &mut Chain, steps: &[Step]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for step in steps {
        match step {
            Step::Happens(happening) => chain.happen(*happening),
            Step::BadAccount => drop(chain.garbage_account()),
            Step::BadEvent => chain.garbage_event(),
            Step::Unread => {
                chain.open(2, 70);
                blocks.extend(chain.take());
                let block: &mut Block = blocks.last_mut().unwrap();
                let transaction = Arc::make_mut(&mut block.transactions[0]);
                transaction.events.clear();
                transaction.unread = Some(Unread { reason: "of version 9".to_owned(), data: vec![7].into() });
            }
        }
        blocks.extend(chain.take());
    }
    blocks
}

/// A market with something of everything, so that little of what happens is refused.
fn begun() -> (Chain, Vec<Block>) {
    let mut chain = Chain::new();
    for who in 0..2 {
        let (provider, model) = (chain.register(who), chain.model(who, None, 3));
        chain.bond(who, 50_000);
        chain.pay_in(who, 9_000);
        chain.open_channel(who, &provider, &model, 4_000);
        let job = chain.open(who, 900);
        chain.accept(&job, &provider, 800);
        chain.deliver(&job);
    }
    let blocks = chain.take();
    (chain, blocks)
}

fn rewind(store: &Tested, to: u64) -> Beyond {
    let told = store.beyond(to).unwrap();
    let mut done = 0;
    assert_eq!(store.rewind(to, &mut |some| done += some).unwrap(), told);
    assert_eq!((done, store.is_listed().unwrap()), (2 * told.events, false));
    assert_eq!(store.checkpoint().unwrap().unwrap().slot, to);
    let nothing = Beyond { checkpoint: to, oldest: told.oldest.filter(|oldest| *oldest <= to), ..Beyond::default() };
    assert_eq!(store.beyond(to).unwrap(), nothing);
    told
}

fn listed(store: &Tested, slot: u64) {
    store.apply(&Batch { snapshots: snapshot_of(store, slot), ..Batch::default() }).unwrap();
}

proptest! {
    #![proptest_config(tested::cases(4))]

    /// To whatever slot it is put back: given what followed once more, and lists of all accounts, it has what it had, cell by cell.
    #[test]
    fn a_store_that_is_put_back_and_learns_the_same_once_more_is_the_same(steps in steps(50), batch in 1usize..20) {
        let (mut chain, mut blocks) = begun();
        blocks.extend(run(&mut chain, &steps));
        let (tip, snapshots) = {
            let (_folder, store) = open();
            store.apply(&confirmed(blocks.clone())).unwrap();
            (chain.slot(), snapshot_of(&store, chain.slot() + 5))
        };
        let filled = |blocks: &[Block], store: &Tested| {
            for some in blocks.chunks(batch) {
                store.apply(&confirmed(some.to_vec())).unwrap();
            }
            store.apply(&Batch { checkpoint: Some(tip), finalized: Some(tip - 3), ..Batch::default() }).unwrap();
        };
        let list = |store: &Tested| {
            store.apply(&Batch { snapshots: snapshots.clone(), ..Batch::default() }).unwrap();
        };
        let (_straight, straight) = open();
        filled(&blocks, &straight);
        let before = dump(&straight);
        list(&straight);
        let after = dump(&straight);
        prop_assert_eq!(crate::verify::audit(&straight).unwrap().differences, []);
        let (_again, again) = open();
        filled(&blocks, &again);
        // Across a network each takes seconds: some of them, and others in each case.
        let step = if matches!(again, Tested::Sqlite(_)) { 1 } else { 13 };
        let slots = blocks.iter().map(|block| block.slot).chain([999]).skip(batch % step).step_by(step);
        for (n, slot) in slots.enumerate() {
            let rest: Vec<Block> = blocks.iter().filter(|block| block.slot > slot).cloned().collect();
            let fresh = (n % 5 == 0).then(open);
            let store = fresh.as_ref().map_or(&again, |(_, store)| store);
            if fresh.is_some() {
                filled(&blocks, store);
                assert_same(&dump(store), &before, "filled");
            }
            rewind(store, slot);
            let left: u64 = dump(store)["events"].len() as u64;
            prop_assert_eq!(left, before["events"].len() as u64 - straight.beyond(slot).unwrap().events);
            filled(&rest, store);
            prop_assert!(!store.is_listed().unwrap());
            list(store);
            prop_assert!(store.is_listed().unwrap());
            assert_same(&dump(store), &after, &format!("after slot {slot}"));
        }
    }

    /// Where something else follows, as when a cluster is started again from an older slot: events and money are those of what followed, the
    /// books balance, and what accounts say is what they say.
    #[test]
    fn a_store_that_is_put_back_and_learns_something_else_has_nothing_of_what_was(
        same in steps(24),
        lost in steps(24),
        kept in steps(24),
    ) {
        let (mut chain, mut old) = begun();
        old.extend(run(&mut chain, &same));
        let slot = chain.slot();
        old.extend(run(&mut chain, &lost));
        let (mut chain, mut new) = begun();
        new.extend(run(&mut chain, &same));
        new.extend(run(&mut chain, &kept));
        let (_straight, straight) = open();
        straight.apply(&confirmed(new.clone())).unwrap();
        let (_again, again) = open();
        again.apply(&confirmed(old)).unwrap();
        rewind(&again, slot);
        let rest: Vec<Block> = new.into_iter().filter(|block| block.slot > slot).collect();
        again.apply(&confirmed(rest)).unwrap();
        let snapshots = snapshot_of(&straight, chain.slot() + 1);
        for store in [&straight, &again] {
            store.apply(&Batch { snapshots: snapshots.clone(), ..Batch::default() }).unwrap();
        }
        prop_assert_eq!(crate::verify::audit(&again).unwrap().differences, []);
        let (expected, found) = (dump(&straight), dump(&again));
        for name in ["events", "event_accounts", "row_events", "members", "distributions"] {
            prop_assert_eq!(&found[name], &expected[name], "{}", name);
        }
        // But for slots, which are those of the list.
        let letters = |dump: &Dump| dump["dead_letters"].iter().map(|cells| cells.row[0].clone()).collect::<Vec<_>>();
        prop_assert_eq!(letters(&found), letters(&expected));
        let balances = |dump: &Dump| dump["payers"].iter().map(|cells| cells.row[..4].to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(balances(&found), balances(&expected));
        let (expected, found) = (contents(&straight), contents(&again));
        prop_assert_eq!(&found["accounts"], &expected["accounts"]);
        prop_assert_eq!(&found["prices"], &expected["prices"]);
        let money = |contents: &serde_json::Value| {
            let mut revenue = contents["revenue"].clone();
            for row in revenue.as_array_mut().unwrap().iter_mut().flat_map(|rows| rows.as_array_mut().unwrap()) {
                let row = row.as_object_mut().unwrap();
                row.remove("requests");
                row.remove("units");
            }
            revenue.as_array_mut().unwrap().iter_mut().for_each(|rows| {
                rows.as_array_mut().unwrap().retain(|row| row["amount"] != "0");
                rows.as_array_mut().unwrap().sort_by_key(ToString::to_string);
            });
            revenue
        };
        prop_assert_eq!(money(&found), money(&expected));
    }
}

#[test]
fn what_is_known_of_the_day_of_the_slot_itself_is_said_by_accounts_and_what_is_not_counts_when_it_is_seen() {
    let mut w = Billed::new();
    let [quiet, busy] = [(); 2].map(|()| w.channel(10_000));
    w.chain.settle_voucher(&quiet, 5, 100);
    w.chain.settle_voucher(&busy, 5, 100);
    let slot = w.chain.slot();
    // On the same day, after the slot.
    w.chain.settle_voucher(&busy, 2, 100);
    w.confirm();
    assert_eq!(w.days(), [(0, 12, 1_200, 0)]);
    let told = rewind(&w.store, slot);
    assert_eq!((told.unknown, told.reopened, told.events), (1, 0, 0));
    assert_eq!(w.days(), [(0, 5, 500, 0)], "of the one that was written since, nobody knows how far it had come");
    // Something else follows: it was settled once more before the clock moved on.
    let mut chain = Chain::new();
    std::mem::swap(&mut chain, &mut w.chain);
    chain.wait(revenue::DAY);
    chain.settle_voucher(&busy, 1, 100);
    w.store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(w.days(), [(revenue::DAY, 8, 800, 0), (0, 5, 500, 0)]);
    listed(&w.store, chain.slot());
    assert_eq!(w.differences(), []);
}

#[test]
fn an_account_that_was_closed_since_lives_again_with_its_bytes_and_one_that_was_written_is_unknown() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let (closed, paused, gone) = (chain.register(1), chain.register(2), chain.register(3));
    chain.retire(&gone);
    let slot = chain.slot();
    chain.retire(&closed);
    chain.pause(&paused);
    chain.register(3);
    store.apply(&confirmed(chain.take())).unwrap();
    let told = rewind(&store, slot);
    assert_eq!((told.unknown, told.reopened, told.events), (2, 1, 3));
    let status = |address| store.get::<joule_api::Provider>(&address).unwrap().map(|row| (row.status, row.capacity));
    assert_eq!(status(closed), Some((ProviderStatus::Active, 2)));
    assert_eq!(status(paused), None);
    assert_eq!(status(gone), Some((ProviderStatus::Retired, 0)), "as its events say, which is all that is left of it");
    let totals = store.totals().unwrap();
    assert_eq!((totals.providers_total, totals.providers_active), (2, 1));
}

#[test]
fn nothing_is_forgotten_of_later_than_everything_and_of_an_empty_store() {
    let (_folder, store) = open();
    assert!(matches!(store.beyond(7), Err(StoreError::Nothing)));
    assert!(matches!(store.rewind(7, &mut |_| ()), Err(StoreError::Nothing)));
    store.apply(&Batch { checkpoint: Some(7), finalized: Some(7), ..Batch::default() }).unwrap();
    assert!(store.is_listed().unwrap());
    assert!(matches!(store.rewind(8, &mut |_| ()), Err(StoreError::Ahead { slot: 8, checkpoint: 7 })));
    assert_eq!(store.rewind(5, &mut |_| ()).unwrap(), Beyond { checkpoint: 7, ..Beyond::default() });
    assert_eq!(store.checkpoint().unwrap(), Some(Checkpoint { slot: 5, finalized: 5 }));
    // Nothing but lists of everything makes it whole.
    store.apply(&Batch { checkpoint: Some(9), ..Batch::default() }).unwrap();
    let one = Snapshot { program: Program::Escrow.address(), slot: 9, block_time: None, accounts: Vec::new() };
    store.apply(&Batch { snapshots: vec![one], ..Batch::default() }).unwrap();
    assert!(!store.is_listed().unwrap());
    listed(&store, 9);
    assert!(store.is_listed().unwrap());
    store.apply(&Batch { checkpoint: Some(12), unlisted: true, ..Batch::default() }).unwrap();
    assert!(!store.is_listed().unwrap(), "history is being read, and accounts come at its end");
}
