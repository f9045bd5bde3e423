//! Pays what a settled or refunded job still owes, and closes it once that is all; anyone may see to it.

use crate::{error::EscrowError, event::JobPaid, groups::*, payout::Names, state::JobStatus};
use anchor_lang::prelude::*;
use joule_events::emit_event;

/// Nobody needs to sign: the job says who gets what. Where nothing is owed to somebody, any account may stand in its place.
#[event_cpi]
#[derive(Accounts)]
pub struct Pay {
    pub earnings: Nested<Earnings>,
    /// Compared with the job when it is paid.
    #[account(mut, unsafe(dup))]
    pub challenger: UncheckedAccount,
}

impl Pay {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        let status = self.earnings.job.status()?;
        require!(matches!(status, JobStatus::Settled | JobStatus::Refunded), EscrowError::WrongState);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Pay>) -> Result<()> {
    ctx.accounts.validate()?;
    let receipt = ctx.accounts.earnings.pay(Some(ctx.accounts.challenger.account()), Names::Later)?;
    emit_event!(ctx, JobPaid::new(ctx.accounts.earnings.job.address(), &receipt));
    ctx.accounts.earnings.close(&receipt)
}
