//! A provider that is paid by the second says how long it has worked.

use crate::{error::EscrowError, event::WorkReported, state::Job};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct Report {
    #[account(address = job.provider_authority @ EscrowError::NotProvider)]
    pub authority: Signer,
    #[account(mut)]
    pub job: Account<Job>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Report>, seconds: u32, progress_hash: [u8; 32]) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.job.report(seconds, now)?;
    emit_event!(
        ctx,
        WorkReported {
            job: *ctx.accounts.job.address(),
            provider: ctx.accounts.job.provider,
            progress_hash,
            seconds: seconds.into(),
            reported_at: now.get().into(),
        }
    );
    Ok(())
}
