//! Emptying a vault: everybody who can be paid is paid, and what cannot be delivered stays owed.

use crate::{
    constants::JOB_SEED,
    error::EscrowError,
    state::{Dues, Job},
    token,
};
use anchor_lang::{address_eq, prelude::*, AccountClose};
use joule_units::Amount;
use pinocchio::cpi::{Seed, Signer as CpiSigner};

/// The accounts around a job that a payment touches. Where one is left out, nothing can be due to it.
pub struct Till<'a> {
    pub vault: &'a AccountView,
    pub payout: Option<&'a AccountView>,
    pub fee_vault: Option<&'a AccountView>,
    pub challenger: Option<&'a AccountView>,
    pub refund: &'a AccountView,
    pub rent_payer: &'a AccountView,
    pub token_program: &'a Address,
}

/// How the accounts of a payment are compared with those that the job names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They must be the same, or whoever sends the payment could turn it into a debt. What cannot be paid is owed.
    Exact,
    /// Whoever has another name now is owed: it has just redirected, and must not keep the others waiting by that.
    Any,
    /// The same, and somebody must be paid: there is nothing to record any more.
    Later,
}

/// What was paid now, in base units, and what is owed still.
pub struct Receipt {
    pub paid: Dues,
    pub owed: Dues,
    /// Whether the vault is closed and the job is to be.
    pub closes: bool,
}

impl Till<'_> {
    /// Pays what can be paid and, when that empties the vault for good, closes it. The job is closed by [`Till::close`]
    /// afterwards, since lamports moved by hand must not be followed by another call.
    #[inline(always)]
    pub fn pay(&self, job: &mut Account<Job>, names: Names) -> Result<Receipt> {
        // Under the other program nobody could be paid, and anyone could turn payments into debts.
        require!(self.vault.owned_by(self.token_program), EscrowError::WrongTokenProgram);
        let due = job.dues(token::balance(self.vault)?)?;
        let (mint, token_program) = (job.mint, self.token_program);
        let named = |to: Option<&AccountView>, name: &Address, wrong: EscrowError| match to {
            Some(to) if address_eq(to.address(), name) => Ok(true),
            Some(_) if names == Names::Exact => Err(ProgramError::from(wrong)),
            _ => Ok(false),
        };
        let payable = |to: &AccountView, amount: Amount, fit: bool| {
            if amount.is_zero() || (fit && token::can_receive(to, &mint, token_program)) {
                amount
            } else {
                Amount::ZERO
            }
        };
        let (payout, fee_vault) = (self.payout.unwrap_or(self.refund), self.fee_vault.unwrap_or(self.refund));
        let challenger = self.challenger.unwrap_or(self.refund);
        // The account may have been closed and made again since it was named: it must be the payout owner's now.
        let to_payout =
            named(self.payout, &job.payout, EscrowError::WrongPayout)? && token::is_owned_by(payout, &job.payout_owner);
        let to_challenger = named(self.challenger, &job.challenger_account, EscrowError::WrongChallengerAccount)?;
        let to_refund = named(Some(self.refund), &job.refund, EscrowError::WrongRefund)?;
        let paid = Dues {
            provider: payable(payout, due.provider, to_payout),
            fee: payable(fee_vault, due.fee, self.fee_vault.is_some()),
            challenger: payable(challenger, due.challenger, to_challenger),
            client: payable(self.refund, due.client, to_refund),
        };
        let owed = due.minus(&paid)?;
        let closes = job.is_final(&owed);
        let close_to = closes.then(|| self.rent_receiver());
        let moves = closes || paid != Dues::default();
        require!(names != Names::Later || moves, EscrowError::NothingPayable);
        job.owe(&owed);
        if moves {
            let payments = [
                (payout, paid.provider),
                (fee_vault, paid.fee),
                (challenger, paid.challenger),
                (self.refund, paid.client),
            ];
            sign_and_pay(self.vault, job, &payments, close_to, self.token_program)?;
        }
        Ok(Receipt { paid, owed, closes })
    }

    /// Closes a job whose last unit was paid; its rent returns to whoever paid it.
    #[inline(always)]
    pub fn close(&self, job: &mut Account<Job>, receipt: &Receipt) -> Result<()> {
        if receipt.closes {
            job.close(*self.rent_receiver())?;
        }
        Ok(())
    }

    /// Whoever paid the rent; but not once that address has become a program. The runtime does not tell a caller what a
    /// call paid to a program, and the sums would not add up: with this, a rent payer could hold the whole vault. Its rent
    /// then goes to the fee vault or, in a refund, to the client's token account.
    #[inline(always)]
    fn rent_receiver(&self) -> &AccountView {
        match (self.rent_payer.executable(), self.fee_vault) {
            (false, _) => self.rent_payer,
            (true, Some(fee_vault)) => fee_vault,
            (true, None) => self.refund,
        }
    }
}

/// Pays out of a job's vault, in the job's name.
#[inline(always)]
pub fn sign_and_pay(
    vault: &AccountView,
    job: &Account<Job>,
    payments: &[(&AccountView, Amount); 4],
    close_to: Option<&AccountView>,
    token_program: &Address,
) -> Result<()> {
    let (id, bump) = (job.id.get().to_le_bytes(), [job.bump]);
    let client = job.client;
    let seeds = [Seed::from(JOB_SEED), Seed::from(client.as_ref()), Seed::from(&id), Seed::from(&bump)];
    token::pay(vault, job.account(), payments, close_to, token_program, &CpiSigner::from(&seeds))
}
