//! Whoever stages disputes until the lot falls on its own members: by withholding the input until then, with as many lots as it likes.

use joule_sdk::{
    escrow::{
        constants::APPEAL_MULTIPLE,
        state::{Terms, Verdict},
    },
    pda,
    staking::state::Bond,
    Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BOND, DISSENT, EXPOSURE, FEE_BPS, PRICE, RESULT, TRUTH};

/// An output that nobody's run of the job comes to.
const LIE: [u8; 32] = [0xee; 32];
/// What a member says that cannot get module or input.
const CANNOT_RUN: [u8; 32] = [0; 32];

fn bond(w: &World, owner: &Keypair) -> u64 {
    w.get::<Bond>(&pda::bond(&owner.pubkey(), &w.mint)).amount.get()
}

fn resolve(w: &mut World, job: Pubkey) -> Verdict {
    w.set_time(w.dispute(&job).final_at.get().max(w.job(&job).settle_after.get()) + 1);
    w.send(&[w.resolve(job)], &[]);
    Verdict::from_number(w.dispute(&job).verdict).unwrap()
}

fn votes<'a>(first: &'a [(u8, Keypair)], second: &'a [(u8, Keypair)]) -> Vec<(u8, &'a Keypair)> {
    let of = |round, members: &'a [(u8, Keypair)]| members.iter().map(move |(_, who)| (round, who));
    of(0, first).chain(of(1, second)).collect()
}

/// A right result that the client's friend challenges, a first panel that is given nothing to run, and the client's own appeal. What the
/// second panel's members say; what the verdict is then, and what the client lost by it.
fn second_lot(jurors: u8, said: &[[u8; 32]]) -> (World, Verdict, u64) {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&vec![EXPOSURE; 3 * jurors as usize + 1]);
    let alice = w.alice.insecure_clone();
    let job = w.delivered_by(Terms { jurors, ..w.panel_terms() });
    let carol = w.challenger();
    w.send(&[w.challenge(job, &carol, LIE)], &[&carol]);
    let first = w.drawn(job, &resolvers);
    w.seated(job, &first, &vec![CANNOT_RUN; first.len()]);
    w.mint_to(&w.alice_tokens(), APPEAL_MULTIPLE * EXPOSURE);
    let left = w.job(&job).budget.get() - PRICE;
    let had = w.balance(&w.alice_tokens()) + left;
    w.send(&[w.appeal(job, &alice)], &[&alice]);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second, said);
    let verdict = resolve(&mut w, job);
    w.wind_up(job, &votes(&first, &second));
    assert!(w.is_closed(&job));
    let lost = had.saturating_sub(w.balance(&w.alice_tokens()));
    (w, verdict, lost)
}

#[test]
fn a_second_lot_convicts_by_more_than_two_thirds_of_its_seats_and_is_not_free() {
    let few = [[LIE, LIE, CANNOT_RUN], [LIE, CANNOT_RUN, CANNOT_RUN], [LIE, LIE, RESULT]];
    for said in few {
        let (w, verdict, lost) = second_lot(1, &said);
        assert_eq!(verdict, Verdict::Undecided);
        let north = w.north.insecure_clone();
        let fee = PRICE * FEE_BPS as u64 / 10_000;
        assert_eq!(
            (bond(&w, &north), w.balance(&w.north_tokens())),
            (BOND, PRICE - fee),
            "its price, and all of its bond"
        );
        assert_eq!(lost, APPEAL_MULTIPLE * EXPOSURE / 10, "each lot more costs a tenth of what it is worth");
    }
    let four = [LIE, LIE, LIE, LIE, CANNOT_RUN, CANNOT_RUN, CANNOT_RUN];
    assert_eq!(second_lot(3, &four).1, Verdict::Undecided, "most of seven");
    let five = [LIE, LIE, LIE, LIE, LIE, CANNOT_RUN, CANNOT_RUN];
    assert_eq!(second_lot(3, &five).1, Verdict::Counter, "a panel that agrees decides");
}

#[test]
fn an_appeal_from_a_first_verdict_costs_nothing_if_it_undoes_it() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 4]);
    let job = w.delivered_by(Terms { jurors: 1, ..w.panel_terms() });
    let carol = w.challenger();
    w.send(&[w.challenge(job, &carol, TRUTH)], &[&carol]);
    let bought = w.drawn(job, &resolvers);
    w.seated(job, &bought, &[RESULT]);
    w.mint_to(&w.tokens_of(&carol), APPEAL_MULTIPLE * EXPOSURE);
    let had = w.balance(&w.tokens_of(&carol)) + EXPOSURE;
    w.send(&[w.appeal(job, &carol)], &[&carol]);
    let second = w.drawn(job, &resolvers);
    w.seated(job, &second, &[CANNOT_RUN; 3]);
    assert_eq!(resolve(&mut w, job), Verdict::Undecided);
    w.wind_up(job, &votes(&bought, &second));
    assert_eq!(w.balance(&w.tokens_of(&carol)), had);
}

/// Client, provider and challenger are one, who has two seats of three; the third is honest and says the truth.
#[test]
fn a_dispute_that_is_staged_to_have_a_member_lose_costs_more_than_the_member_loses() {
    let mut w = World::new(Kind::Classic);
    let resolvers = w.resolvers(&[EXPOSURE; 10]);
    let alice = w.alice.insecure_clone();
    w.mint_to(&w.alice_tokens(), 10 * EXPOSURE);
    let (id, north) = (w.next_id(), w.north.insecure_clone());
    w.send(&[w.open(Terms { budget: 10 * EXPOSURE, bond_bps: 10_000, jurors: 3, ..w.panel_terms() })], &[&alice]);
    let job = pda::job(&alice.pubkey(), id);
    w.send(&[w.accept_for(job, 1)], &[&north]);
    w.send(&[w.submit(job)], &[&north]);
    let carol = w.challenger();
    let fees = w.balance(&w.fee_vault());
    w.send(&[w.challenge(job, &carol, TRUTH)], &[&carol]);
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members, &[RESULT, RESULT, TRUTH]);
    assert_eq!(resolve(&mut w, job), Verdict::Stands);
    w.wind_up(job, &votes(&members, &[]));
    let dissenter = bond(&w, &members[2].1);
    let loss = EXPOSURE - dissenter;
    assert_eq!(loss, DISSENT, "not all of what stood behind its seat");
    let to_treasury = w.balance(&w.fee_vault()) - fees;
    let staged = to_treasury - loss;
    assert_eq!(
        staged,
        (EXPOSURE - EXPOSURE / 5).div_ceil(2),
        "of the deposit a fifth is its own jurors', and half of the rest the treasury's"
    );
    assert!(staged > loss);
}
