//! A provider takes an open job.

use crate::{error::EscrowError, event::JobAccepted, state::Job, token};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_registry::state::Provider;
use joule_treasury::state::{Protocol, Service};
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Accept {
    pub authority: Signer,
    /// Owner and discriminator prove that the registry made it; whose it is, `validate` checks.
    pub provider: Account<Provider>,
    #[account(mut)]
    pub job: Account<Job>,
    /// Token account of the provider's payout owner that the price will be paid into.
    pub payout: UncheckedAccount,
    pub protocol: Account<Protocol>,
}

impl Accept {
    #[inline(always)]
    fn validate(&self, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Escrow, now), EscrowError::Paused);
        require!(address_eq(&self.provider.authority, self.authority.address()), EscrowError::NotProviderAuthority);
        require!(self.provider.is_active(), EscrowError::ProviderNotActive);
        // A vault that paid into itself could never be emptied.
        require!(!address_eq(self.payout.address(), &self.job.vault), EscrowError::PaysItself);
        let payout = self.payout.account();
        require!(token::is_receiver(payout, &self.job.mint), EscrowError::CannotReceive);
        // A stolen authority key must not be able to send the earnings elsewhere.
        require!(token::is_owned_by(payout, &self.provider.payout_owner), EscrowError::WrongPayoutOwner);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Accept>, price: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.validate(UnixTime::new(now))?;
    let provider = *ctx.accounts.provider.address();
    let job = &mut ctx.accounts.job;
    job.accept(Amount::new(price), UnixTime::new(now))?;
    job.provider = provider;
    job.provider_authority = ctx.accounts.provider.authority;
    job.payout_owner = ctx.accounts.provider.payout_owner;
    job.payout = *ctx.accounts.payout.address();
    emit_event!(
        ctx,
        JobAccepted {
            job: *ctx.accounts.job.address(),
            client: ctx.accounts.job.client,
            provider,
            price: price.into(),
            accepted_at: now.into(),
            deliver_by: ctx.accounts.job.deliver_by,
        }
    );
    Ok(())
}
