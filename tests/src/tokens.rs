//! Mints and token accounts, made with the token programs' own instructions.

use crate::World;
use joule_sdk::{account, instruction, pda, token_program, Instruction, Keypair, Pubkey, Signer};
use solana_system_interface::instruction::create_account;
use spl_token_2022_interface::{
    extension::ExtensionType,
    instruction as token,
    state::{Account, Mint},
};

/// Which token program a mint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Classic,
    Token2022,
}

impl Kind {
    pub fn program(self) -> Pubkey {
        match self {
            Self::Classic => token_program::CLASSIC,
            Self::Token2022 => token_program::TOKEN_2022,
        }
    }
}

impl World {
    /// A mint with 6 decimals; `authority` may mint and freeze. `before` are extension initialisers.
    pub fn create_mint(
        &mut self,
        kind: Kind,
        extensions: &[ExtensionType],
        before: &[fn(&Pubkey) -> Instruction],
    ) -> Pubkey {
        let mint = self.new_key();
        let len = match kind {
            Kind::Classic => 82,
            Kind::Token2022 => ExtensionType::try_calculate_account_len::<Mint>(extensions).unwrap(),
        };
        let program = kind.program();
        let rent = self.svm.minimum_balance_for_rent_exemption(len);
        let (payer, authority) = (self.stranger.pubkey(), self.authority.pubkey());
        let mut instructions = vec![create_account(&payer, &mint.pubkey(), rent, len as u64, &program)];
        instructions.extend(before.iter().map(|make| make(&mint.pubkey())));
        instructions.push(token::initialize_mint2(&program, &mint.pubkey(), &authority, Some(&authority), 6).unwrap());
        self.send(&instructions, &[&mint]);
        mint.pubkey()
    }

    /// The usual token account of `owner` in the world's mint; created where there is none.
    pub fn token_account(&mut self, owner: &Pubkey) -> Pubkey {
        let (payer, mint, program) = (self.stranger.pubkey(), self.mint, self.token_program);
        self.send(&[instruction::token::create_associated(payer, *owner, mint, program)], &[]);
        pda::associated_token(owner, &mint, &program)
    }

    /// A token account of `owner` at an address of its own, for any mint of the world's token program.
    pub fn extra_token_account(&mut self, owner: &Pubkey, mint: &Pubkey, extensions: &[ExtensionType]) -> Pubkey {
        let account = self.new_key();
        let program = self.svm.get_account(mint).unwrap().owner;
        let len = ExtensionType::try_calculate_account_len::<Account>(extensions).unwrap();
        let rent = self.svm.minimum_balance_for_rent_exemption(len);
        let payer = self.stranger.pubkey();
        let create = create_account(&payer, &account.pubkey(), rent, len as u64, &program);
        let init = token::initialize_account3(&program, &account.pubkey(), mint, owner).unwrap();
        self.send(&[create, init], &[&account]);
        account.pubkey()
    }

    pub fn mint_to(&mut self, account: &Pubkey, amount: u64) {
        let authority = self.authority.insecure_clone();
        let (mint, program) = (self.mint, self.token_program);
        let mint_to = token::mint_to(&program, &mint, account, &authority.pubkey(), &[], amount).unwrap();
        self.send(&[mint_to], &[&authority]);
    }

    /// Sends tokens that nobody asked for.
    pub fn transfer(&mut self, from_owner: &Keypair, to: &Pubkey, amount: u64) {
        let (mint, program) = (self.mint, self.token_program);
        let from = pda::associated_token(&from_owner.pubkey(), &mint, &program);
        let transfer =
            token::transfer_checked(&program, &from, &mint, to, &from_owner.pubkey(), &[], amount, 6).unwrap();
        self.send(&[transfer], &[from_owner]);
    }

    pub fn freeze(&mut self, account: &Pubkey) {
        let authority = self.authority.insecure_clone();
        let freeze = token::freeze_account(&self.token_program, account, &self.mint, &authority.pubkey(), &[]).unwrap();
        self.send(&[freeze], &[&authority]);
    }

    pub fn thaw(&mut self, account: &Pubkey) {
        let authority = self.authority.insecure_clone();
        let thaw = token::thaw_account(&self.token_program, account, &self.mint, &authority.pubkey(), &[]).unwrap();
        self.send(&[thaw], &[&authority]);
    }

    /// Burns what is in a token account and closes it.
    pub fn close_token_account(&mut self, owner: &Keypair, account: &Pubkey) {
        let (mint, program, amount) = (self.mint, self.token_program, self.balance(account));
        let burn = token::burn(&program, account, &mint, &owner.pubkey(), &[], amount).unwrap();
        let close = token::close_account(&program, account, &owner.pubkey(), &owner.pubkey(), &[]).unwrap();
        self.send(&[burn, close], &[owner]);
    }

    /// Base units in a token account; 0 where there is none.
    pub fn balance(&self, account: &Pubkey) -> u64 {
        self.svm.get_account(account).map_or(0, |a| account::token_amount(&a.data).unwrap_or(0))
    }
}
