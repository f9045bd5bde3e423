//! The owner pays a channel by the second from now on.

use crate::{
    constants::PLAN_SEED,
    error::BillingError,
    event::PlanStarted,
    state::{Channel, Payer, Plan, Starting},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::{Protocol, Service};
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct StartPlan {
    /// Pays the rent and gets it back; may be the owner itself.
    #[account(mut, unsafe(dup))]
    pub rent_payer: Signer,
    #[account(address = payer.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(init, payer = rent_payer, seeds = [PLAN_SEED, channel.address().as_ref()], bump)]
    pub plan: Account<Plan>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    pub system_program: Program<System>,
}

impl StartPlan {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Billing, now), BillingError::Paused);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<StartPlan>, rate: u64, period: u32) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let accounts = &mut ctx.accounts;
    let starting = Starting {
        channel: *accounts.channel.address(),
        payer: *accounts.payer.address(),
        rent_payer: *accounts.rent_payer.address(),
        bump: ctx.bumps.plan,
    };
    accounts.plan.start(&starting, rate, period, &mut accounts.payer, &mut accounts.channel, now)?;
    let plan = &accounts.plan;
    let event = PlanStarted {
        plan: *plan.address(),
        channel: starting.channel,
        payer: starting.payer,
        rate: plan.rate,
        lockup: plan.lockup,
        at: now.get().into(),
        period: plan.period,
    };
    emit_event!(ctx, event);
    Ok(())
}
