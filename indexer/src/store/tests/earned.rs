//! What channels have earned, and when.

use super::{billing::Billed, *};
use crate::testing::{payer_address, EPOCH};
use joule_api::PaidOut;
use joule_billing::constants::PROTOCOL;

const DAY: i64 = revenue::DAY;

#[test]
fn requests_count_on_the_day_that_showed_them_and_money_on_the_day_it_was_divided() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 5, 200);
    w.chain.wait(DAY);
    w.chain.distribute(&channel, None);
    w.chain.wait(2 * DAY);
    w.chain.settle_voucher(&channel, 3, 100);
    w.chain.distribute(&channel, None);
    let blocks = w.chain.take();
    w.store.apply(&confirmed(blocks.clone())).unwrap();
    let days = [(3 * DAY, 3, 300, 300), (DAY, 0, 0, 1_000), (0, 5, 500, 0)];
    assert_eq!(w.days(), days);
    // The other way round: first the newest is seen, and days it went over fill up afterwards.
    let (_folder, late) = open();
    for block in blocks.into_iter().rev() {
        late.apply(&Batch { blocks: vec![block.clone(), block], ..Batch::default() }).unwrap();
    }
    let all = RevenueFilter { by: RevenueBy::Day, days: (None, None), mint: None };
    assert_eq!(late.revenue(&all).unwrap(), w.revenue(RevenueBy::Day));

    let first = EPOCH.div_euclid(DAY);
    let asked = |from: i64, to: i64| RevenueFilter {
        by: RevenueBy::Provider,
        days: (Some(first + from), Some(first + to)),
        mint: None,
    };
    let sums =
        |filter| w.store.revenue(&filter).unwrap().iter().map(|row| (row.requests, row.amount)).collect::<Vec<_>>();
    assert_eq!(sums(asked(0, 1)), [(5, 0)]);
    assert_eq!(sums(asked(0, 3)), [(5, 1_000)]);
    assert_eq!(sums(asked(1, 4)), [(3, 1_300)]);
    assert!(sums(asked(4, 9)).is_empty());
}

#[test]
fn a_snapshot_counts_what_nobody_saw_on_its_own_day() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.confirm();
    w.chain.settle_voucher(&channel, 5, 200);
    let seen = w.chain.take().pop().unwrap();
    let snapshot = |block_time| Snapshot {
        program: crate::decode::Program::Billing.address(),
        slot: seen.slot,
        block_time,
        accounts: w
            .store
            .live_accounts(&crate::decode::Program::Billing.address())
            .unwrap()
            .iter()
            .map(|row| if row.address == channel { seen.writes[0].data.clone() } else { row.data.clone() })
            .zip(w.store.live_accounts(&crate::decode::Program::Billing.address()).unwrap())
            .map(|(data, row)| crate::types::AccountWrite {
                address: row.address,
                owner: row.program,
                lamports: row.lamports,
                data,
                version: Version::snapshot(seen.slot),
            })
            .collect(),
    };
    let later = snapshot(Some(EPOCH + 2 * DAY));
    w.store.apply(&Batch { snapshots: vec![later], ..Batch::default() }).unwrap();
    assert_eq!(w.days(), [(2 * DAY, 5, 500, 0)]);
    // A snapshot without a time counts from the beginning, and counts nothing twice.
    w.store.apply(&Batch { snapshots: vec![snapshot(None)], ..Batch::default() }).unwrap();
    assert_eq!(w.days(), [(0, 5, 500, 0)]);
    assert_eq!(w.differences(), []);
}

#[test]
fn revenue_is_summed_by_model_creator_and_provider() {
    let mut w = Billed::new();
    let (other, cheap) = (w.chain.register(2), w.chain.model(4, None, 0));
    w.chain.pay_in(2, 50_000);
    let unseen = Address([99; 32]);
    let channels = [
        w.chain.open_channel(1, &w.provider, &w.model, 5_000),
        w.chain.open_channel(1, &other, &w.model, 5_000),
        w.chain.open_channel(2, &other, &cheap, 5_000),
        w.chain.open_channel(2, &other, &unseen, 5_000),
    ];
    for (channel, requests) in channels.iter().zip([1, 2, 4, 8]) {
        w.chain.settle_voucher(channel, requests, 100);
        w.chain.distribute(channel, None);
    }
    w.confirm();
    let rows = |by| -> Vec<(Option<String>, u128, u128)> {
        w.revenue(by).into_iter().map(|row| (row.key, row.requests, row.amount)).collect()
    };
    let named = |address: Address, requests, amount| (Some(address.to_string()), requests, amount);
    let models = [named(unseen, 8, 800), named(cheap, 4, 400), named(w.model, 3, 300)];
    assert_eq!(rows(RevenueBy::Model), models, "what earned most first");
    assert_eq!(rows(RevenueBy::Provider), [named(other, 14, 1_400), named(w.provider, 1, 100)]);
    let creators = [(None, 8, 800), named(testing::creator(4), 4, 400), named(testing::creator(3), 3, 300)];
    assert_eq!(rows(RevenueBy::Creator), creators);
    assert_eq!(rows(RevenueBy::Day), [(None, 15, 1_500)]);
    assert_eq!(w.differences(), []);
    let page = PageRequest { after: None, limit: 10 };
    let of = ChannelFilter { provider: Some(other), model: Some(w.model), ..ChannelFilter::default() };
    assert_eq!(w.view.list(&of, &page).unwrap().items[0].address, channels[1].to_string());
    let of = ChannelFilter { payer: Some(payer_address(2)), ..ChannelFilter::default() };
    assert_eq!(w.view.list(&of, &page).unwrap().items.len(), 2);
}

#[test]
fn whoever_could_not_be_paid_is_shown_and_counted_when_it_is() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 1, 1_000);
    w.chain.distribute(&channel, Some(PROTOCOL));
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.owed[0].party, row.owed[0].amount), (PROTOCOL as u8, 10));
    assert_eq!(row.paid_out, PaidOut { shares: 150, fee: 0, provider: 840 });
    w.chain.wait(DAY);
    w.chain.claim_owed(&channel, PROTOCOL);
    w.confirm();
    assert_eq!(w.row(&channel).paid_out, PaidOut { shares: 150, fee: 10, provider: 840 });
    assert!(w.row(&channel).owed.is_empty());
    let fees: Vec<u128> = w.revenue(RevenueBy::Day).iter().map(|row| row.paid.fee).collect();
    assert_eq!(fees, [10, 0]);
    assert_eq!(w.differences(), []);
}

#[test]
fn pages_of_distributions_cover_everything_once() {
    let mut w = Billed::new();
    let channel = w.channel(50_000);
    for _ in 0..12 {
        // Two in one second, so that the second place decides.
        w.chain.settle_voucher(&channel, 1, 100);
        w.chain.distribute(&channel, None);
    }
    w.confirm();
    for limit in [1, 5, 12, 20] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = w.view.distributions(&DistributionFilter::default(), &PageRequest { after, limit }).unwrap();
            seen.extend(page.items.into_iter().map(|item| item.signature));
            let Some(cursor) = page.next_cursor else { break };
            after = Cursor::decode(&cursor);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 12, "{limit}");
    }
}

#[test]
fn a_distribution_that_could_not_be_decoded_counts_once_when_it_can() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 5, 200);
    w.chain.distribute(&channel, None);
    w.confirm();
    let expected = contents(&w.store);
    let event = w.store.events(&channel, 1).unwrap().remove(0);
    put_letter(&w.store, Letter::Event(event.key), event.program, event.data.to_vec());
    // As an indexer that did not know the event would have left it.
    w.store.execute(
        "update events set name = 'undecodable', subject = null where name = 'Distributed';
         delete from distributions;
         update channel_days set amount = 0, collected = 0, paid_shares = 0, paid_fee = 0, paid_provider = 0;
         update revenue set amount = 0, collected = 0, paid_shares = 0, paid_fee = 0, paid_provider = 0;
         update aggregates set value = 0 where name like 'billed%';",
    );
    assert_eq!(w.store.redecode().unwrap(), Redecoded { tried: 1, decoded: 1 });
    assert_eq!(contents(&w.store), expected);
    assert_eq!(w.store.redecode().unwrap(), Redecoded::default());
    assert_eq!(contents(&w.store), expected);
}

proptest! {
    #![proptest_config(tested::cases(40))]

    /// Whatever payers and providers do with three channels over weeks, in any order and as often as one likes: the same rows,
    /// and the same sums by day.
    #[test]
    fn any_order_and_repetition_gives_the_same_channels_plans_and_revenue(
        steps in prop::collection::vec((any::<u8>(), any::<u8>(), 0u8..40), 5..60),
        order in prop::collection::vec((any::<prop::sample::Index>(), 1usize..5), 1..80),
    ) {
        let mut chain = Chain::new();
        for who in 0..2 {
            let (provider, model) = (chain.register(who), chain.model(who, None, 0));
            chain.pay_in(who, 5_000);
            chain.open_channel(who, &provider, &model, 1_000);
            chain.open_channel(who, &provider, &model, 800);
        }
        for (n, step, hours) in steps {
            chain.happen(Happening::Bill(n, step));
            chain.wait(i64::from(hours) * 3_600);
        }
        let blocks = chain.take();
        let (_a, straight) = open();
        straight.apply(&confirmed(blocks.clone())).unwrap();
        prop_assert_eq!(crate::verify::audit(&straight).unwrap().differences, []);

        let (_b, shuffled) = open();
        for (index, size) in order {
            let start = index.index(blocks.len());
            let mut some: Vec<Block> = blocks[start..(start + size).min(blocks.len())].to_vec();
            some.reverse();
            shuffled.apply(&Batch { blocks: some, ..Batch::default() }).unwrap();
            // Never more than is true so far, and nothing that no channel has earned.
            let found = crate::verify::audit(&shuffled).unwrap().differences;
            let is_of_sums = |it: &crate::verify::Difference| matches!(it, crate::verify::Difference::Revenue { .. });
            prop_assert!(!found.iter().any(is_of_sums), "{found:?}");
        }
        for block in blocks.into_iter().rev() {
            shuffled.apply(&Batch { blocks: vec![block], ..Batch::default() }).unwrap();
        }
        prop_assert_eq!(contents(&straight), contents(&shuffled));
    }
}
