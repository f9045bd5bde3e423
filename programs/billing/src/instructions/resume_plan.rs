//! The owner lets a paused plan go on.

use crate::{
    error::BillingError,
    event::PlanResumed,
    state::{Channel, Payer, Plan},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::{Protocol, Service};
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct ResumePlan {
    #[account(address = channel.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(address = plan.channel @ BillingError::WrongPlan)]
    pub channel: Account<Channel>,
    #[account(mut)]
    pub plan: Account<Plan>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
}

impl ResumePlan {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Billing, now), BillingError::Paused);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ResumePlan>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let accounts = &mut ctx.accounts;
    accounts.plan.resume(&mut accounts.payer, &accounts.channel, now)?;
    let (plan, channel) = (*accounts.plan.address(), *accounts.channel.address());
    emit_event!(ctx, PlanResumed { plan, channel, at: now.get().into() });
    Ok(())
}
