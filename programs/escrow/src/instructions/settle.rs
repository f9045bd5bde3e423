//! Silence through the review window pays the provider; anyone may see to it.

use crate::{
    error::EscrowError,
    event::{JobPaid, JobSettled},
    payout::{till, Receipt},
    state::{Job, JobStatus},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

/// The accounts that a settled job pays into; the job names every one of them. Two of them may be one and the same.
#[derive(Accounts)]
pub struct Earnings {
    #[account(mut)]
    pub job: Account<Job>,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Compared with the job when it is paid.
    #[account(mut, unsafe(dup))]
    pub payout: UncheckedAccount,
    #[account(mut, unsafe(dup), address = job.fee_vault @ EscrowError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    /// Compared with the job when it is paid.
    #[account(mut, unsafe(dup))]
    pub refund: UncheckedAccount,
    #[account(mut, unsafe(dup), address = job.rent_payer @ EscrowError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl Earnings {
    #[inline(always)]
    pub fn pay(&mut self, first: bool) -> Result<Receipt> {
        till!(self, Some((self.payout.account(), self.fee_vault.account()))).pay(&mut self.job, first)
    }

    #[inline(always)]
    pub fn close(&mut self, receipt: &Receipt) -> Result<()> {
        till!(self, Some((self.payout.account(), self.fee_vault.account()))).close(&mut self.job, receipt)
    }

    #[inline(always)]
    pub fn settled(&self, receipt: &Receipt, now: i64, approved: bool) -> JobSettled {
        let (job, paid, owed) = (&self.job, &receipt.paid, &receipt.owed);
        JobSettled {
            job: *job.address(),
            client: job.client,
            provider: job.provider,
            mint: job.mint,
            result_hash: job.result_hash,
            budget: job.budget,
            price: job.price,
            paid_provider: paid.provider.get().into(),
            paid_fee: paid.fee.get().into(),
            paid_client: paid.client.get().into(),
            owed_provider: owed.provider.get().into(),
            owed_fee: owed.fee.get().into(),
            owed_client: owed.client.get().into(),
            settled_at: now.into(),
            approved: approved as u8,
            closed: receipt.is_final() as u8,
        }
    }
}

/// Nobody needs to sign: the job says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Settle {
    pub earnings: Nested<Earnings>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Settle>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let earnings = &mut ctx.accounts.earnings;
    let first = earnings.job.status()? != JobStatus::Settled;
    if first {
        earnings.job.settle(UnixTime::new(now))?;
    }
    let receipt = earnings.pay(first)?;
    if first {
        emit_event!(ctx, ctx.accounts.earnings.settled(&receipt, now, false));
    } else {
        emit_event!(ctx, JobPaid::new(ctx.accounts.earnings.job.address(), &receipt));
    }
    ctx.accounts.earnings.close(&receipt)
}
