//! Anyone has the stakers' share of the fees sent to their reward vault, as far as the breaker allows.

use crate::{
    error::TreasuryError,
    event::FeesShared,
    instructions::withdraw_fees::transfer,
    state::{AcceptedMint, Protocol},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the mint's account names where fees come from and go to.
#[event_cpi]
#[derive(Accounts)]
pub struct ShareFees {
    pub protocol: Account<Protocol>,
    #[account(mut)]
    pub accepted_mint: Account<AcceptedMint>,
    #[account(mut, address = accepted_mint.fee_vault @ TreasuryError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    #[account(mut, address = accepted_mint.reward_vault @ TreasuryError::WrongRewardVault)]
    pub reward_vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl ShareFees {
    /// The vault may have been frozen, or closed and made again, since it was named.
    fn validate(&self) -> Result<()> {
        let receives = joule_token::is_receiver(self.reward_vault.account(), &self.accepted_mint.mint);
        require!(receives, TreasuryError::CannotReceive);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ShareFees>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let balance = joule_token::balance(ctx.accounts.fee_vault.account()).ok_or(TreasuryError::WrongFeeVault)?;
    let accepted = &mut ctx.accounts.accepted_mint;
    accepted.divide(balance)?;
    let amount = accepted.share(now)?;
    accepted.invariant(balance.checked_sub(amount).ok_or(TreasuryError::InvariantBroken)?)?;
    transfer(
        &ctx.accounts.protocol,
        ctx.accounts.fee_vault.account(),
        ctx.accounts.reward_vault.account(),
        amount,
        ctx.accounts.token_program.address(),
    )?;
    let accepted = &ctx.accounts.accepted_mint;
    emit_event!(
        ctx,
        FeesShared {
            mint: accepted.mint,
            reward_vault: accepted.reward_vault,
            amount: amount.get().into(),
            owed: accepted.owed_rewards,
            kept: accepted.kept,
        }
    );
    Ok(())
}
