//! A service lets go of a part of its claim.

use crate::{
    error::StakingError,
    event::ClaimReleased,
    state::{Bond, Claim},
    vault,
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Release {
    #[account(address = claim.signer @ StakingError::WrongClaimSigner)]
    pub signer: Signer,
    #[account(mut, address = claim.bond @ StakingError::WrongBond)]
    pub bond: Account<Bond>,
    #[account(mut)]
    pub claim: Account<Claim>,
    #[account(mut, unsafe(dup), address = claim.rent_payer @ StakingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Release>, amount: u64, kept: u64) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (bond, claim) = (&mut ctx.accounts.bond, &mut ctx.accounts.claim);
    let released = claim.take(Amount::new(amount))?;
    bond.release(released)?;
    // A service may be paid more for a promise than was at stake for it; reputation is what was at stake.
    let kept = released.min(Amount::new(kept));
    if !kept.is_zero() {
        bond.score_kept(kept, UnixTime::new(now));
    }
    let closes = bond.let_go(claim)?;
    let claim = &ctx.accounts.claim;
    emit_event!(
        ctx,
        ClaimReleased {
            claim: *claim.address(),
            bond: claim.bond,
            signer: claim.signer,
            subject: claim.subject,
            amount: released.get().into(),
            kept: kept.get().into(),
            at: now.into(),
            expired: 0,
            closed: closes as u8,
        }
    );
    if closes {
        close(&mut ctx.accounts.claim, &ctx.accounts.bond, ctx.accounts.rent_payer.account())?;
    }
    Ok(())
}

/// Closes an empty claim; the rent goes back to whoever paid it, or into the bond, whose own rent payer gets it in the end.
/// Comes last: lamports moved by hand must not be followed by another call.
#[inline(always)]
pub fn close(claim: &mut Account<Claim>, bond: &Account<Bond>, rent_payer: &AccountView) -> Result<()> {
    claim.close(*vault::rent_receiver(rent_payer, bond.account()))
}
