//! The accounts that a job which was earned pays into; the job names every one of them.

use crate::{
    error::EscrowError,
    event::JobSettled,
    payout::{Names, Receipt, Till},
    state::Job,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;

/// Two of them may be one and the same.
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
    /// The job is changed while the others are looked at.
    #[inline(always)]
    fn till<'a>(&'a mut self, challenger: Option<&'a AccountView>) -> (Till<'a>, &'a mut Account<Job>) {
        let till = Till {
            vault: self.vault.account(),
            payout: Some(self.payout.account()),
            fee_vault: Some(self.fee_vault.account()),
            challenger,
            refund: self.refund.account(),
            rent_payer: self.rent_payer.account(),
            token_program: self.token_program.address(),
        };
        (till, &mut self.job)
    }

    #[inline(always)]
    pub fn pay(&mut self, challenger: Option<&AccountView>, names: Names) -> Result<Receipt> {
        let (till, job) = self.till(challenger);
        till.pay(job, names)
    }

    #[inline(always)]
    pub fn close(&mut self, receipt: &Receipt) -> Result<()> {
        let (till, job) = self.till(None);
        till.close(job, receipt)
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
            closed: receipt.closes as u8,
        }
    }
}
