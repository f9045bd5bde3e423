//! The provider locks a part of its bond behind what a channel has earned, and can collect from then on.

use crate::{constants::DISPUTE_PERIOD, error::BillingError, event::Backed, groups::*, state::Channel};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Seconds, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Back {
    /// Pays the rent of the claim and gets it back; may be the provider's authority.
    #[account(mut, unsafe(dup))]
    pub rent_payer: Signer,
    /// Of the provider, and the owner of its bond.
    #[account(address = channel.authority @ BillingError::NotProvider)]
    pub authority: Signer,
    #[account(mut)]
    pub channel: Account<Channel>,
    pub locking: Nested<Locking>,
    pub system_program: Program<System>,
}

impl Back {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        self.locking.require_bond(&self.channel.authority, &self.channel.mint)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Back>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let until = now.checked_add(Seconds::new(DISPUTE_PERIOD)).ok_or(BillingError::Overflow)?.get();
    let exposure = ctx.accounts.channel.exposure()?;
    require!(!exposure.is_zero(), BillingError::NothingToBack);
    ctx.accounts.locking.lock(&Lock {
        payer: ctx.accounts.rent_payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: *ctx.accounts.channel.address(),
        amount: exposure,
        until,
        bump: ctx.bumps.locking.claim_signer,
    })?;
    let claim = *ctx.accounts.locking.claim.address();
    ctx.accounts.channel.back(claim, until)?;
    let channel = &ctx.accounts.channel;
    emit_event!(
        ctx,
        Backed {
            channel: *channel.address(),
            provider: channel.provider,
            locked: exposure.get().into(),
            backed: channel.backed,
            until: until.into(),
            at: now.get().into(),
        }
    );
    Ok(())
}
