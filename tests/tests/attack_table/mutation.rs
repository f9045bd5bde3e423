//! The attacks: one rule for each way of replacing an account, applied to every account that it fits.

use crate::stage::{is_token_program, Slot, Stage, Thing, MINT_LEN, OWNER, TOKEN_ACCOUNT_LEN};
use joule_sdk::{token_program, Instruction, Pubkey, Signer};
use joule_tests::key;
use solana_account::Account;
use std::fmt;

/// A program that has no part in Joule's instructions, and as the owner of an account none in what it holds.
const FOREIGN: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Where a token account names its mint, and its state.
const MINT: std::ops::Range<usize> = 0..32;
const STATE: usize = 108;
const STATE_FROZEN: u8 = 2;

/// What is done to one account of a valid instruction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// The signature is missing.
    Unsigned,
    /// Somebody else signs in its place, who has lamports.
    OtherSigner,
    /// The account is read-only where it was writable.
    ReadOnly,
    /// The same bytes at another address, owned by another program.
    ForeignOwner,
    /// A token account of the same owner for another mint.
    OtherMint,
    /// The thief's token account for the same mint.
    OtherHolder,
    /// Another token account of the same owner for the same mint.
    Twin,
    /// The token account is the thief's now: handed over, or closed and made again.
    HandedOver,
    /// The token account was closed and made again for another mint.
    MadeAgain,
    /// The token account is frozen.
    Frozen,
    /// Another program.
    OtherProgram,
    /// The program itself, which stands for an account that is left out: where it must not be left out.
    OwnProgram,
    /// An account that may be left out is.
    LeftOut,
    /// An account that was left out is there: one of its kind, of whoever has one.
    PutIn,
    /// The token program that the mint does not belong to.
    OtherTokenProgram,
    /// A real account of the same kind that belongs to somebody or something else.
    SomebodyElses,
    /// The account that is in another place of the instruction too, and writable there.
    DuplicateOf(String),
    /// An address at which nothing has ever been; it signs where the account signs.
    Uninitialised,
    /// Somebody's wallet.
    Wallet,
    /// The account was closed.
    Closed,
    /// The account was closed, and lamports were sent to where it was.
    ClosedAndPrefunded,
    /// The account has another discriminator.
    WrongDiscriminator,
    /// The last byte is missing of what there must be.
    Truncated,
    /// The account is nothing but its first eight bytes.
    Beheaded,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateOf(other) => write!(f, "DuplicateOf({other})"),
            plain => write!(f, "{plain:?}"),
        }
    }
}

/// One attack: an instruction, and what the chain must hold before it.
pub struct Case {
    pub slot: usize,
    pub mutation: Mutation,
    pub instruction: Instruction,
    pub changes: Vec<(Pubkey, Account)>,
}

/// All attacks on one account.
pub fn cases(stage: &Stage, slot: usize) -> Vec<Case> {
    let make = Maker { stage, slot, account: &stage.slots[slot] };
    [
        make.signatures(),
        make.replacements(),
        make.other_programs(),
        make.token_accounts(),
        make.kin(),
        make.optional(),
        make.duplicates(),
        make.changed_in_place(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Maker<'a> {
    stage: &'a Stage<'a>,
    slot: usize,
    account: &'a Slot,
}

impl Maker<'_> {
    fn case(&self, mutation: Mutation, instruction: Instruction) -> Case {
        Case { slot: self.slot, mutation, instruction, changes: Vec::new() }
    }

    /// The instruction with another address here. It signs only if somebody has the key.
    fn with(&self, address: Pubkey) -> Instruction {
        let mut instruction = self.stage.instruction.clone();
        let meta = &mut instruction.accounts[self.slot];
        meta.pubkey = address;
        meta.is_signer &= self.stage.signers.contains(&address);
        instruction
    }

    /// Another address here, at which the attacker has put `account`.
    fn planted(&self, mutation: Mutation, account: Account) -> Case {
        let address = key("planted").pubkey();
        let changes = vec![(address, account)];
        Case { changes, ..self.case(mutation, self.with(address)) }
    }

    /// The instruction as it is, with something else at this address.
    fn changed(&self, mutation: Mutation, account: Account) -> Case {
        let changes = vec![(self.account.address, account)];
        Case { changes, ..self.case(mutation, self.stage.instruction.clone()) }
    }

    fn is_signer(&self) -> bool {
        self.stage.instruction.accounts[self.slot].is_signer
    }

    fn signatures(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        // A flag holds for the address wherever it stands.
        let everywhere = |change: fn(&mut solana_instruction::AccountMeta)| {
            let mut instruction = self.stage.instruction.clone();
            instruction.accounts.iter_mut().filter(|meta| meta.pubkey == self.account.address).for_each(change);
            instruction
        };
        if self.is_signer() {
            cases.push(self.case(Mutation::Unsigned, everywhere(|meta| meta.is_signer = false)));
            cases.push(self.case(Mutation::OtherSigner, self.with(self.stage.thief)));
        }
        if self.stage.instruction.accounts[self.slot].is_writable {
            cases.push(self.case(Mutation::ReadOnly, everywhere(|meta| meta.is_writable = false)));
        }
        cases
    }

    fn replacements(&self) -> Vec<Case> {
        let mut nobody = self.case(Mutation::Uninitialised, self.with(key("nobody").pubkey()));
        nobody.instruction.accounts[self.slot].is_signer = self.is_signer();
        let mut cases = vec![nobody];
        if !self.is_signer() {
            cases.push(self.case(Mutation::Wallet, self.with(self.stage.thief)));
        }
        if !self.account.account.data.is_empty() && self.account.thing != Thing::Program {
            let account = Account { owner: FOREIGN, ..self.account.account.clone() };
            cases.push(self.planted(Mutation::ForeignOwner, account));
        }
        cases
    }

    fn other_programs(&self) -> Vec<Case> {
        if self.account.thing != Thing::Program {
            return Vec::new();
        }
        let mut cases = vec![self.case(Mutation::OtherProgram, self.with(FOREIGN))];
        if is_token_program(&self.account.address) {
            let both = [token_program::CLASSIC, token_program::TOKEN_2022];
            let other = both.into_iter().find(|program| *program != self.account.address);
            cases.extend(other.map(|other| self.case(Mutation::OtherTokenProgram, self.with(other))));
        }
        cases
    }

    fn token_accounts(&self) -> Vec<Case> {
        if self.account.thing != Thing::TokenAccount {
            return Vec::new();
        }
        let with = |range: std::ops::Range<usize>, address: Pubkey| {
            let mut account = self.account.account.clone();
            account.data[range].copy_from_slice(address.as_ref());
            account
        };
        let (of_other_mint, of_thief) = (with(MINT, key("other mint").pubkey()), with(OWNER, self.stage.thief));
        let mut frozen = self.account.account.clone();
        frozen.data[STATE] = STATE_FROZEN;
        let mut cases = vec![
            self.planted(Mutation::OtherMint, of_other_mint.clone()),
            self.planted(Mutation::OtherHolder, of_thief.clone()),
            self.planted(Mutation::Twin, self.account.account.clone()),
            self.changed(Mutation::Frozen, frozen),
        ];
        // What one of our programs holds, nobody hands over or closes.
        if !self.stage.is_held_by_program(self.account) {
            cases.push(self.changed(Mutation::HandedOver, of_thief));
            cases.push(self.changed(Mutation::MadeAgain, of_other_mint));
        }
        cases
    }

    fn kin(&self) -> Vec<Case> {
        match self.account.thing {
            Thing::Ours(_) | Thing::TokenAccount | Thing::Mint | Thing::ProgramData => {}
            _ => return Vec::new(),
        }
        let kin = self.stage.kin(self.account);
        assert!(
            !kin.is_empty() || self.stage.listing.is_single(&self.account.name),
            "{}: the crowd has no second {}, which `World::crowd` should make",
            self.stage.scene_name,
            self.account.name
        );
        kin.into_iter().map(|address| self.case(Mutation::SomebodyElses, self.with(address))).collect()
    }

    fn optional(&self) -> Vec<Case> {
        let program = self.stage.instruction.program_id;
        match (self.account.address == program, self.account.is_optional) {
            (true, true) => {
                let kind = self.stage.of_kind_named(&self.account.name);
                assert!(!kind.is_empty(), "{}: the crowd has no {}", self.stage.scene_name, self.account.name);
                kind.into_iter().map(|address| self.case(Mutation::PutIn, self.with(address))).collect()
            }
            (true, false) => Vec::new(),
            (false, true) => vec![self.case(Mutation::LeftOut, self.with(program))],
            (false, false) => vec![self.case(Mutation::OwnProgram, self.with(program))],
        }
    }

    fn duplicates(&self) -> Vec<Case> {
        let mut cases: Vec<Case> = Vec::new();
        for (other, meta) in self.stage.slots.iter().zip(&self.stage.instruction.accounts) {
            let is_new = cases.iter().all(|case| case.instruction.accounts[self.slot].pubkey != other.address);
            if meta.is_writable && other.address != self.account.address && is_new {
                cases.push(self.case(Mutation::DuplicateOf(other.name.clone()), self.with(other.address)));
            }
        }
        cases
    }

    /// Only accounts that a program keeps something in can be closed, cut or taken for another kind.
    fn changed_in_place(&self) -> Vec<Case> {
        let found = &self.account.account;
        if !matches!(self.account.thing, Thing::Ours(_) | Thing::TokenAccount | Thing::Mint) {
            return Vec::new();
        }
        // What Token-2022 adds after the base layout may be missing.
        let needed = match self.account.thing {
            Thing::TokenAccount => TOKEN_ACCOUNT_LEN,
            Thing::Mint => MINT_LEN,
            _ => found.data.len(),
        };
        let cut = |len: usize| Account { data: found.data[..len].to_vec(), ..found.clone() };
        let mut cases = vec![
            self.changed(Mutation::Closed, Account::default()),
            self.changed(
                Mutation::ClosedAndPrefunded,
                Account { lamports: found.lamports, data: Vec::new(), owner: Pubkey::default(), ..found.clone() },
            ),
            self.changed(Mutation::Truncated, cut(needed - 1)),
            self.changed(Mutation::Beheaded, cut(8)),
        ];
        if let Thing::Ours(discriminator) = &self.account.thing {
            let mut data = found.data.clone();
            data[..8].iter_mut().zip(discriminator).for_each(|(byte, right)| *byte = !right);
            cases.push(self.changed(Mutation::WrongDiscriminator, Account { data, ..found.clone() }));
        }
        cases
    }
}
