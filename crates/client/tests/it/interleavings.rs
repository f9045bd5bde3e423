//! Requests that overlap, answers that come in any order or not at all, and crashes between any two steps: whatever happens, one
//! number never says two things, and what is paid is what was received.

use crate::world::*;
use joule_client::{Answer, Asked, Changes, Counted, Draft, Kept, Limits, Session, Stop};
use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, Voucher};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const BUDGET: u64 = 300;

#[derive(Debug, Clone, Copy)]
enum Step {
    Begin {
        body: u8,
        most: u64,
    },
    /// What was drafted is written, signed, and sent.
    Send,
    /// The provider serves one of the requests that it has.
    Serve {
        which: usize,
        tokens: u64,
    },
    /// The provider refuses one of them, and the client hears of it.
    Refuse {
        which: usize,
    },
    /// The answer to one of those that were served arrives.
    Arrive {
        which: usize,
    },
    /// The client gives one of them up.
    Lose {
        which: usize,
    },
    /// The client asks what is unpaid.
    Recover,
    /// Everything in memory is gone; of what was noted since the last `Send`, nothing or all is on disk.
    Crash {
        written: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..8_usize;
    prop_oneof![
        4 => (0..3_u8, 11..30_u64).prop_map(|(body, most)| Step::Begin { body, most }),
        4 => Just(Step::Send),
        4 => (which.clone(), 0..20_u64).prop_map(|(which, tokens)| Step::Serve { which, tokens }),
        1 => which.clone().prop_map(|which| Step::Refuse { which }),
        4 => which.clone().prop_map(|which| Step::Arrive { which }),
        1 => which.prop_map(|which| Step::Lose { which }),
        1 => Just(Step::Recover),
        1 => any::<bool>().prop_map(|written| Step::Crash { written }),
    ]
}

struct World {
    session: Session,
    disk: Kept,
    provider: Provider,
    /// Not on disk yet.
    drafts: Vec<Draft>,
    /// At the provider, and somebody waits.
    sent: Vec<Draft>,
    /// At the provider; nobody waits.
    orphans: Vec<Draft>,
    signed: BTreeMap<u64, Voucher>,
    nonces: BTreeSet<u64>,
    time: i64,
}

fn limits() -> Limits {
    Limits { budget: Amount::new(BUDGET), ..LIMITS }
}

fn body(number: u8) -> [u8; 32] {
    hashv(&[&[number]])
}

/// Of an answer as long as any here.
fn counted_at_length() -> Counted {
    let mut counted = Counted::new(&Asked::of("/v1/chat/completions", b"body"));
    counted.add(&serde_json::json!({"choices": [{"index": 0, "message": {"content": "a".repeat(20)}}]}));
    counted
}

impl World {
    fn new() -> Self {
        let disk = Kept::default();
        Self {
            session: Session::new(channel(1_000), limits(), &disk).unwrap(),
            disk,
            provider: Provider::default(),
            drafts: Vec::new(),
            sent: Vec::new(),
            orphans: Vec::new(),
            signed: BTreeMap::new(),
            nonces: BTreeSet::new(),
            time: NOW.get(),
        }
    }

    fn sign(&mut self, voucher: Voucher) {
        let known = self.signed.insert(voucher.sequence.get(), voucher);
        assert!(known.is_none_or(|known| known == voucher), "two vouchers of one number");
        self.provider.pay(&voucher);
    }

    fn send(&mut self) {
        let changes: Changes = self.session.take_changes();
        self.disk.apply(&changes);
        for draft in std::mem::take(&mut self.drafts) {
            assert!(self.nonces.insert(draft.order.nonce.get()), "a nonce was used twice");
            draft.voucher.into_iter().for_each(|voucher| self.sign(voucher));
            self.sent.push(draft);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Begin { body: number, most } => {
                self.time += 1;
                let (now, until) = (UnixTime::new(self.time), UnixTime::new(self.time + 10));
                match self.session.begin(&body(number), Amount::new(most), now, until) {
                    Ok(draft) => self.drafts.push(draft),
                    Err(Stop::Wait | Stop::Budget { .. } | Stop::Missed(_)) => {}
                    Err(stop) => panic!("{stop}"),
                }
            }
            Step::Send => self.send(),
            Step::Serve { which, tokens } => {
                let at = |count: usize| which.checked_rem(count);
                let orders = self.sent.iter().chain(&self.orphans).map(|draft| draft.order);
                let orders: Vec<_> = orders.filter(|order| order.expires_at.get().get() >= self.time).collect();
                if let Some(at) = at(orders.len()) {
                    let most = orders[at].max_amount.get().get();
                    self.provider.serve(&channel(1_000), &orders[at], tokens.min(most - 10));
                }
            }
            Step::Refuse { which } => {
                let unserved = |draft: &Draft| !self.provider.served.contains_key(&draft.order.nonce.get());
                let all: Vec<_> = (0..self.sent.len()).filter(|at| unserved(&self.sent[*at])).collect();
                if let Some(at) = which.checked_rem(all.len()) {
                    let draft = self.sent.remove(all[at]);
                    self.session.release(draft.order.nonce.get());
                }
            }
            Step::Arrive { which } => {
                let served = |draft: &Draft| self.provider.served.contains_key(&draft.order.nonce.get());
                let all: Vec<_> = (0..self.sent.len()).filter(|at| served(&self.sent[*at])).collect();
                if let Some(at) = which.checked_rem(all.len()) {
                    let nonce = self.sent.remove(all[at]).order.nonce.get();
                    let receipt = self.provider.served[&nonce];
                    let (hash, counted) = (&receipt.message.response_hash, &counted_at_length());
                    self.session.accept(nonce, &receipt, &Answer::Whole { hash, counted }).unwrap();
                }
            }
            Step::Lose { which } => {
                if let Some(at) = which.checked_rem(self.sent.len()) {
                    let draft = self.sent.remove(at);
                    self.session.lose(draft.order.nonce.get());
                    self.orphans.push(draft);
                }
            }
            Step::Recover => self.recover(),
            Step::Crash { written } => {
                if written {
                    // Written, and perhaps signed, but the request never left.
                    self.disk.apply(&self.session.take_changes());
                    let drafts = std::mem::take(&mut self.drafts);
                    drafts.iter().for_each(|draft| assert!(self.nonces.insert(draft.order.nonce.get())));
                    drafts.into_iter().filter_map(|draft| draft.voucher).for_each(|voucher| self.sign(voucher));
                }
                self.drafts.clear();
                self.orphans.append(&mut self.sent);
                self.session = Session::new(channel(1_000), limits(), &self.disk).unwrap();
            }
        }
        assert!(self.session.billed().get() <= BUDGET, "spent more than the budget");
    }

    fn recover(&mut self) {
        self.session.recover(self.provider.unpaid()).unwrap();
        if self.session.under_way() == 0 {
            // Nothing is being served: the provider here answers at once or not at all.
            self.session.forget(UnixTime::new(self.time));
        }
    }

    /// Everything comes to its end; then both sides say the same.
    fn finish(&mut self) {
        self.send();
        while !self.sent.is_empty() {
            self.take(Step::Lose { which: 0 });
        }
        self.time += 11;
        self.recover();
        assert_eq!(self.session.gaps(), 0);
        if let Some(voucher) = self.session.voucher() {
            self.send();
            self.sign(voucher);
        }
        assert_eq!(self.provider.unpaid(), []);
        assert_eq!(self.session.billed().get(), self.provider.billed());
        assert_eq!(self.disk.receipts.iter().map(|(_, signed)| *signed).collect::<Vec<_>>(), self.provider.receipts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_number_says_one_thing_and_both_sides_agree_at_the_end(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.take(step));
        world.finish();
    }
}
