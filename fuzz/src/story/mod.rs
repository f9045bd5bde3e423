//! What a transaction says it did: every unit that moves must be in a token instruction that somebody sent or in an event that
//! a program stated; so must whoever pays for an account and gets its rent back.

mod bids;
mod bills;
mod bonds;
mod called;
mod channels;
mod disputes;
mod jobs;
mod models;
mod panels;
mod payers;
mod plans;
pub mod registry;
mod staking;
mod treasury;
mod vouchers;

use crate::{
    chain,
    check::Violation,
    model::{Entry, Model},
};
use anchor_lang::event::EVENT_IX_TAG_LE;
use called::Called;
use joule_sdk::{
    billing,
    escrow::{self, event::AnyEvent as Escrow},
    registry as registry_program, staking as staking_program, token_program, treasury as treasury_program, Instruction,
    Pubkey,
};
use joule_tests::idl::Listing;
use litesvm::{types::TransactionMetadata, LiteSVM};
use solana_message::inner_instruction::InnerInstruction;
use solana_transaction::Message;
use spl_token_2022_interface::instruction::TokenInstruction;
use std::collections::BTreeMap;
use vouchers::PRECOMPILE;

/// A transaction that succeeded.
pub struct Sent<'a> {
    pub listing: &'a Listing,
    pub instructions: &'a [Instruction],
    pub message: &'a Message,
    pub done: &'a TransactionMetadata,
    /// The cluster's clock, in Unix seconds.
    pub now: i64,
    /// The cluster as it is afterwards, for what no event says.
    pub svm: &'a LiteSVM,
}

/// What happened, in the order in which it did.
#[derive(Default)]
pub struct Story {
    /// What each token account gained, in base units.
    pub moves: BTreeMap<Pubkey, i128>,
    /// Units of each mint that were made, less those that were burnt.
    pub made: BTreeMap<Pubkey, i128>,
    /// Jobs whose accounts were closed, as the model knew them.
    pub closed: Vec<Entry>,
    /// Accounts that a provider's part went into, and who must own them.
    pub payouts: Vec<(Pubkey, Pubkey)>,
    /// Whose share could not be paid.
    pub debts: Vec<Debt>,
    /// Accounts that came or went, and whoever paid for them, or got their rent.
    pub rents: Vec<(Pubkey, Pubkey)>,
    /// Whose lamports may have moved by an instruction that is not ours, by any amount.
    pub loose: Vec<Pubkey>,
    /// What the claims of the instruction that is being told have gone through; its own event must account for it.
    hand: Hand,
}

/// Somebody's share that was written down, since its account could not receive it.
pub struct Debt {
    pub account: Pubkey,
    /// Who must own it; anybody when there is none.
    pub owner: Option<Pubkey>,
    pub mint: Pubkey,
}

#[derive(Default)]
struct Hand {
    locked: Vec<Locked>,
    released: Vec<Released>,
    slashed: Vec<Slashed>,
}

struct Locked {
    claim: Pubkey,
    bond: Pubkey,
    subject: Pubkey,
    amount: u64,
    /// What the bond had free before.
    free: u64,
    until: i64,
}

struct Released {
    claim: Pubkey,
    amount: u64,
    kept: u64,
}

struct Slashed {
    claim: Pubkey,
    destination: Pubkey,
    amount: u64,
    /// What the claim held before.
    held: u64,
}

impl Story {
    /// Reads a transaction that succeeded, instruction by instruction, and tells the model.
    pub fn of(sent: &Sent, model: &mut Model) -> Result<Self, Violation> {
        let mut story = Self::default();
        for place in 0..sent.instructions.len() {
            let inner = sent.done.inner_instructions.get(place).map_or(&[][..], |inner| inner.as_slice());
            story.tell(sent, model, place, inner)?;
            let hand = std::mem::take(&mut story.hand);
            let is_empty = hand.locked.is_empty() && hand.released.is_empty() && hand.slashed.is_empty();
            Violation::unless(is_empty, "a claim was locked, released or slashed, and nobody said what for")?;
        }
        Ok(story)
    }

    fn gain(&mut self, account: Pubkey, amount: i128) {
        *self.moves.entry(account).or_default() += amount;
    }

    /// Units that reach an account; in a vault they are a gift, whoever sent them.
    fn give(&mut self, model: &mut Model, account: Pubkey, amount: u64) {
        self.gain(account, amount as i128);
        model.give(&account, amount);
    }

    fn tell(
        &mut self,
        sent: &Sent,
        model: &mut Model,
        place: usize,
        inner: &[InnerInstruction],
    ) -> Result<(), Violation> {
        let instruction = &sent.instructions[place];
        if chain::is_token_program(&instruction.program_id) {
            return self.token(model, instruction);
        }
        let at = |place: usize| instruction.accounts.get(place).map_or(Pubkey::default(), |meta| meta.pubkey);
        if instruction.program_id == token_program::ASSOCIATED || instruction.program_id == SYSTEM {
            self.loose.extend([at(0), at(1)]);
            return Ok(());
        }
        if instruction.program_id == PRECOMPILE {
            return Ok(());
        }
        let called = Called::new(sent, place)?;
        if instruction.program_id == billing::ID {
            match called.name {
                "settle" => self.voucher_settled(model, &called)?,
                "settle_batch" => self.batch_settled(model, &called)?,
                _ => {}
            }
        }
        // The programs that have called one another, the outermost first.
        let mut callers = vec![Pubkey::default(), instruction.program_id];
        for call in inner {
            let callee = sent.message.account_keys[call.instruction.program_id_index as usize];
            let height = call.stack_height as usize;
            callers.truncate(height);
            let caller = callers.last().copied().unwrap_or_default();
            callers.push(callee);
            let Some(event) = call.instruction.data.strip_prefix(EVENT_IX_TAG_LE) else { continue };
            if callee == caller {
                self.hear(model, callee, event, &called)?;
            }
        }
        Ok(())
    }

    /// A program has stated an event about itself.
    fn hear(&mut self, model: &mut Model, program: Pubkey, event: &[u8], called: &Called) -> Result<(), Violation> {
        let unread = || Violation::new("an event that nobody can read");
        if program == escrow::ID {
            let event = Escrow::decode(event).ok_or_else(unread)?;
            if self.job(model, event, called)? {
                return Ok(());
            }
            self.dispute(model, event, called)
        } else if program == staking_program::ID {
            let event = staking_program::event::AnyEvent::decode(event).ok_or_else(unread)?;
            if self.bond(model, event, called)? {
                return Ok(());
            }
            self.stake(model, event, called)
        } else if program == registry_program::ID {
            let event = registry_program::event::AnyEvent::decode(event).ok_or_else(unread)?;
            self.registry(model, event, called)
        } else if program == treasury_program::ID {
            let event = treasury_program::event::AnyEvent::decode(event).ok_or_else(unread)?;
            self.treasury(model, event, called)
        } else if program == billing::ID {
            let event = billing::event::AnyEvent::decode(event).ok_or_else(unread)?;
            self.billing(model, event, called)
        } else {
            Ok(())
        }
    }

    fn token(&mut self, model: &mut Model, instruction: &Instruction) -> Result<(), Violation> {
        let at = |place: usize| instruction.accounts.get(place).map_or(Pubkey::default(), |meta| meta.pubkey);
        let parsed = TokenInstruction::unpack(&instruction.data);
        match parsed.map_err(|_| Violation::new("a token instruction that nobody can read"))? {
            TokenInstruction::TransferChecked { amount, .. } => {
                self.gain(at(0), -(amount as i128));
                self.give(model, at(2), amount);
            }
            TokenInstruction::MintTo { amount } => {
                *model.supply.entry(at(0)).or_default() += amount;
                *self.made.entry(at(0)).or_default() += amount as i128;
                self.give(model, at(1), amount);
            }
            TokenInstruction::Burn { amount } => {
                *model.supply.entry(at(1)).or_default() -= amount;
                *self.made.entry(at(1)).or_default() -= amount as i128;
                self.gain(at(0), -(amount as i128));
            }
            TokenInstruction::CloseAccount | TokenInstruction::WithdrawExcessLamports => {
                self.loose.extend([at(0), at(1)])
            }
            _ => {}
        }
        Ok(())
    }

    /// The claim that the instruction has locked for `subject`.
    fn take_locked(&mut self, subject: &Pubkey) -> Result<Locked, Violation> {
        let found = self.hand.locked.iter().position(|locked| locked.subject == *subject);
        let place = found.ok_or_else(|| Violation::new("taken without a claim on a bond"))?;
        Ok(self.hand.locked.swap_remove(place))
    }

    /// A claim is over: it was let go now, and counts as much as was paid and locked; or has lapsed before.
    fn expect_released(&mut self, model: &Model, claim: &Pubkey, price: u64) -> Result<(), Violation> {
        match self.hand.released.iter().position(|released| released.claim == *claim) {
            Some(place) => {
                let released = self.hand.released.swap_remove(place);
                let kept = price.min(released.amount);
                Violation::unless(released.kept == kept, "a claim was let go with the wrong word about it")?;
            }
            None => Violation::unless(!model.holds.contains_key(claim), "a claim outlives what it was made for")?,
        }
        Ok(())
    }

    /// What was slashed of a claim into a vault: `wanted`, or all that it held; nothing if it has lapsed.
    fn take_slashed(&mut self, model: &Model, claim: &Pubkey, wanted: u64, vault: &Pubkey) -> Result<u64, Violation> {
        let Some(place) = self.hand.slashed.iter().position(|slashed| slashed.claim == *claim) else {
            let holds = model.holds.contains_key(claim);
            return Violation::unless(!holds, "a claim was spared that should have been slashed").map(|()| 0);
        };
        let slashed = self.hand.slashed.swap_remove(place);
        Violation::unless(slashed.destination == *vault, "slashed into a vault that has nothing to do with it")?;
        Violation::unless(slashed.amount == wanted.min(slashed.held), "slashed by another amount than was at stake")?;
        Ok(slashed.amount)
    }
}

const SYSTEM: Pubkey = solana_system_interface::program::ID;
