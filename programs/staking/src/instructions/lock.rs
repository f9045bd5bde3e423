//! A service locks a part of a bond.

use crate::{
    constants::CLAIM_SEED,
    error::StakingError,
    event::ClaimLocked,
    state::{Bond, Claim, Service},
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
#[instruction(subject: Address, amount: u64, until: i64)]
pub struct Lock {
    /// Pays the claim's rent and gets it back.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owner and discriminator prove that the protocol's authority admitted it.
    pub service: Account<Service>,
    /// The service's own address, which only its program can sign with; it answers for the owner's consent.
    pub signer: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    #[account(
        init_if_needed, payer = payer,
        seeds = [CLAIM_SEED, signer.address().as_ref(), subject.as_ref()], bump
    )]
    pub claim: Account<Claim>,
    pub system_program: Program<System>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Lock>, subject: Address, amount: u64, until: i64) -> Result<()> {
    ctx.accounts.service.require_locker(ctx.accounts.signer.address())?;
    let now = Clock::get()?.unix_timestamp;
    let (bond, claim) = (&mut ctx.accounts.bond, &mut ctx.accounts.claim);
    // An empty claim is never left open, so that this one is new.
    if claim.is_empty() {
        let (signer, payer) = (*ctx.accounts.signer.address(), *ctx.accounts.payer.address());
        claim.open(*bond.address(), signer, subject, payer, ctx.bumps.claim);
        bond.claim_opened()?;
    }
    require!(address_eq(&claim.bond, bond.address()), StakingError::WrongBond);
    claim.lock(Amount::new(amount), until, UnixTime::new(now))?;
    bond.lock(Amount::new(amount))?;
    let claim = &ctx.accounts.claim;
    emit_event!(
        ctx,
        ClaimLocked {
            claim: *claim.address(),
            bond: claim.bond,
            signer: claim.signer,
            subject,
            amount: amount.into(),
            until: until.into(),
            total: claim.total,
            at: now.into(),
        }
    );
    Ok(())
}
