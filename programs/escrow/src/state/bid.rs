//! A provider's offer to do a job.

use crate::state::Engagement;
use anchor_lang::prelude::*;
use joule_units::Amount;

/// PDA `["bid", job, provider]`. It binds: its claim on the provider's bond stays locked until the job is given to somebody
/// or ends. Closed when it wins, or by `withdraw_bid` once the job has left `Open`.
#[account]
pub struct Bid {
    pub job: Address,
    /// The registry's `Provider`.
    pub provider: Address,
    pub authority: Address,
    pub payout_owner: Address,
    /// Token account of the payout owner.
    pub payout: Address,
    /// The staking program's `Claim`, made for this bid; it becomes the job's if the bid wins.
    pub claim: Address,
    pub claim_payer: Address,
    /// Gets the rent of this account back.
    pub rent_payer: Address,
    /// Base units, or base units a second.
    pub price: PodU64,
    /// Base units locked of the bond.
    pub exposure: PodU64,
    /// Unix seconds.
    pub placed_at: PodI64,
    pub bump: u8,
    pub reserved: [u8; 31],
}

impl Bid {
    #[inline(always)]
    pub fn place(&mut self, job: Address, e: &Engagement, rent_payer: Address, now: i64, bump: u8) {
        self.job = job;
        self.provider = *e.provider;
        self.authority = *e.authority;
        self.payout_owner = *e.payout_owner;
        self.payout = *e.payout;
        self.claim = *e.claim;
        self.claim_payer = *e.claim_payer;
        self.rent_payer = rent_payer;
        self.price = e.price.get().into();
        self.exposure = e.exposure.get().into();
        self.placed_at = now.into();
        self.bump = bump;
    }

    #[inline(always)]
    pub fn engagement(&self) -> Engagement<'_> {
        Engagement {
            provider: &self.provider,
            authority: &self.authority,
            payout_owner: &self.payout_owner,
            payout: &self.payout,
            claim: &self.claim,
            claim_payer: &self.claim_payer,
            price: Amount::new(self.price.get()),
            exposure: Amount::new(self.exposure.get()),
        }
    }
}
