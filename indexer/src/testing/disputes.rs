//! Disputes, with the program's own transitions and sums.

use super::{authority, bytes, key, Chain, Stated, Write};
use crate::{
    decode::{event as decoded, Program},
    types::Address,
};
use anchor_lang::{bytemuck, prelude::Address as Key, Event};
use joule_escrow::{
    event as escrow,
    math::{self, Side, Stakes},
    state::{Dispute, DisputeStatus, Dues, Verdict, Verification, Vote},
};
use joule_units::{Amount, Bps, UnixTime};

/// What every challenger here says is right.
pub const COUNTER: [u8; 32] = [6; 32];
const CHALLENGER: Key = Key::new_from_array([33; 32]);

fn vote_address(dispute: &Address, juror: u8, round: u8) -> Address {
    let mut address = dispute.0;
    address[0] ^= juror + 1;
    address[1] ^= round + 1;
    Address(address)
}

pub fn dispute_address(job: &Address) -> Address {
    Address::from(&decoded::dispute(&key(job)))
}

impl Chain {
    pub fn challenge(&mut self, job: &Address) -> Address {
        let (now, at) = (UnixTime::new(self.now()), dispute_address(job));
        let state = self.jobs.get_mut(job).unwrap();
        let mode = state.challenge(CHALLENGER, CHALLENGER, now).unwrap();
        let mut dispute: Dispute = bytemuck::Zeroable::zeroed();
        dispute.job = key(job);
        dispute.challenger = CHALLENGER;
        dispute.counter_result = COUNTER;
        let panel = if mode == Verification::Panel { Key::new_from_array([88; 32]) } else { Key::default() };
        dispute.open(state, mode, panel, self.slot + 16, now).unwrap();
        let state = *state;
        *self.vaults.get_mut(job).unwrap() += dispute.deposit.get();
        self.disputes.insert(*job, dispute);
        let event = escrow::JobChallenged {
            job: key(job),
            dispute: key(&at),
            challenger: CHALLENGER,
            provider: state.provider,
            panel: dispute.panel,
            result_hash: state.result_hash,
            counter_result: dispute.counter_result,
            deposit: dispute.deposit,
            opened_at: dispute.opened_at,
            draw_slot: dispute.draw_slot,
            draw_by: dispute.draw_by,
            commit_by: dispute.commit_by,
            reveal_by: dispute.reveal_by,
            mode: dispute.mode,
        };
        self.about(job, vec![], vec![(Program::Escrow, event.data())]);
        at
    }

    /// Job and dispute as they are now, with what else a step wrote and said.
    fn about(&mut self, job: &Address, mut writes: Vec<Write>, events: Vec<Stated>) {
        let dispute = self.disputes.get(job).map(bytes);
        writes.push((Program::Escrow, dispute_address(job), dispute));
        writes.push((Program::Escrow, *job, self.jobs.get(job).map(bytes)));
        self.transaction(writes, events);
    }

    /// Seats jurors of one's own choosing.
    pub fn draw(&mut self, job: &Address, jurors: &[u8]) {
        let now = self.now();
        let window = i64::from(super::VOTE_WINDOW);
        let dispute = self.disputes.get_mut(job).unwrap();
        for juror in jurors {
            dispute.members[usize::from(dispute.drawn)] = key(&authority(*juror));
            dispute.drawn += 1;
        }
        if dispute.round == 0 {
            dispute.first_drawn = dispute.drawn;
        }
        dispute.commit_by = (now + window).into();
        dispute.reveal_by = (now + 2 * window).into();
        dispute.final_at = (now + 3 * window).into();
        dispute.status = DisputeStatus::Voting as u8;
        let dispute = *dispute;
        let event = escrow::PanelDrawn {
            job: key(job),
            dispute: key(&dispute_address(job)),
            hash: [1; 32],
            commit_by: dispute.commit_by,
            reveal_by: dispute.reveal_by,
            final_at: dispute.final_at,
            round: dispute.round,
            drawn: dispute.drawn,
        };
        self.about(job, vec![], vec![(Program::Escrow, event.data())]);
    }

    /// A vote under seal; in a quorum its stake is locked, as far as the juror's bond has as much.
    pub fn commit(&mut self, job: &Address, juror: u8, stake: u64) {
        let now = UnixTime::new(self.now());
        let at = dispute_address(job);
        let dispute = self.disputes.get_mut(job).unwrap();
        dispute.require_commit(now).unwrap();
        let address = vote_address(&at, juror, dispute.round);
        if let Some(seat) = dispute.members.iter().rposition(|m| *m == key(&authority(juror))) {
            dispute.take_seat(seat as u8, &key(&authority(juror))).unwrap();
        }
        dispute.count_vote().unwrap();
        let mut vote: Vote = bytemuck::Zeroable::zeroed();
        vote.dispute = key(&at);
        vote.juror = key(&authority(juror));
        vote.commitment = [juror; 32];
        vote.stake = stake.into();
        vote.round = dispute.round;
        let event = escrow::VoteCommitted {
            job: key(job),
            dispute: vote.dispute,
            vote: key(&address),
            juror: vote.juror,
            commitment: vote.commitment,
            stake: vote.stake,
            round: vote.round,
        };
        self.votes.insert(address, vote);
        // What a member answers with was locked when it enrolled.
        let (mut writes, mut events) = match self.disputes[job].is_panel() {
            true => Default::default(),
            false => self.lock(&authority(juror), &address, Amount::new(stake)),
        };
        writes.push((Program::Escrow, address, Some(bytes(&vote))));
        events.push((Program::Escrow, event.data()));
        self.about(job, writes, events);
    }

    pub fn reveal(&mut self, job: &Address, juror: u8, output: [u8; 32]) {
        let now = UnixTime::new(self.now());
        let at = dispute_address(job);
        let dispute = self.disputes.get_mut(job).unwrap();
        let address = vote_address(&at, juror, dispute.round);
        let vote = self.votes.get_mut(&address).unwrap();
        let choice = match output {
            o if o == self.jobs[job].result_hash => Verdict::Stands,
            COUNTER => Verdict::Counter,
            o if o == [0; 32] => Verdict::Undecided,
            _ => Verdict::Neither,
        };
        dispute.tally(vote.round, choice, &output, vote.stake.get(), now).unwrap();
        (vote.choice, vote.output) = (choice as u8, output);
        let vote = *vote;
        let event = escrow::VoteRevealed {
            job: key(job),
            dispute: key(&at),
            vote: key(&address),
            juror: vote.juror,
            output,
            stake: vote.stake,
            revealed_at: now.get().into(),
            round: vote.round,
            choice: vote.choice,
        };
        let write = (Program::Escrow, address, Some(bytes(&vote)));
        self.about(job, vec![write], vec![(Program::Escrow, event.data())]);
    }

    pub fn appeal(&mut self, job: &Address, side: Side) {
        let now = UnixTime::new(self.now());
        let slot = self.slot + 16;
        let dispute = self.disputes.get_mut(job).unwrap();
        dispute.appeal(side, slot, now).unwrap();
        let dispute = *dispute;
        *self.vaults.get_mut(job).unwrap() += dispute.appeal_deposit.get();
        let event = escrow::DisputeAppealed {
            job: key(job),
            dispute: key(&dispute_address(job)),
            appellant: CHALLENGER,
            deposit: dispute.appeal_deposit,
            draw_slot: dispute.draw_slot,
            draw_by: dispute.draw_by,
            side: side as u8,
        };
        self.about(job, vec![], vec![(Program::Escrow, event.data())]);
    }

    /// Pays whoever can be paid, which here is everybody but the jurors.
    pub fn resolve(&mut self, job: &Address) {
        let now = UnixTime::new(self.now());
        let verdict = self.disputes[job].decide(self.jobs[job].settle_after.get(), now).unwrap();
        self.disputes.get_mut(job).unwrap().name_third(verdict);
        let (writes, mut events, slashed) = if verdict.pays_provider() {
            let price = if verdict == Verdict::Stands { self.jobs[job].price.get() } else { 0 };
            let (writes, events) = self.release(job, price);
            (writes, events, 0)
        } else {
            self.slash(job, self.jobs[job].exposure.get())
        };
        let balance = self.vaults.get_mut(job).unwrap();
        *balance += slashed;
        let (state, dispute) = (self.jobs.get_mut(job).unwrap(), self.disputes.get_mut(job).unwrap());
        let awards = math::awards(
            verdict,
            &Stakes {
                price: Amount::new(state.price.get()),
                fee: Bps::new(state.fee_bps.get()).unwrap(),
                deposit: Amount::new(dispute.deposit.get()),
                slashed: Amount::new(slashed),
                appeal: dispute.appeal_made(),
                is_heard: dispute.is_heard(),
                is_second_lot: dispute.verdict_of(0).is_none(),
                has_winners: [dispute.winners(0, verdict) > 0, dispute.winners(1, verdict) > 0],
            },
        )
        .unwrap();
        state.resolve(&awards, verdict.pays_provider()).unwrap();
        dispute.resolve(verdict, awards.jurors, now);
        let paid = state.dues(Amount::new(*balance)).unwrap();
        state.owe(&Dues::default());
        *balance = state.owed_jurors.get();
        let event = escrow::DisputeResolved {
            job: key(job),
            dispute: key(&dispute_address(job)),
            client: state.client,
            provider: state.provider,
            challenger: state.challenger,
            mint: state.mint,
            budget: state.budget,
            price: state.price,
            slashed: slashed.into(),
            jurors: state.owed_jurors,
            paid_provider: paid.provider.get().into(),
            paid_fee: paid.fee.get().into(),
            paid_challenger: paid.challenger.get().into(),
            paid_client: paid.client.get().into(),
            owed_provider: 0.into(),
            owed_fee: 0.into(),
            owed_challenger: 0.into(),
            owed_client: 0.into(),
            resolved_at: dispute.resolved_at,
            verdict: verdict as u8,
        };
        events.push((Program::Escrow, event.data()));
        self.about(job, writes, events);
    }

    pub fn close_vote(&mut self, job: &Address, juror: u8, round: u8) {
        let address = vote_address(&dispute_address(job), juror, round);
        let vote = self.votes.remove(&address).unwrap();
        let dispute = self.disputes.get_mut(job).unwrap();
        let verdict = Verdict::from_number(dispute.verdict).unwrap();
        let is_right = dispute.is_right(vote.choice, &vote.output);
        let could_not_run = vote.choice == Verdict::Undecided as u8;
        let is_spared = vote.choice != 0 && (verdict == Verdict::Undecided || could_not_run);
        dispute.vote_closed().unwrap();
        let pot = Amount::new(dispute.rounds[usize::from(round)].pot.get());
        let winners = dispute.winners(round, verdict);
        let is_lost = !is_right && !is_spared;
        let (mut writes, mut events, taken) = if self.disputes[job].is_panel() {
            Default::default()
        } else if is_lost {
            let stake = Amount::new(vote.stake.get());
            self.slash(&address, if vote.choice == 0 { stake } else { math::dissent(stake) }.get())
        } else {
            let (writes, events) = self.release(&address, 0);
            (writes, events, 0)
        };
        let paid = if is_right { math::reward(pot, vote.stake.get(), winners).get() } else { 0 };
        let state = self.jobs.get_mut(job).unwrap();
        state.owed_jurors = (state.owed_jurors.get() - paid).into();
        state.owe_fee(joule_staking::penalty::jurors(Amount::new(taken)).treasury).unwrap();
        let balance = self.vaults.get_mut(job).unwrap();
        *balance = *balance + taken - paid;
        let event = escrow::VoteClosed {
            job: key(job),
            dispute: key(&dispute_address(job)),
            vote: key(&address),
            juror: vote.juror,
            paid: paid.into(),
            slashed: taken.into(),
            round,
            choice: vote.choice,
        };
        writes.push((Program::Escrow, address, None));
        events.push((Program::Escrow, event.data()));
        self.about(job, writes, events);
    }

    pub fn close_dispute(&mut self, job: &Address) {
        self.disputes.remove(job).unwrap();
        self.jobs.get_mut(job).unwrap().wind_up();
        let event = escrow::DisputeClosed { job: key(job), dispute: key(&dispute_address(job)) };
        self.about(job, vec![], vec![(Program::Escrow, event.data())]);
    }

    /// Pays the rest, and closes the job.
    pub fn pay(&mut self, address: &Address) {
        let job = self.jobs.remove(address).unwrap();
        let dues = job.dues(Amount::new(self.vaults.remove(address).unwrap())).unwrap();
        let event = escrow::JobPaid {
            job: key(address),
            paid_provider: dues.provider.get().into(),
            paid_fee: dues.fee.get().into(),
            paid_challenger: dues.challenger.get().into(),
            paid_client: dues.client.get().into(),
            owed_provider: 0.into(),
            owed_fee: 0.into(),
            owed_challenger: 0.into(),
            owed_client: 0.into(),
            closed: 1,
        };
        self.step(Program::Escrow, &[(*address, None)], event.data());
    }

    /// The next step of the dispute about a job, for property tests; `n` decides where there is a choice.
    pub(super) fn judge(&mut self, job: &Address, n: u8) {
        let Some(dispute) = self.disputes.get(job).copied() else {
            if self.jobs[job].challenger != Key::default() {
                self.pay(job);
            }
            return;
        };
        let (at, now, juror) = (dispute_address(job), self.now(), n % 3);
        let address = vote_address(&at, juror, 0);
        let vote = self.votes.get(&address).copied();
        if dispute.status == DisputeStatus::Resolved as u8 {
            let open = (0..3).find(|juror| self.votes.contains_key(&vote_address(&at, *juror, 0)));
            match open {
                Some(juror) => self.close_vote(job, juror, 0),
                None => self.close_dispute(job),
            }
        } else if now > dispute.final_at.get() {
            self.resolve(job);
        } else if now > dispute.commit_by.get() {
            match vote {
                Some(vote) if vote.choice == 0 => {
                    let output = [self.jobs[job].result_hash, COUNTER, [n; 32]][usize::from(n) % 3];
                    self.reveal(job, juror, output);
                }
                _ => self.wait(2 * i64::from(super::VOTE_WINDOW)),
            }
        } else if vote.is_none() && !n.is_multiple_of(4) {
            self.commit(job, juror, dispute.deposit.get() + u64::from(n));
        } else {
            self.wait(dispute.commit_by.get() + 1 - now);
        }
    }
}
