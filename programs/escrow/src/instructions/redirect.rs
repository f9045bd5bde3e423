//! A payee names another token account: its old one may be closed, frozen, or lost for ever.

use crate::{event::JobRedirected, state::Job, token};
use anchor_lang::prelude::*;
use joule_events::emit_event;

#[event_cpi]
#[derive(Accounts)]
pub struct Redirect {
    /// The client moves its refund, the payout owner the provider's payment; whoever is both moves both.
    pub payee: Signer,
    #[account(mut)]
    pub job: Account<Job>,
    /// A token account of the job's mint that can receive now; the provider's must be the payout owner's.
    pub account: UncheckedAccount,
}

impl Redirect {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        token::require_payee(self.account.account(), &self.job)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Redirect>) -> Result<()> {
    ctx.accounts.validate()?;
    let (payee, account) = (*ctx.accounts.payee.address(), *ctx.accounts.account.address());
    let is_own = token::is_owned_by(ctx.accounts.account.account(), &payee);
    ctx.accounts.job.redirect(&payee, account, is_own)?;
    emit_event!(ctx, JobRedirected { job: *ctx.accounts.job.address(), by: payee, account });
    Ok(())
}
