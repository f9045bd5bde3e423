//! Deposits, channels and what is signed for them, for the tests.

use crate::{key, Kind, World, GENESIS};
use joule_sdk::{
    billing::state::{Channel, ChannelTerms, Payer, Plan},
    instruction::{
        billing::{self as build, OpenAccounts},
        model::{create_model, Origin},
    },
    pda,
    registry::state::{Listing, Part},
    units::{Amount, UnixTime},
    voucher::{Batch, Domain, Entry, Format, Receipt, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};

/// What Alice has in her deposit here, in base units.
pub const DEPOSIT: u64 = 10_000_000;
/// What a channel here is opened with, in base units.
pub const CAP: u64 = 1_000_000;
/// How long a channel's provider has to settle here, in seconds.
pub const GRACE: u32 = 600;
/// The creator's share and the data owner's here, in basis points.
pub const SHARES: [u16; 2] = [1_500, 333];

/// Signs vouchers.
pub fn session() -> Keypair {
    key("session")
}

impl World {
    pub(crate) fn prepare_paying(kind: Kind) -> Self {
        let mut world = Self::new(kind);
        let alice = world.alice.insecure_clone();
        let create = build::create_payer(alice.pubkey(), alice.pubkey(), world.mint, world.token_program);
        let deposit = world.deposit(DEPOSIT);
        world.send(&[create, deposit], &[&alice]);
        world.priced(&SHARES);
        world
    }

    pub fn payer_address(&self) -> Pubkey {
        pda::payer(&self.alice.pubkey(), &self.mint)
    }

    pub fn payer(&self) -> Payer {
        self.get(&self.payer_address())
    }

    pub fn payer_vault(&self) -> Pubkey {
        pda::payer_vault(&self.payer_address())
    }

    pub fn channel(&self, address: &Pubkey) -> Channel {
        self.get(address)
    }

    pub fn plan(&self, channel: &Pubkey) -> Plan {
        self.get(&pda::plan(channel))
    }

    /// Alice's.
    pub fn deposit(&self, amount: u64) -> Instruction {
        build::deposit(self.alice.pubkey(), self.payer_address(), self.alice_tokens(), self.token_program, amount)
    }

    /// Alice's, into her own token account.
    pub fn reclaim(&self, amount: u64) -> Instruction {
        build::reclaim(self.alice.pubkey(), self.mint, self.alice_tokens(), self.token_program, amount)
    }

    pub fn channel_terms(&self) -> ChannelTerms {
        ChannelTerms {
            cap: CAP,
            signer: session().pubkey(),
            limit: CAP,
            session_expires_at: self.now() + 86_400,
            grace: GRACE,
            backing_bps: 10_000,
            max_fee_bps: 1_000,
        }
    }

    pub fn open_accounts(&self) -> OpenAccounts {
        OpenAccounts {
            rent_payer: self.alice.pubkey(),
            owner: self.alice.pubkey(),
            mint: self.mint,
            authority: self.north.pubkey(),
            payout: self.north_tokens(),
            model: self.model_address(),
            prices: self.prices_address(),
        }
    }

    pub fn open_channel(&self, terms: ChannelTerms) -> Instruction {
        build::open(self.open_accounts(), self.payer().next_channel.get(), terms)
    }

    /// A channel of Alice's to north.
    pub fn channelled(&mut self) -> Pubkey {
        self.channelled_as(self.channel_terms())
    }

    pub fn channelled_as(&mut self, terms: ChannelTerms) -> Pubkey {
        let (alice, number) = (self.alice.insecure_clone(), self.payer().next_channel.get());
        let open = self.open_channel(terms);
        self.send(&[open], &[&alice]);
        pda::channel(&self.payer_address(), number)
    }

    /// A voucher that lives for ten minutes.
    pub fn voucher(&self, channel: &Pubkey, sequence: u64, cumulative: u64) -> Voucher {
        Voucher {
            context: build::context(Domain::Voucher, &GENESIS, channel),
            sequence: sequence.into(),
            cumulative: Amount::new(cumulative).into(),
            units: (sequence.saturating_mul(100)).into(),
            expires_at: UnixTime::new(self.now() + 600).into(),
            usage_root: [sequence as u8; 32],
        }
    }

    /// A batch that lives for ten minutes.
    pub fn batch(&self, channels: &[Pubkey], entries: &[(u64, u64)]) -> Vec<u8> {
        let batch = Batch {
            context: build::batch_context(&GENESIS, &self.payer_address(), channels).expect("not too many channels"),
            expires_at: UnixTime::new(self.now() + 600).into(),
            usage_root: [8; 32],
        };
        let entry = |(sequence, cumulative): &(u64, u64)| Entry {
            sequence: (*sequence).into(),
            cumulative: Amount::new(*cumulative).into(),
        };
        batch.to_bytes(&entries.iter().map(entry).collect::<Vec<_>>()).expect("not too many entries")
    }

    /// A receipt for 1,000 tokens of output, at what they cost here.
    pub fn receipt(&self, channel: &Pubkey, sequence: u64) -> Receipt {
        Receipt {
            context: build::context(Domain::Receipt, &GENESIS, channel),
            sequence: sequence.into(),
            request_hash: [1; 32],
            response_hash: [2; 32],
            output_tokens: 1_000.into(),
            amount: Amount::new(2_010).into(),
            at: UnixTime::new(self.now()).into(),
            ..Receipt::default()
        }
    }

    /// The two instructions that settle a voucher.
    pub fn settling(&self, channel: Pubkey, voucher: &Voucher) -> [Instruction; 2] {
        [verifying(&session(), voucher.as_bytes()), build::settle(channel)]
    }

    /// Settles `cumulative` with the next number.
    #[track_caller]
    pub fn settled(&mut self, channel: Pubkey, cumulative: u64) {
        let voucher = self.voucher(&channel, self.channel(&channel).sequence.get() + 1, cumulative);
        let settling = self.settling(channel, &voucher);
        self.send(&settling, &[]);
    }

    /// North's.
    pub fn back(&self, channel: Pubkey) -> Instruction {
        build::back(self.north.pubkey(), channel, &self.channel(&channel))
    }

    pub fn backed(&mut self, channel: Pubkey) {
        let (back, north) = (self.back(channel), self.north.insecure_clone());
        self.send(&[back], &[&north]);
    }

    pub fn distribute(&self, channel: Pubkey) -> Instruction {
        let state = self.channel(&channel);
        build::distribute(channel, &state, &self.get(&state.prices), self.token_program)
    }

    pub fn close(&self, channel: Pubkey) -> Instruction {
        build::close(channel, &self.channel(&channel))
    }

    pub fn settle_plan(&self, channel: Pubkey) -> Instruction {
        build::settle_plan(channel, &self.channel(&channel), &self.plan(&channel))
    }

    /// Shares of a price list: whose the first is, and so on.
    pub fn sharer(&self, place: usize) -> Keypair {
        key(["creator", "data owner", "third", "fourth", "fifth", "sixth"][place])
    }

    pub fn share_account(&self, place: usize) -> Pubkey {
        pda::associated_token(&self.sharer(place).pubkey(), &self.mint, &self.token_program)
    }
}

/// Has the chain verify that `key` has signed `message`.
pub fn verifying(key: &Keypair, message: &[u8]) -> Instruction {
    let signature = key.sign_message(message);
    build::verify(&key.pubkey(), signature.as_array(), message).expect("a message that fits")
}

impl World {
    /// The first sharer's.
    pub fn model_address(&self) -> Pubkey {
        pda::model(&self.sharer(0).pubkey(), 0)
    }

    pub fn prices_address(&self) -> Pubkey {
        pda::price_list(&self.model_address(), 1)
    }

    /// A model of the first sharer's, with prices that all `shares` share in.
    pub fn priced(&mut self, shares: &[u16]) {
        let (creator, model) = (self.sharer(0), self.model_address());
        self.svm.airdrop(&creator.pubkey(), 1_000_000_000).unwrap();
        let profile = self.model_profile(creator.pubkey());
        let origin = Origin { id: 0, base: None, royalty_bps: 0 };
        let create = create_model(creator.pubkey(), creator.pubkey(), origin, profile);
        self.send(&[create], &[&creator]);
        let part = |(place, bps): (usize, &u16)| Part { owner: self.sharer(place).pubkey(), bps: *bps };
        let listing = Listing {
            per_request: 10,
            per_million_output: 2_000_000,
            creator_bps: shares.first().copied().unwrap_or_default(),
            parts: shares.iter().enumerate().skip(1).map(part).collect(),
            ..Listing::default()
        };
        let publish = self.publish(&creator, model, &listing);
        self.send(&[publish], &[&creator]);
    }
}
