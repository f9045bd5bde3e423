//! How much may leave a fee vault, and how that changes.

use crate::{accepted, earn, pass, DAY};
use joule_sdk::{
    instruction::treasury::*,
    treasury::constants::{BREAKER_DELAY, MAX_BREAKER_WINDOW, MIN_BREAKER_WINDOW},
    units::{Amount, Breaker, Seconds, UnixTime},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BREAKER};

/// `BREAKER`'s limit.
const LIMIT: u64 = 1_000_000;

fn breaker(limit: u64, window: i64) -> Breaker {
    Breaker { limit: Amount::new(limit), window: Seconds::new(window as u32) }
}

/// A vault with more in it than the breaker lets out, the authority, and an account of its own.
fn rich() -> (World, Keypair, Pubkey) {
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let own = w.token_account(&authority.pubkey());
    earn(&mut w, 100 * LIMIT);
    (w, authority, own)
}

fn withdraw(w: &World, own: Pubkey, amount: u64) -> Instruction {
    withdraw_fees(w.authority.pubkey(), w.mint, own, w.token_program, amount)
}

#[test]
fn no_more_than_the_limit_leaves_at_once() {
    let (mut w, authority, own) = rich();
    w.refuse(withdraw(&w, own, LIMIT + 1), &[&authority], "OutflowLimited");
    w.refuse(withdraw(&w, own, u64::MAX), &[&authority], "BeyondKept");
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
    w.refuse(withdraw(&w, own, 1), &[&authority], "OutflowLimited");
    assert_eq!((accepted(&w).outflow.get(), accepted(&w).outflow_at.get()), (LIMIT, w.now()));
}

#[test]
fn many_small_withdrawals_drain_no_more_than_one_large_one() {
    let (mut w, authority, own) = rich();
    let tenth = withdraw(&w, own, LIMIT / 10);
    for _ in 0..5 {
        w.send(&[tenth.clone(), tenth.clone()], &[&authority]);
    }
    w.refuse(tenth.clone(), &[&authority], "OutflowLimited");
    w.refuse(withdraw(&w, own, 1), &[&authority], "OutflowLimited");
    // Nor do they within one transaction.
    pass(&mut w, DAY);
    let eleven = vec![tenth; 11];
    assert_eq!(w.attempt(&eleven, &[&authority]).unwrap_err().name, "OutflowLimited");
    assert_eq!(w.balance(&own), LIMIT);
}

#[test]
fn taking_what_there_is_every_hour_stays_within_the_limit_and_what_has_faded() {
    let (mut w, authority, own) = rich();
    let start = w.now();
    for hour in 0..72 {
        w.set_time(start + hour * 3_600);
        let room = LIMIT - {
            let mint = accepted(&w);
            BREAKER.counted(Amount::new(mint.outflow.get()), w.now() - mint.outflow_at.get()).get()
        };
        w.refuse(withdraw(&w, own, room + 1), &[&authority], "OutflowLimited");
        w.send(&[withdraw(&w, own, room.max(1))], &[&authority]);
        let days = (hour * 3_600) as u64;
        assert!(w.balance(&own) * DAY as u64 <= LIMIT * (DAY as u64 + days), "after {hour} hours");
    }
}

#[test]
fn an_outflow_fades_over_the_window() {
    let (mut w, authority, own) = rich();
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
    pass(&mut w, DAY / 4);
    w.refuse(withdraw(&w, own, LIMIT / 4 + 1), &[&authority], "OutflowLimited");
    w.send(&[withdraw(&w, own, LIMIT / 4)], &[&authority]);
    w.refuse(withdraw(&w, own, 1), &[&authority], "OutflowLimited");
    pass(&mut w, DAY);
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
}

#[test]
fn a_stolen_key_cannot_lift_the_breaker_and_drain_the_vault_in_one_transaction() {
    let (mut w, authority, own) = rich();
    let loose = set_breaker(authority.pubkey(), w.mint, breaker(u64::MAX, 3_600));
    let drain = [loose.clone(), apply_breaker(w.mint), withdraw(&w, own, 100 * LIMIT)];
    assert_eq!(w.attempt(&drain, &[&authority]).unwrap_err().name, "DelayNotOver");
    assert_eq!(
        w.attempt(&[loose.clone(), withdraw(&w, own, LIMIT + 1)], &[&authority]).unwrap_err().name,
        "OutflowLimited"
    );
    w.send(&[loose], &[&authority]);
    pass(&mut w, BREAKER_DELAY as i64 - 1);
    w.refuse(apply_breaker(w.mint), &[], "DelayNotOver");
    // Whoever governs rightly has had two days to see it, and says the present breaker again.
    w.send(&[set_breaker(authority.pubkey(), w.mint, BREAKER)], &[&authority]);
    pass(&mut w, DAY);
    w.refuse(apply_breaker(w.mint), &[], "NothingStaged");
    assert_eq!(accepted(&w).breaker(), BREAKER);
}

#[test]
fn a_looser_breaker_holds_once_anyone_applies_it_after_two_days() {
    let (mut w, authority, own) = rich();
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
    let loose = breaker(10 * LIMIT, DAY);
    w.send(&[set_breaker(authority.pubkey(), w.mint, loose)], &[&authority]);
    let mint = accepted(&w);
    assert_eq!((mint.staged_limit.get(), mint.staged_window.get() as i64), (10 * LIMIT, DAY));
    assert_eq!((mint.staged_at.get(), mint.breaker()), (w.now() + BREAKER_DELAY as i64, BREAKER));
    pass(&mut w, BREAKER_DELAY as i64);
    w.send(&[apply_breaker(w.mint)], &[]);
    let mint = accepted(&w);
    assert_eq!((mint.breaker(), mint.staged_at.get(), mint.staged_limit.get()), (loose, 0, 0));
    w.refuse(apply_breaker(w.mint), &[], "NothingStaged");
    w.send(&[withdraw(&w, own, 10 * LIMIT)], &[&authority]);
}

#[test]
fn staging_again_starts_the_delay_again() {
    let (mut w, authority, _) = rich();
    let stage = |limit| set_breaker(authority.pubkey(), w.mint, breaker(limit, DAY));
    let (first, second) = (stage(LIMIT + 1), stage(u64::MAX));
    w.send(&[first], &[&authority]);
    pass(&mut w, BREAKER_DELAY as i64 - 1);
    w.send(&[second], &[&authority]);
    pass(&mut w, 1);
    w.refuse(apply_breaker(w.mint), &[], "DelayNotOver");
}

#[test]
fn a_tighter_breaker_holds_at_once_and_forgets_what_was_staged() {
    let (mut w, authority, own) = rich();
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(u64::MAX, DAY))], &[&authority]);
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(100, DAY))], &[&authority]);
    assert_eq!((accepted(&w).breaker(), accepted(&w).staged_at.get()), (breaker(100, DAY), 0));
    w.refuse(withdraw(&w, own, 101), &[&authority], "OutflowLimited");
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(0, DAY))], &[&authority]);
    w.refuse(withdraw(&w, own, 1), &[&authority], "OutflowLimited");
}

#[test]
fn a_smaller_limit_in_a_much_shorter_window_is_looser_and_waits() {
    let (mut w, authority, _) = rich();
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(LIMIT / 2, DAY / 4))], &[&authority]);
    assert_eq!(accepted(&w).breaker(), BREAKER);
    assert!(!accepted(&w).staged_at.is_zero());
}

#[test]
fn another_window_neither_resets_nor_shrinks_what_counts() {
    let (mut w, authority, own) = rich();
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
    pass(&mut w, DAY / 2);
    // Longer is tighter. Half has faded by the old window, and the rest fades by the new one.
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(LIMIT, 10 * DAY))], &[&authority]);
    assert_eq!((accepted(&w).outflow.get(), accepted(&w).outflow_at.get()), (LIMIT / 2, w.now()));
    w.refuse(withdraw(&w, own, LIMIT / 2 + 1), &[&authority], "OutflowLimited");
    pass(&mut w, DAY);
    w.refuse(withdraw(&w, own, LIMIT / 2 + LIMIT / 10 + 1), &[&authority], "OutflowLimited");
    w.send(&[withdraw(&w, own, LIMIT / 2 + LIMIT / 10)], &[&authority]);
    // Shorter is looser: at the moment it is applied, what counts is what counted by the longer one.
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(LIMIT, 3_600))], &[&authority]);
    pass(&mut w, 2 * DAY);
    w.send(&[apply_breaker(w.mint)], &[]);
    assert_eq!(accepted(&w).outflow.get(), LIMIT * 8 / 10);
    w.refuse(withdraw(&w, own, LIMIT / 5 + 1), &[&authority], "OutflowLimited");
}

#[test]
fn setting_the_breaker_again_and_again_makes_nothing_fade_faster() {
    let (mut w, authority, own) = rich();
    w.send(&[withdraw(&w, own, LIMIT)], &[&authority]);
    for _ in 0..20 {
        pass(&mut w, 1);
        w.send(&[set_breaker(authority.pubkey(), w.mint, BREAKER)], &[&authority]);
    }
    w.refuse(withdraw(&w, own, 20 * LIMIT / DAY as u64 + 1), &[&authority], "OutflowLimited");
}

#[test]
fn a_window_is_between_an_hour_and_thirty_days() {
    let (mut w, authority, _) = rich();
    let other = w.create_mint(Kind::Classic, &[], &[]);
    for window in [0, MIN_BREAKER_WINDOW - 1, MAX_BREAKER_WINDOW + 1, u32::MAX] {
        let breaker = breaker(1, window as i64);
        w.refuse(set_breaker(authority.pubkey(), w.mint, breaker), &[&authority], "WindowOutOfRange");
        let accept = accept_mint(authority.pubkey(), other, w.token_program, 1, breaker);
        w.refuse(accept, &[&authority], "WindowOutOfRange");
    }
    for window in [MAX_BREAKER_WINDOW, MIN_BREAKER_WINDOW] {
        w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(1, window as i64))], &[&authority]);
    }
}

#[test]
fn users_are_paid_while_the_breaker_lets_nothing_out() {
    let mut w = World::new(Kind::Classic);
    let (job, authority, alice) = (w.delivered(), w.authority.insecure_clone(), w.alice.insecure_clone());
    w.send(&[set_breaker(authority.pubkey(), w.mint, breaker(0, DAY))], &[&authority]);
    let approve = w.approve(job);
    w.send(&[approve], &[&alice]);
    assert!(w.is_closed(&job));
    let open = w.opened();
    let cancel = w.cancel(open);
    w.send(&[cancel], &[&alice]);
}

#[test]
fn a_detour_through_a_tighter_breaker_makes_nothing_forgotten() {
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let own = w.token_account(&authority.pubkey());
    earn(&mut w, 100 * LIMIT);
    // As much over time, in an hour as in thirty days, and less at once: each holds immediately, and the old one is announced again.
    let (month, hour) = (breaker(LIMIT, 30 * DAY), breaker(LIMIT / 720, 3_600));
    let set = |w: &World, breaker| set_breaker(w.authority.pubkey(), w.mint, breaker);
    w.send(&[set(&w, month)], &[&authority]);
    pass(&mut w, 60 * DAY);
    let start = w.now();
    for _ in 0..5 {
        let most = accepted(&w).headroom(UnixTime::new(w.now())).get();
        w.send(&[withdraw(&w, own, most), set(&w, hour), set(&w, month)], &[&authority]);
        pass(&mut w, BREAKER_DELAY as i64);
        w.send(&[apply_breaker(w.mint)], &[]);
        let days = ((w.now() - start) / DAY) as u64;
        assert!(w.balance(&own) <= LIMIT + LIMIT * days / 30);
    }
}
