//! What the chain says, read in place.

use anchor_lang::Discriminator;
use bytemuck::Pod;
use joule_sdk::{account, token_program, Pubkey};
use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};

/// Length of a token account without extensions.
const TOKEN_ACCOUNT_LEN: usize = 165;
/// Where Token-2022 says what an account with extensions is, and what it says of a mint.
const KIND: usize = TOKEN_ACCOUNT_LEN;
const KIND_MINT: u8 = 1;
const STATE: usize = 108;
const STATE_FROZEN: u8 = 2;
const SUPPLY: std::ops::Range<usize> = 36..44;

/// A token account's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse {
    pub mint: Pubkey,
    pub owner: Pubkey,
    /// Base units.
    pub amount: u64,
    pub is_frozen: bool,
}

pub fn find<'a>(svm: &'a LiteSVM, address: &Pubkey) -> Option<&'a AccountSharedData> {
    svm.accounts_db().get_account_ref(address).filter(|account| account.lamports() > 0)
}

/// An account of one of our programs.
pub fn read<T: Pod + Discriminator>(svm: &LiteSVM, address: &Pubkey) -> Option<T> {
    account::decode(find(svm, address)?.data()).ok()
}

pub fn purse(svm: &LiteSVM, address: &Pubkey) -> Option<Purse> {
    as_purse(find(svm, address)?)
}

pub fn is_token_program(program: &Pubkey) -> bool {
    *program == token_program::CLASSIC || *program == token_program::TOKEN_2022
}

/// The account as a token account, if it is one and initialised.
pub fn as_purse(account: &AccountSharedData) -> Option<Purse> {
    let data = account.data();
    let is_one = is_token_program(account.owner())
        && data.len() >= TOKEN_ACCOUNT_LEN
        && data[STATE] != 0
        && data.get(KIND) != Some(&KIND_MINT);
    let address = |range: std::ops::Range<usize>| Pubkey::try_from(&data[range]).ok();
    is_one.then_some(())?;
    Some(Purse {
        mint: address(0..32)?,
        owner: address(32..64)?,
        amount: account::token_amount(data).ok()?,
        is_frozen: data[STATE] == STATE_FROZEN,
    })
}

/// How many units of a token there are, as its mint says.
pub fn supply(svm: &LiteSVM, mint: &Pubkey) -> Option<u64> {
    Some(u64::from_le_bytes(find(svm, mint)?.data().get(SUPPLY)?.try_into().ok()?))
}
