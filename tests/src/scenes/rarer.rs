//! Runs that only the attacks need.

use super::{Scene, NONE};
use crate::{
    staking::{BOND as STAKED, DAY, PARAMS},
    Kind, World, EXPOSURE, RESULT, TRUTH,
};
use joule_sdk::{
    escrow::state::{commitment, Terms},
    instruction::{
        escrow::{accept, commit_vote, open, place_bid, OpenAccounts, Provider},
        registry::{admit_attestor, attest, define_requirements, revoke, set_attestor, Statement},
        staking::create_pool,
    },
    pda,
    registry::state::{Credential, Wanted},
    Instruction, Keypair, Pubkey, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let mut all = with_requirements(kind);
    all.extend(disputes(kind));
    all.extend(sweeps(kind));
    all
}

fn make(
    program: &'static str,
    name: &'static str,
    world: World,
    instruction: Instruction,
    signers: Vec<Keypair>,
) -> Scene {
    Scene { program, name, world, before: vec![], instruction, signers, syscalls: NONE, seeds: vec![] }
}

/// A world in which Alice has a stake and requirements: a credential that North has, or none but a bond.
fn demanding(kind: Kind, credential: bool) -> (World, Pubkey) {
    let mut w = World::new(kind);
    let (authority, alice, north) = (w.authority.insecure_clone(), w.alice.insecure_clone(), w.north.insecure_clone());
    let create = create_pool(authority.pubkey(), w.mint, w.token_program, PARAMS);
    let admit = admit_attestor(authority.pubkey(), authority.pubkey(), authority.pubkey(), [5; 32]);
    let statement = Statement { subject: north.pubkey(), schema: 1, value_hash: [1; 32], expires_at: w.now() + DAY };
    let give = attest(authority.pubkey(), authority.pubkey(), statement);
    w.send(&[create, admit, give], &[&authority]);
    let mut wanted = Wanted { min_bond: 5, ..Default::default() };
    if credential {
        wanted.all_of[0] = Credential { attestor: pda::attestor(&authority.pubkey()), schema: 1 };
    }
    let define = define_requirements(alice.pubkey(), alice.pubkey(), wanted);
    w.send(&[define, w.stake(&alice, 10_000_000, 365 * DAY)], &[&alice]);
    let requirements = pda::requirements(&alice.pubkey(), &wanted.hash());
    (w, requirements)
}

fn open_for(w: &World, requirements: Pubkey, terms: Terms) -> Instruction {
    let accounts = OpenAccounts {
        payer: w.alice.pubkey(),
        client: w.alice.pubkey(),
        source: w.alice_tokens(),
        refund: w.alice_tokens(),
        mint: w.mint,
        token_program: w.token_program,
        requirements: Some(requirements),
        staked_in: Some(w.mint),
    };
    open(accounts, w.next_id(), terms)
}

fn with_requirements(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let (w, requirements) = demanding(kind, true);
    let (alice, open) = (w.alice.insecure_clone(), open_for(&w, requirements, w.terms()));
    all.push(make("escrow", "open (requirements, stake)", w, open, vec![alice]));

    let opened = |credential, terms: &dyn Fn(&World) -> Terms| {
        let (mut w, requirements) = demanding(kind, credential);
        let alice = w.alice.insecure_clone();
        let (job, open) = (pda::job(&alice.pubkey(), w.next_id()), open_for(&w, requirements, terms(&w)));
        w.send(&[open], &[&alice]);
        (w, job)
    };
    let shown = |w: &World, attested| Provider { attested, ..Provider::new(w.north.pubkey(), w.north_tokens()) };
    for (name, attested) in [("accept (credential)", true), ("accept (no credential)", false)] {
        let (w, job) = opened(attested, &World::terms);
        let (north, accept) = (w.north.insecure_clone(), accept(shown(&w, attested), job, &w.job(&job), EXPOSURE));
        all.push(make("escrow", name, w, accept, vec![north]));
    }
    let (w, job) = opened(true, &|w| Terms { bid_window: 60, ..w.terms() });
    let (north, bid) = (w.north.insecure_clone(), place_bid(shown(&w, true), job, &w.job(&job), EXPOSURE));
    all.push(make("escrow", "place_bid (credential)", w, bid, vec![north]));

    // South's job, which North judges.
    let (mut w, job) = opened(false, &World::quorum_terms);
    let (juror, worker) = (w.north.insecure_clone(), w.provider(2 * EXPOSURE));
    let work = accept(Provider::new(worker.pubkey(), w.tokens_of(&worker)), job, &w.job(&job), EXPOSURE);
    let submit = joule_sdk::instruction::escrow::submit(worker.pubkey(), job, RESULT);
    w.send(&[work, submit], &[&worker]);
    w.set_time(w.now() + 1);
    w.challenged(job);
    let sealed = commitment(&job, &TRUTH, &[1; 32], &juror.pubkey());
    let commit = commit_vote(shown(&w, true), job, &w.job(&job), sealed, EXPOSURE);
    all.push(make("escrow", "commit_vote (attested)", w, commit, vec![juror]));

    // The authority takes back what a disabled attestor has said.
    let mut w = World::governed(kind);
    let (governor, north) = (w.authority.insecure_clone(), w.north.insecure_clone());
    let subject = w.alice.pubkey();
    let statement = Statement { subject, schema: 1, value_hash: [1; 32], expires_at: w.now() + DAY };
    let admit = admit_attestor(governor.pubkey(), governor.pubkey(), north.pubkey(), [5; 32]);
    let give = attest(north.pubkey(), north.pubkey(), statement);
    w.send(&[admit, give, set_attestor(governor.pubkey(), north.pubkey(), false)], &[&governor, &north]);
    let take = revoke(governor.pubkey(), north.pubkey(), subject, 1);
    all.push(make("registry", "revoke (by the authority)", w, take, vec![governor]));
    all
}

fn disputes(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut w = World::new(kind);
    w.resolvers(&[EXPOSURE]);
    // In the last second of the epoch before.
    w.set_time(w.now() - 1);
    let resolver = w.holder(0);
    w.give_bond(&resolver, EXPOSURE);
    let enroll = w.enroll(&resolver, EXPOSURE);
    all.push(make("escrow", "enroll (not the first)", w, enroll, vec![resolver]));

    let challenged = || {
        let mut w = World::new(kind);
        let resolvers = w.resolvers(&[EXPOSURE; 12]);
        let job = w.delivered_by(w.panel_terms());
        let carol = w.challenged(job);
        let members = w.drawn(job, &resolvers);
        (w, job, carol, resolvers, members)
    };
    let appealed = || {
        let (mut w, job, carol, resolvers, members) = challenged();
        w.seated(job, &members, &[RESULT; 3]);
        w.send(&[w.appeal(job, &carol)], &[&carol]);
        (w, job, resolvers)
    };
    let (mut w, job, _) = appealed();
    w.set_slot(w.dispute(&job).draw_slot.get() + 1);
    let draw = w.draw(job);
    all.push(make("escrow", "draw_panel (appeal)", w, draw, vec![]));
    let (mut w, job, resolvers) = appealed();
    let (seat, member) = w.drawn(job, &resolvers).remove(0);
    let commit = w.commit_seat(job, seat, &member, TRUTH);
    all.push(make("escrow", "commit_seat (appeal)", w, commit, vec![member]));
    let (mut w, job, resolvers) = appealed();
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members, &[TRUTH; 7]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    let resolve = w.resolve(job);
    all.push(make("escrow", "resolve (appeal)", w, resolve, vec![]));
    let (mut w, job, _, _, members) = challenged();
    w.seated(job, &members, &[TRUTH, TRUTH, RESULT]);
    w.set_time(w.dispute(&job).final_at.get() + 1);
    w.send(&[w.resolve(job)], &[]);
    let close = w.close_vote(job, 0, &members[2].1);
    all.push(make("escrow", "close_vote (wrong, of a panel)", w, close, vec![]));

    // A bid that has lost.
    let mut w = World::new(kind);
    let (job, loser, winner) = (w.auctioned(), w.provider(EXPOSURE), w.provider(EXPOSURE));
    w.send(&[w.bid(job, &loser, EXPOSURE)], &[&loser]);
    w.send(&[w.bid(job, &winner, EXPOSURE - 1)], &[&winner]);
    w.set_time(w.job(&job).bid_until.get() + 1);
    let won = w.bid_of(&job, &winner);
    w.send(&[joule_sdk::instruction::escrow::award_bid(w.bid_address(&job, &winner), &won)], &[]);
    let withdraw = w.withdraw_bid(&job, &loser);
    all.push(make("escrow", "withdraw_bid (lost)", w, withdraw, vec![]));
    all
}

/// Where strangers have sent something.
fn sweeps(kind: Kind) -> Vec<Scene> {
    let mut w = World::bonded(kind);
    let cold = w.north_payout.insecure_clone();
    w.send(&[w.unbond(STAKED)], &[&cold]);
    w.set_time(w.now() + 7 * DAY);
    w.send(&[w.withdraw_bond()], &[&cold]);
    let vault = w.bond_vault();
    w.mint_to(&vault, 5);
    let close = w.close_bond();
    vec![make("staking", "close_bond (with a gift)", w, close, vec![cold])]
}
