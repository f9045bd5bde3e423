//! Anyone frees what a claim may hold no longer: a service that has fallen silent keeps nobody's money.

use crate::{
    error::StakingError,
    event::ClaimReleased,
    instructions::release::close,
    state::{Bond, Claim},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;

#[event_cpi]
#[derive(Accounts)]
pub struct ReleaseExpired {
    #[account(mut, address = claim.bond @ StakingError::WrongBond)]
    pub bond: Account<Bond>,
    #[account(mut)]
    pub claim: Account<Claim>,
    #[account(mut, unsafe(dup), address = claim.rent_payer @ StakingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ReleaseExpired>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let (bond, claim) = (&mut ctx.accounts.bond, &mut ctx.accounts.claim);
    let released = claim.take_expired(UnixTime::new(now))?;
    bond.release(released)?;
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
            kept: 0.into(),
            at: now.into(),
            expired: 1,
            closed: closes as u8,
        }
    );
    if closes {
        close(&mut ctx.accounts.claim, &ctx.accounts.bond, ctx.accounts.rent_payer.account())?;
    }
    Ok(())
}
