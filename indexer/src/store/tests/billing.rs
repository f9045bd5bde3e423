//! Payers, channels, plans, and what they have earned.

use super::*;
use crate::testing::{payer_address, plan_address, EPOCH, GRACE};
use joule_api::{Against, ChannelStatus, PaidOut, PaidSums, PlanStatus, Revenue};
use joule_billing::constants::PROVIDER;

const DAY: i64 = revenue::DAY;

/// A provider, a model, and a payer with a deposit.
pub struct Billed {
    _folder: tempfile::TempDir,
    pub store: Arc<Tested>,
    pub overlay: Arc<Overlay>,
    pub view: View,
    pub chain: Chain,
    pub provider: Address,
    pub model: Address,
}

impl Billed {
    pub fn new() -> Self {
        let (_folder, store) = open();
        let (store, overlay) = (Arc::new(store), Arc::new(Overlay::default()));
        let view = View::new(store.clone(), overlay.clone());
        let mut chain = Chain::new();
        let (provider, model) = (chain.register(1), chain.model(3, None, 0));
        chain.pay_in(1, 100_000);
        Self { _folder, store, overlay, view, chain, provider, model }
    }

    pub fn channel(&mut self, cap: u64) -> Address {
        self.chain.open_channel(1, &self.provider, &self.model, cap)
    }

    pub fn confirm(&mut self) {
        self.store.apply(&confirmed(self.chain.take())).unwrap();
    }

    pub fn row(&self, address: &Address) -> Channel {
        self.store.get::<joule_api::Channel>(address).unwrap().unwrap()
    }

    pub fn revenue(&self, by: RevenueBy) -> Vec<Revenue> {
        self.store.revenue(&RevenueFilter { by, days: (None, None), mint: None }).unwrap()
    }

    /// Requests, units and what was earned, by the first second of the day.
    pub fn days(&self) -> Vec<(i64, u128, u128, u128)> {
        let rows = self.revenue(RevenueBy::Day).into_iter();
        rows.map(|row| (row.day.unwrap() - EPOCH.div_euclid(DAY) * DAY, row.requests, row.units, row.amount)).collect()
    }

    pub fn differences(&self) -> Vec<crate::verify::Difference> {
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
    assert_eq!(mint.billed_paid, PaidSums { shares: 150, fee: 10, provider: 840 });
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
    let told = unseen.get::<Channel>(&channel).unwrap().unwrap();
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
    assert_eq!(w.store.get::<joule_api::Plan>(&plan_address(&channel)).unwrap().unwrap().status, PlanStatus::Ended);
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
    let plan = w.store.get::<joule_api::Plan>(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.rate, plan.lockup, plan.period), (PlanStatus::Running, 2, 200, 100));
    assert!(w.row(&channel).has_plan);
    let first = plan.started_at;
    w.chain.wait(50);
    w.chain.pause_plan(&channel);
    w.confirm();
    assert_eq!(w.store.get::<joule_api::Plan>(&at).unwrap().unwrap().status, PlanStatus::Paused);
    assert_eq!(w.differences(), []);
    w.chain.resume_plan(&channel);
    w.chain.wait(10);
    w.chain.terminate_plan(&channel);
    w.confirm();
    let plan = w.store.get::<joule_api::Plan>(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.ends_at.is_some()), (PlanStatus::Terminated, true));
    assert_eq!(w.differences(), []);
    w.chain.wait(1_000);
    w.chain.settle_plan(&channel);
    w.confirm();
    let plan = w.store.get::<joule_api::Plan>(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.lockup), (PlanStatus::Ended, 0));
    assert!(!w.row(&channel).has_plan && w.row(&channel).accrued >= 320, "{:?}", w.row(&channel));

    w.chain.start_plan(&channel, 3, 10);
    w.confirm();
    let plan = w.store.get::<joule_api::Plan>(&at).unwrap().unwrap();
    assert_eq!((plan.status, plan.rate), (PlanStatus::Running, 3));
    assert!(plan.started_at > first);
    let running = PlanFilter { status: Some(PlanStatus::Running), ..PlanFilter::default() };
    assert_eq!(w.view.list(&running, &PageRequest { after: None, limit: 5 }).unwrap().items, [plan]);
    assert_eq!(w.differences(), []);
}

#[test]
fn a_plan_that_began_after_another_had_ended_is_running_before_its_account_is_seen() {
    let mut w = Billed::new();
    let channel = w.channel(1_000);
    w.chain.start_plan(&channel, 2, 100);
    w.chain.terminate_plan(&channel);
    w.chain.wait(1_000);
    w.chain.settle_plan(&channel);
    w.confirm();
    w.chain.start_plan(&channel, 3, 10);
    let mut blocks = w.chain.take();
    blocks.iter_mut().for_each(|block| block.writes.clear());
    w.store.apply(&confirmed(blocks)).unwrap();
    let plan = w.store.get::<joule_api::Plan>(&plan_address(&channel)).unwrap().unwrap();
    assert_eq!((plan.status, plan.rate, plan.lockup), (PlanStatus::Running, 3, 30));
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
    let before = w.view.get::<joule_api::Channel>(&channel).unwrap().unwrap();
    w.chain.settle_voucher(&channel, 1, 1_000);
    w.chain.distribute(&channel, None);
    let blocks = w.chain.take();
    let mut shown = Vec::new();
    for block in &blocks {
        shown.extend(show(&w.overlay, &w.store, block, 7).channels);
    }
    let row = w.view.get::<joule_api::Channel>(&channel).unwrap().unwrap();
    assert_eq!((row.requests, row.paid, row.commitment), (2, 2_000, Commitment::Processed));
    assert_eq!((&row.paid_out, shown.last()), (&before.paid_out, Some(&row)), "payments are of confirmed state");
    let page = PageRequest { after: None, limit: 5 };
    let all = w.view.list(&ChannelFilter::default(), &page).unwrap();
    assert_eq!((all.items.len(), &all.items[0]), (1, &row));
    assert_eq!(w.revenue(RevenueBy::Day)[0].requests, 1);
    let banks = blocks.iter().map(|block| BankRef { slot: block.slot, bank: 7 }).collect();
    w.overlay.apply(vec![Unconfirmed::Dropped(banks)], false);
    assert_eq!(w.view.get::<joule_api::Channel>(&channel).unwrap().unwrap(), before);
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
        let shown = w.overlay.at(&channel, &*w.store, |shade| shade.channel.clone()).unwrap();
        let plan = w.overlay.at(&plan_address(&channel), &*w.store, |shade| shade.plan.clone()).unwrap();
        w.store.apply(&confirmed(vec![block.clone()])).unwrap();
        w.overlay.committed(block.slot);
        assert!(w.overlay.all(&*w.store, |views| views.is_empty()).unwrap());
        if let Some(shown) = shown {
            let stored = w.row(&channel);
            let paid_out = stored.paid_out.clone();
            assert_eq!(Channel { commitment: Commitment::Confirmed, paid_out, ..shown }, stored);
        }
        if let Some(plan) = plan {
            let stored = w.store.get::<joule_api::Plan>(&plan_address(&channel)).unwrap();
            assert_eq!(Some(Plan { commitment: Commitment::Confirmed, ..plan }), stored);
        }
    }
    assert_eq!(w.row(&channel).status, ChannelStatus::Closed);
}
