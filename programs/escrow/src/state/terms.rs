//! What a client asks for.

use crate::{
    constants::{MAX_BOND_BPS, MAX_JURORS, MAX_VOTE_WINDOW, MAX_WINDOW, MIN_BOND_BPS, MIN_PANEL_WINDOW},
    error::EscrowError,
};
use anchor_lang::prelude::*;

/// Who decides whether a challenged result is right. A number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verification {
    /// Nobody: the client approves, or its silence through the review window settles. A result cannot be challenged.
    Review = 0,
    /// Any number of bonded providers that meet the job's requirements run it again; the majority by bond is right.
    Quorum = 1,
    /// Resolvers drawn by lot from the panel that was fixed before; their majority by stake is right.
    Panel = 2,
}

impl Verification {
    #[inline(always)]
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Review),
            1 => Ok(Self::Quorum),
            2 => Ok(Self::Panel),
            _ => Err(EscrowError::UnknownVerification.into()),
        }
    }
}

/// What a price means. A number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Pricing {
    /// For the whole job.
    Fixed = 0,
    /// For each second that the provider has reported, until the budget is used up.
    PerSecond = 1,
}

/// The terms of a job; fixed when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Terms {
    /// Base units of the mint.
    pub budget: u64,
    /// SHA-256 of the job spec: module, fuel, memory and time limits.
    pub spec_hash: [u8; 32],
    /// SHA-256 of the input.
    pub input_hash: [u8; 32],
    /// Seconds in which the job can be accepted.
    pub accept_window: u32,
    /// Seconds in which bids are taken, within the accept window. 0: whoever accepts first has the job.
    pub bid_window: u32,
    /// Seconds from accepting to delivering.
    pub work_window: u32,
    /// Seconds from delivering until silence settles.
    pub review_window: u32,
    /// Seconds of each step of a dispute; 0 for `Review`.
    pub vote_window: u32,
    /// What the provider locks of its bond, in basis points of its price, or of the budget if it is paid by the second.
    pub bond_bps: u16,
    /// A `Verification`.
    pub verification: u8,
    /// A `Pricing`.
    pub pricing: u8,
    /// `Quorum`: votes without which nothing is decided. `Panel`: members of the first panel. Odd; 0 for `Review`.
    pub jurors: u8,
    /// Paid by the second: the most that a provider may ask for a second, in base units. 0 for a fixed price.
    pub max_rate: u64,
}

impl Terms {
    /// `min_budget` in base units.
    #[inline(always)]
    pub fn validate(&self, min_budget: u64) -> Result<()> {
        require!(self.budget > 0 && self.budget >= min_budget, EscrowError::BudgetTooSmall);
        let windows = [self.accept_window, self.work_window, self.review_window];
        require!(windows.iter().all(|w| (1..=MAX_WINDOW).contains(w)), EscrowError::WindowOutOfRange);
        require!(self.bid_window < self.accept_window, EscrowError::WindowOutOfRange);
        require!(self.spec_hash != [0; 32] && self.input_hash != [0; 32], EscrowError::MissingHash);
        require!((MIN_BOND_BPS..=MAX_BOND_BPS).contains(&self.bond_bps), EscrowError::BondOutOfRange);
        require!(self.pricing <= Pricing::PerSecond as u8, EscrowError::UnknownPricing);
        require!((self.max_rate > 0) == (self.pricing == Pricing::PerSecond as u8), EscrowError::RateOutOfRange);
        match Verification::from_number(self.verification)? {
            Verification::Review => {
                require!(self.vote_window == 0 && self.jurors == 0, EscrowError::NoJudge);
            }
            mode => {
                let shortest = if mode == Verification::Panel { MIN_PANEL_WINDOW } else { 1 };
                require!((shortest..=MAX_VOTE_WINDOW).contains(&self.vote_window), EscrowError::WindowOutOfRange);
                require!(self.jurors <= MAX_JURORS && self.jurors % 2 == 1, EscrowError::JurorsOutOfRange);
            }
        }
        Ok(())
    }
}
