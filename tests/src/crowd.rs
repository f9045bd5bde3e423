//! Other people, so that an attacker has something of the same kind to put in an account's place.

use crate::{
    billing::DEPOSIT,
    staking::{DAY, PARAMS},
    world::{key, START},
    Kind, World, BOND, EXPOSURE, RESULT, TRUTH,
};
use joule_sdk::{
    instruction::{
        billing::{create_payer, open, request_close, start_plan, OpenAccounts},
        registry::{admit_attestor, attest, define_requirements, register, Statement},
        staking::{admit_service, create_pool},
        treasury::accept_mint,
    },
    pda,
    registry::state::{Credential, Wanted},
    Instruction, Keypair, Pubkey, Signer,
};
use solana_account::Account;
use std::{collections::BTreeSet, mem::replace, sync::OnceLock};

/// The crowd's keys are numbered from here, so that no scene has made the same.
const FIRST_KEY: usize = 1_000_000;

/// A program that the protocol's authority has admitted as a service, beside those of the scenes.
const SERVICE: Pubkey = Pubkey::new_from_array([31; 32]);

/// Everything that the crowd has with tokens of one kind: made once, since it takes hundreds of transactions.
fn all_of_theirs(kind: Kind) -> &'static [(Pubkey, Account)] {
    static CLASSIC: OnceLock<Vec<(Pubkey, Account)>> = OnceLock::new();
    static TOKEN_2022: OnceLock<Vec<(Pubkey, Account)>> = OnceLock::new();
    let made = match kind {
        Kind::Classic => &CLASSIC,
        Kind::Token2022 => &TOKEN_2022,
    };
    made.get_or_init(|| {
        let mut world = World::governed(kind);
        let before: BTreeSet<Pubkey> = world.svm.accounts_db().inner.keys().copied().collect();
        world.made = FIRST_KEY;
        (world.alice, world.north, world.north_payout) = (key("bob"), key("south"), key("south_payout"));
        world.newcomers();
        world.second_token();
        world.second_credentials();
        world.second_models();
        world.second_bills();
        world.jobs_in_each_state();
        world.auctions();
        world.quorums();
        world.panels();
        let all = world.svm.accounts_db().inner.iter();
        all.filter(|(address, _)| !before.contains(*address)).map(|(a, found)| (*a, found.clone().into())).collect()
    })
}

impl World {
    /// Adds a second one of everything: a client, a provider, a token, and a job, bid, dispute, stake and so on of theirs in
    /// each state. They are as old as the world's own, so that what is due to one is due to the other. `spared` are
    /// addresses at which nothing is put. A new kind of account gets its second one here.
    pub fn crowd(&mut self, spared: &[Pubkey]) {
        if self.svm.get_account(&pda::protocol()).is_none() {
            return;
        }
        for (address, account) in all_of_theirs(self.kind()) {
            if self.svm.get_account(address).is_none() && !spared.contains(address) {
                self.svm.set_account(*address, account.clone()).expect("an account of another world");
            }
        }
        let (now, made) = (self.now(), replace(&mut self.made, 2 * FIRST_KEY));
        self.set_time(START);
        self.stakes();
        self.made = made;
        self.set_time(now);
    }

    /// A client with tokens, and a provider with a bond.
    fn newcomers(&mut self) {
        let (bob, south) = (self.alice.insecure_clone(), self.north.insecure_clone());
        for newcomer in [bob.pubkey(), south.pubkey()] {
            self.svm.airdrop(&newcomer, 1_000_000_000_000).unwrap();
        }
        let tokens = self.token_account(&bob.pubkey());
        self.mint_to(&tokens, 1_000_000_000);
        self.token_account(&self.north_payout.pubkey());
        self.send(&[register(south.pubkey(), south.pubkey(), self.profile())], &[&south]);
        self.give_bond(&south, BOND);
    }

    /// Another mint of the same token program that the protocol accepts, with a pool, a bond of the provider's, and resolvers
    /// of its own.
    fn second_token(&mut self) {
        let (authority, south) = (self.authority.insecure_clone(), self.north.insecure_clone());
        let mint = self.create_mint(self.kind(), &[], &[]);
        let accept = accept_mint(authority.pubkey(), mint, self.token_program, 1_000, crate::BREAKER);
        let create = create_pool(authority.pubkey(), mint, self.token_program, PARAMS);
        let admit = admit_service(authority.pubkey(), SERVICE, 2);
        self.send(&[accept, create, admit], &[&authority]);
        let first = replace(&mut self.mint, mint);
        self.give_bond(&south, BOND);
        self.send(&[self.enroll(&south, EXPOSURE)], &[&south]);
        self.staker(10_000, 30 * DAY);
        self.mint = first;
    }

    /// An attestor, what it says of client and provider, and requirements of the client's.
    fn second_credentials(&mut self) {
        let (authority, bob, south) =
            (self.authority.insecure_clone(), self.alice.insecure_clone(), self.north.insecure_clone());
        let admit = admit_attestor(authority.pubkey(), authority.pubkey(), south.pubkey(), [6; 32]);
        self.send(&[admit], &[&authority]);
        for subject in [bob.pubkey(), south.pubkey()] {
            let statement = Statement { subject, schema: 1, value_hash: [2; 32], expires_at: self.now() + DAY };
            self.send(&[attest(south.pubkey(), south.pubkey(), statement)], &[&south]);
        }
        let demanding = Credential { attestor: pda::attestor(&south.pubkey()), schema: 1 };
        let [mut wanted, mut nothing] = [Wanted::default(); 2];
        (wanted.all_of[0], nothing.min_bond) = (demanding, 1);
        for wanted in [wanted, nothing] {
            self.send(&[define_requirements(bob.pubkey(), bob.pubkey(), wanted)], &[&bob]);
        }
    }

    /// A model of the client's, one of the provider's that derives from it, and what both cost.
    fn second_models(&mut self) {
        let (bob, south) = (self.alice.insecure_clone(), self.north.insecure_clone());
        let base = self.model(&bob, None, 500);
        let derived = self.model(&south, Some(base), 250);
        self.published(&bob, base, &[]);
        self.published(&south, derived, &[(bob.pubkey(), 100)]);
    }

    /// A deposit of the client's, and channels to the provider: one that has paid and is backed, one with a plan, and one that
    /// is closed.
    fn second_bills(&mut self) {
        let (bob, south) = (self.alice.insecure_clone(), self.north.insecure_clone());
        let model = self.model(&bob, None, 0);
        let prices = self.published(&bob, model, &[]);
        let create = create_payer(bob.pubkey(), bob.pubkey(), self.mint, self.token_program);
        let deposit = self.deposit(DEPOSIT);
        self.send(&[create, deposit], &[&bob]);
        let accounts = OpenAccounts { model, prices, ..self.open_accounts() };
        for number in 0..3 {
            self.send(&[open(accounts, number, self.channel_terms())], &[&bob]);
        }
        let [paid, planned, closed] = [0, 1, 2].map(|number| pda::channel(&self.payer_address(), number));
        self.settled(paid, 5_000);
        self.backed(paid);
        let start = start_plan(bob.pubkey(), planned, &self.channel(&planned), 10, 60);
        self.send(&[start], &[&bob]);
        self.settled(closed, 5_000);
        self.send(&[request_close(south.pubkey(), closed)], &[&south]);
    }

    fn jobs_in_each_state(&mut self) {
        self.opened();
        self.accepted();
        self.delivered();
        self.metered(1);
        let (job, bob) = (self.opened(), self.alice.insecure_clone());
        let refund = self.alice_tokens();
        // Refunded, and owed still.
        self.freeze(&refund);
        self.send(&[self.cancel(job)], &[&bob]);
        self.thaw(&refund);
        // Settled, and owed still.
        let (job, payout) = (self.delivered(), self.north_tokens());
        self.freeze(&payout);
        self.send(&[self.approve(job)], &[&bob]);
        self.thaw(&payout);
    }

    /// Two bids for one job, a bid for another, and one for a job that was cancelled.
    fn auctions(&mut self) {
        let (bob, south) = (self.alice.insecure_clone(), self.north.insecure_clone());
        let bidder = self.provider(BOND);
        for _ in 0..2 {
            let job = self.auctioned();
            self.send(&[self.bid(job, &bidder, EXPOSURE)], &[&bidder]);
        }
        let job = self.auctioned();
        // South is paid into its payout owner's account.
        let payout = self.north_tokens();
        let provider = joule_sdk::instruction::escrow::Provider::new(south.pubkey(), payout);
        let bid = joule_sdk::instruction::escrow::place_bid(provider, job, &self.job(&job), EXPOSURE);
        self.send(&[bid, self.bid(job, &bidder, EXPOSURE - 1)], &[&south, &bidder]);
        let job = self.auctioned();
        self.send(&[self.bid(job, &bidder, EXPOSURE)], &[&bidder]);
        self.send(&[self.cancel(job)], &[&bob]);
    }

    /// Somebody's stake in the world's pool, if it has one: locked, cooling, and with rewards.
    fn stakes(&mut self) {
        if self.svm.get_account(&self.pool_address()).is_none() {
            return;
        }
        let owner = self.holder(20_000);
        let stake = self.stake(&owner, 20_000, 0);
        self.send(&[stake, self.unstake(&owner, 10_000)], &[&owner]);
        self.staker(10_000, 30 * DAY);
    }

    /// Disputes that a quorum decides: while votes are committed, once they are revealed, once they are resolved, and once
    /// every vote is closed.
    fn quorums(&mut self) {
        let jurors: Vec<Keypair> = (0..4).map(|_| self.provider(BOND)).collect();
        let challenged = |w: &mut World| {
            w.set_time(START);
            let job = w.delivered_by(w.quorum_terms());
            w.challenged(job);
            job
        };
        let job = challenged(self);
        self.send(&[self.commit(job, &jurors[0], TRUTH, EXPOSURE)], &[&jurors[0]]);
        let mut decided = |outputs: &[[u8; 32]]| {
            let job = challenged(self);
            for (juror, output) in jurors.iter().zip(outputs) {
                self.send(&[self.commit(job, juror, *output, EXPOSURE)], &[juror]);
            }
            self.set_time(self.dispute(&job).commit_by.get() + 1);
            let reveals: Vec<Instruction> =
                jurors.iter().zip(outputs).map(|(juror, output)| self.reveal(job, 0, juror, *output)).collect();
            self.send(&reveals, &[]);
            self.set_time(self.dispute(&job).final_at.get() + 1);
            job
        };
        decided(&[TRUTH; 3]);
        let [open, closed] = [decided(&[TRUTH, TRUTH, TRUTH, RESULT]), decided(&[TRUTH; 3])];
        for job in [open, closed] {
            self.send(&[self.resolve(job)], &[]);
        }
        for juror in &jurors[..3] {
            self.send(&[self.close_vote(closed, 0, juror)], &[]);
        }
    }

    /// Disputes that a panel decides: before it is drawn, while its members commit, while they reveal, when they can be
    /// appealed, and once resolved with a member that was absent.
    fn panels(&mut self) {
        self.set_time(START);
        let resolvers: Vec<Keypair> = (0..10).map(|_| self.holder(0)).collect();
        for resolver in &resolvers {
            self.give_bond(resolver, 20 * EXPOSURE);
            self.send(&[self.enroll(resolver, 10 * EXPOSURE)], &[resolver]);
        }
        self.set_time((self.epoch() as i64 + 1) * joule_sdk::escrow::constants::PANEL_EPOCH);
        let begin = self.now();
        let challenged = |w: &mut World| {
            w.set_time(begin);
            let job = w.delivered_by(w.panel_terms());
            w.challenged(job);
            job
        };
        challenged(self);
        let drawn = |w: &mut World| {
            let job = challenged(w);
            w.set_slot(w.dispute(&job).draw_slot.get() + 1);
            w.send(&[w.draw(job)], &[]);
            let dispute = w.dispute(&job);
            let members: Vec<(u8, Keypair)> =
                (0..dispute.drawn).map(|seat| (seat, w.made(&dispute.members[seat as usize]))).collect();
            (job, members)
        };
        let (job, members) = drawn(self);
        self.send(&[self.commit_seat(job, members[0].0, &members[0].1, TRUTH)], &[&members[0].1]);
        let (job, members) = drawn(self);
        self.seated(job, &members, &[RESULT; 3]);
        let (job, members) = drawn(self);
        self.seated(job, &members[..2], &[TRUTH; 2]);
        self.set_time(self.dispute(&job).final_at.get() + 1);
        self.send(&[self.resolve(job)], &[]);
    }

    /// The key with this address that `new_key` has given.
    fn made(&self, address: &Pubkey) -> Keypair {
        let mut keys = (FIRST_KEY..=self.made).map(|number| key(&format!("made {number}")));
        keys.find(|key| key.pubkey() == *address).expect("a key that this world has made")
    }
}
