//! Jobs whose results are challenged, and those who judge them.

use crate::{World, BUDGET, PRICE};
use joule_sdk::{
    escrow::state::{commitment, Bid, Dispute, Panel, Terms, Verification, Vote},
    instruction::{
        self,
        escrow::{Challenger, Provider},
    },
    pda,
    registry::state::Profile,
    staking::state::Claim,
    Instruction, Keypair, Pubkey, Signer,
};
use solana_clock::Clock;
use solana_slot_hashes::SlotHashes;

/// What honest people say the result is, where it is not the one that was delivered.
pub const TRUTH: [u8; 32] = [9; 32];
/// Seconds of each step of a dispute here.
pub const STEP: i64 = 100;
/// The same where a panel decides.
pub const PANEL_STEP: i64 = 3_600;
/// How a challenger's deposit and a quorum's stakes are here: the provider locks its whole price.
pub const EXPOSURE: u64 = PRICE;
/// What stands behind a seat or a vote, as far as it is lost by an opened vote that was not right.
pub const DISSENT: u64 = EXPOSURE.div_ceil(5);

impl World {
    /// Three votes decide.
    pub fn quorum_terms(&self) -> Terms {
        Terms { verification: 1, jurors: 3, vote_window: STEP as u32, ..self.terms() }
    }

    /// Three resolvers decide, and seven after an appeal.
    pub fn panel_terms(&self) -> Terms {
        Terms { verification: 2, jurors: 3, vote_window: PANEL_STEP as u32, ..self.terms() }
    }

    /// Alice's job by these terms, as `north` has delivered it.
    pub fn delivered_by(&mut self, terms: Terms) -> Pubkey {
        let (id, alice, north) = (self.next_id(), self.alice.insecure_clone(), self.north.insecure_clone());
        self.send(&[self.open(terms)], &[&alice]);
        let job = pda::job(&alice.pubkey(), id);
        self.send(&[self.accept(job)], &[&north]);
        self.send(&[self.submit(job)], &[&north]);
        job
    }

    /// Another provider, registered a second ago, with a bond, paid into an account of its own.
    pub fn provider(&mut self, bond: u64) -> Keypair {
        let key = self.new_key();
        self.svm.airdrop(&key.pubkey(), 1_000_000_000_000).unwrap();
        let profile = Profile { payout_owner: key.pubkey(), ..self.profile() };
        let now = self.now();
        self.set_time(now - 1);
        self.send(&[instruction::registry::register(key.pubkey(), key.pubkey(), profile)], &[&key]);
        self.set_time(now);
        self.give_bond(&key, bond);
        key
    }

    /// Somebody with tokens to challenge with.
    pub fn challenger(&mut self) -> Keypair {
        self.holder(4 * EXPOSURE)
    }

    pub fn challenge(&self, job: Pubkey, who: &Keypair, counter_result: [u8; 32]) -> Instruction {
        let tokens = self.tokens_of(who);
        let who = Challenger { challenger: who.pubkey(), payer: who.pubkey(), source: tokens, account: tokens };
        let is_panel = self.job(&job).verification == Verification::Panel as u8;
        let panel = is_panel.then(|| pda::panel(&self.mint, self.epoch()));
        instruction::escrow::challenge(who, job, panel, self.token_program, counter_result)
    }

    /// Somebody with tokens says that `TRUTH` is the result.
    pub fn challenged(&mut self, job: Pubkey) -> Keypair {
        let carol = self.challenger();
        self.send(&[self.challenge(job, &carol, TRUTH)], &[&carol]);
        carol
    }

    pub fn dispute(&self, job: &Pubkey) -> Dispute {
        self.get(&pda::dispute(job))
    }

    pub fn vote_address(&self, job: &Pubkey, round: u8, juror: &Keypair) -> Pubkey {
        pda::vote(&pda::dispute(job), round, &juror.pubkey())
    }

    pub fn vote(&self, job: &Pubkey, round: u8, juror: &Keypair) -> Vote {
        self.get(&self.vote_address(job, round, juror))
    }

    /// A salt for each juror.
    pub fn salt(juror: &Keypair) -> [u8; 32] {
        juror.pubkey().to_bytes()
    }

    pub fn commit(&self, job: Pubkey, juror: &Keypair, output: [u8; 32], stake: u64) -> Instruction {
        let sealed = commitment(&job, &output, &Self::salt(juror), &juror.pubkey());
        let who = Provider::new(juror.pubkey(), self.tokens_of(juror));
        instruction::escrow::commit_vote(who, job, &self.job(&job), sealed, stake)
    }

    pub fn reveal(&self, job: Pubkey, round: u8, juror: &Keypair, output: [u8; 32]) -> Instruction {
        let vote = self.vote_address(&job, round, juror);
        instruction::escrow::reveal_vote(job, vote, output, Self::salt(juror))
    }

    pub fn resolve(&self, job: Pubkey) -> Instruction {
        instruction::escrow::resolve(job, &self.job(&job), self.token_program)
    }

    pub fn close_vote(&self, job: Pubkey, round: u8, juror: &Keypair) -> Instruction {
        let vote = self.vote_address(&job, round, juror);
        let (panel, state) = (self.dispute(&job).panel, self.job(&job));
        instruction::escrow::close_vote(job, &state, panel, vote, &self.get(&vote), self.token_program)
    }

    pub fn close_dispute(&self, job: Pubkey) -> Instruction {
        instruction::escrow::close_dispute(pda::dispute(&job), &self.dispute(&job))
    }

    /// Providers commit and reveal these outputs in a quorum, each with a stake of `EXPOSURE`; then its time is over.
    pub fn voted(&mut self, job: Pubkey, outputs: &[[u8; 32]]) -> Vec<Keypair> {
        let jurors: Vec<Keypair> = outputs.iter().map(|_| self.provider(2 * EXPOSURE)).collect();
        for (juror, output) in jurors.iter().zip(outputs) {
            self.send(&[self.commit(job, juror, *output, EXPOSURE)], &[juror]);
        }
        self.set_time(self.dispute(&job).commit_by.get() + 1);
        for (juror, output) in jurors.iter().zip(outputs) {
            self.send(&[self.reveal(job, 0, juror, *output)], &[]);
        }
        self.set_time(self.dispute(&job).final_at.get() + 1);
        jurors
    }

    /// Closes every vote, the dispute and the job.
    pub fn wind_up(&mut self, job: Pubkey, votes: &[(u8, &Keypair)]) {
        for (round, juror) in votes {
            self.send(&[self.close_vote(job, *round, juror)], &[]);
        }
        self.send(&[self.close_dispute(job)], &[]);
        if !self.is_closed(&job) {
            self.send(&[self.pay(job)], &[]);
        }
    }

    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().slot
    }

    /// Moves on to a slot, whose hash and its predecessors' the cluster then knows.
    pub fn set_slot(&mut self, slot: u64) {
        let mut clock = self.svm.get_sysvar::<Clock>();
        clock.slot = slot;
        self.svm.set_sysvar(&clock);
        let hash = |slot: u64| {
            let mut bytes = [7; 32];
            bytes[..8].copy_from_slice(&slot.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            bytes.into()
        };
        let known: Vec<_> = (slot.saturating_sub(512)..slot).rev().map(|slot| (slot, hash(slot))).collect();
        self.svm.set_sysvar(&SlotHashes::new(&known));
    }

    pub fn epoch(&self) -> u64 {
        joule_sdk::escrow::state::epoch_at(joule_sdk::units::UnixTime::new(self.now()))
    }

    pub fn enroll(&self, resolver: &Keypair, stake: u64) -> Instruction {
        instruction::escrow::enroll(resolver.pubkey(), resolver.pubkey(), self.mint, self.epoch() + 1, stake)
    }

    /// Resolvers with these stakes, which are all that their bonds hold, and the epoch in which they can be drawn.
    pub fn resolvers(&mut self, stakes: &[u64]) -> Vec<Keypair> {
        let resolvers: Vec<Keypair> = stakes
            .iter()
            .map(|stake| {
                let resolver = self.holder(0);
                self.give_bond(&resolver, *stake);
                self.send(&[self.enroll(&resolver, *stake)], &[&resolver]);
                resolver
            })
            .collect();
        self.set_time((self.epoch() as i64 + 1) * joule_sdk::escrow::constants::PANEL_EPOCH);
        resolvers
    }

    /// What a resolver has in the panel of a dispute: what is left of its stake, and what of it is engaged.
    pub fn entry(&self, job: &Pubkey, resolver: &Pubkey) -> (u64, u64) {
        let panel: Panel = self.get(&self.dispute(job).panel);
        let entry = panel.enrolled().iter().find(|entry| entry.resolver == *resolver).expect("enrolled");
        (entry.left.get(), entry.engaged.get())
    }

    pub fn draw(&self, job: Pubkey) -> Instruction {
        instruction::escrow::draw_panel(pda::dispute(&job), &self.dispute(&job))
    }

    /// Draws the panel of this round, and returns its members' places and keys.
    pub fn drawn(&mut self, job: Pubkey, resolvers: &[Keypair]) -> Vec<(u8, Keypair)> {
        self.set_slot(self.dispute(&job).draw_slot.get() + 1);
        self.send(&[self.draw(job)], &[]);
        let dispute = self.dispute(&job);
        let first = if dispute.round == 0 { 0 } else { dispute.first_drawn };
        let key = |member: &Pubkey| resolvers.iter().find(|r| r.pubkey() == *member).expect("a resolver");
        (first..dispute.drawn).map(|seat| (seat, key(&dispute.members[seat as usize]).insecure_clone())).collect()
    }

    pub fn commit_seat(&self, job: Pubkey, seat: u8, juror: &Keypair, output: [u8; 32]) -> Instruction {
        let sealed = commitment(&job, &output, &Self::salt(juror), &juror.pubkey());
        let member = Provider::new(juror.pubkey(), self.tokens_of(juror));
        instruction::escrow::commit_seat(member, &self.dispute(&job), seat, sealed)
    }

    /// The members of a panel commit and reveal these outputs.
    pub fn seated(&mut self, job: Pubkey, members: &[(u8, Keypair)], outputs: &[[u8; 32]]) {
        for ((seat, juror), output) in members.iter().zip(outputs) {
            self.send(&[self.commit_seat(job, *seat, juror, *output)], &[juror]);
        }
        self.set_time(self.dispute(&job).commit_by.get() + 1);
        let round = self.dispute(&job).round;
        for ((_, juror), output) in members.iter().zip(outputs) {
            self.send(&[self.reveal(job, round, juror, *output)], &[]);
        }
        self.set_time(self.dispute(&job).reveal_by.get() + 1);
    }

    pub fn appeal(&self, job: Pubkey, who: &Keypair) -> Instruction {
        instruction::escrow::appeal(who.pubkey(), self.tokens_of(who), job, self.token_program)
    }

    pub fn punish(&self, job: Pubkey, member: u8) -> Instruction {
        let dispute = self.dispute(&job);
        let claim = pda::seat_claim(&dispute.panel, &dispute.members[member as usize]);
        // Of a claim that was slashed whole nobody gets the rent.
        let payer = if self.is_closed(&claim) { self.alice.pubkey() } else { self.get::<Claim>(&claim).rent_payer };
        instruction::escrow::punish_absent(job, &self.job(&job), &dispute, member, payer, self.token_program)
    }

    /// Alice's job that takes bids.
    pub fn auctioned(&mut self) -> Pubkey {
        let (id, alice) = (self.next_id(), self.alice.insecure_clone());
        self.send(&[self.open(Terms { bid_window: 60, ..self.terms() })], &[&alice]);
        pda::job(&alice.pubkey(), id)
    }

    pub fn bid(&self, job: Pubkey, who: &Keypair, price: u64) -> Instruction {
        let provider = Provider::new(who.pubkey(), self.tokens_of(who));
        instruction::escrow::place_bid(provider, job, &self.job(&job), price)
    }

    pub fn bid_address(&self, job: &Pubkey, who: &Keypair) -> Pubkey {
        pda::bid(job, &pda::provider(&who.pubkey()))
    }

    pub fn bid_of(&self, job: &Pubkey, who: &Keypair) -> Bid {
        self.get(&self.bid_address(job, who))
    }

    pub fn withdraw_bid(&self, job: &Pubkey, who: &Keypair) -> Instruction {
        instruction::escrow::withdraw_bid(self.bid_address(job, who), &self.bid_of(job, who), self.mint)
    }

    /// Alice's job that is paid by the second, as `north` has taken it for `rate`.
    pub fn metered(&mut self, rate: u64) -> Pubkey {
        let (id, alice, north) = (self.next_id(), self.alice.insecure_clone(), self.north.insecure_clone());
        self.send(&[self.open(Terms { pricing: 1, max_rate: BUDGET / 2, ..self.terms() })], &[&alice]);
        let job = pda::job(&alice.pubkey(), id);
        self.send(&[self.accept_for(job, rate)], &[&north]);
        job
    }

    pub fn report(&self, job: Pubkey, seconds: u32) -> Instruction {
        instruction::escrow::report(self.north.pubkey(), job, seconds, [6; 32])
    }

    /// For as many seconds as were reported.
    pub fn stop(&self, job: Pubkey) -> Instruction {
        let state = self.job(&job);
        instruction::escrow::stop(job, &state, self.token_program, state.reported.get())
    }
}
