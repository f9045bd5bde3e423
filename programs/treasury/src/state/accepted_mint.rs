//! A token that services take.

use anchor_lang::prelude::*;

/// PDA `["mint", mint]`.
#[account]
pub struct AcceptedMint {
    pub mint: Address,
    /// PDA `["fee_vault", mint]`, a token account whose authority is the `Protocol`.
    pub fee_vault: Address,
    /// The smallest payment a service takes, in base units, so that nobody is worn out by dust.
    pub min_amount: PodU64,
    /// 1 while new work may be paid in this token.
    pub enabled: u8,
    pub decimals: u8,
    pub bump: u8,
    pub reserved: [u8; 61],
}

impl AcceptedMint {
    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.enabled == 1
    }

    pub fn update(&mut self, enabled: bool, min_amount: u64) {
        self.enabled = enabled as u8;
        self.min_amount = min_amount.into();
    }
}
