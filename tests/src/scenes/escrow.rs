//! The escrow's instructions.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{Kind, World};
use joule_sdk::{
    escrow::{
        constants::{CLIENT_SEED, JOB_SEED, VAULT_SEED},
        ID,
    },
    instruction,
    staking::constants::CLAIM_SIGNER_SEED,
    Instruction, Keypair, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, signers: Vec<Keypair>, syscalls, job_id: u64| {
        let alice = world.alice.pubkey();
        let job = Pda::new(&ID, &[JOB_SEED, alice.as_ref(), &job_id.to_le_bytes()]);
        let vault = Pda::new(&ID, &[VAULT_SEED, job.address.as_ref()]);
        let client = Pda::new(&ID, &[CLIENT_SEED, alice.as_ref()]);
        let claims = Pda::new(&ID, &[CLAIM_SIGNER_SEED]);
        let seeds = vec![job, vault, client, claims, Pda::new(&ID, &[joule_events::AUTHORITY_SEED])];
        Scene { program: "escrow", name, world, before: vec![], instruction, signers, syscalls, seeds }
    };
    let world = || World::new(kind);
    let keys = |w: &World| (w.alice.insecure_clone(), w.north.insecure_clone());
    let mut all = Vec::new();

    let w = world();
    let ((alice, _), open) = (keys(&w), w.open(w.terms()));
    all.push(make(
        "open (first of a client)",
        w,
        open,
        vec![alice],
        Syscalls { clock: 1, rent: 1, derive: 3, ..NONE },
        0,
    ));
    let mut w = world();
    w.opened();
    let ((alice, _), open) = (keys(&w), w.open(w.terms()));
    all.push(make("open", w, open, vec![alice], Syscalls { clock: 1, rent: 1, derive: 2, ..NONE }, 1));
    let mut w = world();
    let job = w.opened();
    let ((_, north), accept) = (keys(&w), w.accept(job));
    all.push(make("accept", w, accept, vec![north], CLOCK, 0));
    let mut w = world();
    let job = w.accepted();
    let ((_, north), submit) = (keys(&w), w.submit(job));
    all.push(make("submit", w, submit, vec![north], CLOCK, 0));
    let mut w = world();
    let job = w.delivered();
    let ((alice, _), approve) = (keys(&w), w.approve(job));
    all.push(make("approve", w, approve, vec![alice], CLOCK, 0));
    let mut w = world();
    let job = w.delivered();
    w.set_time(w.job(&job).settle_after.get());
    let settle = w.settle(job);
    all.push(make("settle", w, settle, vec![], CLOCK, 0));
    let mut w = world();
    let job = w.opened();
    let ((alice, _), cancel) = (keys(&w), w.cancel(job));
    all.push(make("cancel", w, cancel, vec![alice], CLOCK, 0));
    let mut w = world();
    let job = w.opened();
    w.set_time(w.job(&job).accept_by.get() + 1);
    let expire = w.expire(job);
    all.push(make("expire", w, expire, vec![], CLOCK, 0));
    let mut w = world();
    let job = w.accepted();
    let ((alice, _), mint) = (keys(&w), w.mint);
    let other = w.extra_token_account(&alice.pubkey(), &mint, &[]);
    let redirect = instruction::escrow::redirect(alice.pubkey(), job, other);
    all.push(make("redirect", w, redirect, vec![alice], NONE, 0));

    // Payments that had to wait.
    let mut w = world();
    let job = w.accepted();
    let (owner, mint) = (w.north_payout.insecure_clone(), w.mint);
    let other = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    let redirect = instruction::escrow::redirect(owner.pubkey(), job, other);
    all.push(make("redirect (payout)", w, redirect, vec![owner], NONE, 0));
    let mut w = world();
    let job = w.delivered();
    w.set_time(w.job(&job).settle_after.get());
    let (payees, settle) = ([w.north_tokens(), w.alice_tokens()], w.settle(job));
    payees.iter().for_each(|payee| w.freeze(payee));
    w.send(&[settle], &[]);
    payees.iter().for_each(|payee| w.thaw(payee));
    let pay = w.pay(job);
    all.push(make("pay", w, pay, vec![], NONE, 0));
    let mut w = world();
    let job = w.opened();
    let ((alice, _), payee, cancel) = (keys(&w), w.alice_tokens(), w.cancel(job));
    w.freeze(&payee);
    w.send(&[cancel], &[&alice]);
    w.thaw(&payee);
    let pay = w.pay(job);
    all.push(make("pay (refund)", w, pay, vec![], NONE, 0));
    let mut w = world();
    let job = w.accepted();
    w.set_time(w.job(&job).deliver_by.get() + 1);
    let fail = w.fail(job);
    all.push(make("fail", w, fail, vec![], CLOCK, 0));

    // By the second.
    let mut w = world();
    let job = w.metered(100);
    w.set_time(w.now() + 10);
    let ((_, north), report) = (keys(&w), w.report(job, 10));
    all.push(make("report", w, report, vec![north], CLOCK, 0));
    let mut w = world();
    let job = w.metered(100);
    w.set_time(w.now() + 10);
    let (alice, north) = keys(&w);
    w.send(&[w.report(job, 10)], &[&north]);
    let stop = w.stop(job);
    all.push(make("stop", w, stop, vec![alice], CLOCK, 0));
    all
}
