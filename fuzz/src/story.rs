//! What a transaction says it did: every unit that moves must be in a token instruction that somebody sent or in an event that
//! a program stated.

use crate::{
    chain,
    check::Violation,
    model::{Enrolled, Entry, Model, Paid},
};
use anchor_lang::event::EVENT_IX_TAG_LE;
use bytemuck::Zeroable;
use joule_sdk::{
    escrow::{
        self,
        event::AnyEvent as Escrow,
        state::{Job, JobStatus},
    },
    registry::{self, event::AnyEvent as Registry},
    token_program,
    treasury::{self, event::AnyEvent as Treasury},
    Instruction, Pubkey,
};
use joule_tests::idl::Listing;
use litesvm::types::TransactionMetadata;
use solana_message::inner_instruction::InnerInstruction;
use solana_transaction::Message;
use spl_token_2022_interface::instruction::TokenInstruction;
use std::collections::BTreeMap;

/// A transaction that succeeded.
pub struct Sent<'a> {
    pub listing: &'a Listing,
    pub instructions: &'a [Instruction],
    pub message: &'a Message,
    pub done: &'a TransactionMetadata,
    /// The cluster's clock, in Unix seconds.
    pub now: i64,
}

/// What happened, in the order in which it did.
#[derive(Default)]
pub struct Story {
    /// What each token account gained, in base units.
    pub moves: BTreeMap<Pubkey, i128>,
    /// Jobs whose accounts were closed, as the model knew them.
    pub closed: Vec<Entry>,
    /// Accounts that a provider's part went into, and who must own them.
    pub payouts: Vec<(Pubkey, Pubkey)>,
    /// Who may have gained or lost lamports, besides accounts that came or went.
    pub lamports: Vec<Pubkey>,
}

impl Story {
    /// Reads a transaction that succeeded, instruction by instruction, and tells the model.
    pub fn of(sent: &Sent, model: &mut Model) -> Result<Self, Violation> {
        let mut story = Self::default();
        for (place, instruction) in sent.instructions.iter().enumerate() {
            let inner = sent.done.inner_instructions.get(place).map_or(&[][..], |inner| inner.as_slice());
            story.tell(sent, model, instruction, inner)?;
        }
        Ok(story)
    }

    fn gain(&mut self, account: Pubkey, amount: i128) {
        *self.moves.entry(account).or_default() += amount;
    }

    fn tell(
        &mut self,
        sent: &Sent,
        model: &mut Model,
        instruction: &Instruction,
        inner: &[InnerInstruction],
    ) -> Result<(), Violation> {
        if chain::is_token_program(&instruction.program_id) {
            return self.token(model, instruction);
        }
        let at = |place: usize| instruction.accounts.get(place).map_or(Pubkey::default(), |meta| meta.pubkey);
        if instruction.program_id == token_program::ASSOCIATED {
            self.lamports.push(at(0));
        } else if instruction.program_id == solana_system_interface::program::ID {
            self.lamports.extend([at(0), at(1)]);
        }
        // Whoever is called so pays rent, with a signature.
        self.lamports.extend(sent.listing.account(instruction, "payer"));
        for call in inner {
            let callee = sent.message.account_keys[call.instruction.program_id_index as usize];
            let Some(event) = call.instruction.data.strip_prefix(EVENT_IX_TAG_LE) else { continue };
            if callee != instruction.program_id {
                continue;
            }
            let called = Called { listing: sent.listing, instruction };
            if callee == escrow::ID {
                let event = Escrow::decode(event).ok_or_else(|| Violation::new("an event that nobody can read"))?;
                self.escrow(model, event, &called, sent.now)?;
            } else if callee == registry::ID {
                match Registry::decode(event) {
                    Some(Registry::ProviderRegistered(e)) => {
                        called.signed_by(&e.authority)?;
                        let (authority, rent_payer) = (e.authority, called.account("payer")?);
                        model.providers.insert(e.provider, Enrolled { authority, rent_payer });
                    }
                    Some(Registry::ProviderRetired(e)) => {
                        called.signed_by(&e.authority)?;
                        self.lamports.extend(model.providers.remove(&e.provider).map(|enrolled| enrolled.rent_payer));
                        // It may be back before the transaction is over.
                        self.lamports.push(e.provider);
                    }
                    _ => {}
                }
            } else if callee == treasury::ID {
                match Treasury::decode(event) {
                    Some(Treasury::AuthorityChanged(e)) => model.authority = e.authority,
                    Some(Treasury::FeesWithdrawn(e)) => {
                        called.signed_by(&model.authority)?;
                        self.gain(called.account("fee_vault")?, -(e.amount.get() as i128));
                        self.give(model, called.account("destination")?, e.amount.get());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Units that reach an account; in a vault they are a gift to its job, whoever sent them.
    fn give(&mut self, model: &mut Model, account: Pubkey, amount: u64) {
        self.gain(account, amount as i128);
        if let Some(entry) = model.job_of_vault(&account).and_then(|job| model.entry_mut(&job)) {
            entry.gifts += amount;
            entry.late_gifts += amount;
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
                self.give(model, at(1), amount);
            }
            TokenInstruction::Burn { amount } => {
                *model.supply.entry(at(1)).or_default() -= amount;
                self.gain(at(0), -(amount as i128));
            }
            TokenInstruction::CloseAccount | TokenInstruction::WithdrawExcessLamports => {
                self.lamports.extend([at(0), at(1)])
            }
            _ => {}
        }
        Ok(())
    }

    fn escrow(&mut self, model: &mut Model, event: Escrow, called: &Called, now: i64) -> Result<(), Violation> {
        match event {
            Escrow::JobOpened(e) => {
                called.signed_by(&e.client)?;
                let (source, vault) = (called.account("source")?, called.account("vault")?);
                self.gain(source, -(e.budget.get() as i128));
                self.gain(vault, e.budget.get() as i128);
                let next = model.next_id.entry(e.client).or_default();
                Violation::unless(*next == e.id.get(), "a job's id is not the client's next one")?;
                *next += 1;
                model.open(Entry {
                    address: e.job,
                    job: Job::zeroed(),
                    vault,
                    rent_payer: called.account("payer")?,
                    gifts: 0,
                    late_gifts: 0,
                    paid: Paid::default(),
                });
            }
            Escrow::JobAccepted(e) => {
                let provider = model.providers.get(&e.provider);
                let provider = provider.ok_or_else(|| Violation::new("accepted by somebody who is not enrolled"))?;
                called.signed_by(&provider.authority)?;
                let job = &mut live(model, &e.job)?.job;
                job.status = JobStatus::Accepted as u8;
                job.deliver_by = e.deliver_by;
            }
            Escrow::JobDelivered(e) => {
                let job = &mut live(model, &e.job)?.job;
                called.signed_by(&job.provider_authority)?;
                job.status = JobStatus::Delivered as u8;
                job.settle_after = e.settle_after;
            }
            Escrow::JobRedirected(e) => {
                called.signed_by(&e.by)?;
                let job = &mut live(model, &e.job)?.job;
                Violation::unless([job.client, job.payout_owner].contains(&e.by), "redirected by a stranger")?;
                if e.by == job.client {
                    job.refund = e.account;
                }
                if e.by == job.payout_owner {
                    job.payout = e.account;
                }
            }
            Escrow::JobSettled(e) => {
                let job = live(model, &e.job)?.job;
                Violation::unless(job.status == JobStatus::Delivered as u8, "settled without having been delivered")?;
                match e.approved {
                    1 => called.signed_by(&job.client)?,
                    _ => Violation::unless(now >= job.settle_after.get(), "settled while the review window was open")?,
                }
                let paid = [e.paid_provider.get(), e.paid_fee.get(), e.paid_client.get()];
                self.pay(model, &e.job, paid, JobStatus::Settled, e.closed == 1, called)?;
            }
            Escrow::JobRefunded(e) => {
                let job = live(model, &e.job)?.job;
                let is_open = job.status == JobStatus::Open as u8;
                let is_accepted = job.status == JobStatus::Accepted as u8;
                let may = match e.reason {
                    0 => called.signed_by(&job.client).map(|()| is_open)?,
                    1 => is_open && now > job.accept_by.get(),
                    _ => is_accepted && now > job.deliver_by.get(),
                };
                Violation::unless(may, "refunded in a state or at a time in which it must not be")?;
                self.pay(model, &e.job, [0, 0, e.paid_client.get()], JobStatus::Refunded, e.closed == 1, called)?;
            }
            Escrow::JobPaid(e) => {
                let is_settled = live(model, &e.job)?.job.status == JobStatus::Settled as u8;
                let status = if is_settled { JobStatus::Settled } else { JobStatus::Refunded };
                let paid = [e.paid_provider.get(), e.paid_fee.get(), e.paid_client.get()];
                self.pay(model, &e.job, paid, status, e.closed == 1, called)?;
            }
        }
        Ok(())
    }

    /// A payment out of a job's vault to provider, protocol and client, into the accounts that the job names.
    fn pay(
        &mut self,
        model: &mut Model,
        job: &Pubkey,
        paid: [u64; 3],
        status: JobStatus,
        is_closed: bool,
        called: &Called,
    ) -> Result<(), Violation> {
        let entry = live(model, job)?;
        Violation::unless(called.account("vault")? == entry.vault, "a payment out of another job's vault")?;
        entry.paid.provider += paid[0];
        entry.paid.fee += paid[1];
        entry.paid.client += paid[2];
        entry.late_gifts = 0;
        entry.job.status = status as u8;
        self.gain(entry.vault, -paid.iter().map(|part| *part as i128).sum::<i128>());
        self.lamports.push(entry.rent_payer);
        if paid[0] > 0 {
            self.payouts.push((entry.job.payout, entry.job.payout_owner));
        }
        let named = [("payout", entry.job.payout), ("fee_vault", entry.job.fee_vault), ("refund", entry.job.refund)];
        if is_closed {
            self.closed.extend(model.close(job));
        }
        for ((name, account), amount) in named.into_iter().zip(paid) {
            if amount > 0 {
                Violation::unless(
                    called.account(name)? == account,
                    "a payment into an account that the job does not name",
                )?;
                self.give(model, account, amount);
            }
        }
        Ok(())
    }
}

/// An instruction, and what its accounts are called.
struct Called<'a> {
    listing: &'a Listing,
    instruction: &'a Instruction,
}

impl Called<'_> {
    fn account(&self, name: &str) -> Result<Pubkey, Violation> {
        let found = self.listing.account(self.instruction, name);
        found.ok_or_else(|| Violation::new(format!("an event about an instruction without `{name}`")))
    }

    fn signed_by(&self, who: &Pubkey) -> Result<(), Violation> {
        let is_signed = self.instruction.accounts.iter().any(|meta| meta.is_signer && meta.pubkey == *who);
        match is_signed {
            true => Ok(()),
            false => Err(Violation::new(format!("done without the signature of {who}"))),
        }
    }
}

fn live<'a>(model: &'a mut Model, job: &Pubkey) -> Result<&'a mut Entry, Violation> {
    model.entry_mut(job).ok_or_else(|| Violation::new("an event about a job that is not open"))
}
