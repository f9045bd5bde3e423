//! A scene as an attacker sees it: people of the same kind around it, and what there is at the address of every account.

use joule_sdk::{account, token_program, Instruction, Keypair, Pubkey, Signer};
use joule_tests::{
    idl::{flat, Listing},
    key,
    scenes::Scene,
};
use litesvm::LiteSVM;
use solana_account::{Account, AccountSharedData, ReadableAccount};
use std::collections::BTreeSet;

/// Length of a token account without extensions.
pub const TOKEN_ACCOUNT_LEN: usize = 165;
/// Length of a mint without extensions.
pub const MINT_LEN: usize = 82;
/// Where a token account names its owner.
pub const OWNER: std::ops::Range<usize> = 32..64;
/// Where Token-2022 says which of the two an account with extensions is.
const KIND: usize = TOKEN_ACCOUNT_LEN;
const KIND_MINT: u8 = 1;
const DISCRIMINATOR_LEN: usize = 8;
const LOADER: Pubkey = Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
const SYSTEM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// Not even lamports.
    Nothing,
    /// Lamports of the system program's, without data.
    Wallet,
    Program,
    /// A program's code and who may upgrade it.
    ProgramData,
    Mint,
    TokenAccount,
    /// An account of one of our programs, with its discriminator.
    Ours(Vec<u8>),
    Other,
}

/// One account of the instruction.
pub struct Slot {
    pub name: String,
    pub address: Pubkey,
    pub thing: Thing,
    pub account: Account,
    /// Whether it may be left out.
    pub is_optional: bool,
}

pub struct Stage<'a> {
    pub listing: &'a Listing,
    pub program: String,
    /// Which token program the scene's mint belongs to.
    pub tokens: String,
    pub scene_name: &'static str,
    /// Comes before it, and stays as it is.
    pub before: Vec<Instruction>,
    pub instruction: Instruction,
    pub slots: Vec<Slot>,
    pub svm: LiteSVM,
    /// Whose signatures can be had: the scene's signers, and the thief's.
    pub signers: Vec<Pubkey>,
    /// Somebody with lamports, and nothing to do with all this.
    pub thief: Pubkey,
    /// Pays every transaction fee.
    pub payer: Pubkey,
}

impl<'a> Stage<'a> {
    pub fn new(listing: &'a Listing, scene: Scene) -> Self {
        let Scene { name: scene_name, mut world, before, instruction, signers, .. } = scene;
        let own: Vec<Pubkey> = instruction.accounts.iter().map(|meta| meta.pubkey).collect();
        world.crowd(&own);
        let thief = key("thief").pubkey();
        world.svm.airdrop(&thief, 1_000_000_000_000).expect("lamports for the thief");
        let (program, listed) = listing.find(&instruction).expect("a scene of an instruction that is in the IDL");
        let names = flat(&listed.accounts);
        assert!(names.len() <= instruction.accounts.len(), "{scene_name}: fewer accounts than the IDL has");
        let slots = instruction.accounts.iter().enumerate().map(|(place, meta)| {
            // Accounts beyond those that are listed have no name.
            let name = names.get(place).map_or_else(|| format!("remaining {place}"), |listed| listed.name.clone());
            let account = world.svm.get_account(&meta.pubkey).unwrap_or_default();
            let is_optional = names.get(place).is_some_and(|listed| listed.optional);
            Slot { name, address: meta.pubkey, thing: thing(listing, &account), account, is_optional }
        });
        Self {
            listing,
            program: program.to_owned(),
            tokens: format!("{:?}", world.kind()),
            scene_name,
            slots: slots.collect(),
            before,
            instruction,
            signers: signers.iter().map(Keypair::pubkey).chain([thief]).collect(),
            thief,
            payer: world.stranger.pubkey(),
            // The transactions are not signed, so that all look the same to a history.
            svm: world.svm.with_sigverify(false).with_transaction_history(0),
        }
    }

    /// Whether a token account's owner is an account of one of our programs.
    pub fn is_held_by_program(&self, slot: &Slot) -> bool {
        let owner = Pubkey::try_from(&slot.account.data[OWNER]).expect("32 bytes");
        let found = self.svm.accounts_db().get_account_ref(&owner);
        found.is_some_and(|account| self.listing.is_ours(account.owner()))
    }

    /// The accounts of our programs whose kind has the name of an instruction's account.
    pub fn of_kind_named(&self, name: &str) -> Vec<Pubkey> {
        let all = self.svm.accounts_db().inner.iter();
        let is_one = |found: &Account| match thing(self.listing, found) {
            Thing::Ours(discriminator) => self.listing.is_of_kind(&found.owner, &discriminator, name),
            _ => false,
        };
        let mut found: Vec<Pubkey> =
            all.filter(|(_, found)| is_one(&(*found).clone().into())).map(|(address, _)| *address).collect();
        found.sort();
        found
    }

    /// The accounts of the same program and kind as the one in `slot` that take no part in the instruction. Of token
    /// accounts those that a program has made, since what else there may be, anybody can make: what an account of the
    /// instruction holds, and one of each other kind of holder.
    pub fn kin(&self, slot: &Slot) -> Vec<Pubkey> {
        let is_kin = |address: &Pubkey, other: &AccountSharedData| {
            other.owner() == &slot.account.owner
                && !self.slots.iter().any(|slot| slot.address == *address)
                && thing(self.listing, &Account::from(other.clone())) == slot.thing
                && (slot.thing != Thing::TokenAccount
                    || !address.is_on_curve() && other.data()[OWNER] != slot.account.data[OWNER])
        };
        let all = self.svm.accounts_db().inner.iter();
        let mut found: Vec<(Pubkey, &AccountSharedData)> =
            all.filter(|(address, other)| is_kin(address, other)).map(|(address, other)| (*address, other)).collect();
        found.sort_by_key(|(address, _)| *address);
        let mut holders = BTreeSet::new();
        found.retain(|(_, other)| slot.thing != Thing::TokenAccount || self.is_telling(other, &mut holders));
        found.into_iter().map(|(address, _)| address).collect()
    }

    /// Whether a token account belongs to an account of the instruction, or to a kind of holder that is new. What belongs to
    /// nothing here is anybody's associated account.
    fn is_telling(&self, account: &AccountSharedData, holders: &mut BTreeSet<(Vec<u8>, Vec<u8>)>) -> bool {
        let holder = Pubkey::try_from(&account.data()[OWNER]).expect("32 bytes");
        let found = self.svm.get_account(&holder).unwrap_or_default();
        let kind = match thing(self.listing, &found) {
            Thing::Ours(discriminator) => discriminator,
            _ => Vec::new(),
        };
        let is_new = holders.insert((kind, account.data()[..OWNER.start].to_vec()));
        self.slots.iter().any(|slot| slot.address == holder) || is_new
    }
}

pub fn is_token_program(program: &Pubkey) -> bool {
    [token_program::CLASSIC, token_program::TOKEN_2022].contains(program)
}

fn thing(listing: &Listing, found: &Account) -> Thing {
    let (owner, data) = (&found.owner, &found.data);
    if found.executable {
        Thing::Program
    } else if found.lamports == 0 {
        Thing::Nothing
    } else if *owner == SYSTEM && data.is_empty() {
        Thing::Wallet
    } else if *owner == LOADER {
        Thing::ProgramData
    } else if is_token_program(owner) {
        let is_mint = data.len() == MINT_LEN || data.get(KIND) == Some(&KIND_MINT);
        match account::token_amount(data) {
            _ if is_mint => Thing::Mint,
            Ok(_) if data.len() >= TOKEN_ACCOUNT_LEN => Thing::TokenAccount,
            _ => Thing::Other,
        }
    } else if listing.is_ours(owner) && data.len() >= DISCRIMINATOR_LEN {
        Thing::Ours(data[..DISCRIMINATOR_LEN].to_vec())
    } else {
        Thing::Other
    }
}
