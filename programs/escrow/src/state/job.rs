//! One job, from the budget being locked to the last unit being paid.

use crate::{error::EscrowError, state::Terms};
use anchor_lang::prelude::*;
use joule_units::{split, Amount, Bps, Seconds, UnixTime};

/// Every state that waits for somebody has a way on by time, which anyone may take. What a settled or refunded job owes waits
/// for its payee alone, and blocks nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum JobStatus {
    /// Waits for a provider. After `accept_by`, `expire` refunds the client.
    Open = 1,
    /// Waits for the result. After `deliver_by`, `expire` refunds the client.
    Accepted = 2,
    /// Waits for the client's word. From `settle_after` on, `settle` pays the provider.
    Delivered = 3,
    /// Earned by the provider; exists only while an account cannot receive its part. `settle` pays what has become payable.
    Settled = 4,
    /// Goes back to the client; exists only while its account cannot receive. `expire` pays when it can.
    Refunded = 5,
}

/// Why a budget went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RefundReason {
    Cancelled = 0,
    NotAccepted = 1,
    NotDelivered = 2,
}

/// What each party is to receive out of the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dues {
    pub provider: Amount,
    pub fee: Amount,
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
            client: left(self.client, paid.client)?,
        })
    }
}

/// PDA `["job", client, id]`, closed by the instruction that pays the last unit.
#[account]
pub struct Job {
    /// Who posted it. Written by `open`.
    pub client: Address,
    /// The registry's `Provider`. Written by `accept`.
    pub provider: Address,
    /// Who may submit. Written by `accept`.
    pub provider_authority: Address,
    /// Who may redirect the provider's payment. Written by `accept`.
    pub payout_owner: Address,
    /// Token account of the payout owner that the provider is paid into. Written by `accept` and `redirect`.
    pub payout: Address,
    /// Token account that the client is refunded into. Written by `open` and `redirect`.
    pub refund: Address,
    /// The treasury's token account for fees in this mint. Written by `open`.
    pub fee_vault: Address,
    pub mint: Address,
    /// PDA `["vault", job]`.
    pub vault: Address,
    /// Gets the rent of job and vault back.
    pub rent_payer: Address,
    pub spec_hash: [u8; 32],
    pub input_hash: [u8; 32],
    /// All zero until `submit`.
    pub result_hash: [u8; 32],
    /// The client's number for it.
    pub id: PodU64,
    /// Base units that the client locked.
    pub budget: PodU64,
    /// Base units that the provider asked for, fee included. Written by `accept`.
    pub price: PodU64,
    /// Base units, once settled: the provider's part that has not been paid yet.
    pub owed_provider: PodU64,
    /// Base units, once settled: the fee that has not been paid yet.
    pub owed_fee: PodU64,
    /// Base units, once settled or refunded: the client's part that has not been paid yet.
    pub owed_client: PodU64,
    /// Unix seconds, like all times here.
    pub opened_at: PodI64,
    pub accept_by: PodI64,
    pub deliver_by: PodI64,
    pub settle_after: PodI64,
    /// Seconds.
    pub work_window: PodU32,
    /// Seconds.
    pub review_window: PodU32,
    /// The protocol's fee when the job was opened.
    pub fee_bps: PodU16,
    /// A `JobStatus`.
    pub status: u8,
    /// A `Verification`.
    pub verification: u8,
    pub bump: u8,
    pub reserved: [u8; 67],
}

/// The addresses and the fee that `open` writes down.
pub struct Opening {
    pub client: Address,
    pub refund: Address,
    pub fee_vault: Address,
    pub mint: Address,
    pub vault: Address,
    pub rent_payer: Address,
    pub fee: Bps,
    pub id: u64,
    pub bump: u8,
}

impl Job {
    #[inline(always)]
    pub fn open(&mut self, o: &Opening, terms: &Terms, now: UnixTime) -> Result<()> {
        self.client = o.client;
        self.refund = o.refund;
        self.fee_vault = o.fee_vault;
        self.mint = o.mint;
        self.vault = o.vault;
        self.rent_payer = o.rent_payer;
        self.spec_hash = terms.spec_hash;
        self.input_hash = terms.input_hash;
        self.id = o.id.into();
        self.budget = terms.budget.into();
        self.opened_at = now.get().into();
        self.accept_by = after(now, terms.accept_window)?;
        self.work_window = terms.work_window.into();
        self.review_window = terms.review_window.into();
        self.fee_bps = o.fee.get().into();
        self.status = JobStatus::Open as u8;
        self.verification = terms.verification;
        self.bump = o.bump;
        self.invariant()
    }

    #[inline(always)]
    pub fn accept(&mut self, price: Amount, now: UnixTime) -> Result<()> {
        self.require(JobStatus::Open)?;
        require!(now.get() <= self.accept_by.get(), EscrowError::AcceptWindowClosed);
        require!(!price.is_zero() && price.get() <= self.budget.get(), EscrowError::PriceOutOfRange);
        self.price = price.get().into();
        self.deliver_by = after(now, self.work_window.get())?;
        self.status = JobStatus::Accepted as u8;
        self.invariant()
    }

    #[inline(always)]
    pub fn submit(&mut self, result_hash: &[u8; 32], now: UnixTime) -> Result<()> {
        self.require(JobStatus::Accepted)?;
        require!(now.get() <= self.deliver_by.get(), EscrowError::WorkWindowClosed);
        require!(*result_hash != [0; 32], EscrowError::MissingResult);
        self.result_hash = *result_hash;
        self.settle_after = after(now, self.review_window.get())?;
        self.status = JobStatus::Delivered as u8;
        self.invariant()
    }

    /// The client names the result it agrees to, so that its signature is good for nothing else.
    #[inline(always)]
    pub fn approve(&mut self, result_hash: &[u8; 32]) -> Result<()> {
        self.require(JobStatus::Delivered)?;
        require!(*result_hash == self.result_hash, EscrowError::WrongResult);
        self.earn()
    }

    #[inline(always)]
    pub fn settle(&mut self, now: UnixTime) -> Result<()> {
        self.require(JobStatus::Delivered)?;
        require!(now.get() >= self.settle_after.get(), EscrowError::ReviewWindowOpen);
        self.earn()
    }

    /// Divides the price between provider and protocol; the rest of the vault is the client's.
    #[inline(always)]
    fn earn(&mut self) -> Result<()> {
        let fee = Bps::new(self.fee_bps.get()).ok_or(EscrowError::InvariantBroken)?;
        let shares = split::part(Amount::ZERO, Amount::new(self.price.get()), fee).ok_or(EscrowError::Overflow)?;
        self.owed_provider = shares.rest.get().into();
        self.owed_fee = shares.fee.get().into();
        self.status = JobStatus::Settled as u8;
        self.invariant()
    }

    #[inline(always)]
    pub fn cancel(&mut self) -> Result<RefundReason> {
        self.require(JobStatus::Open)?;
        self.status = JobStatus::Refunded as u8;
        Ok(RefundReason::Cancelled)
    }

    #[inline(always)]
    pub fn expire(&mut self, now: UnixTime) -> Result<RefundReason> {
        let (deadline, reason) = match self.status()? {
            JobStatus::Open => (self.accept_by, RefundReason::NotAccepted),
            JobStatus::Accepted => (self.deliver_by, RefundReason::NotDelivered),
            _ => return Err(EscrowError::WrongState.into()),
        };
        require!(now.get() > deadline.get(), EscrowError::NotExpired);
        self.status = JobStatus::Refunded as u8;
        Ok(reason)
    }

    /// The client moves its refund, the payout owner the provider's payment, into an account of its own if `is_own`. Not
    /// while the job is delivered: whoever has it settled must be able to rely on the accounts it names.
    #[inline(always)]
    pub fn redirect(&mut self, payee: &Address, account: Address, is_own: bool) -> Result<()> {
        let (is_client, is_provider) = (*payee == self.client, *payee == self.payout_owner);
        require!(is_client || is_provider, EscrowError::NotPayee);
        let early = matches!(self.status()?, JobStatus::Open | JobStatus::Accepted);
        let late = !early && self.status != JobStatus::Delivered as u8;
        let moves_refund = is_client && (early || late && self.owed_client.get() > 0);
        let moves_payout = is_provider && (early || late && self.owed_provider.get() > 0);
        require!(moves_refund || moves_payout, EscrowError::NothingToRedirect);
        if moves_refund {
            self.refund = account;
        }
        if moves_payout {
            require!(is_own, EscrowError::WrongPayoutOwner);
            self.payout = account;
        }
        Ok(())
    }

    /// What each party is to receive of a vault that holds `balance`. Whatever provider and protocol have not earned is
    /// the client's, and so is what a stranger sent to the vault: it cannot keep the vault from being closed.
    #[inline(always)]
    pub fn dues(&self, balance: Amount) -> Result<Dues> {
        let (provider, fee) = (Amount::new(self.owed_provider.get()), Amount::new(self.owed_fee.get()));
        let earned = provider.checked_add(fee).ok_or(EscrowError::Overflow)?;
        let client = balance.checked_sub(earned).ok_or(EscrowError::InvariantBroken)?;
        Ok(Dues { provider, fee, client })
    }

    /// Writes down what is still owed after a payment.
    #[inline(always)]
    pub fn owe(&mut self, dues: &Dues) {
        self.owed_provider = dues.provider.get().into();
        self.owed_fee = dues.fee.get().into();
        self.owed_client = dues.client.get().into();
    }

    #[inline(always)]
    pub fn status(&self) -> Result<JobStatus> {
        match self.status {
            1 => Ok(JobStatus::Open),
            2 => Ok(JobStatus::Accepted),
            3 => Ok(JobStatus::Delivered),
            4 => Ok(JobStatus::Settled),
            5 => Ok(JobStatus::Refunded),
            _ => Err(EscrowError::WrongState.into()),
        }
    }

    #[inline(always)]
    pub fn require(&self, status: JobStatus) -> Result<()> {
        require!(self.status == status as u8, EscrowError::WrongState);
        Ok(())
    }

    /// The price lies within the budget, and no more is owed out of it than the price.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        let (budget, price) = (self.budget.get(), self.price.get());
        let owed = self.owed_provider.get().checked_add(self.owed_fee.get()).ok_or(EscrowError::Overflow)?;
        require!(price <= budget && owed <= price, EscrowError::InvariantBroken);
        Ok(())
    }
}

#[inline(always)]
fn after(now: UnixTime, seconds: u32) -> Result<PodI64> {
    let moment = now.checked_add(Seconds::new(seconds)).ok_or(EscrowError::Overflow)?;
    Ok(moment.get().into())
}
