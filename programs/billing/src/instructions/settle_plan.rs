//! What a plan has made is brought to its channel, and a plan that has ended is closed; anyone may see to it.

use crate::{
    error::BillingError,
    event::PlanSettled,
    instructions::close::rent_receiver,
    state::{Channel, Payer, Plan},
};
use anchor_lang::{prelude::*, AccountClose};
use joule_events::emit_event;
use joule_units::UnixTime;

/// Nobody needs to sign: the plan says how much it is.
#[event_cpi]
#[derive(Accounts)]
pub struct SettlePlan {
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut, address = plan.channel @ BillingError::WrongPlan)]
    pub channel: Account<Channel>,
    #[account(mut)]
    pub plan: Account<Plan>,
    #[account(mut, unsafe(dup), address = plan.rent_payer @ BillingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<SettlePlan>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut ctx.accounts;
    let (amount, closes) = accounts.plan.settle(&mut accounts.payer, &mut accounts.channel, UnixTime::new(now))?;
    let (plan, channel) = (&accounts.plan, &accounts.channel);
    emit_event!(
        ctx,
        PlanSettled {
            plan: *plan.address(),
            channel: *channel.address(),
            amount: amount.get().into(),
            settled_until: plan.settled_until,
            at: now.into(),
            closed: closes as u8,
        }
    );
    if closes {
        let accounts = &mut ctx.accounts;
        let to = rent_receiver(accounts.rent_payer.account(), accounts.payer.account());
        accounts.plan.close(to)?;
    }
    Ok(())
}
