//! How much one transaction holds, of version 0 with a lookup table and of version 1: for the tests and `joule-bench v1`.

use crate::{
    billing::{session, verifying},
    Kind, World,
};
use joule_sdk::{
    instruction::billing as build,
    pda, transaction,
    units::Amount,
    v1::{self, Limits},
    voucher::{tree, Format, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};
use solana_account::Account;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;

/// Bytes of a lookup table in front of its addresses.
const TABLE_HEAD: usize = 56;

/// Which kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// With a lookup table of all that may be looked up.
    Zero,
    One,
}

/// What a transaction came to that was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitted {
    pub bytes: usize,
    /// Looked up or not.
    pub addresses: usize,
    pub cu: u64,
    /// Of the accounts and programs that it loads.
    pub loaded_bytes: u32,
}

impl World {
    /// Runs them in one transaction; `None` if none holds them. One of version 1 has no limit above what it uses.
    pub fn fit(&mut self, version: Version, instructions: &[Instruction]) -> Option<Fitted> {
        self.svm.expire_blockhash();
        match version {
            Version::Zero => self.fit_with_table(instructions),
            Version::One => self.fit_v1(instructions),
        }
    }

    fn fit_with_table(&mut self, instructions: &[Instruction]) -> Option<Fitted> {
        let table = self.table(instructions);
        // A table can be read from in the slot after it was written.
        let slot = self.svm.get_sysvar::<solana_clock::Clock>().slot;
        self.svm.warp_to_slot(slot + 2);
        self.svm.expire_blockhash();
        let (payer, blockhash) = (self.stranger.pubkey(), self.svm.latest_blockhash());
        let message = v0::Message::try_compile(&payer, instructions, &[table], blockhash).expect("a message");
        let looked_up =
            message.address_table_lookups.iter().map(|t| t.writable_indexes.len() + t.readonly_indexes.len());
        let addresses = message.account_keys.len() + looked_up.sum::<usize>();
        let message = VersionedMessage::V0(message);
        if transaction::len(&message) > transaction::MAX_BYTES {
            return None;
        }
        let transaction = VersionedTransaction::try_new(message, &[&self.stranger]).expect("it signs alone");
        Some(self.run(transaction, addresses))
    }

    /// Of version 1, with no limit above what it uses; `payer` signs alone. `None` if none holds them.
    pub fn tight(&self, payer: &Keypair, instructions: &[Instruction]) -> Option<VersionedTransaction> {
        let blockhash = self.svm.latest_blockhash();
        let signed = |limits| {
            let message = v1::message(&payer.pubkey(), instructions, limits, blockhash).ok()?;
            Some(VersionedTransaction::try_new(message, &[payer]).expect("it signs alone"))
        };
        let used = self.svm.simulate_transaction(signed(Limits::MOST)?);
        let used = used.unwrap_or_else(|e| panic!("{:?} {:#?}", e.err, e.meta.logs)).meta;
        signed(Limits {
            compute_units: used.compute_units_consumed.try_into().expect("what a transaction can use"),
            loaded_bytes: used.loaded_accounts_data_size,
            ..Limits::MOST
        })
    }

    fn fit_v1(&mut self, instructions: &[Instruction]) -> Option<Fitted> {
        let transaction = self.tight(&self.stranger, instructions)?;
        let addresses = transaction.message.static_account_keys().len();
        Some(self.run(transaction, addresses))
    }

    fn run(&mut self, transaction: VersionedTransaction, addresses: usize) -> Fitted {
        let bytes = transaction::write(&transaction).len();
        assert_eq!(transaction::len(&transaction.message), bytes);
        let done = self.svm.send_transaction(transaction);
        let done = done.unwrap_or_else(|e| panic!("{:?} {:#?}", e.err, e.meta.logs));
        Fitted { bytes, addresses, cu: done.compute_units_consumed, loaded_bytes: done.loaded_accounts_data_size }
    }

    /// A lookup table with everything that the instructions name and that may be looked up.
    fn table(&mut self, instructions: &[Instruction]) -> AddressLookupTableAccount {
        let key = self.new_key().pubkey();
        let mut addresses: Vec<Pubkey> = instructions.iter().flat_map(|i| &i.accounts).map(|a| a.pubkey).collect();
        addresses.sort();
        addresses.dedup();
        // A table that is never deactivated (u32 and u64), was last extended in slot 0 from place 0, and has no authority.
        let mut data = [1u32.to_le_bytes().as_slice(), &u64::MAX.to_le_bytes()].concat();
        data.resize(TABLE_HEAD, 0);
        data.extend(addresses.iter().flat_map(|address| address.to_bytes()));
        let owner = "AddressLookupTab1e1111111111111111111111111".parse().expect("an address");
        let account = Account { lamports: 1_000_000_000, data, owner, ..Account::default() };
        self.svm.set_account(key, account).expect("an account");
        AddressLookupTableAccount { key, addresses }
    }
}

/// What is sent together, and where.
pub struct Together {
    pub world: World,
    pub instructions: Vec<Instruction>,
    /// Those that it is about.
    pub channels: Vec<Pubkey>,
}

impl Together {
    /// `count` channels of one payer under one signature.
    pub fn batch(count: usize) -> Self {
        let mut world = World::paying(Kind::Classic);
        let terms = joule_sdk::billing::state::ChannelTerms { cap: 10_000, ..world.channel_terms() };
        let channels: Vec<_> = (0..count).map(|_| world.channelled_as(terms)).collect();
        let message = world.batch(&channels, &vec![(1, 5_000); count]);
        let settle = build::settle_batch(world.payer_address(), &channels);
        Self { instructions: vec![verifying(&session(), &message), settle], world, channels }
    }

    /// `count` vouchers of as many payers, each with the instruction that has its signature verified.
    pub fn vouchers(count: usize) -> Self {
        let mut world = World::paying(Kind::Classic);
        let (mut instructions, mut channels) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let owner: Keypair = world.holder(1_000_000);
            let payer = pda::payer(&owner.pubkey(), &world.mint);
            let create = build::create_payer(owner.pubkey(), owner.pubkey(), world.mint, world.token_program);
            let source = world.tokens_of(&owner);
            let deposit = build::deposit(owner.pubkey(), payer, source, world.token_program, 1_000_000);
            let mut accounts = world.open_accounts();
            (accounts.owner, accounts.rent_payer) = (owner.pubkey(), owner.pubkey());
            let open = build::open(accounts, 0, world.channel_terms());
            world.send(&[create, deposit, open], &[&owner]);
            let channel = pda::channel(&payer, 0);
            instructions.extend(world.settling(channel, &world.voucher(&channel, 1, 5_000)));
            channels.push(channel);
        }
        Self { world, instructions, channels }
    }

    /// The proof that the first of 2^`levels` receipts asks for too much: that many hashes, of which each stands for half of
    /// what is left.
    pub fn overcharge(levels: u8) -> Self {
        let mut world = World::paying(Kind::Classic);
        let channel = world.channelled();
        let mut receipt = world.receipt(&channel, 1);
        receipt.amount = Amount::new(2_011).into();
        let siblings: Vec<_> = (0..levels).map(|level| [level; 32]).collect();
        let leaf = tree::leaf(receipt.as_bytes());
        let usage_root = siblings.iter().fold(leaf, |hash, sibling| tree::node(&hash, sibling));
        let voucher = Voucher { usage_root, ..world.voucher(&channel, 1 << levels, 10_000) };
        let settling = world.settling(channel, &voucher);
        world.send(&settling, &[]);
        world.backed(channel);
        let (state, claim_payer) = (world.channel(&channel), world.north.pubkey());
        let proof = (0, 1 << levels, siblings);
        let dispute = build::dispute_receipt(channel, &state, claim_payer, world.token_program, proof);
        let instructions = vec![verifying(&world.north, receipt.as_bytes()), dispute];
        Self { world, instructions, channels: vec![channel] }
    }

    pub fn fit(&mut self, version: Version) -> Option<Fitted> {
        self.world.fit(version, &self.instructions)
    }

    /// Whether all has come that was to come of it.
    pub fn is_settled(&self) -> bool {
        self.channels.iter().all(|channel| self.world.channel(channel).settled.get() == 5_000)
    }
}
