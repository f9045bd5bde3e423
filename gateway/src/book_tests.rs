//! Random lives of one channel: whatever its client and its model do, the rules of money hold after every step.

use super::{Bill, Book, Entry, Stored};
use crate::{
    admit::Asked,
    channel::{Channel, Cluster, Contexts},
    config::Risk,
    refusal::Refusal,
};
use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, tree, Format as _, Limits, Order, SigningKey, Usage, Voucher};
use joule_x402::Signed;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::new(1_000_000);
const RISK: Risk = Risk {
    window: 4,
    unpaid: 3_000,
    unsettled: 100_000,
    max_backing_bps: 10_000,
    channels_from: 0,
    min_grace: 3_600,
    settle_margin: 600,
    voucher_life: 4_200,
    order_life: 300,
    refresh: std::time::Duration::from_millis(1),
};
const CAP: u64 = 20_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn channel() -> Channel {
    let address = |seed| Pubkey::new_from_array([seed; 32]);
    Channel {
        address: address(1),
        payer: address(2),
        owner: address(3),
        provider: address(4),
        authority: address(5),
        model: address(6),
        prices: address(7),
        mint: address(8),
        signer: key(1).verifying_key().to_bytes(),
        cap: Amount::new(CAP),
        limit: Amount::new(CAP),
        session_expires_at: UnixTime::new(NOW.get() + 86_400),
        staged_at: UnixTime::default(),
        settled: Amount::default(),
        sequence: 0,
        opened_at: UnixTime::default(),
        backing_bps: 0,
        grace: 7_200,
        closes_at: UnixTime::default(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A new order that allows so much.
    Order(u64),
    /// One of those being served ends with a bill of so much.
    End(usize, u64),
    /// One of them fails, for free.
    Fail(usize),
    /// One of them is cut off after its first word, and cannot be billed.
    Cut(usize),
    /// A voucher for all but so many of the receipts.
    Pay(usize),
    /// A voucher that says so much more or less than it should.
    Cheat(i64),
    /// The gateway reads its account from the disk again.
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..2_000).prop_map(Step::Order),
        4 => (any::<usize>(), 0_u64..2_500).prop_map(|(which, amount)| Step::End(which, amount)),
        1 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Cut),
        4 => (0_usize..3).prop_map(Step::Pay),
        1 => (-5_i64..5).prop_filter("a difference", |by| *by != 0).prop_map(Step::Cheat),
        1 => Just(Step::Reload),
    ]
}

/// What a ledger would have, and the client.
#[derive(Default)]
struct World {
    entries: Vec<Entry>,
    voucher: Option<Signed<Voucher>>,
    serving: Vec<Order>,
    nonces: u64,
}

impl World {
    fn stored(&self) -> Stored {
        let paid = self.voucher.map_or(0, |voucher| voucher.message.sequence.get());
        let last = self.entries.last();
        let peaks = last.map_or_else(Vec::new, |entry| entry.peaks.clone());
        Stored {
            voucher: self.voucher,
            frontier: tree::Frontier::restore(self.entries.len() as u64, peaks).unwrap(),
            last: last.map(|entry| entry.line).unwrap_or_default(),
            unpaid: self.entries.iter().skip(paid as usize).map(|entry| (entry.line, entry.receipt)).collect(),
            orders: self.entries.iter().rev().map(|entry| (entry.nonce, Some(entry.receipt))).collect(),
        }
    }

    fn voucher(&self, contexts: &Contexts, sequence: usize, by: i64) -> Signed<Voucher> {
        let line = sequence.checked_sub(1).map(|at| self.entries[at].line).unwrap_or_default();
        let voucher = Voucher {
            context: contexts.voucher,
            sequence: line.sequence.into(),
            cumulative: Amount::new(line.billed.get().wrapping_add_signed(by)).into(),
            units: line.used.units().into(),
            expires_at: channel().session_expires_at.into(),
            usage_root: line.root,
        };
        Signed { message: voucher, signature: sign(&key(1), voucher.as_bytes()) }
    }
}

/// The chain takes the newest voucher, and holds enough for everything that may still come.
fn holds(book: &Book, world: &World, contexts: &Contexts) -> Result<(), TestCaseError> {
    let standing = book.standing(None);
    let paid = world.voucher.map_or(Amount::default(), |voucher| voucher.message.cumulative.get());
    let billed = world.entries.last().map_or(Amount::default(), |entry| entry.line.billed);
    prop_assert_eq!(standing.last.billed, billed);
    let stake: u64 = world.serving.iter().map(|order| order.max_amount.get().get()).sum();
    prop_assert_eq!((standing.at_stake.get(), book.serving()), (stake, world.serving.len()));
    prop_assert!(billed.get() + stake <= CAP, "more is promised than there is");
    prop_assert!(billed.get() + stake - paid.get() <= RISK.unpaid, "more is owed than is put up with");
    let open = standing.unpaid.len() + book.serving();
    prop_assert!(open <= RISK.window);
    prop_assert!(
        open <= 1 || billed.get() + stake - paid.get() <= paid.get(),
        "whoever leaves now has paid for as much"
    );
    let part = book.part();
    prop_assert_eq!((part.unpaid + part.serving, part.paid), (open as u64, paid));
    prop_assert_eq!(part.owed.get(), billed.get() + stake - paid.get());
    if let Some(voucher) = world.voucher.filter(|voucher| !voucher.message.cumulative.get().is_zero()) {
        let limits = Limits {
            context: contexts.voucher,
            settled: Amount::default(),
            most: channel().most(),
            session_expires_at: channel().session_expires_at,
        };
        prop_assert_eq!(limits.check(&voucher.message, NOW), Ok(()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn nothing_is_ever_promised_twice_or_beyond_the_limits(steps in prop::collection::vec(step(), 1..80)) {
        let channel = channel();
        let contexts = Cluster { genesis: [9; 32], program: Pubkey::default() }.contexts(&channel.address);
        let (mut book, mut world) = (Book::new(Stored::default()), World::default());
        for step in steps {
            match step {
                Step::Order(most) => {
                    world.nonces += 1;
                    let order = Order {
                        context: contexts.order,
                        nonce: world.nonces.into(),
                        request_hash: [1; 32],
                        max_amount: Amount::new(most).into(),
                        expires_at: UnixTime::new(NOW.get() + 10).into(),
                    };
                    let asked = Asked { order: &order, request_hash: [1; 32], quote: Amount::default() };
                    if book.admit(&asked, &channel, &contexts, &book.part(), &RISK, NOW).is_ok() {
                        world.serving.push(order);
                    }
                    prop_assert!(book.admit(&asked, &channel, &contexts, &book.part(), &RISK, NOW).is_err(), "an order is let in once");
                }
                Step::End(which, amount) if !world.serving.is_empty() => {
                    let order = world.serving.swap_remove(which % world.serving.len());
                    let usage = Usage { output_tokens: amount, ..Usage::default() };
                    let bill = Bill { request_hash: [1; 32], response_hash: [2; 32], usage, amount: Amount::new(amount), at: NOW };
                    let entry = book.bill(&order, &channel, &contexts, &bill, &key(2));
                    prop_assert!(entry.receipt.message.amount.get() <= order.max_amount.get());
                    // Until it is on disk nobody sees it, and nobody can pay for it.
                    let sequence = entry.line.sequence;
                    prop_assert!(book.unpaid().iter().all(|receipt| receipt.message.sequence.get() < sequence));
                    let asked = Asked { order: &order, request_hash: [1; 32], quote: Amount::default() };
                    let again = book.admit(&asked, &channel, &contexts, &book.part(), &RISK, NOW);
                    prop_assert_eq!(again, Err(Refusal::Serving));
                    world.entries.push(entry);
                    let early = world.voucher(&contexts, world.entries.len(), 0);
                    prop_assert!(book.credit(&early, &channel, &contexts, &RISK, NOW).is_err());
                    book.written(sequence);
                    prop_assert!(book.unpaid().iter().any(|receipt| receipt.message.sequence.get() == sequence));
                }
                Step::Fail(which) if !world.serving.is_empty() => {
                    let order = world.serving.swap_remove(which % world.serving.len());
                    book.release(order.nonce.get());
                }
                Step::Cut(which) if !world.serving.is_empty() => {
                    let order = world.serving.swap_remove(which % world.serving.len());
                    book.abandon(order.nonce.get());
                }
                Step::Pay(behind) => {
                    let sequence = world.entries.len().saturating_sub(behind);
                    let paid = world.voucher.map_or(0, |voucher| voucher.message.sequence.get());
                    let voucher = world.voucher(&contexts, sequence, 0);
                    let result = book.credit(&voucher, &channel, &contexts, &RISK, NOW);
                    if sequence as u64 > paid {
                        prop_assert!(result.is_ok(), "{result:?}");
                        world.voucher = Some(voucher);
                    }
                }
                Step::Cheat(by) if !world.entries.is_empty() => {
                    let voucher = world.voucher(&contexts, world.entries.len(), by);
                    let before = book.voucher().copied();
                    // Of a sequence that is paid already it changes nothing; of another it is refused.
                    let _ = book.credit(&voucher, &channel, &contexts, &RISK, NOW);
                    prop_assert_eq!(book.voucher().copied(), before);
                }
                Step::Reload => book.reload(world.stored()),
                _ => {}
            }
            holds(&book, &world, &contexts)?;
        }
    }
}
