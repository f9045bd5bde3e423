//! A bond's owner, or its withdrawer, names a service that may lock it, or takes the name back.

use crate::{
    error::StakingError,
    event::ServiceNamed,
    state::{Bond, Service},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct NameService {
    /// The bond's owner or its withdrawer.
    pub party: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    pub service: Account<Service>,
}

impl NameService {
    #[inline(always)]
    fn validate(&self, named: bool, now: UnixTime) -> Result<()> {
        let (who, bond) = (self.party.address(), &self.bond);
        let is_own = address_eq(who, &bond.owner) || address_eq(who, &bond.withdrawer);
        require!(is_own, StakingError::NotBondsOwn);
        if named {
            self.service.require_in_force(now)?;
        }
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<NameService>, named: bool) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(named, now)?;
    let (bond, service) = (&mut ctx.accounts.bond, &ctx.accounts.service);
    bond.name(service, named);
    emit_event!(
        ctx,
        ServiceNamed {
            bond: *ctx.accounts.bond.address(),
            service: *ctx.accounts.service.address(),
            program: ctx.accounts.service.program,
            at: now.get().into(),
            number: ctx.accounts.service.number,
            named: named as u8,
        }
    );
    Ok(())
}
