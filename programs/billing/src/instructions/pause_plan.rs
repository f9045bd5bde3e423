//! The provider stops a plan until the owner wants it again.

use crate::{
    error::BillingError,
    event::PlanPaused,
    state::{Channel, Payer, Plan},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct PausePlan {
    #[account(address = channel.authority @ BillingError::NotProvider)]
    pub authority: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut, address = plan.channel @ BillingError::WrongPlan)]
    pub channel: Account<Channel>,
    #[account(mut)]
    pub plan: Account<Plan>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<PausePlan>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut ctx.accounts;
    let amount = accounts.plan.pause(&mut accounts.payer, &mut accounts.channel, UnixTime::new(now))?;
    let (plan, channel) = (*accounts.plan.address(), *accounts.channel.address());
    emit_event!(ctx, PlanPaused { plan, channel, amount: amount.get().into(), at: now.into() });
    Ok(())
}
