//! The billing program's instructions.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{
    billing::{session, verifying, CAP},
    key, Kind, World, GENESIS,
};
use joule_sdk::{
    billing::{
        constants::{CHANNEL_SEED, CLUSTER_SEED, PAYER_SEED, PLAN_SEED, PROVIDER, VAULT_SEED},
        ID,
    },
    instruction::{self, billing::*},
    staking::constants::CLAIM_SIGNER_SEED,
    units::Amount,
    voucher::{tree, Format, Receipt, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let mut all = settling(kind);
    all.extend(deposits(kind));
    all.extend(channels(kind));
    all.extend(bills(kind));
    all.extend(plans(kind));
    all.extend(disputes(kind));
    all
}

/// `seeds` begin with those of the accounts that are created.
fn scene(
    name: &'static str,
    world: World,
    instruction: Instruction,
    signers: Vec<Keypair>,
    syscalls: Syscalls,
    mut seeds: Vec<Pda>,
) -> Scene {
    seeds.extend([Pda::new(&ID, &[CLAIM_SIGNER_SEED]), Pda::new(&ID, &[joule_events::AUTHORITY_SEED])]);
    Scene { program: "billing", name, world, before: vec![], instruction, signers, syscalls, seeds }
}

const fn creates(derive: usize) -> Syscalls {
    Syscalls { clock: 1, rent: 1, derive, hashes: &[] }
}

fn payer(w: &World) -> Pda {
    Pda::new(&ID, &[PAYER_SEED, w.alice.pubkey().as_ref(), w.mint.as_ref()])
}

/// A world with a channel that has paid `cumulative`.
fn paid(kind: Kind, cumulative: u64) -> (World, Pubkey) {
    let mut w = World::paying(kind);
    let channel = w.channelled();
    if cumulative > 0 {
        w.settled(channel, cumulative);
    }
    (w, channel)
}

fn settling(kind: Kind) -> Vec<Scene> {
    let (w, channel) = paid(kind, 5_000);
    let [verify, settle] = w.settling(channel, &w.voucher(&channel, 9, 400_000));
    let one = Scene { before: vec![verify], ..scene("settle", w, settle, vec![], CLOCK, vec![]) };
    let mut w = World::paying(kind);
    let channels = [w.channelled(), w.channelled(), w.channelled()];
    let message = w.batch(&channels, &[(1, 100), (2, 200), (3, 300)]);
    let settle = settle_batch(w.payer_address(), &channels);
    let syscalls = Syscalls { hashes: &[208], ..CLOCK };
    let before = vec![verifying(&session(), &message)];
    vec![one, Scene { before, ..scene("settle_batch (3)", w, settle, vec![], syscalls, vec![]) }]
}

fn deposits(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let mut w = World::bare();
    let a = w.authority.insecure_clone();
    let govern = instruction::treasury::initialize_protocol(a.pubkey(), w.guardian.pubkey(), [0; 8]);
    w.send(&[govern], &[&a]);
    let cluster = Pda::new(&ID, &[CLUSTER_SEED]);
    let syscalls = Syscalls { clock: 0, ..creates(1) };
    all.push(scene("initialize", w, initialize(a.pubkey(), GENESIS), vec![a], syscalls, vec![cluster]));
    let w = World::new(kind);
    let alice = w.alice.insecure_clone();
    let create = create_payer(alice.pubkey(), alice.pubkey(), w.mint, w.token_program);
    let seeds = vec![payer(&w), Pda::new(&ID, &[VAULT_SEED, w.payer_address().as_ref()])];
    all.push(scene("create_payer", w, create, vec![alice], creates(2), seeds));
    let w = World::paying(kind);
    let (alice, deposit) = (w.alice.insecure_clone(), w.deposit(5_000));
    all.push(scene("deposit", w, deposit, vec![alice], CLOCK, vec![]));
    let w = World::paying(kind);
    let (alice, reclaim, seeds) = (w.alice.insecure_clone(), w.reclaim(5_000), vec![payer(&w)]);
    all.push(scene("reclaim", w, reclaim, vec![alice], CLOCK, seeds));
    all
}

fn channels(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let keys = |w: &World| (w.alice.insecure_clone(), w.north.insecure_clone());
    let w = World::paying(kind);
    let ((alice, _), open) = (keys(&w), w.open_channel(w.channel_terms()));
    let seeds = vec![Pda::new(&ID, &[CHANNEL_SEED, w.payer_address().as_ref(), &0u64.to_le_bytes()])];
    let syscalls = Syscalls { hashes: &[112], ..creates(1) };
    all.push(scene("open", w, open, vec![alice], syscalls, seeds));
    let (w, channel) = paid(kind, 0);
    let ((alice, _), raise) = (keys(&w), top_up(channel, &w.channel(&channel), 5_000));
    all.push(scene("top_up", w, raise, vec![alice], CLOCK, vec![]));
    let (w, channel) = paid(kind, 0);
    let ((alice, _), end) = (keys(&w), w.now() + 600);
    let set = set_session(alice.pubkey(), channel, key("next session").pubkey(), CAP, end);
    all.push(scene("set_session", w, set, vec![alice], CLOCK, vec![]));
    let (mut w, channel) = paid(kind, 0);
    let ((alice, _), end) = (keys(&w), w.now() + 86_400);
    w.send(&[set_session(alice.pubkey(), channel, key("next session").pubkey(), CAP, end)], &[&alice]);
    w.set_time(w.channel(&channel).staged_at.get());
    all.push(scene("apply_session", w, apply_session(channel), vec![], CLOCK, vec![]));
    let (w, channel) = paid(kind, 0);
    let (alice, _) = keys(&w);
    all.push(scene("request_close", w, request_close(alice.pubkey(), channel), vec![alice], CLOCK, vec![]));
    let (w, channel) = paid(kind, 0);
    let (_, north) = keys(&w);
    let request = request_close(north.pubkey(), channel);
    all.push(scene("request_close (provider)", w, request, vec![north], CLOCK, vec![]));
    for (name, cumulative) in [("close", 0), ("close (unpaid)", 5_000)] {
        let (mut w, channel) = paid(kind, cumulative);
        let (_, north) = keys(&w);
        w.send(&[request_close(north.pubkey(), channel)], &[&north]);
        let close = w.close(channel);
        all.push(scene(name, w, close, vec![], CLOCK, vec![]));
    }
    all
}

fn bills(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let (w, channel) = paid(kind, 5_000);
    let (north, back) = (w.north.insecure_clone(), w.back(channel));
    all.push(scene("back (first of a channel)", w, back, vec![north], CLOCK, vec![]));
    let (mut w, channel) = paid(kind, 5_000);
    w.backed(channel);
    w.settled(channel, 9_000);
    let (north, back) = (w.north.insecure_clone(), w.back(channel));
    all.push(scene("back", w, back, vec![north], CLOCK, vec![]));
    let (mut w, channel) = paid(kind, 777_777);
    w.backed(channel);
    let (distribute, seeds) = (w.distribute(channel), vec![payer(&w)]);
    all.push(scene("distribute", w, distribute, vec![], NONE, seeds));
    let (mut w, channel) = paid(kind, 777_777);
    w.backed(channel);
    let (payout, distribute, owner) = (w.north_tokens(), w.distribute(channel), w.north_payout.insecure_clone());
    w.freeze(&payout);
    w.send(&[distribute], &[]);
    let mint = w.mint;
    let other = w.extra_token_account(&owner.pubkey(), &mint, &[]);
    let state = w.channel(&channel);
    let claim = claim_owed(owner.pubkey(), channel, &state, PROVIDER as u8, other, w.token_program);
    let seeds = vec![payer(&w)];
    all.push(scene("claim_owed", w, claim, vec![owner], CLOCK, seeds));
    all
}

fn plans(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    let keys = |w: &World| (w.alice.insecure_clone(), w.north.insecure_clone());
    let (w, channel) = paid(kind, 0);
    let (alice, _) = keys(&w);
    let start = start_plan(alice.pubkey(), channel, &w.channel(&channel), 100, 600);
    let seeds = vec![Pda::new(&ID, &[PLAN_SEED, channel.as_ref()])];
    all.push(scene("start_plan", w, start, vec![alice], creates(1), seeds));
    let running = || {
        let (mut w, channel) = paid(kind, 0);
        let alice = w.alice.insecure_clone();
        w.send(&[start_plan(alice.pubkey(), channel, &w.channel(&channel), 100, 600)], &[&alice]);
        w.set_time(w.now() + 60);
        (w, channel)
    };
    let (w, channel) = running();
    let ((_, north), pause) = (keys(&w), pause_plan(channel, &w.channel(&channel)));
    all.push(scene("pause_plan", w, pause, vec![north], CLOCK, vec![]));
    let (mut w, channel) = running();
    let (alice, north) = keys(&w);
    w.send(&[pause_plan(channel, &w.channel(&channel))], &[&north]);
    let resume = resume_plan(channel, &w.channel(&channel));
    all.push(scene("resume_plan", w, resume, vec![alice], CLOCK, vec![]));
    let (w, channel) = running();
    let (alice, _) = keys(&w);
    let terminate = terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    all.push(scene("terminate_plan", w, terminate, vec![alice], CLOCK, vec![]));
    let (mut w, channel) = running();
    let (alice, north) = keys(&w);
    w.send(&[pause_plan(channel, &w.channel(&channel))], &[&north]);
    let terminate = terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel));
    all.push(scene("terminate_plan (paused)", w, terminate, vec![alice], CLOCK, vec![]));
    let (w, channel) = running();
    let settle = w.settle_plan(channel);
    all.push(scene("settle_plan", w, settle, vec![], CLOCK, vec![]));
    let (mut w, channel) = running();
    let (alice, _) = keys(&w);
    w.send(&[terminate_plan(alice.pubkey(), channel, &w.channel(&channel), &w.plan(&channel))], &[&alice]);
    w.set_time(w.plan(&channel).ends_at.get());
    let settle = w.settle_plan(channel);
    all.push(scene("settle_plan (ended)", w, settle, vec![], CLOCK, vec![]));
    all
}

fn disputes(kind: Kind) -> Vec<Scene> {
    let mut all = Vec::new();
    // Four receipts, of which the third asks for too much.
    let billed = || {
        let mut w = World::paying(kind);
        let channel = w.channelled();
        let mut receipts: Vec<Receipt> = (1..=4).map(|sequence| w.receipt(&channel, sequence)).collect();
        receipts[2].amount = Amount::new(9_999).into();
        let leaves: Vec<_> = receipts.iter().map(|receipt| tree::leaf(receipt.as_bytes())).collect();
        let mut frontier = tree::Frontier::default();
        leaves.iter().for_each(|leaf| frontier.append(*leaf));
        let voucher = Voucher { usage_root: frontier.root(), ..w.voucher(&channel, 4, 16_029) };
        let settling = w.settling(channel, &voucher);
        w.send(&settling, &[]);
        w.backed(channel);
        (w, channel, receipts, leaves)
    };
    let (w, channel, receipts, leaves) = billed();
    let proof = (2, 4, tree::prove(&leaves, 2).expect("a receipt of the tree"));
    let dispute = dispute_receipt(channel, &w.channel(&channel), w.north.pubkey(), w.token_program, proof);
    let before = vec![verifying(&w.north, receipts[2].as_bytes())];
    let syscalls = Syscalls { hashes: &[112, 153, 65, 65], ..CLOCK };
    all.push(Scene { before, ..scene("dispute_receipt", w, dispute, vec![], syscalls, vec![]) });
    let (w, channel, receipts, _) = billed();
    let other = Receipt { response_hash: [3; 32], ..receipts[0] };
    let dispute = dispute_receipts(channel, &w.channel(&channel), w.north.pubkey(), w.token_program);
    let before = vec![verifying(&w.north, receipts[0].as_bytes()), verifying(&w.north, other.as_bytes())];
    let syscalls = Syscalls { hashes: &[112], ..CLOCK };
    all.push(Scene { before, ..scene("dispute_receipts", w, dispute, vec![], syscalls, vec![]) });
    let (w, channel) = paid(kind, 5_000);
    let [one, other] = [200_000, 200_001].map(|cumulative| w.voucher(&channel, 7, cumulative));
    let before = vec![verifying(&session(), one.as_bytes()), verifying(&session(), other.as_bytes())];
    let dispute = dispute_vouchers(channel);
    all.push(Scene { before, ..scene("dispute_vouchers", w, dispute, vec![], CLOCK, vec![]) });
    all
}
