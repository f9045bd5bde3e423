//! A client that gives its input to its own members of a panel and to nobody else: nothing is decided, and nobody honest loses anything.

use joule_sdk::{
    escrow::{
        constants::APPEAL_MULTIPLE,
        state::{Panel, Terms, Verdict},
    },
    instruction, pda,
    staking::state::Bond,
    Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BOND, EXPOSURE, FEE_BPS, PRICE, RESULT, TRUTH};

/// An output that nobody's run of the job comes to. `RESULT`, which `north` delivers, is right here.
const LIE: [u8; 32] = [0xee; 32];
/// What a member says that cannot get module or input.
const CANNOT_RUN: [u8; 32] = [0; 32];

fn amount(w: &World, owner: &Keypair) -> u64 {
    w.get::<Bond>(&pda::bond(&owner.pubkey(), &w.mint)).amount.get()
}

/// A job that a single member decides first, and three after an appeal: the client's to choose. Somebody says that `output` is right.
fn challenged(w: &mut World, output: [u8; 32]) -> (Pubkey, Keypair) {
    let job = w.delivered_by(Terms { jurors: 1, ..w.panel_terms() });
    let carol = w.challenger();
    w.send(&[w.challenge(job, &carol, output)], &[&carol]);
    (job, carol)
}

fn resolve(w: &mut World, job: Pubkey) -> Verdict {
    w.set_time(w.dispute(&job).final_at.get().max(w.job(&job).settle_after.get()) + 1);
    w.send(&[w.resolve(job)], &[]);
    Verdict::from_number(w.dispute(&job).verdict).unwrap()
}

/// North's payout owner appeals.
fn north_appeals(w: &mut World, job: Pubkey) {
    let (owner, tokens) = (w.north_payout.insecure_clone(), w.north_tokens());
    w.mint_to(&tokens, APPEAL_MULTIPLE * EXPOSURE);
    w.send(&[w.appeal(job, &owner)], &[&owner]);
}

fn votes<'a>(first: &'a [(u8, Keypair)], second: &'a [(u8, Keypair)]) -> Vec<(u8, &'a Keypair)> {
    let of = |round, members: &'a [(u8, Keypair)]| members.iter().map(move |(_, who)| (round, who));
    of(0, first).chain(of(1, second)).collect()
}

#[test]
fn a_verdict_that_most_of_an_appeals_panel_cannot_confirm_convicts_nobody() {
    // None of the second panel can run it, one can and says what is true, or two can and one of them lies.
    for second in [[CANNOT_RUN; 3], [RESULT, CANNOT_RUN, CANNOT_RUN], [RESULT, LIE, CANNOT_RUN]] {
        let mut w = World::new(Kind::Classic);
        let resolvers = w.resolvers(&[EXPOSURE; 4]);
        let (job, carol) = challenged(&mut w, LIE);
        let staked = w.balance(&w.tokens_of(&carol)) + EXPOSURE;
        // The lot falls on the thief's, to whom alone the input was given.
        let thief = w.drawn(job, &resolvers);
        w.seated(job, &thief, &[LIE]);
        north_appeals(&mut w, job);
        let others = w.drawn(job, &resolvers);
        w.seated(job, &others, &second);
        assert_eq!(resolve(&mut w, job), Verdict::Undecided);
        w.wind_up(job, &votes(&thief, &others));
        let (north, fee) = (w.north.insecure_clone(), PRICE * FEE_BPS as u64 / 10_000);
        assert_eq!(amount(&w, &north), BOND);
        assert_eq!(w.balance(&w.north_tokens()), PRICE - fee + APPEAL_MULTIPLE * EXPOSURE);
        assert_eq!(w.balance(&w.tokens_of(&carol)), staked);
        for (_, juror) in &others {
            assert_eq!(amount(&w, juror), EXPOSURE);
        }
        assert!(w.is_closed(&job));
    }
}

#[test]
fn client_and_provider_who_are_one_take_nothing_of_an_honest_challenger() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 4]);
    let (job, carol) = challenged(&mut w, TRUTH);
    let staked = w.balance(&w.tokens_of(&carol)) + EXPOSURE;
    let thief = w.drawn(job, &resolvers);
    w.seated(job, &thief, &[RESULT]);
    w.send(&[w.appeal(job, &carol)], &[&carol]);
    let honest = w.drawn(job, &resolvers);
    w.seated(job, &honest, &[CANNOT_RUN; 3]);
    assert_eq!(resolve(&mut w, job), Verdict::Undecided);
    w.wind_up(job, &votes(&thief, &honest));
    assert_eq!(w.balance(&w.tokens_of(&carol)), staked);
}

#[test]
fn a_first_verdict_holds_where_an_appeals_panel_is_silent_and_nobody_is_slashed_for_an_appeal_that_decided_nothing() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 4]);
    let (job, _) = challenged(&mut w, TRUTH);
    let honest = w.drawn(job, &resolvers);
    w.seated(job, &honest, &[TRUTH]);
    // A wrong provider's friends keep silent, so that its appeal decides nothing; one votes for it.
    north_appeals(&mut w, job);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second[..1], &[RESULT]);
    assert_eq!(resolve(&mut w, job), Verdict::Counter);
    w.send(&[w.close_vote(job, 0, &honest[0].1), w.close_vote(job, 1, &second[0].1)], &[]);
    for (seat, _) in &second[1..] {
        w.send(&[w.punish(job, *seat)], &[]);
    }
    w.wind_up(job, &[]);
    assert_eq!([0, 1, 2].map(|place| amount(&w, &second[place].1)), [EXPOSURE, 0, 0]);
    assert_eq!((amount(&w, &honest[0].1), amount(&w, &w.north.insecure_clone())), (EXPOSURE, BOND - EXPOSURE));
}

#[test]
fn a_panel_judges_only_if_an_appeal_from_it_can_be_heard_by_all_its_seats() {
    let mut w = World::new(Kind::Classic);
    // Three could answer for what the client puts at risk, and hold half of what is staked.
    w.resolvers(&[EXPOSURE, EXPOSURE, EXPOSURE, EXPOSURE - 1, EXPOSURE - 1, EXPOSURE - 1]);
    let job = w.delivered_by(Terms { jurors: 1, ..w.panel_terms() });
    let carol = w.challenger();
    w.refuse(w.challenge(job, &carol, LIE), &[&carol], "NoPanel");
}

#[test]
fn who_misses_a_dispute_over_a_penny_sits_in_the_next_one() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let penny = 1_000;
    let (id, alice, north) = (w.next_id(), w.alice.insecure_clone(), w.north.insecure_clone());
    w.send(&[w.open(Terms { budget: penny, bond_bps: 1_000, ..w.panel_terms() })], &[&alice]);
    let staged = pda::job(&alice.pubkey(), id);
    let worker = instruction::escrow::Provider::new(north.pubkey(), w.north_tokens());
    w.send(&[instruction::escrow::accept(worker, staged, &w.job(&staged), penny)], &[&north]);
    w.send(&[w.submit(staged)], &[&north]);
    w.challenged(staged);
    w.drawn(staged, &resolvers);
    resolve(&mut w, staged);
    for seat in 0..3 {
        w.send(&[w.punish(staged, seat)], &[]);
    }
    w.wind_up(staged, &[]);
    let panel: Panel = w.get(&pda::panel(&w.mint, w.epoch()));
    let left: u64 = panel.enrolled().iter().map(|r| r.left.get()).sum();
    assert_eq!(left, 10 * EXPOSURE - 3 * penny / 10, "what was at risk, and no more");
    let job = w.delivered_by(w.panel_terms());
    w.challenged(job);
    assert_eq!(w.drawn(job, &resolvers).len(), 3);
}
