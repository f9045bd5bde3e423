//! Payers, channels, plans, and what they have earned.

use super::*;
use crate::testing::{payer_address, plan_address, EPOCH, GRACE};
use joule_api::{Against, ChannelStatus, PaidOut, PlanStatus, Revenue};
use joule_billing::constants::{PROTOCOL, PROVIDER};

const DAY: i64 = revenue::DAY;

/// A provider, a model, and a payer with a deposit.
struct Billed {
    _folder: tempfile::TempDir,
    store: Arc<Sqlite>,
    overlay: Arc<Overlay>,
    view: View,
    chain: Chain,
    provider: Address,
    model: Address,
}

impl Billed {
    fn new() -> Self {
        let (folder, store) = open();
        let (store, overlay) = (Arc::new(store), Arc::new(Overlay::default()));
        let view = View::new(store.clone(), overlay.clone());
        let mut chain = Chain::new();
        let (provider, model) = (chain.register(1), chain.model(3, None, 0));
        chain.pay_in(1, 100_000);
        Self { _folder: folder, store, overlay, view, chain, provider, model }
    }

    fn channel(&mut self, cap: u64) -> Address {
        self.chain.open_channel(1, &self.provider, &self.model, cap)
    }

    fn confirm(&mut self) {
        self.store.apply(&confirmed(self.chain.take())).unwrap();
    }

    fn row(&self, address: &Address) -> Channel {
        self.store.channel(address).unwrap().unwrap()
    }

    fn revenue(&self, by: RevenueBy) -> Vec<Revenue> {
        self.store.revenue(&RevenueFilter { by, days: (None, None), mint: None }).unwrap()
    }

    /// Requests, units and what was earned, by the first second of the day.
    fn days(&self) -> Vec<(i64, u64, u64, u64)> {
        let rows = self.revenue(RevenueBy::Day).into_iter();
        rows.map(|row| (row.day.unwrap() - EPOCH.div_euclid(DAY) * DAY, row.requests, row.units, row.amount)).collect()
    }

    fn differences(&self) -> Vec<crate::verify::Difference> {
        crate::verify::audit(&*self.store).unwrap().differences
    }
}

#[test]
fn a_channel_is_followed_from_opening_to_its_last_unit() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.status, row.cap, row.held, row.requests), (ChannelStatus::Open, 10_000, 10_000, 0));
    assert_eq!((row.payer, row.provider), (payer_address(1).to_string(), w.provider.to_string()));
    let payer = w.view.payer(&payer_address(1)).unwrap().unwrap();
    assert_eq!((payer.balance, payer.reserved, payer.free, payer.open_channels), (100_000, 10_000, 90_000, 1));

    assert!(w.chain.settle_voucher(&channel, 5, 200));
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.settled, row.requests, row.units, row.paid), (1_000, 5, 500, 0), "and no event says so");
    assert_eq!((w.revenue(RevenueBy::Model)[0].requests, w.revenue(RevenueBy::Model)[0].amount), (5, 0));

    w.chain.distribute(&channel, None);
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.paid, row.collected, row.held), (1_000, 1_000, 9_000));
    assert_eq!(row.paid_out, PaidOut { shares: 150, fee: 10, provider: 840 });
    let all = DistributionFilter { channel: Some(channel), ..DistributionFilter::default() };
    let listed = w.view.distributions(&all, &PageRequest { after: None, limit: 5 }).unwrap().items;
    assert_eq!((listed.len(), listed[0].paid.clone(), listed[0].settled), (1, row.paid_out, 1_000));

    w.chain.request_close(&channel);
    w.confirm();
    assert_eq!(w.row(&channel).status, ChannelStatus::Closing);
    w.chain.wait(GRACE.into());
    w.chain.close_channel(&channel);
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.status, row.cap, row.held, row.requests), (ChannelStatus::Closed, 1_000, 0, 5));
    let payer = w.view.payer(&payer_address(1)).unwrap().unwrap();
    assert_eq!((payer.balance, payer.reserved, payer.open_channels), (99_000, 0, 0));
    let mint = w.store.totals().unwrap().mints[0].clone();
    assert_eq!((mint.channels_open, mint.channels_closing, mint.channels_closed), (0, 0, 1));
    assert_eq!((mint.prepaid, mint.billed, mint.requests, mint.units), (99_000, 1_000, 5, 500));
    assert_eq!(mint.billed_paid, PaidOut { shares: 150, fee: 10, provider: 840 });
    assert_eq!(w.differences(), []);
}

#[test]
fn a_channel_that_was_never_seen_alive_is_known_from_its_events() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 5, 200);
    w.chain.distribute(&channel, Some(PROVIDER));
    w.chain.top_up(&channel, 500);
    w.chain.settle_voucher(&channel, 2, 200);
    w.chain.claim_owed(&channel, PROVIDER);
    w.chain.distribute(&channel, None);
    w.chain.request_close(&channel);
    w.chain.wait(GRACE.into());
    w.chain.close_channel(&channel);
    let mut blocks = w.chain.take();
    w.store.apply(&confirmed(blocks.clone())).unwrap();
    let (_other, unseen) = open();
    for block in &mut blocks {
        block.writes.retain(|write| write.address != channel);
    }
    unseen.apply(&confirmed(blocks)).unwrap();
    let known = w.row(&channel);
    let told = unseen.channel(&channel).unwrap().unwrap();
    assert!(known.payout.is_some() && told.payout.is_none(), "no event names it");
    // Nor how many requests it was.
    assert_eq!((known.requests, told.requests), (7, 0));
    assert_eq!(Channel { payout: None, requests: 0, units: 0, ..known }, told);
    let all = RevenueFilter { by: RevenueBy::Day, days: (None, None), mint: None };
    let money: Vec<_> =
        w.revenue(RevenueBy::Day).into_iter().map(|row| Revenue { requests: 0, units: 0, ..row }).collect();
    assert_eq!(unseen.revenue(&all).unwrap(), money, "to the last unit");
}

#[test]
fn a_closing_that_only_the_event_shows_closes_channel_and_plan() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.start_plan(&channel, 1, 60);
    w.chain.wait(100);
    w.chain.terminate_plan(&channel);
    w.chain.wait(60);
    w.chain.settle_plan(&channel);
    w.chain.distribute(&channel, None);
    w.chain.request_close(&channel);
    w.chain.wait(GRACE.into());
    w.chain.close_channel(&channel);
    let mut blocks = w.chain.take();
    for block in &mut blocks {
        block.writes.retain(|write| write.lamports > 0);
    }
    w.store.apply(&confirmed(blocks)).unwrap();
    let row = w.row(&channel);
    assert!(w.store.account(&channel).unwrap().unwrap().closed);
    assert_eq!((row.status, row.has_plan), (ChannelStatus::Closed, false));
    assert!(row.accrued >= 160 && row.paid == row.accrued, "{row:?}");
    assert_eq!(w.store.plan(&plan_address(&channel)).unwrap().unwrap().status, PlanStatus::Ended);
    assert_eq!(w.differences(), []);
}

#[test]
fn a_closed_channel_keeps_its_last_numbers() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 3, 100);
    w.confirm();
    // Of all this the stream shows the closing alone, and the events.
    w.chain.settle_voucher(&channel, 4, 100);
    w.chain.distribute(&channel, None);
    w.chain.request_close(&channel);
    w.chain.wait(GRACE.into());
    w.chain.close_channel(&channel);
    let mut blocks = w.chain.take();
    for block in &mut blocks {
        block.writes.retain(|write| write.address != channel || write.lamports == 0);
    }
    w.store.apply(&confirmed(blocks)).unwrap();
    let row = w.row(&channel);
    assert_eq!((row.status, row.requests, row.units, row.settled), (ChannelStatus::Closed, 3, 300, 700));
    assert_eq!((w.revenue(RevenueBy::Model)[0].requests, w.revenue(RevenueBy::Model)[0].amount), (3, 700));
    assert_eq!(w.differences(), []);
}

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
    let rows = |by| -> Vec<(Option<String>, u64, u64)> {
        w.revenue(by).into_iter().map(|row| (row.key, row.requests, row.amount)).collect()
    };
    let named = |address: Address, requests, amount| (Some(address.to_string()), requests, amount);
    let models = [named(unseen, 8, 800), named(cheap, 4, 400), named(w.model, 3, 300)];
    assert_eq!(rows(RevenueBy::Model), models, "what earned most first");
    assert_eq!(rows(RevenueBy::Provider), [named(other, 14, 1_400), named(w.provider, 1, 100)]);
    let creators =
        [(None, 8, 800), named(crate::testing::creator(4), 4, 400), named(crate::testing::creator(3), 3, 300)];
    assert_eq!(rows(RevenueBy::Creator), creators);
    assert_eq!(rows(RevenueBy::Day), [(None, 15, 1_500)]);
    assert_eq!(w.differences(), []);
    let page = PageRequest { after: None, limit: 10 };
    let of = ChannelFilter { provider: Some(other), model: Some(w.model), ..ChannelFilter::default() };
    assert_eq!(w.view.channels(&of, &page).unwrap().items[0].address, channels[1].to_string());
    let of = ChannelFilter { payer: Some(payer_address(2)), ..ChannelFilter::default() };
    assert_eq!(w.view.channels(&of, &page).unwrap().items.len(), 2);
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
    let fees: Vec<u64> = w.revenue(RevenueBy::Day).iter().map(|row| row.paid.fee).collect();
    assert_eq!(fees, [10, 0]);
    assert_eq!(w.differences(), []);
}

#[test]
fn a_provider_that_lost_a_dispute_is_named_and_what_it_lost_is_counted() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 1, 1_000);
    w.chain.condemn(&channel);
    w.confirm();
    let row = w.row(&channel);
    let dispute = row.dispute.unwrap();
    assert_eq!((dispute.against, dispute.returned, row.returned), (Against::Provider, 840, 840));
    assert_eq!((row.status, row.collected, row.paid), (ChannelStatus::Closing, 1_000, 0));
    assert_eq!(w.differences(), []);
    // The account is written again and again, and still says no more than who lost.
    w.chain.distribute(&channel, None);
    w.confirm();
    let row = w.row(&channel);
    assert_eq!((row.dispute.unwrap().returned, row.paid), (840, 1_000));
    assert_eq!(row.paid_out, PaidOut { shares: 150, fee: 10, provider: 0 });
    w.chain.close_channel(&channel);
    w.confirm();
    assert_eq!(w.row(&channel).status, ChannelStatus::Closed);
    assert_eq!(w.store.totals().unwrap().mints[0].billed_returned, 840);
    assert_eq!(w.differences(), []);
}

#[test]
fn a_plan_is_followed_through_its_states_and_the_next_one_takes_its_place() {
    let mut w = Billed::new();
    let channel = w.channel(1_000);
    let at = plan_address(&channel);
    w.chain.start_plan(&channel, 2, 100);
    w.confirm();
    let plan = w.store.plan(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.rate, plan.lockup, plan.period), (PlanStatus::Running, 2, 200, 100));
    assert!(w.row(&channel).has_plan);
    let first = plan.started_at;
    w.chain.wait(50);
    w.chain.pause_plan(&channel);
    w.confirm();
    assert_eq!(w.store.plan(&at).unwrap().unwrap().status, PlanStatus::Paused);
    assert_eq!(w.differences(), []);
    w.chain.resume_plan(&channel);
    w.chain.wait(10);
    w.chain.terminate_plan(&channel);
    w.confirm();
    let plan = w.store.plan(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.ends_at.is_some()), (PlanStatus::Terminated, true));
    assert_eq!(w.differences(), []);
    w.chain.wait(1_000);
    w.chain.settle_plan(&channel);
    w.confirm();
    let plan = w.store.plan(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.lockup), (PlanStatus::Ended, 0));
    assert!(!w.row(&channel).has_plan && w.row(&channel).accrued >= 320, "{:?}", w.row(&channel));

    w.chain.start_plan(&channel, 3, 10);
    w.confirm();
    let plan = w.store.plan(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.rate), (PlanStatus::Running, 3));
    assert!(plan.started_at > first);
    let running = PlanFilter { status: Some(PlanStatus::Running), ..PlanFilter::default() };
    assert_eq!(w.view.plans(&running, &PageRequest { after: None, limit: 5 }).unwrap().items, [plan]);
    assert_eq!(w.differences(), []);
}

#[test]
fn a_new_session_is_shown_and_one_that_waits_is_shown_as_waiting() {
    let mut w = Billed::new();
    let channel = w.channel(1_000);
    w.chain.set_session(&channel, 42);
    w.confirm();
    let row = w.row(&channel);
    let staged = row.staged.unwrap();
    assert_eq!(staged.session.signer, Address([42; 32]).to_string());
    assert!(staged.holds_at > row.opened_at && row.session.signer == Address([6; 32]).to_string());
}

#[test]
fn unconfirmed_channels_are_shown_and_vanish_with_their_fork() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.settle_voucher(&channel, 1, 1_000);
    w.chain.distribute(&channel, None);
    w.confirm();
    let before = w.view.channel(&channel).unwrap().unwrap();
    w.chain.settle_voucher(&channel, 1, 1_000);
    w.chain.distribute(&channel, None);
    let blocks = w.chain.take();
    let mut shown = Vec::new();
    for block in &blocks {
        shown.extend(show(&w.overlay, &w.store, block, 7).channels);
    }
    let row = w.view.channel(&channel).unwrap().unwrap();
    assert_eq!((row.requests, row.paid, row.commitment), (2, 2_000, Commitment::Processed));
    assert_eq!((&row.paid_out, shown.last()), (&before.paid_out, Some(&row)), "payments are of confirmed state");
    let page = PageRequest { after: None, limit: 5 };
    let all = w.view.channels(&ChannelFilter::default(), &page).unwrap();
    assert_eq!((all.items.len(), &all.items[0]), (1, &row));
    assert_eq!(w.revenue(RevenueBy::Day)[0].requests, 1);
    let banks = blocks.iter().map(|block| BankRef { slot: block.slot, bank: 7 }).collect();
    w.overlay.apply(vec![Unconfirmed::Dropped(banks)], &*w.store).unwrap();
    assert_eq!(w.view.channel(&channel).unwrap().unwrap(), before);
}

#[test]
fn what_the_overlay_shows_of_billing_is_what_the_store_shows_once_it_is_confirmed() {
    let mut w = Billed::new();
    let channel = w.channel(10_000);
    w.chain.start_plan(&channel, 2, 100);
    w.chain.settle_voucher(&channel, 2, 300);
    w.chain.distribute(&channel, Some(PROVIDER));
    w.chain.wait(100);
    w.chain.terminate_plan(&channel);
    w.chain.wait(1_000);
    w.chain.settle_plan(&channel);
    w.chain.distribute(&channel, None);
    w.chain.request_close(&channel);
    w.chain.wait(GRACE.into());
    w.chain.close_channel(&channel);
    for block in w.chain.take() {
        show(&w.overlay, &w.store, &block, 1);
        let shown = w.overlay.views().channels.get(&channel).cloned();
        let plan = w.overlay.views().plans.get(&plan_address(&channel)).cloned();
        w.store.apply(&confirmed(vec![block.clone()])).unwrap();
        w.overlay.committed(block.slot, &*w.store).unwrap();
        assert!(w.overlay.views().channels.is_empty() && w.overlay.views().plans.is_empty());
        if let Some(shown) = shown {
            let stored = w.row(&channel);
            let paid_out = stored.paid_out.clone();
            assert_eq!(Channel { commitment: Commitment::Confirmed, paid_out, ..shown }, stored);
        }
        if let Some(plan) = plan {
            let stored = w.store.plan(&plan_address(&channel)).unwrap();
            assert_eq!(Some(Plan { commitment: Commitment::Confirmed, ..plan }), stored);
        }
    }
    assert_eq!(w.row(&channel).status, ChannelStatus::Closed);
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
    let conn = rusqlite::Connection::open(w._folder.path().join("deep/indexer.sqlite")).unwrap();
    dead_letter::put(&conn, &dead_letter::Letter::Event(event.key), &event.program, 1, &event.data, "test").unwrap();
    // As an indexer that did not know the event would have left it.
    conn.execute_batch(
        "update events set name = 'undecodable', subject = null where name = 'Distributed';
         delete from distributions;
         update channel_days set amount = 0, collected = 0, paid_shares = 0, paid_fee = 0, paid_provider = 0;
         update revenue set amount = '0', collected = '0', paid_shares = '0', paid_fee = '0', paid_provider = '0';
         update aggregates set value = '0' where name like 'billed%';",
    )
    .unwrap();
    assert_eq!(w.store.redecode().unwrap(), Redecoded { tried: 1, decoded: 1 });
    assert_eq!(contents(&w.store), expected);
    assert_eq!(w.store.redecode().unwrap(), Redecoded::default());
    assert_eq!(contents(&w.store), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

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
