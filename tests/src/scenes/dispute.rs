//! The escrow's instructions around bids, challenges and those who judge them.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{Kind, World, EXPOSURE, RESULT, TRUTH};
use joule_sdk::{
    escrow::{
        constants::{BID_SEED, DISPUTE_SEED, JOB_SEED, PANEL_SEED, VOTE_SEED},
        state::Panel,
        ID,
    },
    instruction::escrow::{award_bid, close_panel, pick_bid},
    pda,
    staking::constants::CLAIM_SIGNER_SEED,
    Instruction, Keypair, Pubkey, Signer,
};

const CREATE: Syscalls = Syscalls { clock: 1, rent: 1, derive: 1, ..NONE };

/// `created` are the seeds of what the instruction creates.
fn make(
    name: &'static str,
    world: World,
    instruction: Instruction,
    signers: Vec<Keypair>,
    syscalls: Syscalls,
    created: &[&[u8]],
) -> Scene {
    let alice = world.alice.pubkey();
    let mut seeds = Vec::new();
    if !created.is_empty() {
        seeds.push(Pda::new(&ID, created));
    }
    seeds.push(Pda::new(&ID, &[JOB_SEED, alice.as_ref(), &0u64.to_le_bytes()]));
    seeds.push(Pda::new(&ID, &[CLAIM_SIGNER_SEED]));
    seeds.push(Pda::new(&ID, &[joule_events::AUTHORITY_SEED]));
    Scene { program: "escrow", name, world, before: vec![], instruction, signers, syscalls, seeds }
}

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let mut all = bids(kind);
    all.extend(quorum(kind));
    all.extend(panel(kind));
    all
}

fn bids(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut w = World::new(kind);
    let (job, north) = (w.auctioned(), w.provider(EXPOSURE));
    let provider = pda::provider(&north.pubkey());
    let bid = w.bid(job, &north, EXPOSURE);
    let seeds: &[&[u8]] = &[BID_SEED, job.as_ref(), provider.as_ref()];
    all.push(make("place_bid", w, bid, vec![north], CREATE, seeds));
    let auction = || {
        let mut w = World::new(kind);
        let (job, bidder) = (w.auctioned(), w.provider(EXPOSURE));
        w.send(&[w.bid(job, &bidder, EXPOSURE)], &[&bidder]);
        (w, job, bidder)
    };
    let (w, job, bidder) = auction();
    let alice = w.alice.insecure_clone();
    let pick = pick_bid(alice.pubkey(), w.bid_address(&job, &bidder), &w.bid_of(&job, &bidder));
    all.push(make("pick_bid", w, pick, vec![alice], CLOCK, &[]));
    let (mut w, job, bidder) = auction();
    w.set_time(w.job(&job).bid_until.get() + 1);
    let award = award_bid(w.bid_address(&job, &bidder), &w.bid_of(&job, &bidder));
    all.push(make("award_bid", w, award, vec![], CLOCK, &[]));
    let (mut w, job, bidder) = auction();
    let alice = w.alice.insecure_clone();
    w.send(&[w.cancel(job)], &[&alice]);
    let withdraw = w.withdraw_bid(&job, &bidder);
    all.push(make("withdraw_bid", w, withdraw, vec![], NONE, &[]));
    all
}

fn quorum(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut w = World::new(kind);
    let (job, carol) = (w.delivered_by(w.quorum_terms()), w.challenger());
    let challenge = w.challenge(job, &carol, TRUTH);
    all.push(make("challenge", w, challenge, vec![carol], CREATE, &[DISPUTE_SEED, job.as_ref()]));
    let challenged = || {
        let mut w = World::new(kind);
        let job = w.delivered_by(w.quorum_terms());
        let carol = w.challenged(job);
        (w, job, carol)
    };
    let (mut w, job, _) = challenged();
    let juror = w.provider(EXPOSURE);
    let (commit, dispute) = (w.commit(job, &juror, TRUTH, EXPOSURE), pda::dispute(&job));
    let who = juror.pubkey();
    let seeds: &[&[u8]] = &[VOTE_SEED, dispute.as_ref(), &[0], who.as_ref()];
    all.push(make("commit_vote", w, commit, vec![juror], CREATE, seeds));
    let (mut w, job, _) = challenged();
    let juror = w.provider(EXPOSURE);
    w.send(&[w.commit(job, &juror, TRUTH, EXPOSURE)], &[&juror]);
    w.set_time(w.dispute(&job).commit_by.get() + 1);
    let reveal = w.reveal(job, 0, &juror, TRUTH);
    all.push(make("reveal_vote", w, reveal, vec![], Syscalls { hashes: &[128], ..CLOCK }, &[]));
    for (name, truth) in [("resolve (counter)", TRUTH), ("resolve (stands)", RESULT)] {
        let (mut w, job, _) = challenged();
        w.voted(job, &[truth, truth, truth]);
        let resolve = w.resolve(job);
        all.push(make(name, w, resolve, vec![], CLOCK, &[]));
    }
    let resolved = || {
        let (mut w, job, carol) = challenged();
        let jurors = w.voted(job, &[TRUTH, TRUTH, TRUTH, RESULT]);
        w.send(&[w.resolve(job)], &[]);
        (w, job, carol, jurors)
    };
    let (w, job, _, jurors) = resolved();
    let close = w.close_vote(job, 0, &jurors[0]);
    all.push(make("close_vote (right)", w, close, vec![], CLOCK, &[]));
    let (w, job, _, jurors) = resolved();
    let close = w.close_vote(job, 0, &jurors[3]);
    all.push(make("close_vote (wrong)", w, close, vec![], CLOCK, &[]));
    let (mut w, job, _, jurors) = resolved();
    for juror in &jurors {
        w.send(&[w.close_vote(job, 0, juror)], &[]);
    }
    let close = w.close_dispute(job);
    all.push(make("close_dispute", w, close, vec![], CLOCK, &[]));
    all
}

fn panel(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut w = World::new(kind);
    let resolver = w.holder(0);
    w.give_bond(&resolver, EXPOSURE);
    let (enroll, mint, epoch) = (w.enroll(&resolver, EXPOSURE), w.mint, w.epoch() + 1);
    let epoch = epoch.to_le_bytes();
    let seeds: &[&[u8]] = &[PANEL_SEED, mint.as_ref(), &epoch];
    all.push(make("enroll", w, enroll, vec![resolver], Syscalls { hashes: &[68], ..CREATE }, seeds));
    let challenged = || {
        let mut w = World::new(kind);
        let resolvers = w.resolvers(&[EXPOSURE; 12]);
        let job = w.delivered_by(w.panel_terms());
        let carol = w.challenged(job);
        (w, job, carol, resolvers)
    };
    let mut w = World::new(kind);
    w.resolvers(&[EXPOSURE; 12]);
    let (job, carol) = (w.delivered_by(w.panel_terms()), w.challenger());
    let challenge = w.challenge(job, &carol, TRUTH);
    all.push(make("challenge (panel)", w, challenge, vec![carol], CREATE, &[DISPUTE_SEED, job.as_ref()]));
    let (mut w, job, ..) = challenged();
    w.set_slot(w.dispute(&job).draw_slot.get() + 1);
    let draw = w.draw(job);
    all.push(make("draw_panel", w, draw, vec![], Syscalls { hashes: &[66], ..CLOCK }, &[]));
    let (mut w, job, _, resolvers) = challenged();
    let members = w.drawn(job, &resolvers);
    // The address of its vote is found at the first try, as the floor has it.
    let is_cheap = |juror: &Keypair| {
        let (dispute, juror) = (pda::dispute(&job), juror.pubkey());
        Pubkey::find_program_address(&[VOTE_SEED, dispute.as_ref(), &[0], juror.as_ref()], &ID).1 == 255
    };
    let (seat, juror) = members.iter().find(|(_, juror)| is_cheap(juror)).unwrap_or(&members[0]);
    let (seat, juror) = (*seat, juror.insecure_clone());
    let (commit, dispute, who) = (w.commit_seat(job, seat, &juror, TRUTH), pda::dispute(&job), juror.pubkey());
    let seeds: &[&[u8]] = &[VOTE_SEED, dispute.as_ref(), &[0], who.as_ref()];
    all.push(make("commit_seat", w, commit, vec![juror], Syscalls { hashes: &[68], ..CREATE }, seeds));
    let (mut w, job, carol, resolvers) = challenged();
    let members = w.drawn(job, &resolvers);
    w.seated(job, &members, &[RESULT; 3]);
    let appeal = w.appeal(job, &carol);
    all.push(make("appeal", w, appeal, vec![carol], CLOCK, &[]));
    let resolved = || {
        let (mut w, job, _, resolvers) = challenged();
        let members = w.drawn(job, &resolvers);
        w.seated(job, &members[..2], &[TRUTH; 2]);
        w.set_time(w.dispute(&job).final_at.get() + 1);
        w.send(&[w.resolve(job)], &[]);
        (w, job, members)
    };
    let (w, job, members) = resolved();
    let close = w.close_vote(job, 0, &members[0].1);
    all.push(make("close_vote (right, of a panel)", w, close, vec![], CLOCK, &[]));
    let (w, job, members) = resolved();
    let punish = w.punish(job, members[2].0);
    all.push(make("punish_absent", w, punish, vec![], Syscalls { hashes: &[68], ..NONE }, &[]));
    let mut w = World::new(kind);
    w.resolvers(&[EXPOSURE]);
    let address: Pubkey = pda::panel(&w.mint, w.epoch());
    let panel: Panel = w.get(&address);
    w.set_time(panel.ends_at() + 39 * 24 * 60 * 60);
    all.push(make("close_panel", w, close_panel(address, &panel), vec![], CLOCK, &[]));
    all
}
