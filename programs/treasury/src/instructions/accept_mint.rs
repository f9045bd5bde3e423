//! The authority admits a token; from then on it has a fee vault.

use crate::{
    constants::{FEE_VAULT_SEED, MINT_SEED},
    error::TreasuryError,
    event::{BreakerChanged, MintAccepted},
    state::{AcceptedMint, Protocol},
};
use anchor_lang::prelude::*;
use anchor_spl::{
    token,
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use joule_events::emit_event;
use joule_units::{Amount, Breaker, Seconds};
use spl_token_2022_interface::{
    extension::{BaseStateWithExtensions, ExtensionType, PodStateWithExtensions},
    pod::PodMint,
};

/// The extensions that only describe a token. All others can charge for, hook, block, hide or seize transfers, or let
/// the mint be closed and come back with other extensions.
const HARMLESS: [ExtensionType; 6] = [
    ExtensionType::MetadataPointer,
    ExtensionType::TokenMetadata,
    ExtensionType::GroupPointer,
    ExtensionType::TokenGroup,
    ExtensionType::GroupMemberPointer,
    ExtensionType::TokenGroupMember,
];

#[event_cpi]
#[derive(Accounts)]
pub struct AcceptMint {
    #[account(mut)]
    pub authority: Signer,
    pub protocol: Account<Protocol>,
    pub mint: InterfaceAccount<Mint>,
    #[account(init, payer = authority, seeds = [MINT_SEED, mint.address().as_ref()], bump)]
    pub accepted_mint: Account<AcceptedMint>,
    #[account(
        init, payer = authority, seeds = [FEE_VAULT_SEED, mint.address().as_ref()], bump,
        token::mint = mint, token::authority = protocol, token::token_program = token_program
    )]
    pub fee_vault: InterfaceAccount<TokenAccount>,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl AcceptMint {
    fn validate(&self) -> Result<()> {
        require!(self.protocol.authority == *self.authority.address(), TreasuryError::NotAuthority);
        let view = *self.mint.account();
        let data = view.try_borrow()?;
        let mint = PodStateWithExtensions::<PodMint>::unpack(&data)
            .map_err(|_| ProgramError::from(TreasuryError::InvalidMint))?;
        let extensions = mint.get_extension_types().map_err(|_| ProgramError::from(TreasuryError::InvalidMint))?;
        require!(extensions.iter().all(|found| HARMLESS.contains(found)), TreasuryError::ForbiddenExtension);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<AcceptMint>, min_amount: u64, limit: u64, window: u32) -> Result<()> {
    ctx.accounts.validate()?;
    require!(min_amount > 0, TreasuryError::ZeroAmount);
    let (mint, fee_vault) = (*ctx.accounts.mint.address(), *ctx.accounts.fee_vault.address());
    let (decimals, bump) = (ctx.accounts.mint.decimals(), ctx.bumps.accepted_mint);
    let accepted = &mut ctx.accounts.accepted_mint;
    accepted.mint = mint;
    accepted.fee_vault = fee_vault;
    accepted.decimals = decimals;
    accepted.bump = bump;
    accepted.update(true, min_amount);
    accepted.install_breaker(Breaker { limit: Amount::new(limit), window: Seconds::new(window) })?;
    emit_event!(ctx, MintAccepted { mint, fee_vault, min_amount: min_amount.into() });
    emit_event!(ctx, BreakerChanged { mint, limit: limit.into(), window: window.into() });
    Ok(())
}
