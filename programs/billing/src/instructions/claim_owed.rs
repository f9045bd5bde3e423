//! Whoever is owed something takes it to another account: its old one may be closed, frozen, or lost for ever.

use crate::{
    constants::PROVIDER,
    error::BillingError,
    event::OwedClaimed,
    state::{Channel, Payer},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_registry::state::PriceList;

#[event_cpi]
#[derive(Accounts)]
pub struct ClaimOwed {
    /// Owner of the share: the price list's, or the provider's payout owner.
    pub owner: Signer,
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(mut, address = payer.vault @ BillingError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(address = channel.prices @ BillingError::WrongPrices)]
    pub prices: Account<PriceList>,
    /// A token account of the owner's.
    #[account(mut)]
    pub destination: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl ClaimOwed {
    /// The protocol has no owner that could sign, and its account is always there.
    #[inline(always)]
    fn validate(&self, index: u8) -> Result<()> {
        let owner = match index as usize {
            PROVIDER => &self.channel.payout_owner,
            place => &self.prices.parties().get(place).ok_or(BillingError::NothingOwed)?.owner,
        };
        require!(address_eq(owner, self.owner.address()), BillingError::NotPayee);
        let destination = self.destination.account();
        require!(token::is_receiver(destination, &self.channel.mint), BillingError::CannotReceive);
        require!(token::is_owned_by(destination, owner), BillingError::NotPayee);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ClaimOwed>, index: u8) -> Result<()> {
    ctx.accounts.validate(index)?;
    let now = Clock::get()?.unix_timestamp;
    let accounts = &mut ctx.accounts;
    let amount = accounts.channel.take_owed(index as usize)?;
    require!(!amount.is_zero(), BillingError::NothingOwed);
    accounts.channel.let_go(amount)?;
    accounts.payer.spend(amount)?;
    token::pay(
        accounts.vault.account(),
        &accounts.payer,
        accounts.destination.account(),
        amount,
        accounts.token_program.address(),
    )?;
    let event = OwedClaimed {
        channel: *accounts.channel.address(),
        owner: *accounts.owner.address(),
        destination: *accounts.destination.address(),
        amount: amount.get().into(),
        at: now.into(),
        party: index,
    };
    emit_event!(ctx, event);
    Ok(())
}
