//! A token that services take.

use crate::error::TreasuryError;
use anchor_lang::prelude::*;
use joule_units::Amount;

/// PDA `["mint", mint]`. Amounts in base units, times in Unix seconds.
///
/// What lies in the fee vault is `kept`, `owed_rewards`, and what has come in since they were last told apart.
#[account]
pub struct AcceptedMint {
    pub mint: Address,
    /// PDA `["fee_vault", mint]`, a token account whose authority is the `Protocol`.
    pub fee_vault: Address,
    /// Token account of this mint that the stakers' share of the fees goes to; all zero when they have none. Written by
    /// `set_rewards`.
    pub reward_vault: Address,
    /// The smallest payment a service takes, so that nobody is worn out by dust.
    pub min_amount: PodU64,
    /// The treasury's own part of the fee vault, which `withdraw_fees` takes from.
    pub kept: PodU64,
    /// The stakers' part of the fee vault, which `share_fees` takes from.
    pub owed_rewards: PodU64,
    /// The most that may leave the fee vault at once. Written by `accept_mint`, `set_breaker` and `apply_breaker`.
    pub outflow_limit: PodU64,
    /// What left the fee vault and still counted at `outflow_at`.
    pub outflow: PodU64,
    pub outflow_at: PodI64,
    /// A looser limit that is to follow. Written by `set_breaker`.
    pub staged_limit: PodU64,
    /// When the looser breaker can be applied; zero when none is staged.
    pub staged_at: PodI64,
    /// Seconds in which an outflow fades.
    pub outflow_window: PodU32,
    /// Seconds; goes with `staged_limit`.
    pub staged_window: PodU32,
    /// The stakers' share of the fees, in basis points.
    pub reward_bps: PodU16,
    /// How many units have been divided under the present share, modulo 10,000: where the next division goes on, so that
    /// dividing often costs nobody a unit.
    pub divided: PodU16,
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

    /// What treasury and stakers have lies in the fee vault.
    #[inline(always)]
    pub fn invariant(&self, balance: Amount) -> Result<()> {
        let claimed = self.kept.get().checked_add(self.owed_rewards.get()).ok_or(TreasuryError::InvariantBroken)?;
        require!(claimed <= balance.get(), TreasuryError::InvariantBroken);
        Ok(())
    }
}
