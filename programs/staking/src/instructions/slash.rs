//! A service takes a part of its claim out of the bond.

use crate::{
    error::StakingError,
    event::ClaimSlashed,
    instructions::release::close,
    state::{Bond, Claim},
    vault,
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Slash {
    #[account(address = claim.signer @ StakingError::WrongClaimSigner)]
    pub signer: Signer,
    #[account(mut, address = claim.bond @ StakingError::WrongBond)]
    pub bond: Account<Bond>,
    #[account(mut)]
    pub claim: Account<Claim>,
    #[account(mut, address = bond.vault @ StakingError::WrongVault)]
    pub bond_vault: UncheckedAccount,
    /// Chosen by the service, which divides it; the token program checks that it holds the same token.
    #[account(mut)]
    pub destination: UncheckedAccount,
    #[account(mut, unsafe(dup), address = claim.rent_payer @ StakingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Slash>, amount: u64, release_rest: bool) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (bond, claim) = (&mut ctx.accounts.bond, &mut ctx.accounts.claim);
    let slashed = claim.take(Amount::new(amount))?;
    bond.slash(slashed)?;
    bond.score_failed(slashed, UnixTime::new(now));
    let mut released = Amount::ZERO;
    if release_rest && !claim.is_empty() {
        // A rest after a slash was not kept.
        released = claim.take(Amount::new(u64::MAX))?;
        bond.release(released)?;
    }
    let closes = bond.let_go(claim)?;
    let accounts = &ctx.accounts;
    accounts.bond.sign(|signer| {
        vault::send(
            accounts.bond_vault.account(),
            accounts.destination.account(),
            accounts.bond.account(),
            slashed,
            accounts.token_program.address(),
            signer,
        )
    })?;
    let claim = &ctx.accounts.claim;
    emit_event!(
        ctx,
        ClaimSlashed {
            claim: *claim.address(),
            bond: claim.bond,
            signer: claim.signer,
            subject: claim.subject,
            destination: *ctx.accounts.destination.address(),
            amount: slashed.get().into(),
            released: released.get().into(),
            at: now.into(),
            closed: closes as u8,
        }
    );
    if closes {
        close(&mut ctx.accounts.claim, &ctx.accounts.bond, ctx.accounts.rent_payer.account())?;
    }
    Ok(())
}
