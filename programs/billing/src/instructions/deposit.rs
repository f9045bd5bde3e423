//! Anyone adds to a payer's deposit; what running plans missed is paid first.

use crate::{error::BillingError, event::Deposited, state::Payer, token};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Deposit {
    /// Owns `source`, or may spend from it; the token program checks that.
    pub depositor: Signer,
    #[account(mut)]
    pub payer: Account<Payer>,
    #[account(mut, address = payer.vault @ BillingError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(mut)]
    pub source: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Deposit>, amount: u64) -> Result<()> {
    require!(amount > 0, BillingError::ZeroAmount);
    let now = Clock::get()?.unix_timestamp;
    let arrived = token::receive(
        ctx.accounts.source.account(),
        ctx.accounts.vault.account(),
        ctx.accounts.depositor.account(),
        Amount::new(amount),
        ctx.accounts.token_program.address(),
    )?;
    ctx.accounts.payer.deposit(arrived, UnixTime::new(now))?;
    emit_event!(ctx, Deposited::of(&ctx.accounts.payer, ctx.accounts.depositor.address(), arrived.get(), now));
    Ok(())
}
