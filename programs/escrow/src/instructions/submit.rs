//! A provider delivers.

use crate::{error::EscrowError, event::JobDelivered, state::Job};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct Submit {
    #[account(address = job.provider_authority @ EscrowError::NotProvider)]
    pub authority: Signer,
    #[account(mut)]
    pub job: Account<Job>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Submit>, result_hash: &[u8; 32]) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let job = &mut ctx.accounts.job;
    job.submit(result_hash, UnixTime::new(now))?;
    emit_event!(
        ctx,
        JobDelivered {
            job: *job.address(),
            provider: job.provider,
            result_hash: job.result_hash,
            settle_after: job.settle_after,
        }
    );
    Ok(())
}
