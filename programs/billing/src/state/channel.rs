//! One payer's spending at one provider, on one version of a model's prices.

use super::Session;
use crate::{
    constants::{MAX_BACKING_BPS, MAX_GRACE, MIN_GRACE, PROTOCOL},
    error::BillingError,
};
use anchor_lang::prelude::*;
use joule_units::{sum, Amount, Bps, UnixTime};

/// PDA `["channel", payer, number]`, closed by `close` once everything earned is paid.
///
/// It waits for nobody for ever. Open: for the next voucher, until either party ends it. From `closes_at` on: anyone gives the
/// unspent cap back to the payer, and `DISPUTE_PERIOD` later the provider's share is paid whether it was backed or not. From
/// `claimed_until` on, or once the provider was convicted, it is evidence for nothing and goes when everybody is paid. What
/// is owed to an account that cannot receive waits for its owner alone.
#[account]
pub struct Channel {
    /// PDA that holds the money.
    pub payer: Address,
    /// The payer's. Written by `open`, like everything else that names a party.
    pub owner: Address,
    /// The registry's `Provider`.
    pub provider: Address,
    /// The provider's key for work: signs receipts, backs bills, may close.
    pub authority: Address,
    /// Whose money the provider's share is.
    pub payout_owner: Address,
    /// Token account of the payout owner that the provider is paid into.
    pub payout: Address,
    /// The registry's `Model`.
    pub model: Address,
    /// The registry's `PriceList`: what requests cost, and who shares in it.
    pub prices: Address,
    pub mint: Address,
    /// The treasury's token account for fees in this mint.
    pub fee_vault: Address,
    /// Gets the rent of the channel back.
    pub rent_payer: Address,
    /// The staking program's `Claim` on the provider's bond; all zero until the first `back`.
    pub claim: Address,
    /// Who signs vouchers. Written by `open`, `set_session` and `apply_session`.
    pub session: Session,
    /// The session that is to follow; all zero when there is none. Written by `set_session`.
    pub staged: Session,
    /// What a voucher for this channel begins with: `joule_voucher::Context`.
    pub context: [u8; 32],
    /// Root of the tree over the receipts paid for. Written by `settle` and `settle_batch`.
    pub usage_root: [u8; 32],
    /// From when the staged session can hold, in Unix seconds; 0 when there is none.
    pub staged_at: PodI64,
    /// The most that vouchers may ever pay, in base units, as for all amounts here. Written by `open` and `top_up`; lowered to
    /// what is spent once the channel is closed.
    pub cap: PodU64,
    /// What vouchers have paid. Written by `settle` and `settle_batch`, and by `dispute_vouchers` for a payer that lost.
    pub settled: PodU64,
    /// Of the last voucher settled: how many receipts it pays for.
    pub sequence: PodU64,
    /// Of the last voucher settled: all usage so far in one number, for statistics. A batch leaves it as it is.
    pub units: PodU64,
    /// What plans have paid. Written by `settle_plan` and its like.
    pub accrued: PodU64,
    /// How much of what is earned the provider has locked a claim for. Written by `back`.
    pub backed: PodU64,
    /// How much of what is earned the shares of all but the provider were computed on. Written by `distribute`.
    pub paid: PodU64,
    /// How much of what is earned the provider's share was computed on. Written by `distribute`.
    pub collected: PodU64,
    /// What each party is due and could not be paid: the shares of the price list, the protocol, the provider.
    pub owed: [PodU64; 8],
    /// What of the payer's reserve is this channel's: the unspent cap, and what is earned and not paid.
    pub held: PodU64,
    /// The payer's number for it.
    pub number: PodU64,
    /// Unix seconds.
    pub opened_at: PodI64,
    /// From then on nothing more can be settled, in Unix seconds; 0 while the channel is open.
    pub closes_at: PodI64,
    /// How long the provider has to settle once the owner wants to close, in seconds.
    pub grace: PodU32,
    /// The protocol's fee when the channel was opened.
    pub fee_bps: PodU16,
    /// What the price list's shares take together.
    pub share_bps: PodU16,
    /// What the provider locks of its bond before it collects, in basis points of what is earned.
    pub backing_bps: PodU16,
    /// A flag for each `Verdict` that was reached. Written by the disputes.
    pub disputed: u8,
    /// 1 while there is a `Plan` on it.
    pub has_plan: u8,
    pub bump: u8,
    /// When the last tranche of the claim ends, in Unix seconds; 0 before the first. Written by `back`.
    pub claimed_until: PodI64,
    /// Of the cluster. Written by `open`.
    pub genesis_hash: [u8; 32],
    pub unused: [u8; 29],
}

/// What the owner asks for, and what it has seen, so that nothing can change between looking and opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ChannelTerms {
    /// Base units that are reserved.
    pub cap: u64,
    /// The session's key.
    pub signer: Address,
    /// The most that the session may spend, in base units.
    pub limit: u64,
    /// Unix seconds.
    pub session_expires_at: i64,
    /// Seconds.
    pub grace: u32,
    /// What the provider is to lock before it collects, in basis points of it; 0 is nothing.
    pub backing_bps: u16,
    /// The highest fee that the owner agrees to, in basis points.
    pub max_fee_bps: u16,
}

/// The addresses and numbers that `open` writes down beside the terms. Addresses are copied once, into the account.
pub struct Opening<'a> {
    pub payer: &'a Address,
    pub owner: &'a Address,
    pub provider: &'a Address,
    pub authority: &'a Address,
    pub payout_owner: &'a Address,
    pub payout: &'a Address,
    pub model: &'a Address,
    pub prices: &'a Address,
    pub mint: &'a Address,
    pub fee_vault: &'a Address,
    pub rent_payer: &'a Address,
    pub context: &'a [u8; 32],
    pub genesis_hash: &'a [u8; 32],
    pub fee: Bps,
    pub shares: Bps,
    pub number: u64,
    pub bump: u8,
}

/// What a signed message promises to a channel.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub sequence: u64,
    /// Base units, everything before included.
    pub cumulative: u64,
    /// Unix seconds.
    pub expires_at: i64,
}

impl Channel {
    #[inline(always)]
    pub fn open(&mut self, o: &Opening, terms: &ChannelTerms, now: UnixTime) -> Result<()> {
        require!(o.fee.get() <= terms.max_fee_bps, BillingError::FeeTooHigh);
        require!((MIN_GRACE..=MAX_GRACE).contains(&terms.grace), BillingError::GraceOutOfRange);
        require!(terms.backing_bps <= MAX_BACKING_BPS, BillingError::BackingOutOfRange);
        let session = Session::new(terms.signer, terms.limit, terms.session_expires_at);
        session.validate(now)?;
        self.payer = *o.payer;
        self.owner = *o.owner;
        self.provider = *o.provider;
        self.authority = *o.authority;
        self.payout_owner = *o.payout_owner;
        self.payout = *o.payout;
        self.model = *o.model;
        self.prices = *o.prices;
        self.mint = *o.mint;
        self.fee_vault = *o.fee_vault;
        self.rent_payer = *o.rent_payer;
        self.session = session;
        self.context = *o.context;
        self.genesis_hash = *o.genesis_hash;
        self.cap = terms.cap.into();
        self.held = terms.cap.into();
        self.number = o.number.into();
        self.opened_at = now.get().into();
        self.grace = terms.grace.into();
        self.fee_bps = o.fee.get().into();
        self.share_bps = o.shares.get().into();
        self.backing_bps = terms.backing_bps.into();
        self.bump = o.bump;
        self.others().map(|_| ())
    }

    /// Raises the cap.
    #[inline(always)]
    pub fn raise(&mut self, amount: Amount) -> Result<()> {
        require!(!amount.is_zero(), BillingError::ZeroAmount);
        require!(self.closes_at.get() == 0, BillingError::AlreadyClosing);
        self.cap = sum(self.cap.get(), amount.get()).ok_or(BillingError::Overflow)?.into();
        self.hold(amount)
    }

    /// Takes a promise whose signature and context the caller has checked. The one that pays most wins, in whatever order they
    /// come. Its number says nothing here: a payer that settles one unit under the highest number there is would make all
    /// that the provider holds worthless.
    #[inline(always)]
    pub fn settle(&mut self, promise: &Promise, now: UnixTime) -> Result<()> {
        require!(promise.cumulative > self.settled.get(), BillingError::NothingNew);
        let is_within = promise.cumulative <= self.cap.get() && promise.cumulative <= self.session.limit.get();
        require!(is_within, BillingError::OverLimit);
        require!(promise.expires_at <= self.session.expires_at.get(), BillingError::OutlivesSession);
        require!(now.get() <= promise.expires_at, BillingError::VoucherExpired);
        require!(!self.is_closed(now), BillingError::ChannelClosed);
        self.settled = promise.cumulative.into();
        self.sequence = promise.sequence.into();
        Ok(())
    }

    /// What all parties together have earned, in base units.
    #[inline(always)]
    pub fn earned(&self) -> Result<u64> {
        Ok(sum(self.settled.get(), self.accrued.get()).ok_or(BillingError::Overflow)?)
    }

    /// A plan has paid.
    #[inline(always)]
    pub fn accrue(&mut self, amount: Amount) -> Result<()> {
        self.accrued = sum(self.accrued.get(), amount.get()).ok_or(BillingError::Overflow)?.into();
        self.hold(amount)
    }

    /// What of the payer's reserve came to this channel.
    #[inline(always)]
    pub(super) fn hold(&mut self, amount: Amount) -> Result<()> {
        self.held = sum(self.held.get(), amount.get()).ok_or(BillingError::Overflow)?.into();
        Ok(())
    }

    /// What left this channel, whoever got it.
    #[inline(always)]
    pub fn let_go(&mut self, amount: Amount) -> Result<()> {
        self.held = self.held.get().checked_sub(amount.get()).ok_or(BillingError::InvariantBroken)?.into();
        Ok(())
    }

    /// What the provider has to lock before it can collect everything earned: rounded up. Nothing, when it has.
    #[inline(always)]
    pub fn exposure(&self) -> Result<Amount> {
        let unbacked = self.earned()?.saturating_sub(self.backed.get()) as u128;
        let exposure = (unbacked * self.backing_bps.get() as u128).div_ceil(Bps::WHOLE as u128);
        Ok(Amount::new(u64::try_from(exposure).map_err(|_| ProgramError::from(BillingError::Overflow))?))
    }

    /// A claim has been locked for all that is earned, until then at the latest.
    #[inline(always)]
    pub fn back(&mut self, claim: Address, until: i64) -> Result<()> {
        self.backed = self.earned()?.into();
        self.claim = claim;
        // Should the clock step back, what is claimed already ends no earlier.
        self.claimed_until = until.max(self.claimed_until.get()).into();
        Ok(())
    }

    /// What all but the provider take together.
    #[inline(always)]
    pub(super) fn others(&self) -> Result<Bps> {
        Bps::new(self.share_bps.get().saturating_add(self.fee_bps.get())).ok_or(BillingError::InvariantBroken.into())
    }

    #[inline(always)]
    pub fn owes(&self) -> bool {
        self.owed.iter().any(|owed| owed.get() > 0)
    }

    /// Adds to what a party is owed. What it is owed is held already.
    #[inline(always)]
    pub(super) fn owe(&mut self, party: usize, amount: Amount) -> Result<()> {
        self.owed[party] = sum(self.owed[party].get(), amount.get()).ok_or(BillingError::Overflow)?.into();
        Ok(())
    }

    /// The treasury's part of a slashed bond, which has come into the payer's vault.
    #[inline(always)]
    pub fn owe_protocol(&mut self, amount: Amount) -> Result<()> {
        self.owe(PROTOCOL, amount)?;
        self.hold(amount)
    }
}
