//! A result is challenged, and providers that run it again decide.

use joule_sdk::{
    escrow::{
        constants::JUROR_BPS,
        state::{DisputeStatus, JobStatus, Verdict},
    },
    staking::{penalty, state::Bond},
    units::Amount,
    Keypair, Pubkey, Signer,
};
use joule_tests::{swap, Kind, World, BOND, DISSENT, EXPOSURE, FEE_BPS, PRICE, RESULT, TRUTH};

fn bond_of(w: &World, owner: &Keypair) -> Bond {
    w.get(&joule_sdk::pda::bond(&owner.pubkey(), &w.mint))
}

fn pot() -> u64 {
    EXPOSURE * JUROR_BPS as u64 / 10_000
}

/// A delivered quorum job that somebody has challenged.
fn challenged(w: &mut World) -> (Pubkey, Keypair) {
    let job = w.delivered_by(w.quorum_terms());
    let carol = w.challenged(job);
    (job, carol)
}

#[test]
fn a_lie_is_slashed_and_the_client_the_challenger_and_the_jurors_share_it() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let before = w.balance(&w.alice_tokens());
        let (job, carol) = challenged(&mut w);
        let deposited = w.balance(&w.tokens_of(&carol));
        let jurors = w.voted(job, &[TRUTH, TRUTH, TRUTH]);
        w.send(&[w.resolve(job)], &[]);

        let shares = penalty::shares(Amount::new(EXPOSURE - pot()), true);
        assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
        assert_eq!(w.job(&job).status, JobStatus::Refunded as u8);
        assert_eq!(w.balance(&w.tokens_of(&carol)), deposited + EXPOSURE + shares.challenger.get());
        assert_eq!(w.balance(&w.alice_tokens()), before + shares.harmed.get());
        assert_eq!(w.balance(&w.fee_vault()), shares.treasury.get());
        assert_eq!(w.balance(&w.north_tokens()), 0);
        assert_eq!((w.bond().amount.get(), w.bond().locked.get()), (BOND - EXPOSURE, 0));
        assert_eq!(w.balance(&w.job(&job).vault), pot());

        let votes: Vec<_> = jurors.iter().map(|j| (0, j)).collect();
        w.wind_up(job, &votes);
        assert!(w.is_closed(&job) && w.is_closed(&joule_sdk::pda::dispute(&job)));
        for juror in &jurors {
            assert_eq!(w.balance(&w.tokens_of(juror)), pot() / 3);
            assert_eq!((bond_of(&w, juror).locked.get(), bond_of(&w, juror).kept.get()), (0, 0));
        }
        // The dust is the client's.
        assert_eq!(w.balance(&w.alice_tokens()), before + shares.harmed.get() + pot() % 3);
    }
}

#[test]
fn a_challenge_that_is_wrong_pays_the_provider_for_it() {
    let mut w = World::new(Kind::Classic);
    let (job, carol) = challenged(&mut w);
    let left = w.balance(&w.tokens_of(&carol));
    let jurors = w.voted(job, &[RESULT, RESULT, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Stands as u8);
    let fee = (PRICE as u128 * FEE_BPS as u128 / 10_000) as u64;
    assert_eq!(w.balance(&w.north_tokens()), PRICE - fee + (EXPOSURE - pot()) / 2);
    assert_eq!(w.balance(&w.tokens_of(&carol)), left);
    assert_eq!((w.bond().amount.get(), w.bond().kept.get()), (BOND, EXPOSURE));
    let votes: Vec<_> = jurors.iter().map(|j| (0, j)).collect();
    w.wind_up(job, &votes);
    // Whoever voted wrong has lost a fifth of its stake.
    assert_eq!(bond_of(&w, &jurors[2]).amount.get(), 2 * EXPOSURE - DISSENT);
    assert_eq!(bond_of(&w, &jurors[0]).amount.get(), 2 * EXPOSURE);
    assert!(w.is_closed(&job));
}

#[test]
fn when_both_are_wrong_the_client_gets_everything_back() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let (job, carol) = challenged(&mut w);
    let left = w.balance(&w.tokens_of(&carol));
    w.voted(job, &[[5; 32], [5; 32], TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Neither as u8);
    let forfeited = 2 * EXPOSURE;
    let jurors = forfeited * JUROR_BPS as u64 / 10_000;
    let harmed = penalty::shares(Amount::new(forfeited - jurors), false).harmed.get();
    assert_eq!(w.balance(&w.alice_tokens()), before + harmed);
    assert_eq!(w.balance(&w.tokens_of(&carol)), left);
    assert_eq!(w.balance(&w.north_tokens()), 0);
}

#[test]
fn without_enough_votes_the_result_stands_and_nobody_is_slashed() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let (job, carol) = challenged(&mut w);
    let left = w.balance(&w.tokens_of(&carol));
    let jurors = w.voted(job, &[TRUTH, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Undecided as u8);
    let fee = (PRICE as u128 * FEE_BPS as u128 / 10_000) as u64;
    assert_eq!(w.balance(&w.tokens_of(&carol)), left + EXPOSURE);
    assert_eq!(w.balance(&w.north_tokens()), PRICE - fee);
    assert_eq!(w.balance(&w.alice_tokens()), before - PRICE);
    assert_eq!((w.bond().amount.get(), w.bond().kept.get()), (BOND, 0));
    let votes: Vec<_> = jurors.iter().map(|j| (0, j)).collect();
    w.wind_up(job, &votes);
    for juror in &jurors {
        assert_eq!(bond_of(&w, juror).amount.get(), 2 * EXPOSURE);
    }
    assert!(w.is_closed(&job));
}

#[test]
fn a_tie_decides_nothing() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    w.voted(job, &[TRUTH, RESULT, TRUTH, RESULT]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Undecided as u8);
}

#[test]
fn the_majority_is_by_bond_and_not_by_heads() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let heavy = w.provider(10 * EXPOSURE);
    w.send(&[w.commit(job, &heavy, TRUTH, 5 * EXPOSURE)], &[&heavy]);
    let light: Vec<Keypair> = (0..3).map(|_| w.provider(EXPOSURE)).collect();
    for juror in &light {
        w.send(&[w.commit(job, juror, RESULT, EXPOSURE)], &[juror]);
    }
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.send(&[w.reveal(job, 0, &heavy, TRUTH)], &[]);
    for juror in &light {
        w.send(&[w.reveal(job, 0, juror, RESULT)], &[]);
    }
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
}

#[test]
fn a_vote_that_is_never_revealed_loses_its_stake() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let silent = w.provider(EXPOSURE);
    w.send(&[w.commit(job, &silent, RESULT, EXPOSURE)], &[&silent]);
    let jurors = w.voted(job, &[TRUTH, TRUTH, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    let (before, fees) = (w.balance(&w.alice_tokens()), w.balance(&w.fee_vault()));
    w.send(&[w.close_vote(job, 0, &silent)], &[]);
    assert_eq!(bond_of(&w, &silent).amount.get(), 0);
    let votes: Vec<_> = jurors.iter().map(|j| (0, j)).collect();
    w.wind_up(job, &votes);
    // Not the client's: it could have staged the dispute.
    assert_eq!(w.balance(&w.alice_tokens()), before + pot() % 3);
    assert_eq!(w.balance(&w.fee_vault()), fees + EXPOSURE);
    assert!(w.is_closed(&job));
}

#[test]
fn a_copied_commitment_cannot_be_revealed() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let (honest, copycat) = (w.provider(EXPOSURE), w.provider(EXPOSURE));
    w.send(&[w.commit(job, &honest, TRUTH, EXPOSURE)], &[&honest]);
    let sealed = w.vote(&job, 0, &honest).commitment;
    let who = joule_sdk::instruction::escrow::Provider::new(copycat.pubkey(), w.tokens_of(&copycat));
    let copy = joule_sdk::instruction::escrow::commit_vote(who, job, &w.job(&job), sealed, EXPOSURE);
    w.send(&[copy], &[&copycat]);
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.send(&[w.reveal(job, 0, &honest, TRUTH)], &[]);
    // The salt is public now, and does not help.
    let vote = w.vote_address(&job, 0, &copycat);
    let reveal = joule_sdk::instruction::escrow::reveal_vote(job, vote, TRUTH, World::salt(&honest));
    w.refuse(reveal, &[], "WrongReveal");
}

#[test]
fn votes_are_committed_revealed_and_counted_each_in_its_time() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let (juror, late) = (w.provider(EXPOSURE), w.provider(EXPOSURE));
    w.send(&[w.commit(job, &juror, TRUTH, EXPOSURE)], &[&juror]);
    w.refuse(w.reveal(job, 0, &juror, TRUTH), &[], "RevealWindowClosed");
    w.refuse(w.resolve(job), &[], "VoteStillOpen");
    w.refuse(w.close_vote(job, 0, &juror), &[], "WrongState");
    w.refuse(w.close_dispute(job), &[], "WrongState");
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    w.refuse(w.commit(job, &late, TRUTH, EXPOSURE), &[&late], "CommitWindowClosed");
    w.refuse(w.reveal(job, 0, &juror, RESULT), &[], "WrongReveal");
    w.send(&[w.reveal(job, 0, &juror, TRUTH)], &[]);
    w.refuse(w.reveal(job, 0, &juror, TRUTH), &[], "AlreadyRevealed");
    w.set_time(w.dispute(&job).final_at.get());
    w.refuse(w.resolve(job), &[], "VoteStillOpen");
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.refuse(w.reveal(job, 0, &juror, TRUTH), &[], "AlreadyRevealed");
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).status, DisputeStatus::Resolved as u8);
    w.refuse(w.resolve(job), &[], "WrongState");
    w.refuse(w.close_dispute(job), &[], "VotesOpen");
    w.send(&[w.close_vote(job, 0, &juror)], &[]);
}

#[test]
fn the_parties_do_not_judge_their_own_case() {
    let mut w = World::new(Kind::Classic);
    let (job, carol) = challenged(&mut w);
    let (north, alice) = (w.north.insecure_clone(), w.alice.insecure_clone());
    w.refuse(w.commit(job, &north, RESULT, EXPOSURE), &[&north], "PartyCannotJudge");
    for party in [&carol, &alice] {
        let profile = joule_sdk::registry::state::Profile { payout_owner: party.pubkey(), ..w.profile() };
        let register = joule_sdk::instruction::registry::register(party.pubkey(), party.pubkey(), profile);
        w.send(&[register], &[party]);
        w.give_bond(party, EXPOSURE);
        w.refuse(w.commit(job, party, TRUTH, EXPOSURE), &[party], "PartyCannotJudge");
    }
}

#[test]
fn a_vote_needs_a_stake_of_its_own() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let (poor, other) = (w.provider(EXPOSURE - 1), w.provider(EXPOSURE));
    w.refuse(w.commit(job, &poor, TRUTH, EXPOSURE - 1), &[&poor], "StakeTooSmall");
    w.refuse(w.commit(job, &poor, TRUTH, EXPOSURE), &[&poor], "BondTooSmall");
    let bond = |who: &Keypair| joule_sdk::pda::bond(&who.pubkey(), &w.mint);
    let borrowed = swap(w.commit(job, &poor, TRUTH, EXPOSURE), bond(&poor), bond(&other));
    w.refuse(borrowed, &[&poor], "WrongBond");
    w.send(&[w.commit(job, &other, TRUTH, EXPOSURE)], &[&other]);
    assert!(w.attempt(&[w.commit(job, &other, TRUTH, EXPOSURE)], &[&other]).is_err());
}

#[test]
fn a_challenge_needs_a_judge_a_delivery_another_result_and_a_deposit() {
    let mut w = World::new(Kind::Classic);
    let carol = w.challenger();
    let review = w.delivered();
    w.refuse(w.challenge(review, &carol, TRUTH), &[&carol], "NoJudge");
    let accepted = w.accepted();
    w.refuse(w.challenge(accepted, &carol, TRUTH), &[&carol], "WrongState");
    let job = w.delivered_by(w.quorum_terms());
    w.refuse(w.challenge(job, &carol, RESULT), &[&carol], "SameResult");
    w.refuse(w.challenge(job, &carol, [0; 32]), &[&carol], "MissingResult");
    let poor = w.holder(EXPOSURE - 1);
    w.refuse(w.challenge(job, &poor, TRUTH), &[&poor], "TokenError::InsufficientFunds");
    w.set_time(w.job(&job).settle_after.get());
    w.refuse(w.challenge(job, &carol, TRUTH), &[&carol], "ReviewWindowClosed");
    w.send(&[w.settle(job)], &[]);
}

#[test]
fn a_challenged_job_is_neither_settled_nor_approved_nor_failed_nor_challenged_again() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let (alice, dave) = (w.alice.insecure_clone(), w.challenger());
    assert!(w.attempt(&[w.challenge(job, &dave, [3; 32])], &[&dave]).is_err());
    w.refuse(w.approve(job), &[&alice], "WrongState");
    w.set_time(w.now() + 100_000);
    w.refuse(w.settle(job), &[], "WrongState");
    w.refuse(w.fail(job), &[], "WrongState");
    w.refuse(w.expire(job), &[], "WrongState");
    w.refuse(w.pay(job), &[], "WrongState");
    let tokens = w.tokens_of(&alice);
    w.refuse(joule_sdk::instruction::escrow::redirect(alice.pubkey(), job, tokens), &[&alice], "NothingToRedirect");
}

#[test]
fn a_juror_whose_account_is_frozen_holds_nobody_for_ever() {
    let mut w = World::new(Kind::Classic);
    let (job, _) = challenged(&mut w);
    let jurors = w.voted(job, &[TRUTH, TRUTH, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    let frozen = w.tokens_of(&jurors[0]);
    w.freeze(&frozen);
    w.refuse(w.close_vote(job, 0, &jurors[0]), &[], "CannotReceive");
    w.set_time(w.dispute(&job).resolved_at.get() + joule_sdk::escrow::constants::LATE as i64 + 1);
    let before = w.balance(&w.alice_tokens());
    let votes: Vec<_> = jurors.iter().map(|j| (0, j)).collect();
    w.wind_up(job, &votes);
    assert_eq!(w.balance(&w.alice_tokens()), before + pot() / 3 + pot() % 3);
    assert_eq!(bond_of(&w, &jurors[0]).locked.get(), 0);
}

#[test]
fn a_challenger_whose_account_is_frozen_waits_and_moves_its_money() {
    let mut w = World::new(Kind::Classic);
    let (job, carol) = challenged(&mut w);
    let mint = w.mint;
    w.voted(job, &[TRUTH, TRUTH, TRUTH]);
    w.freeze(&w.tokens_of(&carol));
    let before = w.balance(&w.alice_tokens());
    w.send(&[w.resolve(job)], &[]);
    assert!(w.balance(&w.alice_tokens()) > before);
    let owed = w.job(&job).owed_challenger.get();
    assert!(owed > EXPOSURE);
    let other = w.extra_token_account(&carol.pubkey(), &mint, &[]);
    w.send(&[joule_sdk::instruction::escrow::redirect(carol.pubkey(), job, other)], &[&carol]);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&other), owed);
}

#[test]
fn a_stranger_that_feeds_the_vault_changes_no_verdict_and_loses_its_gift() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let (job, _) = challenged(&mut w);
    let vault = w.job(&job).vault;
    w.mint_to(&vault, 77);
    w.voted(job, &[TRUTH, TRUTH, TRUTH]);
    w.send(&[w.resolve(job)], &[]);
    let harmed = penalty::shares(Amount::new(EXPOSURE - pot()), true).harmed.get();
    assert_eq!(w.balance(&w.alice_tokens()), before + harmed + 77);
    assert_eq!(w.balance(&vault), pot());
}

#[test]
fn a_dispute_goes_on_while_its_service_is_paused_and_its_token_retired() {
    let mut w = World::new(Kind::Classic);
    let (guardian, authority) = (w.guardian.insecure_clone(), w.authority.insecure_clone());
    let job = w.delivered_by(w.quorum_terms());
    let jurors: Vec<Keypair> = (0..3).map(|_| w.provider(EXPOSURE)).collect();
    let pause = joule_sdk::instruction::treasury::pause(guardian.pubkey(), 0);
    let retire = joule_sdk::instruction::treasury::update_mint(authority.pubkey(), w.mint, false, u64::MAX);
    w.send(&[pause, retire], &[&guardian, &authority]);
    w.challenged(job);
    for juror in &jurors {
        w.send(&[w.commit(job, juror, TRUTH, EXPOSURE)], &[juror]);
    }
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    for juror in &jurors {
        w.send(&[w.reveal(job, 0, juror, TRUTH)], &[]);
    }
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
    let votes: Vec<_> = jurors.iter().map(|juror| (0, juror)).collect();
    w.wind_up(job, &votes);
    assert!(w.is_closed(&job));
}
