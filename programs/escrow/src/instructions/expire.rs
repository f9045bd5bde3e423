//! A job that nobody accepted, or nobody delivered, gives its budget back; anyone may see to it.

use crate::{
    error::EscrowError,
    event::{JobPaid, JobRefunded},
    payout::{till, Receipt},
    state::{Job, JobStatus, RefundReason},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

/// The accounts that a refund touches; the job names every one of them.
#[derive(Accounts)]
pub struct Refund {
    #[account(mut)]
    pub job: Account<Job>,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Compared with the job when it is paid.
    #[account(mut, unsafe(dup))]
    pub refund: UncheckedAccount,
    #[account(mut, unsafe(dup), address = job.rent_payer @ EscrowError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl Refund {
    #[inline(always)]
    pub fn pay(&mut self, first: bool) -> Result<Receipt> {
        till!(self, None).pay(&mut self.job, first)
    }

    #[inline(always)]
    pub fn close(&mut self, receipt: &Receipt) -> Result<()> {
        till!(self, None).close(&mut self.job, receipt)
    }

    #[inline(always)]
    pub fn refunded(&self, receipt: &Receipt, now: i64, reason: RefundReason) -> JobRefunded {
        JobRefunded {
            job: *self.job.address(),
            client: self.job.client,
            provider: self.job.provider,
            mint: self.job.mint,
            budget: self.job.budget,
            paid_client: receipt.paid.client.get().into(),
            owed_client: receipt.owed.client.get().into(),
            refunded_at: now.into(),
            reason: reason as u8,
            closed: receipt.is_final() as u8,
        }
    }
}

/// Nobody needs to sign: the job says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Expire {
    pub refund: Nested<Refund>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Expire>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let refund = &mut ctx.accounts.refund;
    if refund.job.status()? == JobStatus::Refunded {
        let receipt = refund.pay(false)?;
        emit_event!(ctx, JobPaid::new(ctx.accounts.refund.job.address(), &receipt));
        return ctx.accounts.refund.close(&receipt);
    }
    let reason = refund.job.expire(UnixTime::new(now))?;
    let receipt = refund.pay(true)?;
    emit_event!(ctx, ctx.accounts.refund.refunded(&receipt, now, reason));
    ctx.accounts.refund.close(&receipt)
}
