//! A service locks a part of a bond.

use crate::{
    constants::CLAIM_SEED,
    error::StakingError,
    event::ClaimLocked,
    state::{Bond, Claim, Service},
};
use anchor_lang::{address_eq, find_and_verify_program_address, prelude::*, AccountInitialize};
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
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
    /// PDA `["claim", signer, subject]`: created by the first lock, and proven by its fields in later ones.
    #[account(mut)]
    pub claim: UncheckedAccount,
    pub system_program: Program<System>,
}

impl Lock {
    /// What `init_if_needed` would do, without deriving the address and computing the rent of a claim that exists: only this
    /// program makes claims, and for each signer and subject at one address.
    #[inline(always)]
    fn claim(&mut self, subject: Address) -> Result<Account<Claim>> {
        let (view, signer) = (*self.claim.account(), *self.signer.address());
        if !view.owned_by(&System::id()) {
            // SAFETY: `mut` without `unsafe(dup)`: no other account here is the same, and this is the only place that loads it.
            let claim = unsafe { Account::<Claim>::load_mut(view)? };
            let is_it = address_eq(&claim.signer, &signer) && address_eq(&claim.subject, &subject);
            require!(is_it, StakingError::WrongClaim);
            return Ok(claim);
        }
        let seeds = [CLAIM_SEED, signer.as_ref(), subject.as_ref()];
        let bump = [find_and_verify_program_address(&seeds, &crate::ID, view.address())?];
        let seeds: [&[u8]; 4] = [seeds[0], seeds[1], seeds[2], &bump];
        let payer = self.payer.account();
        let space = <Account<Claim> as Space>::INIT_SPACE;
        let mut claim =
            Account::<Claim>::create_and_initialize(payer, &view, space, &crate::ID, &(), Some(&seeds), None)?;
        claim.open(*self.bond.address(), signer, subject, *payer.address(), bump[0]);
        self.bond.claim_opened()?;
        Ok(claim)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Lock>, subject: Address, amount: u64, until: i64) -> Result<()> {
    ctx.accounts.service.require_locker(ctx.accounts.signer.address())?;
    let now = Clock::get()?.unix_timestamp;
    let mut claim = ctx.accounts.claim(subject)?;
    let bond = &mut ctx.accounts.bond;
    require!(address_eq(&claim.bond, bond.address()), StakingError::WrongBond);
    claim.lock(Amount::new(amount), until, UnixTime::new(now))?;
    bond.lock(Amount::new(amount))?;
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
