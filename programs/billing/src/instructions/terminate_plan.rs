//! Owner or provider ends a plan; the lockup pays for the notice.

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
    fn validate(&self) -> Result<()> {
        let (party, channel) = (self.party.address(), &self.channel);
        let is_party = address_eq(party, &channel.owner) || address_eq(party, &channel.authority);
        require!(is_party, BillingError::NotParty);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<TerminatePlan>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut ctx.accounts;
    let (amount, closes) = accounts.plan.terminate(&mut accounts.payer, &mut accounts.channel, UnixTime::new(now))?;
    let event = PlanTerminated {
        plan: *accounts.plan.address(),
        channel: *accounts.channel.address(),
        by: *accounts.party.address(),
        amount: amount.get().into(),
        ends_at: accounts.plan.ends_at,
        at: now.into(),
        closed: closes as u8,
    };
    emit_event!(ctx, event);
    if closes {
        let accounts = &mut ctx.accounts;
        let to = rent_receiver(accounts.rent_payer.account(), accounts.payer.account());
        accounts.plan.close(to)?;
    }
    Ok(())
}
