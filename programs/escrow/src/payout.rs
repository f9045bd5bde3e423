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

/// The accounts around a job that a payment touches.
pub struct Till<'a> {
    pub vault: &'a AccountView,
    /// Provider's and protocol's token accounts; none where nothing can have been earned.
    pub earners: Option<(&'a AccountView, &'a AccountView)>,
    pub refund: &'a AccountView,
    pub rent_payer: &'a AccountView,
    pub token_program: &'a Address,
}

/// The till of an instruction's accounts, without the job, which is changed while they are looked at.
macro_rules! till {
    ($accounts:expr, $earners:expr) => {
        $crate::payout::Till {
            vault: $accounts.vault.account(),
            earners: $earners,
            refund: $accounts.refund.account(),
            rent_payer: $accounts.rent_payer.account(),
            token_program: $accounts.token_program.address(),
        }
    };
}
pub(crate) use till;

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
    /// Pays what can be paid and, when that empties the vault, closes it. The job is closed by [`Till::close`] afterwards,
    /// since lamports moved by hand must not be followed by another call. A later attempt (`first` is false) that can pay
    /// nobody is an error; the first one records what is owed.
    #[inline(always)]
    pub fn pay(&self, job: &mut Account<Job>, first: bool) -> Result<Receipt> {
        // Under the other program nobody could be paid, and anyone could turn payments into debts.
        require!(self.vault.owned_by(self.token_program), EscrowError::WrongTokenProgram);
        let due = job.dues(token::balance(self.vault)?)?;
        let (payout, fee_vault) = self.earners.unwrap_or((self.refund, self.refund));
        // The first payment is to exactly the accounts that the job names. A later one leaves out who has just redirected,
        // so that nobody can keep the others waiting by redirecting again and again.
        let payout_is_named = self.earners.is_none() || address_eq(payout.address(), &job.payout);
        let refund_is_named = address_eq(self.refund.address(), &job.refund);
        require!(!first || payout_is_named, EscrowError::WrongPayout);
        require!(!first || refund_is_named, EscrowError::WrongRefund);
        let mint = job.mint;
        let payable = |to: &AccountView, amount: Amount, fit: bool| {
            if amount.is_zero() || (fit && token::can_receive(to, &mint, self.token_program)) {
                amount
            } else {
                Amount::ZERO
            }
        };
        // The account may have been closed and made again since it was named: it must be the payout owner's now.
        let payout_is_owned = payout_is_named && token::is_owned_by(payout, &job.payout_owner);
        let paid = Dues {
            provider: payable(payout, due.provider, payout_is_owned),
            fee: payable(fee_vault, due.fee, true),
            client: payable(self.refund, due.client, refund_is_named),
        };
        let owed = due.minus(&paid)?;
        let receipt = Receipt { paid, owed };
        let close_to = receipt.is_final().then(|| self.rent_receiver());
        let moves = close_to.is_some() || paid != Dues::default();
        require!(first || moves, EscrowError::NothingPayable);
        job.owe(&owed);
        if moves {
            let (id, bump) = (job.id.get().to_le_bytes(), [job.bump]);
            let client = job.client;
            let seeds = [Seed::from(JOB_SEED), Seed::from(client.as_ref()), Seed::from(&id), Seed::from(&bump)];
            let payments = [(payout, paid.provider), (fee_vault, paid.fee), (self.refund, paid.client)];
            token::pay(self.vault, job.account(), &payments, close_to, self.token_program, &CpiSigner::from(&seeds))?;
        }
        Ok(receipt)
    }

    /// Closes a job whose last unit was paid; its rent returns to whoever paid it.
    #[inline(always)]
    pub fn close(&self, job: &mut Account<Job>, receipt: &Receipt) -> Result<()> {
        if receipt.is_final() {
            job.close(*self.rent_receiver())?;
        }
        Ok(())
    }

    /// Whoever paid the rent; but not once that address has become a program. The runtime does not tell a caller what a
    /// call paid to a program, and the sums would not add up: with this, a rent payer could hold the whole vault. Its rent
    /// then goes to the fee vault or, in a refund, to the client's token account.
    #[inline(always)]
    fn rent_receiver(&self) -> &AccountView {
        match (self.rent_payer.executable(), self.earners) {
            (false, _) => self.rent_payer,
            (true, Some((_, fee_vault))) => fee_vault,
            (true, None) => self.refund,
        }
    }
}
