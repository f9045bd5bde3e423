//! Standing payments, netted over one deposit.

use joule_sdk::{
    billing::{constants::MAX_PERIOD, state::PlanStatus},
    instruction::billing as build,
    pda, Instruction, Pubkey, Signer,
};
use joule_tests::{
    billing::{CAP, DEPOSIT, GRACE},
    key, swap, Kind, World,
};

const RATE: u64 = 100;
const PERIOD: u32 = 1_000;
const LOCKUP: u64 = RATE * PERIOD as u64;

fn start(w: &World, channel: Pubkey, rate: u64, period: u32) -> Instruction {
    build::start_plan(w.alice.pubkey(), channel, &w.channel(&channel), rate, period)
}

fn started(w: &mut World, channel: Pubkey, rate: u64, period: u32) {
    let (alice, start) = (w.alice.insecure_clone(), start(w, channel, rate, period));
    w.send(&[start], &[&alice]);
}

/// A channel with a plan on it.
fn planned() -> (World, Pubkey) {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    started(&mut w, channel, RATE, PERIOD);
    (w, channel)
}

fn settle(w: &mut World, channel: Pubkey) {
    let settle = w.settle_plan(channel);
    w.send(&[settle], &[]);
}

fn pass(w: &mut World, seconds: i64) {
    w.set_time(w.now() + seconds);
}

/// Leaves `free` in the deposit beside what is reserved.
fn leave(w: &mut World, free: u64) {
    let (alice, payer) = (w.alice.insecure_clone(), w.payer());
    let reclaim = w.reclaim(payer.balance.get() - payer.reserved.get() - free);
    w.send(&[reclaim], &[&alice]);
}

#[test]
fn a_plan_pays_for_every_second_that_passes() {
    let (mut w, channel) = planned();
    let payer = w.payer();
    assert_eq!((payer.rate.get(), payer.reserved.get()), (RATE, CAP + LOCKUP));
    pass(&mut w, 77);
    settle(&mut w, channel);
    let (payer, state) = (w.payer(), w.channel(&channel));
    assert_eq!((state.accrued.get(), state.held.get()), (77 * RATE, CAP + 77 * RATE));
    assert_eq!(payer.reserved.get(), CAP + LOCKUP + 77 * RATE);
    assert_eq!(w.plan(&channel).settled_until.get(), w.now());
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), 77 * RATE, "no second is paid for twice");
}

#[test]
fn what_accrues_is_backed_and_divided_like_what_vouchers_pay() {
    let (mut w, channel) = planned();
    w.settled(channel, 2_300);
    pass(&mut w, 77);
    settle(&mut w, channel);
    w.backed(channel);
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
    assert_eq!(w.balance(&w.share_account(0)), 10_000 * 15 / 100);
    assert_eq!(w.balance(&w.north_tokens()), 10_000 - 10_000 * (1_500 + 333 + 250) / 10_000);
}

#[test]
fn a_plans_rate_and_notice_are_within_their_ranges_and_its_lockup_is_there() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north, channel) = (w.alice.insecure_clone(), w.north.insecure_clone(), w.channelled());
    for (rate, period, expected) in [
        (0, PERIOD, "PlanOutOfRange"),
        (RATE, 0, "PlanOutOfRange"),
        (RATE, MAX_PERIOD + 1, "PlanOutOfRange"),
        (u64::MAX, 2, "Overflow"),
        (DEPOSIT, 1, "NotFree"),
    ] {
        let plan = start(&w, channel, rate, period);
        w.refuse(plan, &[&alice], expected);
    }
    let mut other = build::start_plan(north.pubkey(), channel, &w.channel(&channel), RATE, PERIOD);
    other = swap(other, alice.pubkey(), north.pubkey());
    w.refuse(other, &[&north], "NotOwner");
    started(&mut w, channel, RATE, PERIOD);
    let again = start(&w, channel, RATE, PERIOD);
    w.refusal(&[again], &[&alice]);
}

/// All of them stop at the same instant, whoever settles first, and a later deposit pays what they missed.
#[test]
fn when_the_deposit_cannot_pay_all_plans_all_of_them_stop_together() {
    for first in [0, 1, 2] {
        let mut w = World::paying(Kind::Classic);
        let channels: Vec<_> = (0..3).map(|_| w.channelled()).collect();
        let rates = [100, 33, 7];
        for (channel, rate) in channels.iter().zip(rates) {
            started(&mut w, *channel, rate, 10);
        }
        let began = w.now();
        // Enough for 50 seconds of all three, and a rest that is no second of them.
        leave(&mut w, 140 * 50 + 139);
        pass(&mut w, 1_000);
        for place in 0..3 {
            settle(&mut w, channels[(first + place) % 3]);
        }
        for (channel, rate) in channels.iter().zip(rates) {
            assert_eq!(w.channel(channel).accrued.get(), 50 * rate);
            assert_eq!(w.plan(channel).settled_until.get(), began + 50);
        }
        assert_eq!(w.payer().synced_at.get(), began + 50);
        let (alice, deposit) = (w.alice.insecure_clone(), w.deposit(140 * 950 - 139));
        w.send(&[deposit], &[&alice]);
        for (channel, rate) in channels.iter().zip(rates) {
            settle(&mut w, *channel);
            assert_eq!(w.channel(channel).accrued.get(), 1_000 * rate);
        }
        let payer = w.payer();
        assert_eq!((payer.synced_at.get(), payer.reserved.get()), (began + 1_000, payer.balance.get()));
    }
}

#[test]
fn what_plans_have_accrued_is_not_free_whether_anybody_settled_it_or_not() {
    let (mut w, channel) = planned();
    let alice = w.alice.insecure_clone();
    leave(&mut w, 10_000);
    pass(&mut w, 60);
    let too_much = w.reclaim(4_001);
    w.refuse(too_much, &[&alice], "NotFree");
    let mut terms = w.channel_terms();
    terms.cap = 4_001;
    let open = w.open_channel(terms);
    w.refuse(open, &[&alice], "NotFree");
    w.refuse(build::top_up(channel, &w.channel(&channel), 4_001), &[&alice], "NotFree");
    let rest = w.reclaim(4_000);
    w.send(&[rest], &[&alice]);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), 6_000);
}

#[test]
fn nothing_new_starts_while_the_running_plans_are_not_paid() {
    let (mut w, channel) = planned();
    let (alice, north, other) = (w.alice.insecure_clone(), w.north.insecure_clone(), w.channelled());
    let paused = w.channelled();
    started(&mut w, paused, 1, 1);
    w.send(&[build::pause_plan(paused, &w.channel(&paused))], &[&north]);
    leave(&mut w, RATE + 50);
    pass(&mut w, 10);
    let plan = start(&w, other, 1, 1);
    w.refuse(plan, &[&alice], "Underfunded");
    w.refuse(build::resume_plan(paused, &w.channel(&paused)), &[&alice], "Underfunded");
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), RATE);
}

#[test]
fn the_provider_pauses_and_the_owner_resumes() {
    let (mut w, channel) = planned();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let state = w.channel(&channel);
    let pause = build::pause_plan(channel, &state);
    let resume = build::resume_plan(channel, &state);
    w.refuse(swap(pause.clone(), north.pubkey(), alice.pubkey()), &[&alice], "NotProvider");
    w.refuse(resume.clone(), &[&alice], "PlanNotPaused");
    pass(&mut w, 10);
    w.send(std::slice::from_ref(&pause), &[&north]);
    assert_eq!((w.channel(&channel).accrued.get(), w.payer().rate.get()), (10 * RATE, 0));
    w.refuse(pause, &[&north], "PlanNotRunning");
    pass(&mut w, 500);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), 10 * RATE, "a pause costs nothing");
    w.refuse(swap(resume.clone(), alice.pubkey(), north.pubkey()), &[&north], "NotOwner");
    w.send(&[resume], &[&alice]);
    pass(&mut w, 5);
    settle(&mut w, channel);
    assert_eq!((w.channel(&channel).accrued.get(), w.payer().rate.get()), (15 * RATE, RATE));
}

#[test]
fn a_plan_that_its_owner_ends_is_paid_for_its_notice_and_closed_by_anyone() {
    let (mut w, channel) = planned();
    let (party, bob) = (w.alice.insecure_clone(), key("bob"));
    pass(&mut w, 10);
    let of = |w: &World, who| build::terminate_plan(who, channel, &w.channel(&channel), &w.plan(&channel));
    let other = of(&w, bob.pubkey());
    w.refuse(other, &[&bob], "NotParty");
    let terminate = of(&w, party.pubkey());
    w.send(std::slice::from_ref(&terminate), &[&party]);
    let plan = w.plan(&channel);
    assert_eq!((plan.status, plan.ends_at.get()), (PlanStatus::Terminated as u8, w.now() + PERIOD as i64));
    assert_eq!(w.payer().rate.get(), 0);
    w.refuse(terminate, &[&party], "PlanTerminated");
    pass(&mut w, PERIOD as i64 - 1);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), (10 + PERIOD as u64 - 1) * RATE);
    pass(&mut w, 100);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), (10 + PERIOD as u64) * RATE);
    assert!(w.is_closed(&pda::plan(&channel)));
    let (payer, state) = (w.payer(), w.channel(&channel));
    assert_eq!((payer.reserved.get(), state.has_plan), (state.held.get(), 0));
    started(&mut w, channel, 1, 1);
}

/// Or it could collect the notice by leaving.
#[test]
fn a_provider_that_leaves_is_paid_up_to_now_and_for_no_notice() {
    let (mut w, channel) = planned();
    let north = w.north.insecure_clone();
    pass(&mut w, 10);
    let terminate = build::terminate_plan(north.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    w.send(&[terminate], &[&north]);
    assert!(w.is_closed(&pda::plan(&channel)));
    assert_eq!(w.channel(&channel).accrued.get(), 10 * RATE);
    assert_eq!((w.payer().rate.get(), w.payer().reserved.get()), (0, w.channel(&channel).held.get()));
}

/// The notice begins where the deposit ended, and not when somebody noticed.
#[test]
fn the_lockup_pays_what_a_plan_without_money_has_served() {
    let (mut w, channel) = planned();
    let (alice, began) = (w.alice.insecure_clone(), w.now());
    leave(&mut w, 0);
    pass(&mut w, 300);
    let terminate = build::terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    w.send(&[terminate], &[&alice]);
    assert_eq!(w.plan(&channel).ends_at.get(), began + PERIOD as i64);
    assert_eq!(w.channel(&channel).accrued.get(), 300 * RATE);
    pass(&mut w, PERIOD as i64);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), LOCKUP);
    let nothing = w.reclaim(1);
    w.refuse(nothing, &[&alice], "NotFree");
}

#[test]
fn a_paused_plan_ends_at_once_and_gives_its_lockup_back() {
    let (mut w, channel) = planned();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    w.send(&[build::pause_plan(channel, &w.channel(&channel))], &[&north]);
    let terminate = build::terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    w.send(&[terminate], &[&alice]);
    assert!(w.is_closed(&pda::plan(&channel)));
    assert_eq!(w.payer().reserved.get(), CAP);
}

/// Whoever falls silent: a plan ends with its channel, paid up to that moment.
#[test]
fn a_plan_ends_with_its_channel_whatever_state_it_is_in() {
    for state in [PlanStatus::Running, PlanStatus::Paused, PlanStatus::Terminated] {
        let (mut w, channel) = planned();
        let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
        match state {
            PlanStatus::Running => {}
            PlanStatus::Paused => drop(w.send(&[build::pause_plan(channel, &w.channel(&channel))], &[&north])),
            PlanStatus::Terminated => {
                let end = build::terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
                w.send(&[end], &[&alice]);
            }
        }
        w.send(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
        pass(&mut w, GRACE as i64 + 50_000);
        let close = w.close(channel);
        w.send(std::slice::from_ref(&close), &[]);
        w.refuse(close.clone(), &[], "NotPaidOut");
        settle(&mut w, channel);
        assert!(w.is_closed(&pda::plan(&channel)));
        let seconds = if state == PlanStatus::Paused { 0 } else { GRACE as u64 };
        assert_eq!(w.channel(&channel).accrued.get(), seconds * RATE);
        assert_eq!((w.payer().reserved.get(), w.payer().rate.get()), (seconds * RATE, 0));
        if seconds > 0 {
            w.backed(channel);
            let distribute = w.distribute(channel);
            w.send(&[distribute], &[]);
            w.set_time(w.channel(&channel).claimed_until.get());
        }
        w.send(&[close], &[]);
        assert_eq!(w.payer().reserved.get(), 0);
    }
}

#[test]
fn a_clock_that_steps_back_pays_nothing_twice() {
    let (mut w, channel) = planned();
    pass(&mut w, 100);
    settle(&mut w, channel);
    pass(&mut w, -60);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), 100 * RATE);
    pass(&mut w, 61);
    settle(&mut w, channel);
    assert_eq!(w.channel(&channel).accrued.get(), 101 * RATE);
}
