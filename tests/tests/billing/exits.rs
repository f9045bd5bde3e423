//! Every state has a way out, under every rounding: once the parties have ended what is theirs, cranks alone close everything.

use crate::random::Random;
use joule_sdk::{
    billing::{
        constants::{DISPUTE_PERIOD, MAX_BACKING_BPS},
        state::Channel,
    },
    instruction::{billing as build, staking},
    pda,
    voucher::{tree, Format, Receipt, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{
    billing::{session, verifying, DEPOSIT},
    Kind, World,
};

/// What all but the provider take here is 2,083 basis points, of which the fifth unit is the first whole one: the provider's
/// part of the first four units is four, and of five too.
#[test]
fn a_last_part_that_rounds_to_nothing_keeps_no_channel_open() {
    let mut w = World::paying(Kind::Classic);
    let (north, channel) = (w.north.insecure_clone(), w.channelled());
    let lamports = w.lamports(&w.alice.pubkey()) + w.lamports(&channel);
    for cumulative in [4, 5] {
        w.settled(channel, cumulative);
        let others = w.distribute(channel);
        w.send(std::slice::from_ref(&others), &[]);
        w.backed(channel);
        w.send(&[others], &[]);
        assert_eq!((w.channel(&channel).collected.get(), w.balance(&w.north_tokens())), (cumulative, 4));
    }
    let again = w.distribute(channel);
    w.refuse(again, &[], "NothingPayable");
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    w.set_time(w.now() + DISPUTE_PERIOD as i64);
    let close = w.close(channel);
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!(w.lamports(&w.alice.pubkey()), lamports);
    assert_eq!((w.payer().reserved.get(), w.payer().balance.get()), (0, DEPOSIT - 4));
}

/// A convicted provider's last part may round to nothing as well.
#[test]
fn what_returns_to_the_payer_may_round_to_nothing_too() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let channel = w.channelled();
    let lie = lie(&w, &channel);
    let voucher = Voucher { usage_root: tree::leaf(lie.as_bytes()), ..w.voucher(&channel, 1, 4) };
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    let start = build::start_plan(alice.pubkey(), channel, &w.channel(&channel), 1, 60);
    w.send(&[start], &[&alice]);
    w.set_time(w.now() + 1);
    let (state, program) = (w.channel(&channel), w.token_program);
    let dispute = build::dispute_receipt(channel, &state, w.north.pubkey(), program, (0, 1, Vec::new()));
    w.send(&[verifying(&w.north, lie.as_bytes()), dispute], &[]);
    let others = w.distribute(channel);
    w.send(&[others], &[]);
    let settle = w.settle_plan(channel);
    w.send(&[settle], &[]);
    let (distribute, close) = (w.distribute(channel), w.close(channel));
    w.send(&[distribute, close], &[]);
    assert!(w.is_closed(&channel));
    assert_eq!((w.payer().reserved.get(), w.payer().balance.get()), (0, DEPOSIT));
}

/// A receipt that asks for more than any price list.
fn lie(w: &World, channel: &Pubkey) -> Receipt {
    let at = joule_sdk::units::UnixTime::new(0).into();
    Receipt { amount: joule_sdk::units::Amount::new(9_999).into(), at, ..w.receipt(channel, 1) }
}

/// A few units on channels of every kind.
struct Smalls {
    w: World,
    random: Random,
    channels: Vec<Pubkey>,
    sharers: usize,
    /// What Alice and north had before they paid any rent.
    lamports: [u64; 2],
}

impl Smalls {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut w = World::new(Kind::Classic);
        let alice = w.alice.insecure_clone();
        let create = build::create_payer(alice.pubkey(), alice.pubkey(), w.mint, w.token_program);
        // Channels of the smallest cap, and little besides.
        let deposit = w.deposit(1_000 * (1 + random.below(4)) + random.below(60));
        w.send(&[create, deposit], &[&alice]);
        let sharers = random.below(7) as usize;
        let shares: Vec<u16> = (0..sharers).map(|_| random.of([1, 2, 333, 1_250, 1_249]) as u16).collect();
        w.priced(&shares);
        let lamports = [&w.alice, &w.north].map(|who| w.lamports(&who.pubkey()));
        Self { w, random, channels: Vec::new(), sharers, lamports }
    }

    fn open(&self) -> Vec<Pubkey> {
        self.channels.iter().filter(|channel| !self.w.is_closed(channel)).copied().collect()
    }

    fn has_plan(&self, channel: &Pubkey) -> bool {
        !self.w.is_closed(&pda::plan(channel))
    }

    fn attempt(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> bool {
        self.w.attempt(instructions, signers).is_ok()
    }

    fn step(&mut self) {
        let (alice, north) = (self.w.alice.insecure_clone(), self.w.north.insecure_clone());
        if self.channels.len() < 4 && self.random.below(4) == 0 {
            let mut terms = self.w.channel_terms();
            terms.cap = 1_000 + self.random.below(3);
            terms.limit = 1 + self.random.below(60);
            terms.grace = 60;
            let whole = MAX_BACKING_BPS as u64;
            terms.backing_bps = self.random.of([0, 1, 3_333, 10_000, 10_000, whole]) as u16;
            let next = pda::channel(&self.w.payer_address(), self.w.payer().next_channel.get());
            let open = self.w.open_channel(terms);
            if self.attempt(&[open], &[&alice]) {
                self.channels.push(next);
            }
            return;
        }
        let open = self.open();
        if open.is_empty() {
            return;
        }
        let channel = open[self.random.below(open.len() as u64) as usize];
        let state = self.w.channel(&channel);
        let few = self.random.of([1, 1, 1, 2, 3, 7]);
        let party = if self.random.below(2) == 0 { &alice } else { &north };
        match self.random.below(16) {
            0..=3 => {
                let root = tree::leaf(lie(&self.w, &channel).as_bytes());
                let voucher = self.w.voucher(&channel, 1, state.settled.get() + few);
                let settling = self.w.settling(channel, &Voucher { usage_root: root, ..voucher });
                self.attempt(&settling, &[]);
            }
            4..=6 => {
                let back = self.w.back(channel);
                self.attempt(&[back], &[&north]);
            }
            7 | 8 => {
                let distribute = self.w.distribute(channel);
                self.attempt(&[distribute], &[]);
            }
            9 => {
                let start = build::start_plan(alice.pubkey(), channel, &state, few, 1 + self.random.below(9) as u32);
                self.attempt(&[start], &[&alice]);
            }
            10 if self.has_plan(&channel) => {
                let settle = self.w.settle_plan(channel);
                assert!(self.attempt(&[settle], &[]));
            }
            11 if self.has_plan(&channel) => {
                let (change, signer) = match self.random.below(3) {
                    0 => (build::pause_plan(channel, &state), &north),
                    1 => (build::resume_plan(channel, &state), &alice),
                    _ => (build::terminate_plan(party.pubkey(), channel, &state, &self.w.plan(&channel)), party),
                };
                self.attempt(&[change], &[signer]);
            }
            12 | 13 => self.w.set_time(self.w.now() + self.random.below(9) as i64),
            14 => {
                let deposit = self.w.deposit(few);
                self.attempt(&[deposit], &[&alice]);
            }
            15 => match self.random.below(4) {
                0 => self.dispute(channel, &state, &north),
                1 => {
                    self.attempt(&[build::request_close(party.pubkey(), channel)], &[party]);
                }
                2 => {
                    let close = self.w.close(channel);
                    self.attempt(&[close], &[]);
                }
                _ => {
                    let account = self.payee();
                    self.w.freeze(&account);
                    let distribute = self.w.distribute(channel);
                    self.attempt(&[distribute], &[]);
                    self.w.thaw(&account);
                }
            },
            _ => {}
        }
    }

    /// Somebody who is paid.
    fn payee(&mut self) -> Pubkey {
        match self.random.below(self.sharers as u64 + 2) as usize {
            0 => self.w.north_tokens(),
            1 => self.w.fee_vault(),
            place => self.w.share_account(place - 2),
        }
    }

    fn dispute(&mut self, channel: Pubkey, state: &Channel, north: &Keypair) {
        if self.random.below(2) == 0 {
            let [one, other] = [1, 2].map(|cumulative| self.w.voucher(&channel, 7, cumulative));
            let [one, other] = [one, other].map(|voucher| verifying(&session(), voucher.as_bytes()));
            self.attempt(&[one, other, build::dispute_vouchers(channel)], &[]);
            return;
        }
        let program = self.w.token_program;
        let dispute = build::dispute_receipt(channel, state, north.pubkey(), program, (0, 1, Vec::new()));
        let verify = verifying(north, lie(&self.w, &channel).as_bytes());
        self.attempt(&[verify, dispute], &[]);
    }

    /// Each party ends what it can, and then falls silent.
    fn end(&mut self) {
        let (alice, north) = (self.w.alice.insecure_clone(), self.w.north.insecure_clone());
        for channel in self.open() {
            let party = if self.random.below(2) == 0 { &alice } else { &north };
            self.attempt(&[build::request_close(party.pubkey(), channel)], &[party]);
        }
    }

    /// Nobody's signature: whatever the clock allows.
    fn crank(&mut self) {
        for channel in self.open() {
            if self.has_plan(&channel) {
                let settle = self.w.settle_plan(channel);
                self.attempt(&[settle], &[]);
            }
            let (distribute, close) = (self.w.distribute(channel), self.w.close(channel));
            self.attempt(&[distribute], &[]);
            self.attempt(&[close], &[]);
        }
    }

    /// Some accounts are frozen at the end: their debts remain, and nothing else.
    fn wind_up(mut self) -> usize {
        self.end();
        let frozen = (self.random.below(3) == 0).then(|| self.payee());
        if let Some(account) = frozen {
            self.w.freeze(&account);
        }
        let claims: Vec<_> = self.channels.iter().map(build::claim).collect();
        for seconds in [0, 60, DISPUTE_PERIOD as i64, DISPUTE_PERIOD as i64] {
            self.w.set_time(self.w.now() + seconds);
            self.crank();
        }
        for channel in self.open() {
            let state = self.w.channel(&channel);
            assert!(frozen.is_some() && state.owes(), "{channel} is stuck");
            assert_eq!((state.paid.get(), state.collected.get()), (state.earned().unwrap(), state.earned().unwrap()));
            assert_eq!((state.cap, state.has_plan), (state.settled, 0));
        }
        if let Some(account) = frozen {
            self.w.thaw(&account);
            self.crank();
        }
        assert!(self.open().is_empty());
        for claim in claims.iter().filter(|claim| !self.w.is_closed(claim)).collect::<Vec<_>>() {
            self.w.send(&[staking::release_expired(*claim, &self.w.get(claim))], &[]);
        }
        let payer = self.w.payer();
        assert_eq!((payer.reserved.get(), payer.rate.get(), payer.channels.get()), (0, 0, 0));
        assert_eq!(payer.balance.get(), self.w.balance(&self.w.payer_vault()));
        let lamports = [&self.w.alice, &self.w.north].map(|who| self.w.lamports(&who.pubkey()));
        assert_eq!(lamports, self.lamports, "rent is back to the last lamport");
        self.channels.len()
    }
}

#[test]
fn cranks_alone_close_whatever_small_amounts_were_left_in() {
    let mut channels = 0;
    for seed in 1..=60 {
        let mut smalls = Smalls::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        for _ in 0..60 {
            smalls.step();
        }
        channels += smalls.wind_up();
    }
    assert!(channels > 120, "only {channels} channels were opened");
}
