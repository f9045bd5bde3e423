//! Whether a transaction is a payment that the gateway can sign for: the specification's list, and stricter where it may be.
//! No clock, no network, no disk.
//!
//! Whoever signs as the fee payer lends its signature to every instruction. So the layout is fixed, the fee payer's key may stand
//! in none of them but in guards, and nothing may come from elsewhere: no lookup tables.

use super::{guard, refusal::Refusal};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use joule_sdk::{
    token_program,
    transaction::{self, CompiledInstruction, VersionedMessage, VersionedTransaction},
    Pubkey,
};
use joule_units::Amount;
use joule_voucher::Verifier;

const COMPUTE_BUDGET: Pubkey = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

const SET_UNIT_LIMIT: u8 = 2;
const SET_UNIT_PRICE: u8 = 3;
const TRANSFER_CHECKED: u8 = 12;
/// Compute limit, compute price, transfer; without guards.
const LEAST: usize = 3;
const MOST: usize = 6;
const MAX_MEMO_BYTES: usize = 256;

/// What a payment must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub fee_payer: Pubkey,
    pub mint: Pubkey,
    /// The mint's own.
    pub token_program: Pubkey,
    pub decimals: u8,
    /// The associated token account of whom it is paid to.
    pub destination: Pubkey,
    /// To the base unit.
    pub amount: Amount,
    /// Micro-lamports for a compute unit.
    pub max_unit_price: u64,
    pub max_unit_limit: u32,
}

/// A transaction that keeps to them, and lacks but the fee payer's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Whose tokens they are.
    pub authority: Pubkey,
    /// The token account that they are in.
    pub source: Pubkey,
    /// Whether a wallet has added something by which it can fail.
    pub is_guarded: bool,
    pub transaction: VersionedTransaction,
}

impl Payment {
    /// From the base64 that came.
    pub fn verify(text: &str, rules: &Rules) -> Result<Self, Refusal> {
        let bytes = STANDARD.decode(text).map_err(|_| Refusal::Encoding)?;
        let transaction = transaction::read(&bytes).ok_or(Refusal::Encoding)?;
        let message = &transaction.message;
        match message {
            VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => {}
            // It sets its compute budget elsewhere.
            VersionedMessage::V1(_) => return Err(Refusal::Version),
        }
        if message.address_table_lookups().is_some_and(|tables| !tables.is_empty()) {
            return Err(Refusal::LookupTables);
        }
        let keys = message.static_account_keys();
        let &[fee_payer, authority, ..] = keys else { return Err(Refusal::Signers) };
        if message.header().num_required_signatures != 2 || fee_payer != rules.fee_payer {
            return Err(Refusal::Signers);
        }
        let read = Instructions::without_guards(keys, message.instructions())?;
        read.layout(rules, &authority)?;
        let source = read.transfer(rules, &authority)?;
        read.guarded(&[fee_payer, authority, source])?;
        let verifier = Verifier::new(&authority.to_bytes()).ok_or(Refusal::Signature)?;
        let good = verifier.verify(&message.serialize(), transaction.signatures[1].as_array());
        good.map_err(|_| Refusal::Signature)?;
        let is_guarded = !read.guards.is_empty();
        Ok(Self { authority, source, is_guarded, transaction })
    }
}

/// The instructions that are no guards, with the addresses that they are about, and what the guards are about.
struct Instructions<'a> {
    keys: &'a [Pubkey],
    /// Each with its place in the transaction.
    all: Vec<(usize, &'a CompiledInstruction)>,
    /// The same.
    guards: Vec<(usize, Pubkey)>,
}

impl<'a> Instructions<'a> {
    fn without_guards(keys: &'a [Pubkey], all: &'a [CompiledInstruction]) -> Result<Self, Refusal> {
        // The account that it asserts something about.
        let guard = |instruction: &CompiledInstruction| {
            let program = keys.get(usize::from(instruction.program_id_index))?;
            let account = instruction.accounts.first().and_then(|at| keys.get(usize::from(*at)));
            account.filter(|_| guard::is_guard(program, instruction.accounts.len(), &instruction.data)).copied()
        };
        let (mut rest, mut guards) = (Vec::new(), Vec::new());
        for (at, instruction) in all.iter().enumerate() {
            match guard(instruction) {
                Some(account) => guards.push((at, account)),
                None => rest.push((at, instruction)),
            }
        }
        if guards.len() > guard::MOST {
            return Err(Refusal::Guards { count: guards.len(), most: guard::MOST });
        }
        Ok(Self { keys, all: rest, guards })
    }

    /// Whether the guards are about nothing but these: what else they could read, anybody may change before the block.
    fn guarded(&self, accounts: &[Pubkey]) -> Result<(), Refusal> {
        let other = self.guards.iter().find(|(_, account)| !accounts.contains(account));
        other.map_or(Ok(()), |(at, _)| Err(Refusal::GuardAccount(*at)))
    }

    fn program(&self, instruction: &CompiledInstruction) -> Option<Pubkey> {
        self.keys.get(usize::from(instruction.program_id_index)).copied()
    }

    /// Addresses are compared, not their places: one may stand in two.
    fn accounts(&self, instruction: &CompiledInstruction) -> Option<Vec<Pubkey>> {
        instruction.accounts.iter().map(|at| self.keys.get(usize::from(*at)).copied()).collect()
    }

    /// Which programs are called, in which order, and that none of it is about the fee payer.
    fn layout(&self, rules: &Rules, authority: &Pubkey) -> Result<(), Refusal> {
        if !(LEAST..=MOST).contains(&self.all.len()) {
            return Err(Refusal::Count(self.all.len()));
        }
        for (_, instruction) in &self.all {
            let accounts = self.accounts(instruction).ok_or(Refusal::Encoding)?;
            if accounts.contains(&rules.fee_payer) || self.program(instruction) == Some(rules.fee_payer) {
                return Err(Refusal::FeePayerUsed);
            }
        }
        let limit = self.budget(0, SET_UNIT_LIMIT).and_then(|data| data.try_into().ok()).map(u32::from_le_bytes);
        let limit = limit.ok_or(Refusal::NoUnitLimit)?;
        if limit > rules.max_unit_limit {
            return Err(Refusal::UnitLimit { asked: limit, most: rules.max_unit_limit });
        }
        let price = self.budget(1, SET_UNIT_PRICE).and_then(|data| data.try_into().ok()).map(u64::from_le_bytes);
        let price = price.ok_or(Refusal::NoUnitPrice)?;
        if price > rules.max_unit_price {
            return Err(Refusal::UnitPrice { asked: price, most: rules.max_unit_price });
        }
        (LEAST..self.all.len()).try_for_each(|place| self.extra(place, authority))
    }

    /// The data behind the byte that says what it is.
    fn budget(&self, place: usize, kind: u8) -> Option<&'a [u8]> {
        let (_, instruction) = self.all[place];
        let right = self.program(instruction) == Some(COMPUTE_BUDGET) && instruction.accounts.is_empty();
        instruction.data.strip_prefix(&[kind]).filter(|_| right)
    }

    /// Memos that nobody but the payer has signed.
    fn extra(&self, place: usize, authority: &Pubkey) -> Result<(), Refusal> {
        let (at, instruction) = self.all[place];
        match self.program(instruction) {
            Some(MEMO) => {
                let is_text =
                    instruction.data.len() <= MAX_MEMO_BYTES && std::str::from_utf8(&instruction.data).is_ok();
                let signers = self.accounts(instruction).ok_or(Refusal::Encoding)?;
                let good = is_text && signers.iter().all(|key| key == authority);
                good.then_some(()).ok_or(Refusal::Memo)
            }
            _ => Err(Refusal::UnknownInstruction(at)),
        }
    }

    /// Of the right amount of the right token, from the one who signs to us. Returns the account that it is from.
    fn transfer(&self, rules: &Rules, authority: &Pubkey) -> Result<Pubkey, Refusal> {
        let (_, instruction) = self.all[LEAST - 1];
        let program = self.program(instruction).ok_or(Refusal::Encoding)?;
        if program != token_program::CLASSIC && program != token_program::TOKEN_2022 {
            return Err(Refusal::NoTransfer);
        }
        let data = instruction.data.strip_prefix(&[TRANSFER_CHECKED]).ok_or(Refusal::NoTransfer)?;
        let (amount, decimals) = match data.split_first_chunk() {
            Some((amount, &[decimals])) => (u64::from_le_bytes(*amount), decimals),
            _ => return Err(Refusal::NoTransfer),
        };
        // More of them would be a multisig's.
        let accounts = self.accounts(instruction).ok_or(Refusal::Encoding)?;
        let &[source, mint, destination, owner] = &accounts[..] else { return Err(Refusal::NoTransfer) };
        if mint != rules.mint {
            return Err(Refusal::Mint);
        }
        if program != rules.token_program {
            return Err(Refusal::TokenProgram);
        }
        if decimals != rules.decimals {
            return Err(Refusal::Decimals { said: decimals, are: rules.decimals });
        }
        if destination != rules.destination {
            return Err(Refusal::Destination);
        }
        if source == rules.destination {
            return Err(Refusal::Source);
        }
        if owner != *authority {
            return Err(Refusal::Authority);
        }
        if amount != rules.amount.get() {
            return Err(Refusal::Amount { paid: amount, wanted: rules.amount.get() });
        }
        Ok(source)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
