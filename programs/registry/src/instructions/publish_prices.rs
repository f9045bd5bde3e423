//! A creator publishes what requests to a model cost from now on, and who shares in that.

use crate::{
    constants::PRICES_SEED,
    error::RegistryError,
    event::PricesPublished,
    state::{Listing, Model, PriceList},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;

/// After these, for each share its token account: those of the lineage, the payout owner's if it has a share, and the others', in
/// the order of the listing.
#[event_cpi]
#[derive(Accounts)]
#[instruction(version: u32)]
pub struct PublishPrices {
    /// Pays the rent, for good; may be the creator itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    #[account(address = model.creator @ RegistryError::NotCreator)]
    pub creator: Signer,
    #[account(mut)]
    pub model: Account<Model>,
    #[account(
        init, payer = payer, bump,
        seeds = [PRICES_SEED, model.address().as_ref(), &version.to_le_bytes()]
    )]
    pub price_list: Account<PriceList>,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    pub system_program: Program<System>,
}

impl PublishPrices {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        self.model.require_active()?;
        require!(self.accepted_mint.is_enabled(), RegistryError::MintNotAccepted);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<PublishPrices>, version: u32, listing: Listing) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let share_accounts = ctx.remaining_accounts()?;
    let (mint, bump) = (ctx.accounts.accepted_mint.mint, ctx.bumps.price_list);
    let model = &mut ctx.accounts.model;
    model.take_version(version)?;
    let list = &mut ctx.accounts.price_list;
    list.publish(*model.address(), mint, version, &listing, now, bump);
    list.share(listing.dues(model), &share_accounts)?;
    emit_event!(
        ctx,
        PricesPublished {
            price_list: *ctx.accounts.price_list.address(),
            model: *ctx.accounts.model.address(),
            mint,
            version: version.into(),
        }
    );
    Ok(())
}
