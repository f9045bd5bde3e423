//! The withdrawer takes out what has waited long enough.

use crate::{error::StakingError, event::BondWithdrawn, state::Bond, vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct WithdrawBond {
    #[account(address = bond.withdrawer @ StakingError::NotWithdrawer)]
    pub withdrawer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    #[account(mut, address = bond.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Chosen by the withdrawer; the token program checks that it holds the same token.
    #[account(mut)]
    pub destination: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<WithdrawBond>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let amount = ctx.accounts.bond.withdraw(UnixTime::new(now))?;
    let accounts = &ctx.accounts;
    accounts.bond.sign(|signer| {
        vault::send(
            accounts.vault.account(),
            accounts.destination.account(),
            accounts.bond.account(),
            amount,
            accounts.token_program.address(),
            signer,
        )
    })?;
    emit_event!(
        ctx,
        BondWithdrawn {
            bond: *ctx.accounts.bond.address(),
            destination: *ctx.accounts.destination.address(),
            withdrawn: amount.get().into(),
            amount: ctx.accounts.bond.amount,
            at: now.into(),
        }
    );
    Ok(())
}
