//! Who is owed what of a job's vault.

use crate::{
    error::EscrowError,
    state::{Job, JobStatus},
};
use anchor_lang::prelude::*;
use joule_units::Amount;

/// What each party is to receive out of the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dues {
    pub provider: Amount,
    pub fee: Amount,
    pub challenger: Amount,
    pub client: Amount,
}

impl Dues {
    /// What is left to pay.
    #[inline(always)]
    pub fn minus(&self, paid: &Self) -> Result<Self> {
        let left = |due: Amount, paid: Amount| due.checked_sub(paid).ok_or(EscrowError::Overflow);
        Ok(Self {
            provider: left(self.provider, paid.provider)?,
            fee: left(self.fee, paid.fee)?,
            challenger: left(self.challenger, paid.challenger)?,
            client: left(self.client, paid.client)?,
        })
    }
}

impl Job {
    /// What each party is to receive of a vault that holds `balance`. Whatever the others have not earned is the client's,
    /// and so is what a stranger sent to the vault: it cannot keep the vault from being closed.
    #[inline(always)]
    pub fn dues(&self, balance: Amount) -> Result<Dues> {
        let (provider, fee) = (Amount::new(self.owed_provider.get()), Amount::new(self.owed_fee.get()));
        let (challenger, jurors) = (Amount::new(self.owed_challenger.get()), Amount::new(self.owed_jurors.get()));
        let earned = [fee, challenger, jurors].into_iter().try_fold(provider, Amount::checked_add);
        let earned = earned.ok_or(EscrowError::Overflow)?;
        let client = balance.checked_sub(earned).ok_or(EscrowError::InvariantBroken)?;
        Ok(Dues { provider, fee, challenger, client })
    }

    /// Adds to what the treasury is owed: its share of a slashed bond.
    #[inline(always)]
    pub fn owe_fee(&mut self, amount: Amount) -> Result<()> {
        let owed = self.owed_fee.get().checked_add(amount.get()).ok_or(EscrowError::Overflow)?;
        self.owed_fee = owed.into();
        Ok(())
    }

    /// Writes down what is still owed after a payment.
    #[inline(always)]
    pub fn owe(&mut self, dues: &Dues) {
        self.owed_provider = dues.provider.get().into();
        self.owed_fee = dues.fee.get().into();
        self.owed_challenger = dues.challenger.get().into();
        self.owed_client = dues.client.get().into();
    }

    /// Whether nobody can have a claim on the vault or the job any more once `owed` is paid.
    #[inline(always)]
    pub fn is_final(&self, owed: &Dues) -> bool {
        *owed == Dues::default() && self.disputed == 0
    }

    /// The last of a dispute is closed; what was left for jurors is the client's.
    #[inline(always)]
    pub fn wind_up(&mut self) {
        self.disputed = 0;
        self.owed_jurors = 0.into();
    }

    /// The client moves its refund, the challenger what it is owed, the payout owner the provider's payment, into an account
    /// of its own if `is_own`. Not while the job is delivered or challenged: whoever has it settled must be able to rely on
    /// the accounts it names.
    #[inline(always)]
    pub fn redirect(&mut self, payee: &Address, account: Address, is_own: bool) -> Result<()> {
        let (is_client, is_provider) = (*payee == self.client, *payee == self.payout_owner);
        let is_challenger = *payee == self.challenger;
        require!(is_client || is_provider || is_challenger, EscrowError::NotPayee);
        let status = self.status()?;
        let early = matches!(status, JobStatus::Open | JobStatus::Accepted);
        let late = matches!(status, JobStatus::Settled | JobStatus::Refunded);
        // Something may still come in for the client while a dispute is wound up.
        let moves_refund = is_client && (early || late);
        let moves_payout = is_provider && (early || late && self.owed_provider.get() > 0);
        let moves_challenger = is_challenger && late && self.owed_challenger.get() > 0;
        require!(moves_refund || moves_payout || moves_challenger, EscrowError::NothingToRedirect);
        if moves_challenger {
            self.challenger_account = account;
        }
        if moves_refund {
            self.refund = account;
        }
        if moves_payout {
            require!(is_own, EscrowError::WrongPayoutOwner);
            self.payout = account;
        }
        Ok(())
    }
}
