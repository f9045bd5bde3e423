//! The owner reserves more for a channel.

use crate::{
    error::BillingError,
    event::ChannelToppedUp,
    state::{Channel, Payer},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::{Protocol, Service};
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct TopUp {
    #[account(address = payer.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
}

impl TopUp {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Billing, now), BillingError::Paused);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<TopUp>, amount: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(now)?;
    let (payer, channel) = (&mut ctx.accounts.payer, &mut ctx.accounts.channel);
    payer.sync(now)?;
    payer.reserve(Amount::new(amount))?;
    channel.raise(Amount::new(amount))?;
    let channel = &ctx.accounts.channel;
    emit_event!(
        ctx,
        ChannelToppedUp { channel: *channel.address(), added: amount.into(), cap: channel.cap, at: now.get().into() }
    );
    Ok(())
}
