//! Somebody makes the account and the vault that it will pay from in a token.

use crate::{
    constants::{PAYER_SEED, VAULT_SEED},
    error::BillingError,
    event::PayerCreated,
    state::Payer,
    token,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct CreatePayer {
    /// Pays the rent, for good; may be the owner itself.
    #[account(mut, unsafe(dup))]
    pub rent_payer: Signer,
    pub owner: Signer,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    #[account(address = accepted_mint.mint @ BillingError::WrongMint)]
    pub mint: UncheckedAccount,
    #[account(
        init, payer = rent_payer, seeds = [PAYER_SEED, owner.address().as_ref(), mint.address().as_ref()], bump
    )]
    pub payer: Account<Payer>,
    #[account(
        init, payer = rent_payer, space = token::ACCOUNT_LEN, owner = *token_program.address(),
        seeds = [VAULT_SEED, payer.address().as_ref()], bump
    )]
    pub vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl CreatePayer {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        require!(self.accepted_mint.is_enabled(), BillingError::MintNotAccepted);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<CreatePayer>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let (owner, mint, vault) =
        (*ctx.accounts.owner.address(), *ctx.accounts.mint.address(), *ctx.accounts.vault.address());
    ctx.accounts.payer.create(owner, mint, vault, UnixTime::new(now), ctx.bumps.payer);
    token::initialize(
        ctx.accounts.vault.account(),
        ctx.accounts.mint.account(),
        ctx.accounts.payer.address(),
        ctx.accounts.token_program.address(),
    )?;
    emit_event!(ctx, PayerCreated { payer: *ctx.accounts.payer.address(), owner, mint, at: now.into() });
    Ok(())
}
