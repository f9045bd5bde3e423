//! Several servers at once: each block once, no gap that one of them can close, nothing shown twice.

use super::{
    line::LATE_WITHOUT_FINALITY,
    tests::{bank, begun, commits, confirmed, dropped, gaps, status, whole},
    *,
};
use crate::types::{Address, Signature, Version};
use proptest::prelude::*;
use std::{collections::HashMap, time::Instant};

/// Numbers that each server gives by itself.
fn number(source: usize, of: u64) -> u64 {
    of * 10 + source as u64
}

fn hash(of: u64) -> Option<Arc<str>> {
    Some(format!("block {of}").into())
}

/// A block as a server tells it. Twice the same account within a slot: the second write is the newer.
fn told(source: usize, slot: u64, parent: u64) -> Vec<Update> {
    let at = BankRef { slot, bank: number(source, slot) };
    let mut updates = vec![begun(slot, at.bank)];
    updates.extend((0..3u64).map(|n| {
        let write = AccountWrite {
            address: Address([(n % 2) as u8; 32]),
            owner: Address([1; 32]),
            lamports: 1,
            data: vec![slot as u8, n as u8].into(),
            version: Version { slot, write: number(source, n) },
        };
        Update::Account { bank: at, write: write.into() }
    }));
    updates.extend((0..2u64).map(|index| {
        let signature = Signature([(slot * 2 + index) as u8; 64]);
        let transaction = Transaction { signature, index, events: vec![], unread: None };
        Update::Transaction { bank: at, transaction: transaction.into() }
    }));
    let (parent_hash, hash) = (hash(parent), hash(slot));
    updates.push(Update::BlockMeta { bank: at, parent, parent_hash, hash, block_time: None, received: Instant::now() });
    updates
}

fn feed(order: &mut Order, source: usize, updates: impl IntoIterator<Item = Update>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for update in updates {
        order.push(source, update, &mut effects);
    }
    effects
}

fn complete(source: usize, slot: u64) -> Vec<Update> {
    let mut updates = told(source, slot, slot - 1);
    updates.push(confirmed(slot));
    updates
}

fn live(frontier: u64, sources: usize) -> Order {
    let mut order = Order::new(Some(frontier), sources);
    for source in 0..sources {
        order.connected(source, Some(frontier), &mut Vec::new());
    }
    order
}

#[test]
fn a_block_of_two_servers_is_committed_once_by_whichever_is_first() {
    let mut order = live(9, 2);
    assert_eq!(commits(&feed(&mut order, 1, complete(1, 10))), [10]);
    assert_eq!(commits(&feed(&mut order, 0, complete(0, 10))), [0; 0]);
    assert_eq!(commits(&feed(&mut order, 0, complete(0, 11))), [11]);
    assert_eq!(commits(&feed(&mut order, 1, complete(1, 11))), [0; 0]);
    assert_eq!(order.held(), 0);
}

#[test]
fn what_one_server_lacks_another_brings_and_it_is_no_gap() {
    let mut order = Order::new(Some(9), 2);
    order.connected(0, None, &mut Vec::new());
    order.connected(1, Some(9), &mut Vec::new());
    // The first has joined at 13 and lacks what was before.
    assert_eq!(feed(&mut order, 0, complete(0, 13)).iter().filter(|it| matches!(it, Effect::Gap(_))).count(), 0);
    let effects: Vec<_> = (10..13).flat_map(|slot| feed(&mut order, 1, complete(1, slot))).collect();
    assert_eq!((commits(&effects), gaps(&effects)), (vec![10, 11, 12, 13], vec![]));
}

#[test]
fn a_gap_is_one_when_the_last_that_could_close_it_is_gone() {
    let mut order = live(9, 2);
    order.connected(0, None, &mut Vec::new());
    assert_eq!(gaps(&feed(&mut order, 0, complete(0, 13))), []);
    let mut effects = Vec::new();
    order.disconnected(1, &mut effects);
    assert_eq!(gaps(&effects), [(Some(9), 12)]);
    // It comes back, and replays.
    order.connected(1, Some(9), &mut effects);
    let effects: Vec<_> = (10..13).flat_map(|slot| feed(&mut order, 1, complete(1, slot))).collect();
    assert_eq!((commits(&effects), gaps(&effects)), (vec![10, 11, 12, 13], vec![]));
}

#[test]
fn a_server_that_never_confirms_is_not_waited_for_for_ever() {
    let mut order = live(9, 2);
    order.connected(0, None, &mut Vec::new());
    feed(&mut order, 1, told(1, 10, 9));
    assert_eq!(gaps(&feed(&mut order, 0, complete(0, 13))), []);
    let tip = [begun(12 + LATE_WITHOUT_FINALITY, 7)];
    assert_eq!(gaps(&feed(&mut order, 0, tip)), [(Some(9), 12)]);
}

#[test]
fn nobody_is_waited_for_before_the_first_start() {
    let mut order = Order::new(None, 2);
    order.connected(0, None, &mut Vec::new());
    order.connected(1, None, &mut Vec::new());
    assert_eq!(gaps(&feed(&mut order, 0, complete(0, 13))), [(None, 12)]);
}

#[test]
fn a_server_of_another_chain_is_not_followed() {
    let mut order = live(9, 2);
    assert_eq!(commits(&feed(&mut order, 0, complete(0, 10))), [10]);
    let mut foreign = whole(11, 5, 10);
    if let Some(Update::BlockMeta { parent_hash, .. }) = foreign.last_mut() {
        *parent_hash = Some("another".into());
    }
    foreign.push(confirmed(11));
    let effects = feed(&mut order, 1, foreign);
    assert_eq!(effects.last(), Some(&Effect::Astray { source: 1, slot: 11 }));
    assert!(commits(&effects).is_empty() && !order.is_live(1));
    assert_eq!(feed(&mut order, 1, complete(1, 11)), []);
    assert_eq!(commits(&feed(&mut order, 0, complete(0, 11))), [11]);
}

#[test]
fn a_late_part_of_a_stored_block_is_of_the_server_that_told_it() {
    let mut order = live(9, 2);
    feed(&mut order, 0, complete(0, 10));
    let late = |source| super::tests::write(10, number(source, 10), 77);
    assert_eq!(feed(&mut order, 1, [late(1)]), []);
    assert_eq!(commits(&feed(&mut order, 0, [late(0)])), [10]);
}

/// What readers see, by effects.
#[derive(Default)]
struct Screen(HashMap<BankRef, Shown>);

type Shown = (Vec<Arc<AccountWrite>>, Vec<Arc<Transaction>>);

impl Screen {
    fn apply(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Write { bank, write } => self.0.entry(*bank).or_default().0.push(write.clone()),
                Effect::Transaction { bank, transaction } => {
                    self.0.entry(*bank).or_default().1.push(transaction.clone());
                }
                Effect::Dropped(banks) | Effect::Hidden(banks) => {
                    for bank in banks {
                        self.0.remove(bank);
                    }
                }
                // A late part of one that is stored has been shown.
                Effect::Commit { block, .. } if block.writes.len() + block.transactions.len() > 1 => {
                    assert_eq!(self.at(block.slot), (3, 2), "what is committed is shown until it is stored");
                }
                Effect::Commit { .. } | Effect::Finalized(_) | Effect::Gap(_) | Effect::Astray { .. } => {}
            }
        }
    }

    /// Writes and transactions that are shown of a slot.
    fn at(&self, slot: u64) -> (usize, usize) {
        let here = || self.0.iter().filter(|(bank, _)| bank.slot == slot);
        (here().map(|(_, it)| it.0.len()).sum(), here().map(|(_, it)| it.1.len()).sum())
    }
}

#[test]
fn a_slot_is_shown_once_and_goes_on_being_shown_when_its_server_dies() {
    let mut order = live(9, 2);
    let mut screen = Screen::default();
    screen.apply(&feed(&mut order, 0, told(0, 10, 9)[..3].to_vec()));
    assert_eq!(screen.at(10), (2, 0));
    // The second has it as well, and has all of it first.
    screen.apply(&feed(&mut order, 1, told(1, 10, 9)[..2].to_vec()));
    assert_eq!(screen.at(10), (2, 0));
    screen.apply(&feed(&mut order, 1, told(1, 10, 9)));
    assert_eq!(screen.at(10), (3, 2));
    screen.apply(&feed(&mut order, 0, told(0, 10, 9)));
    assert_eq!(screen.at(10), (3, 2));
    let mut effects = Vec::new();
    order.disconnected(1, &mut effects);
    screen.apply(&effects);
    assert_eq!(screen.at(10), (3, 2));
    screen.apply(&feed(&mut order, 0, [confirmed(10)]));
    assert_eq!(order.frontier(), Some(10));
}

#[test]
fn a_fork_is_dropped_once_however_many_told_of_it() {
    let mut order = live(9, 2);
    for source in 0..2 {
        feed(&mut order, source, told(source, 10, 9));
        feed(&mut order, source, told(source, 11, 9));
    }
    let mut updates = told(0, 12, 10);
    updates.push(confirmed(12));
    let effects = feed(&mut order, 0, updates);
    assert_eq!((commits(&effects), dropped(&effects)), (vec![10, 12], vec![bank(11, number(0, 11))]));
    assert_eq!(feed(&mut order, 1, [status(11, SlotStatus::Dead)]), []);
}

/// A chain with forks: for each slot its parent, and whether it is on the chain that gets confirmed.
fn chain() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
    prop::collection::vec((1u64..3, prop::bool::weighted(0.8)), 4..24).prop_map(|steps| {
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

/// One server: where it is in the chain, and how it takes a reconnection.
struct Server {
    /// Everything that it has to say, in its order.
    says: Vec<Update>,
    at: usize,
    replays: bool,
    connected: bool,
}

impl Server {
    fn new(source: usize, slots: &[(u64, u64, bool)], replays: bool) -> Self {
        let mut says = Vec::new();
        for (slot, parent, main) in slots {
            says.extend(told(source, *slot, *parent));
            if *main {
                says.push(confirmed(*slot));
            }
        }
        Self { says, at: 0, replays, connected: false }
    }

    /// From the frontier on, as far as it has come, or from where it is in the midst of things.
    fn connect(&mut self, source: usize, order: &mut Order, effects: &mut Vec<Effect>) {
        self.connected = true;
        let frontier = order.frontier().filter(|_| self.replays);
        if let Some(frontier) = frontier {
            let begin = self.says.iter().position(|update| update.slot() >= frontier).unwrap_or(self.says.len());
            self.at = self.at.min(begin);
        }
        order.connected(source, frontier, effects);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Servers that run apart, die, come back, replay or do not; content in disorder and repeated; RPC for what nobody brings:
    /// the chain comes out exactly once, in order and whole, each block as one server told it; and while one goes on
    /// undisturbed, RPC is not asked.
    #[test]
    fn however_servers_fail_the_chain_comes_out_exactly_once(
        slots in chain(),
        replays in prop::collection::vec(any::<bool>(), 1..4),
        steady in any::<bool>(),
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0u8..12, 1usize..9, any::<prop::sample::Index>()), 300),
    ) {
        let count = replays.len();
        let mut order = Order::new(Some(100), count);
        let mut servers: Vec<Server> = (0..count).map(|at| Server::new(at, &slots, replays[at])).collect();
        let mut screen = Screen::default();
        let mut out: Vec<u64> = Vec::new();
        let mut fills = 0;
        let expected: Vec<u64> = slots.iter().filter(|(_, _, main)| *main).map(|(slot, ..)| *slot).collect();
        let mut perform = |order: &mut Order, mut effects: Vec<Effect>| {
            while !effects.is_empty() {
                screen.apply(&effects);
                for effect in &effects {
                    let Effect::Commit { block, .. } = effect else { continue };
                    // A part that comes again.
                    if out.contains(&block.slot) && block.writes.len() + block.transactions.len() == 1 {
                        continue;
                    }
                    let one = block.writes[0].version.write % 10;
                    assert!(block.writes.len() == 3 && block.transactions.len() == 2, "{block:?}");
                    assert!(block.writes.iter().all(|write| write.version.write % 10 == one), "of two servers: {block:?}");
                    assert_eq!(block.writes.iter().map(|write| write.data[1]).collect::<Vec<_>>(), [0, 1, 2]);
                    out.push(block.slot);
                }
                let gap = effects.iter().rev().find_map(|effect| match effect {
                    Effect::Gap(gap) => Some(gap.clone()),
                    _ => None,
                });
                effects = Vec::new();
                if let Some(gap) = gap {
                    fills += 1;
                    assert_eq!(gap.after, order.frontier());
                    out.extend(expected.iter().filter(|slot| **slot > gap.after.unwrap_or_default() && **slot <= gap.upto));
                    order.filled(gap.upto, &mut effects);
                }
            }
            for (slot, ..) in &slots {
                if Some(*slot) > order.frontier() {
                    let shown = screen.at(*slot);
                    assert!(shown.0 <= 3 && shown.1 <= 2, "{slot} is shown twice: {shown:?}");
                }
            }
            screen.0.retain(|bank, _| Some(bank.slot) > order.frontier());
        };
        let steady = steady.then_some(0);
        for (source, server) in servers.iter_mut().enumerate() {
            let mut effects = Vec::new();
            if steady == Some(source) {
                server.replays = true;
            }
            server.connect(source, &mut order, &mut effects);
            perform(&mut order, effects);
        }
        for (which, what, many, place) in steps {
            let source = which.index(count);
            let server = &mut servers[source];
            let mut effects = Vec::new();
            match what {
                0 if steady != Some(source) && server.connected => {
                    server.connected = false;
                    order.disconnected(source, &mut effects);
                    // Meanwhile it goes on.
                    server.at = (server.at + many * 3).min(server.says.len());
                }
                _ if !server.connected => server.connect(source, &mut order, &mut effects),
                // Disorder within a bank, between its beginning and its end; and something twice.
                1 if server.at + 1 < server.says.len() => {
                    let is_content = |update: &Update| matches!(update, Update::Account { .. } | Update::Transaction { .. });
                    let (one, other) = (server.at, server.at + 1);
                    if is_content(&server.says[one]) && is_content(&server.says[other])
                        && server.says[one].slot() == server.says[other].slot()
                    {
                        server.says.swap(one, other);
                    }
                    let again = server.says[place.index(server.at + 1)].clone();
                    if is_content(&again) && server.at > 0 && again.slot() == server.says[server.at - 1].slot() {
                        order.push(source, again, &mut effects);
                    }
                }
                _ => {
                    for _ in 0..many {
                        if let Some(update) = server.says.get(server.at) {
                            order.push(source, update.clone(), &mut effects);
                            server.at += 1;
                        }
                    }
                }
            }
            perform(&mut order, effects);
        }
        // All of them say the rest.
        for (source, server) in servers.iter_mut().enumerate() {
            let mut effects = Vec::new();
            if !server.connected {
                server.connect(source, &mut order, &mut effects);
            }
            while let Some(update) = server.says.get(server.at) {
                order.push(source, update.clone(), &mut effects);
                server.at += 1;
                perform(&mut order, std::mem::take(&mut effects));
            }
            perform(&mut order, effects);
        }
        // The chain goes on until all is known to be final.
        for source in 0..count {
            let last = slots.last().map_or(100, |(slot, ..)| *slot);
            let mut effects = feed(&mut order, source, [status(last + 400, SlotStatus::Finalized)]);
            effects.retain(|effect| !matches!(effect, Effect::Finalized(_)));
            perform(&mut order, effects);
        }
        // What no server has said whole and confirmed after its last connection may be missing at the end, and only that.
        prop_assert_eq!(&out[..], &expected[..out.len()]);
        if steady.is_some() {
            prop_assert_eq!((out.len(), fills), (expected.len(), 0));
            prop_assert!(order.held() == 0 || slots.last().is_some_and(|(_, _, main)| !main));
        }
    }
}
