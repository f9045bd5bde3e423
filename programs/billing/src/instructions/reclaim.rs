//! The owner takes back what is neither reserved nor accrued.

use crate::{error::BillingError, event::Reclaimed, state::Payer, token};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Reclaim {
    #[account(address = payer.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut)]
    pub payer: Account<Payer>,
    #[account(mut, address = payer.vault @ BillingError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Chosen by the owner; the token program checks that it holds the same token.
    #[account(mut, unsafe(dup))]
    pub destination: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl Reclaim {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        require!(!address_eq(self.destination.address(), self.vault.address()), BillingError::PaysItself);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Reclaim>, amount: u64) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    ctx.accounts.payer.reclaim(Amount::new(amount), UnixTime::new(now))?;
    let accounts = &ctx.accounts;
    token::pay(
        accounts.vault.account(),
        &accounts.payer,
        accounts.destination.account(),
        Amount::new(amount),
        accounts.token_program.address(),
    )?;
    let payer = &accounts.payer;
    emit_event!(
        ctx,
        Reclaimed {
            payer: *payer.address(),
            destination: *accounts.destination.address(),
            amount: amount.into(),
            balance: payer.balance,
            reserved: payer.reserved,
            at: now.into(),
        }
    );
    Ok(())
}
