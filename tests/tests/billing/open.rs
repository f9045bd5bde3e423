//! A part of the deposit is reserved for one provider.

use joule_sdk::{
    billing::constants::{MAX_BACKING_BPS, MAX_GRACE, MIN_GRACE},
    instruction::{billing as build, registry, treasury},
    pda,
    registry::state::ProviderStatus,
    treasury::state::Service,
    voucher::Domain,
    Pubkey, Signer,
};
use joule_tests::{
    billing::{session, CAP, DEPOSIT, SHARES},
    swap, Kind, World, FEE_BPS, GENESIS,
};

#[test]
fn a_channel_names_everybody_it_will_ever_pay_and_what_vouchers_begin_with() {
    let mut w = World::paying(Kind::Classic);
    let terms = w.channel_terms();
    let address = w.channelled_as(terms);
    let c = w.channel(&address);
    assert_eq!((c.payer, c.owner, c.mint), (w.payer_address(), w.alice.pubkey(), w.mint));
    assert_eq!((c.provider, c.authority), (pda::provider(&w.north.pubkey()), w.north.pubkey()));
    assert_eq!((c.payout, c.payout_owner, c.fee_vault), (w.north_tokens(), w.north_payout.pubkey(), w.fee_vault()));
    assert_eq!((c.model, c.prices), (w.model_address(), w.prices_address()));
    assert_eq!(c.context, *build::context(Domain::Voucher, &GENESIS, &address).bytes());
    assert_eq!((c.cap.get(), c.held.get(), c.settled.get(), c.closes_at.get()), (CAP, CAP, 0, 0));
    assert_eq!((c.session.signer, c.session.limit.get()), (session().pubkey(), terms.limit));
    assert_eq!((c.fee_bps.get(), c.share_bps.get(), c.backing_bps.get()), (FEE_BPS, SHARES.iter().sum(), 10_000));
    let payer = w.payer();
    assert_eq!((payer.reserved.get(), payer.next_channel.get(), payer.channels.get()), (CAP, 1, 1));
}

/// An older list may share less with those behind the model. Channels that are open keep theirs.
#[test]
fn new_channels_take_the_newest_price_list() {
    let mut w = World::paying(Kind::Classic);
    let (alice, creator, old) = (w.alice.insecure_clone(), w.sharer(0), w.channelled());
    let listing = joule_sdk::registry::state::Listing { per_request: 20, creator_bps: 3_000, ..Default::default() };
    let publish = w.publish(&creator, w.model_address(), &listing);
    w.send(&[publish], &[&creator]);
    let terms = w.channel_terms();
    let open = w.open_channel(terms);
    w.refuse(open, &[&alice], "OldPrices");
    w.settled(old, 100_000);
}

#[test]
fn nothing_is_sold_twice() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    for _ in 0..DEPOSIT / CAP {
        w.channelled();
    }
    let mut terms = w.channel_terms();
    terms.cap = 1_000;
    let open = w.open_channel(terms);
    w.refuse(open, &[&alice], "NotFree");
    let first = pda::channel(&w.payer_address(), 0);
    let top_up = build::top_up(first, &w.channel(&first), 1);
    w.refuse(top_up, &[&alice], "NotFree");
    let reclaim = w.reclaim(1);
    w.refuse(reclaim, &[&alice], "NotFree");
}

#[test]
fn what_the_terms_say_is_within_its_ranges() {
    let mut w = World::paying(Kind::Classic);
    let (alice, good) = (w.alice.insecure_clone(), w.channel_terms());
    let now = w.now();
    type Change = fn(&mut joule_sdk::billing::state::ChannelTerms, i64);
    let cases: [(Change, &str); 9] = [
        (|t, _| t.cap = 999, "AmountTooSmall"),
        (|t, _| t.cap = DEPOSIT + 1, "NotFree"),
        (|t, _| t.cap = u64::MAX, "NotFree"),
        (|t, _| t.signer = Pubkey::default(), "BadSession"),
        (|t, now| t.session_expires_at = now, "BadSession"),
        (|t, _| t.grace = MIN_GRACE - 1, "GraceOutOfRange"),
        (|t, _| t.grace = MAX_GRACE + 1, "GraceOutOfRange"),
        (|t, _| t.backing_bps = MAX_BACKING_BPS + 1, "BackingOutOfRange"),
        (|t, _| t.max_fee_bps = FEE_BPS - 1, "FeeTooHigh"),
    ];
    for (change, expected) in cases {
        let mut terms = good;
        change(&mut terms, now);
        let open = w.open_channel(terms);
        w.refuse(open, &[&alice], expected);
    }
}

#[test]
fn a_number_is_used_once_and_in_order() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    w.channelled();
    let (accounts, terms) = (w.open_accounts(), w.channel_terms());
    w.refuse(build::open(accounts, 2, terms), &[&alice], "WrongNumber");
    let name = w.refusal(&[build::open(accounts, 0, terms)], &[&alice]);
    assert_ne!(name, "");
    assert_eq!(w.payer().next_channel.get(), 1);
}

#[test]
fn a_channel_goes_to_an_active_provider_into_its_payout_owners_account() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let open = w.open_channel(w.channel_terms());
    let (mint, alices, vault) = (w.mint, w.alice_tokens(), w.payer_vault());
    w.refuse(swap(open.clone(), w.north_tokens(), alices), &[&alice], "WrongPayoutOwner");
    w.refuse(swap(open.clone(), w.north_tokens(), vault), &[&alice], "PaysItself");
    w.refuse(swap(open.clone(), w.north_tokens(), mint), &[&alice], "CannotReceive");
    let payout = w.north_tokens();
    w.freeze(&payout);
    w.refuse(open.clone(), &[&alice], "CannotReceive");
    w.thaw(&payout);
    w.send(&[registry::set_status(north.pubkey(), ProviderStatus::Paused)], &[&north]);
    w.refuse(open, &[&alice], "ProviderNotActive");
}

#[test]
fn the_guardian_stops_new_spending_and_no_way_out() {
    let mut w = World::paying(Kind::Classic);
    let (alice, guardian) = (w.alice.insecure_clone(), w.guardian.insecure_clone());
    let (channel, planned) = (w.channelled(), w.channelled());
    let start = build::start_plan(alice.pubkey(), planned, &w.channel(&planned), 10, 60);
    let north = w.north.insecure_clone();
    w.send(&[start], &[&alice]);
    w.send(&[build::pause_plan(planned, &w.channel(&planned))], &[&north]);
    w.send(&[treasury::pause(guardian.pubkey(), Service::Billing as u8)], &[&guardian]);
    let open = w.open_channel(w.channel_terms());
    w.refuse(open, &[&alice], "Paused");
    let state = w.channel(&channel);
    w.refuse(build::top_up(channel, &state, 5), &[&alice], "Paused");
    w.refuse(build::start_plan(alice.pubkey(), channel, &state, 10, 60), &[&alice], "Paused");
    w.refuse(build::resume_plan(planned, &w.channel(&planned)), &[&alice], "Paused");
    w.settled(channel, 5_000);
    w.backed(channel);
    let (distribute, reclaim) = (w.distribute(channel), w.reclaim(1));
    w.send(&[distribute], &[]);
    w.send(&[reclaim, build::request_close(alice.pubkey(), channel)], &[&alice]);
}

#[test]
fn only_the_owner_opens_and_raises() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let mut accounts = w.open_accounts();
    accounts.rent_payer = north.pubkey();
    let open = swap(build::open(accounts, 0, w.channel_terms()), alice.pubkey(), north.pubkey());
    w.refuse(open, &[&north], "NotOwner");
    let channel = w.channelled();
    let state = w.channel(&channel);
    let top_up = swap(build::top_up(channel, &state, 5), alice.pubkey(), north.pubkey());
    w.refuse(top_up, &[&north], "NotOwner");
    w.refuse(build::top_up(channel, &state, 0), &[&alice], "ZeroAmount");
    w.send(&[build::top_up(channel, &state, 5)], &[&alice]);
    assert_eq!((w.channel(&channel).cap.get(), w.payer().reserved.get()), (CAP + 5, CAP + 5));
}
