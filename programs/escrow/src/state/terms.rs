//! What a client asks for.

use crate::{constants::MAX_WINDOW, error::EscrowError};
use anchor_lang::prelude::*;

/// How it is decided whether a result is right. More ways will follow; a number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verification {
    /// The client approves, or its silence through the review window settles.
    Review = 0,
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
    /// Seconds from accepting to delivering.
    pub work_window: u32,
    /// Seconds from delivering until silence settles.
    pub review_window: u32,
    /// A `Verification`.
    pub verification: u8,
}

impl Terms {
    /// `min_budget` in base units.
    #[inline(always)]
    pub fn validate(&self, min_budget: u64) -> Result<()> {
        require!(self.budget > 0 && self.budget >= min_budget, EscrowError::BudgetTooSmall);
        let windows = [self.accept_window, self.work_window, self.review_window];
        require!(windows.iter().all(|w| (1..=MAX_WINDOW).contains(w)), EscrowError::WindowOutOfRange);
        require!(self.spec_hash != [0; 32] && self.input_hash != [0; 32], EscrowError::MissingHash);
        require!(self.verification == Verification::Review as u8, EscrowError::UnknownVerification);
        Ok(())
    }
}
