//! Random histories: after every step each unit in the vault is somebody's, and in the end all of it finds its way out.

use crate::random::Random;
use joule_sdk::{
    billing::{
        constants::DISPUTE_PERIOD,
        state::{Channel, Plan, PlanStatus},
    },
    instruction::billing as build,
    pda,
    voucher::{tree, Format, Receipt, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{
    billing::{session, verifying, GRACE},
    Kind, World,
};

struct History {
    w: World,
    random: Random,
    channels: Vec<Pubkey>,
    /// How many steps the programs took.
    done: usize,
}

impl History {
    fn new(seed: u64) -> Self {
        Self { w: World::paying(Kind::Classic), random: Random(seed), channels: Vec::new(), done: 0 }
    }

    fn state(&self, channel: &Pubkey) -> Option<Channel> {
        (!self.w.is_closed(channel)).then(|| self.w.channel(channel))
    }

    fn plan(&self, channel: &Pubkey) -> Option<Plan> {
        (!self.w.is_closed(&pda::plan(channel))).then(|| self.w.plan(channel))
    }

    fn open(&self) -> Vec<Pubkey> {
        self.channels.iter().filter(|channel| !self.w.is_closed(channel)).copied().collect()
    }

    /// A channel that is there, if there is one.
    fn any(&mut self) -> Option<Pubkey> {
        let open = self.open();
        let place = self.random.below(open.len() as u64) as usize;
        open.get(place).copied()
    }

    /// What an honest or a careless person would try; the programs may refuse it.
    fn attempt(&mut self, instructions: &[Instruction], signers: &[&Keypair]) {
        self.done += usize::from(self.w.attempt(instructions, signers).is_ok());
        self.check();
    }

    /// Everything in the vault is reserved for something, or free.
    fn check(&self) {
        let (payer, open) = (self.w.payer(), self.open());
        let mut reserved: u64 = 0;
        let mut rate = 0;
        for channel in &open {
            let state = self.w.channel(channel);
            reserved += state.held.get();
            let owed: u64 = state.owed.iter().map(|owed| owed.get()).sum();
            let unspent = state.cap.get() - state.settled.get();
            assert!(state.held.get() >= owed + unspent, "{channel} holds what it owes and what is not spent");
            if let Some(plan) = self.plan(channel) {
                reserved += plan.lockup.get();
                if plan.status == PlanStatus::Running as u8 {
                    let seconds = payer.synced_at.get() - plan.settled_until.get();
                    reserved += plan.rate.get() * seconds as u64;
                    rate += plan.rate.get();
                }
            }
        }
        assert_eq!((payer.reserved.get(), payer.rate.get()), (reserved, rate));
        assert_eq!(payer.balance.get(), self.w.balance(&self.w.payer_vault()));
        assert!(payer.reserved.get() <= payer.balance.get());
        assert_eq!(payer.channels.get() as usize, open.len());
    }

    fn step(&mut self) {
        let (alice, north) = (self.w.alice.insecure_clone(), self.w.north.insecure_clone());
        let amount = match self.random.below(4) {
            0 => self.random.below(5),
            1 => self.random.below(5_000),
            _ => self.random.below(700_000),
        };
        match self.random.below(22) {
            0 => {
                let deposit = self.w.deposit(amount);
                return self.attempt(&[deposit], &[&alice]);
            }
            1 => {
                let reclaim = self.w.reclaim(amount * 3);
                return self.attempt(&[reclaim], &[&alice]);
            }
            2 | 3 => {
                let mut terms = self.w.channel_terms();
                terms.cap = 1_000 + amount;
                terms.limit = 1_000 + self.random.below(1_000_000);
                terms.backing_bps = [0, 1, 3_333, 10_000][self.random.below(4) as usize];
                let next = pda::channel(&self.w.payer_address(), self.w.payer().next_channel.get());
                if !self.channels.contains(&next) {
                    self.channels.push(next);
                }
                let open = self.w.open_channel(terms);
                return self.attempt(&[open], &[&alice]);
            }
            4 => {
                let seconds = [1, 60, 3_600, 90_000][self.random.below(4) as usize];
                self.w.set_time(self.w.now() + self.random.below(seconds) as i64);
                return self.check();
            }
            5 => {
                let place = self.random.below(2) as usize;
                let account = [self.w.share_account(place), self.w.north_tokens()][self.random.below(2) as usize];
                self.turn(&account);
                return self.check();
            }
            _ => {}
        }
        let Some(channel) = self.any() else { return };
        let state = self.w.channel(&channel);
        let party = if self.random.below(2) == 0 { &alice } else { &north };
        let plan = self.plan(&channel);
        match self.random.below(15) {
            0..=3 => {
                let next = state.settled.get() + 1 + amount / 4;
                let voucher = self.voucher(&channel, &state, next);
                let settling = self.w.settling(channel, &voucher);
                self.attempt(&settling, &[]);
            }
            4 => {
                let raise = build::top_up(channel, &state, amount);
                self.attempt(&[raise], &[&alice]);
            }
            5 | 6 => {
                let back = self.w.back(channel);
                self.attempt(&[back], &[&north]);
            }
            7 | 8 => {
                let distribute = self.w.distribute(channel);
                self.attempt(&[distribute], &[]);
            }
            9 if self.random.below(3) == 0 => self.attempt(&[build::request_close(party.pubkey(), channel)], &[party]),
            10 => {
                let close = self.w.close(channel);
                self.attempt(&[close], &[]);
            }
            11 => {
                let (rate, period) = (1 + self.random.below(200), 1 + self.random.below(2_000) as u32);
                let start = build::start_plan(alice.pubkey(), channel, &state, rate, period);
                self.attempt(&[start], &[&alice]);
            }
            12 if plan.is_some() => {
                let settle = self.w.settle_plan(channel);
                self.attempt(&[settle], &[]);
            }
            13 => match (plan, self.random.below(3)) {
                (Some(_), 0) => self.attempt(&[build::pause_plan(channel, &state)], &[&north]),
                (Some(_), 1) => self.attempt(&[build::resume_plan(channel, &state)], &[&alice]),
                (Some(plan), _) => {
                    let end = build::terminate_plan(party.pubkey(), channel, &state, &plan);
                    self.attempt(&[end], &[party]);
                }
                _ => {}
            },
            14 if self.random.below(4) == 0 => self.dispute(channel, &state),
            _ => {}
        }
    }

    /// Its tree is one receipt that asks for too much.
    fn voucher(&self, channel: &Pubkey, state: &Channel, cumulative: u64) -> Voucher {
        let voucher = self.w.voucher(channel, state.sequence.get() + 1, cumulative);
        Voucher { usage_root: tree::leaf(self.lie(channel).as_bytes()), ..voucher }
    }

    fn lie(&self, channel: &Pubkey) -> Receipt {
        let at = joule_sdk::units::UnixTime::new(0).into();
        Receipt { amount: joule_sdk::units::Amount::new(9_999).into(), at, ..self.w.receipt(channel, 1) }
    }

    fn dispute(&mut self, channel: Pubkey, state: &Channel) {
        if self.random.below(2) == 0 {
            let [one, other] = [1, 2].map(|cumulative| self.w.voucher(&channel, 7, cumulative));
            let signed = [one, other].map(|voucher| verifying(&session(), voucher.as_bytes()));
            let [one, other] = signed;
            return self.attempt(&[one, other, build::dispute_vouchers(channel)], &[]);
        }
        let (north, program) = (self.w.north.insecure_clone(), self.w.token_program);
        let dispute = build::dispute_receipt(channel, state, north.pubkey(), program, (0, 1, Vec::new()));
        let verify = verifying(&north, self.lie(&channel).as_bytes());
        self.attempt(&[verify, dispute], &[]);
    }

    /// Freezes a token account, or thaws it.
    fn turn(&mut self, account: &Pubkey) {
        const STATE: usize = 108;
        let is_frozen = self.w.svm.get_account(account).expect("a token account").data[STATE] == 2;
        match is_frozen {
            true => self.w.thaw(account),
            false => self.w.freeze(account),
        }
    }

    /// Everybody falls silent but one who wants everything to end.
    fn let_out(&mut self) {
        let (alice, north) = (self.w.alice.insecure_clone(), self.w.north.insecure_clone());
        for account in [self.w.share_account(0), self.w.share_account(1), self.w.north_tokens()] {
            if self.w.svm.get_account(&account).unwrap().data[108] == 2 {
                self.turn(&account);
            }
        }
        for channel in self.open() {
            let _ = self.w.attempt(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
        }
        self.w.set_time(self.w.now() + GRACE as i64 + DISPUTE_PERIOD as i64);
        for channel in self.open() {
            if self.plan(&channel).is_some() {
                let settle = self.w.settle_plan(channel);
                self.w.send(&[settle], &[]);
                self.check();
            }
            let distribute = self.w.distribute(channel);
            let _ = self.w.attempt(&[distribute], &[]);
            self.check();
            // Nobody has backed anything since, so that every claim is over.
            let close = self.w.close(channel);
            self.w.send(&[close], &[]);
            self.check();
            assert!(self.state(&channel).is_none());
        }
        let payer = self.w.payer();
        assert_eq!((payer.reserved.get(), payer.rate.get()), (0, 0));
        if payer.balance.get() > 0 {
            let reclaim = self.w.reclaim(payer.balance.get());
            self.w.send(&[reclaim], &[&alice]);
        }
        assert_eq!(self.w.balance(&self.w.payer_vault()), 0);
        let bond = self.w.get::<joule_sdk::staking::state::Bond>(&pda::bond(&north.pubkey(), &self.w.mint));
        assert_eq!(self.w.balance(&pda::bond_vault(&pda::bond(&north.pubkey(), &self.w.mint))), bond.amount.get());
    }
}

#[test]
fn every_unit_is_somebodys_after_every_step_and_all_of_it_finds_its_way_out() {
    let mut done = 0;
    for seed in 1..=20 {
        let mut history = History::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        for _ in 0..150 {
            history.step();
        }
        history.let_out();
        done += history.done;
    }
    assert!(done > 800, "only {done} steps were taken");
}
