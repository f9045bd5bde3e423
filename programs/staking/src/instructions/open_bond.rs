//! An owner opens a bond and says who alone may empty it.

use crate::{
    constants::{BOND_SEED, BOND_VAULT_SEED},
    error::StakingError,
    event::BondOpened,
    state::{Bond, Opening},
    vault,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct OpenBond {
    /// Pays the rent and gets it back; may be the owner itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub owner: Signer,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    #[account(address = accepted_mint.mint @ StakingError::WrongMint)]
    pub mint: UncheckedAccount,
    #[account(
        init, payer = payer, seeds = [BOND_SEED, owner.address().as_ref(), mint.address().as_ref()], bump
    )]
    pub bond: Account<Bond>,
    #[account(
        init, payer = payer, space = vault::ACCOUNT_LEN, owner = *token_program.address(),
        seeds = [BOND_VAULT_SEED, bond.address().as_ref()], bump
    )]
    pub vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl OpenBond {
    fn validate(&self) -> Result<()> {
        require!(self.accepted_mint.is_enabled(), StakingError::MintNotAccepted);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<OpenBond>, withdrawer: Address) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let opening = Opening {
        owner: *ctx.accounts.owner.address(),
        mint: *ctx.accounts.mint.address(),
        vault: *ctx.accounts.vault.address(),
        withdrawer,
        rent_payer: *ctx.accounts.payer.address(),
        bump: ctx.bumps.bond,
        vault_bump: ctx.bumps.vault,
    };
    ctx.accounts.bond.open(&opening, UnixTime::new(now))?;
    vault::initialize(
        ctx.accounts.vault.account(),
        ctx.accounts.mint.account(),
        ctx.accounts.bond.address(),
        ctx.accounts.token_program.address(),
    )?;
    emit_event!(
        ctx,
        BondOpened {
            bond: *ctx.accounts.bond.address(),
            owner: opening.owner,
            mint: opening.mint,
            withdrawer,
            at: now.into(),
        }
    );
    Ok(())
}
