//! Emptying a vault: everybody who can be paid is paid, and what cannot be delivered stays owed.

use crate::{
    constants::JOB_SEED,
    error::EscrowError,
    state::{Dues, Job},
    token,
};
use anchor_lang::{prelude::*, AccountClose};
use joule_units::Amount;
use pinocchio::cpi::{Seed, Signer as CpiSigner};

/// The accounts around a job that a payment touches.
pub struct Till<'a> {
    pub vault: &'a AccountView,
    /// Provider's and protocol's token accounts; none where nothing can have been earned.
    pub earners: Option<(&'a AccountView, &'a AccountView)>,
    pub refund: &'a AccountView,
    pub rent_payer: &'a AccountView,
    pub token_program: &'a Address,
}

/// What was paid now, in base units, and what is owed still.
pub struct Receipt {
    pub paid: Dues,
    pub owed: Dues,
}

impl Receipt {
    #[inline(always)]
    pub fn is_final(&self) -> bool {
        self.owed == Dues::default()
    }
}

impl Till<'_> {
    /// Pays what can be paid and, when that empties the vault, closes it. The job is closed by [`close`] afterwards,
    /// since lamports moved by hand must not be followed by another call. A later attempt (`first` is false) that can pay
    /// nobody is an error; the first one records what is owed.
    #[inline(always)]
    pub fn pay(&self, job: &mut Account<Job>, first: bool) -> Result<Receipt> {
        let due = job.dues(token::balance(self.vault)?)?;
        let (payout, fee_vault) = self.earners.unwrap_or((self.refund, self.refund));
        let mint = job.mint;
        let payable = |to: &AccountView, amount: Amount| {
            if amount.is_zero() || token::can_receive(to, &mint, self.token_program) {
                amount
            } else {
                Amount::ZERO
            }
        };
        let paid = Dues {
            provider: payable(payout, due.provider),
            fee: payable(fee_vault, due.fee),
            client: payable(self.refund, due.client),
        };
        let owed = due.minus(&paid)?;
        let receipt = Receipt { paid, owed };
        let close_to = receipt.is_final().then_some(self.rent_payer);
        let moves = close_to.is_some() || paid != Dues::default();
        require!(first || moves, EscrowError::NothingPayable);
        job.owe(&owed);
        if moves {
            let (id, bump) = (job.id.get().to_le_bytes(), [job.bump]);
            let client = job.client;
            let seeds = [Seed::from(JOB_SEED), Seed::from(client.as_ref()), Seed::from(&id), Seed::from(&bump)];
            let payments = [(payout, paid.provider), (fee_vault, paid.fee), (self.refund, paid.client)];
            token::pay(
                self.vault,
                job.account(),
                &payments,
                close_to,
                self.token_program,
                &CpiSigner::from(&seeds),
            )?;
        }
        Ok(receipt)
    }
}

/// Closes a job whose last unit was paid; its rent returns to whoever paid it.
#[inline(always)]
pub fn close(job: &mut Account<Job>, rent_payer: &AccountView, receipt: &Receipt) -> Result<()> {
    if receipt.is_final() {
        job.close(*rent_payer)?;
    }
    Ok(())
}
