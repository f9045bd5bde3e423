//! Honest clients, workers and challengers.

use super::Duty;
use crate::entitlement::{
    calls,
    cast::Role,
    finding::Kind,
    notes::TRUTH,
    play::{By, Play, What},
};
use joule_sdk::{
    escrow::state::{Client, Dispute, DisputeStatus, Job as State, JobStatus, Terms, Verdict},
    instruction::{
        escrow::{self, OpenAccounts, Provider},
        registry::{self, Statement},
        staking::{self, StakeAccounts},
    },
    pda,
    staking::state::Bond,
    Instruction, Pubkey,
};

const DAY: i64 = 24 * 60 * 60;

/// Terms that somebody may ask for.
pub fn terms(play: &mut Play) -> Terms {
    let budget = match play.rng.u32(..4) {
        0 => play.rng.u64(1_000..50_000),
        1 => play.rng.u64(50_000..1_000_000),
        _ => play.rng.u64(500_000..4_000_000),
    };
    let review_window = match play.rng.u32(..3) {
        0 => play.rng.u32(60..3_600),
        1 => play.rng.u32(3_600..90_000),
        _ => play.rng.u32(90_000..900_000),
    };
    let any = [0, 1, 1, 2, 2][play.rng.usize(..5)];
    let verification = play.fashion.filter(|_| play.rng.u32(..100) < 80).unwrap_or(any);
    let shortest = if verification == 2 { 3_600 } else { 120 };
    let is_metered = verification == 0 && play.rng.u32(..8) == 0;
    let accept_window = play.rng.u32(300..40_000);
    Terms {
        budget,
        spec_hash: [3; 32],
        input_hash: [4; 32],
        accept_window,
        bid_window: if play.rng.u32(..8) == 0 { accept_window / 2 } else { 0 },
        work_window: play.rng.u32(300..90_000),
        review_window,
        vote_window: if verification > 0 { play.rng.u32(shortest..=3 * shortest.max(1_200)).min(86_400) } else { 0 },
        bond_bps: [1_000, 5_000, 10_000, 25_000, 50_000][play.rng.usize(..5)],
        verification,
        pricing: is_metered as u8,
        jurors: if verification > 0 { [1, 3, 3, 5][play.rng.usize(..4)] } else { 0 },
        max_rate: if is_metered { (budget / 500).max(1) } else { 0 },
    }
}

/// The instruction that opens a client's next job, by some requirements that are there or by none.
pub fn opening(play: &mut Play, client: Pubkey, tokens: Pubkey) -> Instruction {
    let id = play.read::<Client>(&pda::client(&client)).map_or(0, |client| client.next_job.get());
    let papers = play.all(What::Requirements);
    let requirements = if play.chance(55) { play.pick(&papers) } else { None };
    let (mint, token_program) = (play.cast.mint, play.cast.program);
    let accounts = OpenAccounts {
        payer: client,
        client,
        source: tokens,
        refund: tokens,
        mint,
        token_program,
        requirements,
        staked_in: None,
    };
    let terms = terms(play);
    escrow::open(accounts, id, terms)
}

pub fn open(play: &mut Play, client: Pubkey) {
    let tokens = play.tokens_of(&client);
    let open = opening(play, client, tokens);
    let _ = play.send(By::Honest, &format!("{} opens a job", play.cast.name(&client)), &[open]);
}

/// Workers look at it, and somebody will see to it that it goes on.
pub fn job_opened(play: &mut Play, address: &Pubkey) {
    let Some(job) = play.jobs.get(address) else { return };
    let (open_for, is_bidding) = (job.state.accept_by.get(), job.state.bid_until.get() > 0);
    let workers: Vec<Pubkey> =
        play.cast.with(Role::Worker).filter(|person| !person.is_rogue).map(|person| person.key).collect();
    for _ in 0..2 {
        if let Some(worker) = play.pick(&workers).filter(|_| play.rng.u32(..100) < 75) {
            let last = if is_bidding { job_of(play, address).bid_until.get() } else { open_for };
            let at = play.moment(play.now, last);
            play.plan(at, Duty::Accept { job: *address, worker });
        }
    }
    let at = play.moment(open_for + 1, open_for + DAY);
    play.plan(at, Duty::Turn { job: *address });
}

fn job_of(play: &Play, address: &Pubkey) -> State {
    play.jobs[address].state
}

/// Something happened to a job.
pub fn job_changed(play: &mut Play, address: &Pubkey, old: u8) {
    let state = job_of(play, address);
    if state.status == old && state.bid_until.get() == 0 {
        return;
    }
    let provider = state.provider_authority;
    match state.status {
        status if status == JobStatus::Accepted as u8 && status != old => {
            if play.cast.is_honest(&provider) {
                if play.chance(90) {
                    let at = play.moment(play.now, state.deliver_by.get());
                    play.plan(at, Duty::Submit { job: *address });
                } else if let Some(job) = play.jobs.get_mut(address) {
                    job.asleep.insert(provider);
                }
            }
            let late = state.deliver_by.get() + 1;
            let at = play.moment(late, late + DAY);
            play.plan(at, Duty::Turn { job: *address });
        }
        status if status == JobStatus::Delivered as u8 && status != old => delivered(play, address, &state),
        _ => {}
    }
}

fn delivered(play: &mut Play, address: &Pubkey, state: &State) {
    let ends = state.settle_after.get();
    let is_right = state.result_hash == TRUTH;
    if is_right && play.cast.is_honest(&state.client) && play.chance(30) {
        let at = play.moment(play.now, ends);
        play.plan(at, Duty::Approve { job: *address });
    }
    if !is_right && state.verification > 0 {
        let mut all: Vec<Pubkey> =
            play.cast.with(Role::Challenger).filter(|person| !person.is_rogue).map(|person| person.key).collect();
        all.extend(play.cast.is_honest(&state.client).then_some(state.client));
        if let Some(who) = play.pick(&all).filter(|_| play.rng.u32(..100) < 85) {
            let at = play.moment(play.now, ends - 1);
            play.plan(at, Duty::Challenge { job: *address, who });
        }
    }
    let at = play.moment(ends, ends + DAY);
    play.plan(at, Duty::Turn { job: *address });
}

pub fn accept(play: &mut Play, address: Pubkey, worker: Pubkey) {
    let Some(state) = play.read::<State>(&address).filter(|job| job.status == JobStatus::Open as u8) else { return };
    let bond = play.read::<Bond>(&pda::bond(&worker, &play.cast.mint));
    // It keeps something for votes and bills.
    let budget = state.budget.get();
    let price = if state.pricing == 1 { state.max_rate.get() } else { budget - play.rng.u64(..=budget / 4) };
    let exposure = (price as u128 * state.bond_bps.get() as u128 / 10_000) as u64 + budget / 10 + 2;
    if bond.is_none_or(|bond| bond.free().unwrap_or(0) / 2 < exposure) {
        return;
    }
    let attested = play.is_there(&pda::attestations(&worker));
    let who = Provider { attested, ..Provider::new(worker, play.tokens_of(&worker)) };
    let (name, is_bidding) = (play.cast.name(&worker), state.bid_until.get() > 0);
    let call = if is_bidding { escrow::place_bid } else { escrow::accept };
    let _ = play.send(By::Honest, &format!("{name} takes a job"), &[call(who, address, &state, price)]);
    if is_bidding {
        let at = play.moment(state.bid_until.get() + 1, state.accept_by.get());
        play.plan(at, Duty::Turn { job: address });
    }
}

pub fn submit(play: &mut Play, address: Pubkey) {
    let Some(state) = play.read::<State>(&address).filter(|job| job.status == JobStatus::Accepted as u8) else {
        return;
    };
    let name = play.cast.name(&state.provider_authority);
    let sent = play.send(
        By::Honest,
        &format!("{name} delivers the truth"),
        &[escrow::submit(state.provider_authority, address, TRUTH)],
    );
    if let (Err(why), true) = (sent, play.now <= state.deliver_by.get()) {
        play.find(Kind::Refused, format!("a result was refused in time: {why}"));
    }
}

pub fn approve(play: &mut Play, address: Pubkey) {
    let Some(state) = play.read::<State>(&address).filter(|job| job.status == JobStatus::Delivered as u8) else {
        return;
    };
    let program = play.cast.program;
    let _ = play.send(By::Honest, "a client approves", &[escrow::approve(address, &state, program, state.result_hash)]);
}

pub fn challenge(play: &mut Play, address: Pubkey, who: Pubkey) {
    let Some(state) = play.read::<State>(&address).filter(|job| job.status == JobStatus::Delivered as u8) else {
        return;
    };
    let tokens = play.tokens_of(&who);
    if play.balance(&tokens) < state.exposure.get() || play.now >= state.settle_after.get() {
        return;
    }
    let challenge = calls::challenge((who, tokens), address, &state, play.cast.program, TRUTH, play.now);
    let sent = play.send(By::Honest, &format!("{} challenges a lie", play.cast.name(&who)), &[challenge]);
    play.mark(if sent.is_ok() { "lie challenged" } else { "challenge refused, no panel" });
    if let Err(why) = sent {
        if !calls::may_refuse_challenge(play, &state, &who) {
            play.find(Kind::Refused, format!("a challenge in time was refused: {why}"));
        }
    }
}

/// Those whom a wrong verdict of the first panel would hurt look at it when it is there.
pub fn appeal_later(play: &mut Play, address: &Pubkey, dispute: &Dispute) {
    let state = job_of(play, address);
    let Some(truth) = play.jobs[address].case.as_ref().map(|case| case.truth) else { return };
    let hurt = match truth {
        Verdict::Stands => state.provider_authority,
        Verdict::Counter if play.cast.is_honest(&dispute.challenger) => dispute.challenger,
        _ => state.client,
    };
    if play.cast.is_honest(&hurt) && play.chance(70) {
        let at = play.moment(dispute.reveal_by.get() + 1, dispute.final_at.get());
        play.plan(at, Duty::Appeal { job: *address, who: hurt });
    }
}

pub fn appeal(play: &mut Play, address: Pubkey, who: Pubkey) {
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) else { return };
    let is_voting = dispute.status == DisputeStatus::Voting as u8 && dispute.round == 0;
    let Some(truth) = play.jobs[&address].case.as_ref().map(|case| case.truth) else { return };
    let is_wrong = dispute.verdict_of(0).is_some_and(|verdict| verdict != truth);
    let tokens = play.tokens_of(&who);
    if !is_voting || !is_wrong || play.balance(&tokens) < 2 * dispute.deposit.get() {
        return;
    }
    let appeal = escrow::appeal(who, tokens, address, play.cast.program);
    let sent = play.send(By::Honest, &format!("{} appeals", play.cast.name(&who)), &[appeal]);
    match sent {
        Ok(()) => {
            if let Some(dispute) = play.read::<Dispute>(&pda::dispute(&address)) {
                super::draw_soon(play, &address, &dispute);
            }
        }
        Err(why) if play.now <= dispute.final_at.get() => {
            play.find(Kind::Refused, format!("an appeal in time was refused: {why}"));
        }
        Err(_) => {}
    }
}

pub fn stake(play: &mut Play, who: Pubkey) {
    let (mint, token_program, source) = (play.cast.mint, play.cast.program, play.tokens_of(&who));
    let accounts = StakeAccounts { payer: who, owner: who, source, mint, token_program };
    let (amount, lock) = (play.rng.u64(1_000..10_000_000), play.rng.u32(..60 * DAY as u32));
    let _ = play.send(By::Honest, "a staker stakes", &[staking::stake(accounts, amount, lock)]);
}

pub fn attest(play: &mut Play, attestor: Pubkey, subject: Pubkey) {
    let statement = Statement { subject, schema: 1, value_hash: [0; 32], expires_at: play.now + 300 * DAY };
    let _ = play.send(By::Honest, "an attestor attests", &[registry::attest(attestor, attestor, statement)]);
}
