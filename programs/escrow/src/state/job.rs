//! One job, from the budget being locked to the last unit being paid.

use crate::{
    error::EscrowError,
    math,
    state::{Pricing, Terms, Verification},
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::{split, sum, Amount, Bps, Seconds, UnixTime};

/// Every state that waits for somebody has a way on by time, which anyone may take. What a settled or refunded job owes waits
/// for its payee alone, and blocks nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum JobStatus {
    /// Waits for a provider, or for the client to pick a bid. After `bid_until`, `award_bid` gives it to the cheapest; after
    /// `accept_by`, `expire` refunds the client.
    Open = 1,
    /// Waits for the result. After `deliver_by`, `fail` refunds the client and slashes the provider's claim.
    Accepted = 2,
    /// Waits for the client's word, or for a challenge. From `settle_after` on, `settle` pays the provider.
    Delivered = 3,
    /// Earned by the provider; exists only while something is owed or a dispute is not wound up. `pay` pays what has become
    /// payable.
    Settled = 4,
    /// Goes back to the client; exists as long as `Settled` does. `pay` pays what has become payable.
    Refunded = 5,
    /// Waits for the jurors; the `Dispute` says until when. Then `resolve` pays by their verdict, and as if nobody had
    /// challenged if there is none.
    Challenged = 6,
}

/// Why a budget went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RefundReason {
    Cancelled = 0,
    NotAccepted = 1,
    NotDelivered = 2,
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
    /// The registry's `Requirements` that a provider must meet; all zero when there are none. Written by `open`.
    pub requirements: Address,
    /// The staking program's `Claim` on the provider's bond. Written when the job is taken.
    pub claim: Address,
    /// Gets the rent of the claim back. Written when the job is taken.
    pub claim_payer: Address,
    /// Who challenged the result; all zero until then.
    pub challenger: Address,
    /// Token account that the challenger is paid into. Written by `challenge` and `redirect`.
    pub challenger_account: Address,
    /// The cheapest bid so far; all zero before the first.
    pub best_bid: Address,
    pub spec_hash: [u8; 32],
    pub input_hash: [u8; 32],
    /// All zero until `submit`.
    pub result_hash: [u8; 32],
    /// The client's number for it.
    pub id: PodU64,
    /// Base units that the client locked.
    pub budget: PodU64,
    /// Base units that the provider asked for, fee included; by the second, what it has earned. Written when the job is
    /// taken or, by the second, when it is delivered or stopped.
    pub price: PodU64,
    /// Base units for each reported second; 0 when the price is fixed. Written when the job is taken.
    pub rate: PodU64,
    /// Base units: the most that a second may cost; 0 when the price is fixed.
    pub max_rate: PodU64,
    /// Base units that the provider has locked of its bond. Written when the job is taken.
    pub exposure: PodU64,
    /// Base units, or base units a second, of the cheapest bid.
    pub best_price: PodU64,
    /// Base units, once settled: the provider's part that has not been paid yet.
    pub owed_provider: PodU64,
    /// Base units, once settled: the fee that has not been paid yet.
    pub owed_fee: PodU64,
    /// Base units, once settled or refunded: the client's part that has not been paid yet.
    pub owed_client: PodU64,
    /// Base units, once a dispute is resolved: the challenger's part that has not been paid yet.
    pub owed_challenger: PodU64,
    /// Base units, once a dispute is resolved: set aside for the jurors until it is wound up.
    pub owed_jurors: PodU64,
    /// Unix seconds, like all times here.
    pub opened_at: PodI64,
    pub accept_by: PodI64,
    /// Until then bids are taken; 0 when there is no bidding.
    pub bid_until: PodI64,
    pub accepted_at: PodI64,
    pub deliver_by: PodI64,
    pub settle_after: PodI64,
    /// Seconds.
    pub work_window: PodU32,
    /// Seconds.
    pub review_window: PodU32,
    /// Seconds.
    pub vote_window: PodU32,
    /// Seconds of work that the provider has reported so far.
    pub reported: PodU32,
    pub bond_bps: PodU16,
    /// The protocol's fee when the job was opened.
    pub fee_bps: PodU16,
    /// A `JobStatus`.
    pub status: u8,
    /// A `Verification`.
    pub verification: u8,
    /// A `Pricing`.
    pub pricing: u8,
    pub jurors: u8,
    /// 1 from a challenge until its dispute is wound up.
    pub disputed: u8,
    pub bump: u8,
    pub reserved: [u8; 32],
}

/// The addresses and the fee that `open` writes down.
pub struct Opening {
    pub client: Address,
    pub refund: Address,
    pub fee_vault: Address,
    pub mint: Address,
    pub vault: Address,
    pub rent_payer: Address,
    pub requirements: Address,
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
        self.requirements = o.requirements;
        self.spec_hash = terms.spec_hash;
        self.input_hash = terms.input_hash;
        self.id = o.id.into();
        self.budget = terms.budget.into();
        self.opened_at = now.get().into();
        self.accept_by = after(now, terms.accept_window)?;
        if terms.bid_window > 0 {
            self.bid_until = after(now, terms.bid_window)?;
        }
        self.work_window = terms.work_window.into();
        self.review_window = terms.review_window.into();
        self.vote_window = terms.vote_window.into();
        self.bond_bps = terms.bond_bps.into();
        self.pricing = terms.pricing;
        self.max_rate = terms.max_rate.into();
        self.jurors = terms.jurors;
        self.fee_bps = o.fee.get().into();
        self.status = JobStatus::Open as u8;
        self.verification = terms.verification;
        self.bump = o.bump;
        self.invariant()
    }

    /// The provider says how many seconds it has worked: never fewer than before, never more than have passed.
    #[inline(always)]
    pub fn report(&mut self, seconds: u32, now: UnixTime) -> Result<()> {
        self.require(JobStatus::Accepted)?;
        require!(self.is_per_second(), EscrowError::FixedPrice);
        require!(now.get() <= self.deliver_by.get(), EscrowError::WorkWindowClosed);
        let elapsed = now.get().saturating_sub(self.accepted_at.get());
        require!(seconds >= self.reported.get() && seconds as i64 <= elapsed, EscrowError::SecondsOutOfRange);
        self.reported = seconds.into();
        Ok(())
    }

    #[inline(always)]
    pub fn submit(&mut self, result_hash: &[u8; 32], now: UnixTime) -> Result<()> {
        self.require(JobStatus::Accepted)?;
        require!(now.get() <= self.deliver_by.get(), EscrowError::WorkWindowClosed.aside());
        self.result_hash = *result_hash;
        require!(!is_zero(&self.result_hash), EscrowError::MissingResult);
        self.status = JobStatus::Delivered as u8;
        self.settle_after = after(now, self.review_window.get())?;
        self.meter()
    }

    /// The client stops work that is paid by the second, and pays for the seconds reported: at most the `seconds` that it
    /// agrees to.
    #[inline(always)]
    pub fn stop(&mut self, seconds: u32) -> Result<()> {
        self.require(JobStatus::Accepted)?;
        require!(self.is_per_second(), EscrowError::FixedPrice);
        require!(self.reported.get() <= seconds, EscrowError::TooManySeconds);
        self.meter()?;
        self.earn()
    }

    /// By the second, the price is what the reported seconds cost, and at most the budget. A fixed price stays as it was, and
    /// with it all that the invariant speaks of.
    #[inline(always)]
    fn meter(&mut self) -> Result<()> {
        if !self.is_per_second() {
            return Ok(());
        }
        let (rate, budget) = (Amount::new(self.rate.get()), Amount::new(self.budget.get()));
        self.price = math::metered(rate, self.reported.get(), budget).get().into();
        self.invariant()
    }

    /// Whoever has a part in the job has none in judging it.
    #[inline(always)]
    pub fn is_party(&self, who: &Address) -> bool {
        [&self.client, &self.provider_authority, &self.payout_owner].into_iter().any(|party| address_eq(party, who))
    }

    #[inline(always)]
    pub fn is_per_second(&self) -> bool {
        self.pricing == Pricing::PerSecond as u8
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

    /// The provider's claim, and the price that it has earned.
    #[inline(always)]
    pub fn earned(&self) -> (Address, Amount) {
        (self.claim, Amount::new(self.price.get()))
    }

    #[inline(always)]
    pub fn cancel(&mut self) -> Result<RefundReason> {
        self.require(JobStatus::Open)?;
        self.status = JobStatus::Refunded as u8;
        Ok(RefundReason::Cancelled)
    }

    #[inline(always)]
    pub fn expire(&mut self, now: UnixTime) -> Result<RefundReason> {
        self.require(JobStatus::Open)?;
        require!(now.get() > self.accept_by.get(), EscrowError::NotExpired);
        self.status = JobStatus::Refunded as u8;
        Ok(RefundReason::NotAccepted)
    }

    /// Nothing was delivered in time.
    #[inline(always)]
    pub fn fail(&mut self, now: UnixTime) -> Result<RefundReason> {
        self.require(JobStatus::Accepted)?;
        require!(now.get() > self.deliver_by.get(), EscrowError::NotExpired);
        self.status = JobStatus::Refunded as u8;
        Ok(RefundReason::NotDelivered)
    }

    /// Somebody says that the result is wrong; its deposit is in the vault from now on.
    #[inline(always)]
    pub fn challenge(&mut self, challenger: Address, account: Address, now: UnixTime) -> Result<Verification> {
        self.require(JobStatus::Delivered)?;
        let mode = Verification::from_number(self.verification)?;
        require!(mode != Verification::Review, EscrowError::NoJudge);
        require!(now.get() < self.settle_after.get(), EscrowError::ReviewWindowClosed);
        self.challenger = challenger;
        self.challenger_account = account;
        self.disputed = 1;
        self.status = JobStatus::Challenged as u8;
        Ok(mode)
    }

    /// A dispute ends; what each party is owed is written down by it.
    #[inline(always)]
    pub fn resolve(&mut self, awards: &math::Awards, is_paid: bool) -> Result<()> {
        self.require(JobStatus::Challenged)?;
        let jurors = awards.jurors[0].checked_add(awards.jurors[1]).ok_or(EscrowError::Overflow)?;
        self.owed_provider = awards.provider.get().into();
        self.owed_fee = awards.fee.get().into();
        self.owed_challenger = awards.challenger.get().into();
        self.owed_jurors = jurors.get().into();
        self.status = if is_paid { JobStatus::Settled } else { JobStatus::Refunded } as u8;
        Ok(())
    }

    #[inline(always)]
    pub fn status(&self) -> Result<JobStatus> {
        match self.status {
            1 => Ok(JobStatus::Open),
            2 => Ok(JobStatus::Accepted),
            3 => Ok(JobStatus::Delivered),
            4 => Ok(JobStatus::Settled),
            5 => Ok(JobStatus::Refunded),
            6 => Ok(JobStatus::Challenged),
            _ => Err(EscrowError::WrongState.into()),
        }
    }

    #[inline(always)]
    pub fn require(&self, status: JobStatus) -> Result<()> {
        require!(self.status == status as u8, EscrowError::WrongState);
        Ok(())
    }

    /// The price lies within the budget, and without a dispute no more is owed out of it than the price.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        let (budget, price) = (self.budget.get(), self.price.get());
        require!(price <= budget, EscrowError::InvariantBroken);
        let owed = sum(self.owed_provider.get(), self.owed_fee.get()).ok_or(EscrowError::Overflow)?;
        let is_within = owed <= price || self.status == JobStatus::Refunded as u8;
        require!(is_within || !address_eq(&self.challenger, &Address::default()), EscrowError::InvariantBroken);
        Ok(())
    }
}

/// As four words, which is cheaper than the memory syscall that comparing arrays becomes.
#[inline(always)]
pub(crate) fn is_zero(hash: &[u8; 32]) -> bool {
    address_eq(bytemuck::cast_ref::<[u8; 32], Address>(hash), &Address::new_from_array([0; 32]))
}

/// `seconds` after `now`.
#[inline(always)]
pub(super) fn after(now: UnixTime, seconds: u32) -> Result<PodI64> {
    match now.checked_add(Seconds::new(seconds)) {
        Some(moment) => Ok(moment.get().into()),
        None => Err(EscrowError::Overflow.aside()),
    }
}
