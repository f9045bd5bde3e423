//! The accounts that a refund touches; the job names every one of them.

use crate::{
    error::EscrowError,
    event::JobRefunded,
    payout::{Names, Receipt, Till},
    state::{Job, RefundReason},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_units::Amount;

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
    /// The job is changed while the others are looked at.
    #[inline(always)]
    fn till<'a>(&'a mut self, fee_vault: Option<&'a AccountView>) -> (Till<'a>, &'a mut Account<Job>) {
        let till = Till {
            vault: self.vault.account(),
            payout: None,
            fee_vault,
            challenger: None,
            refund: self.refund.account(),
            rent_payer: self.rent_payer.account(),
            token_program: self.token_program.address(),
        };
        (till, &mut self.job)
    }

    #[inline(always)]
    pub fn pay(&mut self, fee_vault: Option<&AccountView>) -> Result<Receipt> {
        let (till, job) = self.till(fee_vault);
        till.pay(job, Names::Exact)
    }

    #[inline(always)]
    pub fn close(&mut self, receipt: &Receipt) -> Result<()> {
        let (till, job) = self.till(None);
        till.close(job, receipt)
    }

    /// `slashed` is what of the provider's bond is in the payment, in base units.
    #[inline(always)]
    pub fn refunded(&self, receipt: &Receipt, slashed: Amount, reason: RefundReason, now: i64) -> JobRefunded {
        JobRefunded {
            job: *self.job.address(),
            client: self.job.client,
            provider: self.job.provider,
            mint: self.job.mint,
            budget: self.job.budget,
            slashed: slashed.get().into(),
            paid_fee: receipt.paid.fee.get().into(),
            paid_client: receipt.paid.client.get().into(),
            owed_fee: receipt.owed.fee.get().into(),
            owed_client: receipt.owed.client.get().into(),
            refunded_at: now.into(),
            reason: reason as u8,
            closed: receipt.closes as u8,
        }
    }
}
