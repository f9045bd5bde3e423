//! Owner or provider ends a plan; the lockup pays for the notice that an owner has to give.

use crate::{
    error::BillingError,
    event::PlanTerminated,
    instructions::close::rent_receiver,
    state::{Channel, Payer, Plan},
};
use anchor_lang::{address_eq, prelude::*, AccountClose};
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct TerminatePlan {
    /// The channel's owner, or its provider's authority.
    pub party: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut, address = plan.channel @ BillingError::WrongPlan)]
    pub channel: Account<Channel>,
    #[account(mut)]
    pub plan: Account<Plan>,
    #[account(mut, unsafe(dup), address = plan.rent_payer @ BillingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

impl TerminatePlan {
    #[inline(always)]
    fn is_by_owner(&self) -> Result<bool> {
        let (party, channel) = (self.party.address(), &self.channel);
        let is_owner = address_eq(party, &channel.owner);
        require!(is_owner || address_eq(party, &channel.authority), BillingError::NotParty);
        Ok(is_owner)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<TerminatePlan>) -> Result<()> {
    let by_owner = ctx.accounts.is_by_owner()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let accounts = &mut ctx.accounts;
    let (amount, closes) = accounts.plan.terminate(&mut accounts.payer, &mut accounts.channel, by_owner, now)?;
    let (plan, channel) = (&accounts.plan, &accounts.channel);
    emit_event!(
        ctx,
        PlanTerminated {
            plan: *plan.address(),
            channel: *channel.address(),
            by: *accounts.party.address(),
            amount: amount.get().into(),
            ends_at: plan.ends_at,
            at: now.get().into(),
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
