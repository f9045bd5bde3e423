//! An owner reserves a part of its deposit for one provider.

use crate::{
    constants::CHANNEL_SEED,
    error::BillingError,
    event::ChannelOpened,
    state::{Channel, ChannelTerms, Cluster, Opening, Payer},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_registry::state::{Model, PriceList, Provider};
use joule_token::Receiver;
use joule_treasury::state::{AcceptedMint, Protocol, Service};
use joule_units::{Amount, Bps, UnixTime};
use joule_voucher::{Context as MessageContext, Domain};

#[event_cpi]
#[derive(Accounts)]
#[instruction(number: u64)]
pub struct Open {
    /// Pays the rent and gets it back; may be the owner itself.
    #[account(mut, unsafe(dup))]
    pub rent_payer: Signer,
    #[account(address = payer.owner @ BillingError::NotOwner)]
    pub owner: Signer,
    #[account(mut)]
    pub payer: Account<Payer>,
    #[account(
        init, payer = rent_payer, seeds = [CHANNEL_SEED, payer.address().as_ref(), &number.to_le_bytes()], bump
    )]
    pub channel: Account<Channel>,
    /// Owner and discriminator prove that the registry made it, and so of the next two.
    pub provider: Account<Provider>,
    /// Token account of the provider's payout owner.
    pub payout: UncheckedAccount,
    pub model: Account<Model>,
    pub prices: Account<PriceList>,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    /// There is one `Cluster`; owner and discriminator prove that it is it.
    pub cluster: Account<Cluster>,
    pub system_program: Program<System>,
}

impl Open {
    #[inline(always)]
    fn validate(&self, terms: &ChannelTerms, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Billing, now), BillingError::Paused);
        let (accepted, mint) = (&self.accepted_mint, &self.payer.mint);
        require!(address_eq(&accepted.mint, mint), BillingError::WrongMint);
        require!(accepted.is_enabled(), BillingError::MintNotAccepted);
        require!(terms.cap >= accepted.min_amount.get(), BillingError::AmountTooSmall);
        require!(self.provider.is_active(), BillingError::ProviderNotActive);
        let payout = self.payout.account();
        require!(!address_eq(payout.address(), &self.payer.vault), BillingError::PaysItself);
        let receiver = Receiver::of(payout, mint).ok_or(BillingError::CannotReceive)?;
        require!(receiver.is_owned_by(&self.provider.payout_owner), BillingError::WrongPayoutOwner);
        require!(self.model.is_active(), BillingError::WrongModel);
        let prices = &self.prices;
        let fits = address_eq(&prices.model, self.model.address()) && address_eq(&prices.mint, mint);
        require!(fits, BillingError::WrongPrices);
        // An older list may share less with those behind the model; channels that are open keep theirs.
        require!(prices.version.get() == self.model.version.get(), BillingError::OldPrices);
        // Such a share could never be paid, and nobody's with it.
        let is_own = |account: &Address| address_eq(account, &self.payer.vault);
        require!(!prices.parties().iter().any(|share| is_own(&share.account)), BillingError::PaysItself);
        Ok(())
    }

    /// What the price list's shares take together.
    #[inline(always)]
    fn shares(&self) -> Result<Bps> {
        let shares = self.prices.parties().iter().try_fold(0u16, |sum, share| sum.checked_add(share.bps.get()));
        shares.and_then(Bps::new).ok_or(BillingError::WrongPrices.into())
    }

    #[inline(always)]
    fn write(&mut self, number: u64, bump: u8, terms: &ChannelTerms, now: UnixTime) -> Result<()> {
        let (fee, shares) = (self.protocol.fee(Service::Billing)?, self.shares()?);
        let (address, genesis) = (self.channel.address(), &self.cluster.genesis_hash);
        let context = MessageContext::of(Domain::Voucher, genesis, crate::ID.as_array(), address.as_array());
        let opening = Opening {
            payer: self.payer.address(),
            owner: &self.payer.owner,
            provider: self.provider.address(),
            authority: &self.provider.authority,
            payout_owner: &self.provider.payout_owner,
            payout: self.payout.address(),
            model: self.model.address(),
            prices: self.prices.address(),
            mint: &self.payer.mint,
            fee_vault: &self.accepted_mint.fee_vault,
            rent_payer: self.rent_payer.address(),
            context: context.bytes(),
            genesis_hash: genesis,
            fee,
            shares,
            number,
            bump,
        };
        self.channel.open(&opening, terms, now)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Open>, number: u64, terms: ChannelTerms) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(&terms, now)?;
    let payer = &mut ctx.accounts.payer;
    payer.take_number(number)?;
    payer.sync(now)?;
    payer.reserve(Amount::new(terms.cap))?;
    ctx.accounts.write(number, ctx.bumps.channel, &terms, now)?;
    emit_event!(ctx, ChannelOpened::of(&ctx.accounts.channel));
    Ok(())
}
