//! A resolver locks a stake to be drawn in the next epoch.

use crate::{
    constants::{PANEL_SEED, SEAT_MULTIPLE},
    error::EscrowError,
    event::ResolverEnrolled,
    groups::*,
    seat,
    state::{epoch_at, Panel},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
#[instruction(epoch: u64)]
pub struct Enroll {
    /// Pays the rent of the panel, if it is the first, and of the claim, and gets both back; may be the resolver.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owner of the bond.
    pub resolver: Signer,
    /// Owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    #[account(
        init_if_needed, payer = payer, bump,
        seeds = [PANEL_SEED, accepted_mint.mint.as_ref(), &epoch.to_le_bytes()]
    )]
    pub panel: Account<Panel>,
    pub locking: Nested<Locking>,
    pub system_program: Program<System>,
}

impl Enroll {
    #[inline(always)]
    fn validate(&self, epoch: u64, stake: u64, now: UnixTime) -> Result<()> {
        // The panel of the present epoch is fixed.
        require!(Some(epoch) == epoch_at(now).checked_add(1), EscrowError::NotNextEpoch);
        require!(self.accepted_mint.is_enabled(), EscrowError::MintNotAccepted);
        let least = self.accepted_mint.min_amount.get().checked_mul(SEAT_MULTIPLE).ok_or(EscrowError::Overflow)?;
        require!(stake >= least, EscrowError::StakeTooSmall);
        self.locking.require_bond(self.resolver.address(), &self.accepted_mint.mint).map(|_| ())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Enroll>, epoch: u64, stake: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(epoch, stake, now)?;
    let (resolver, payer) = (*ctx.accounts.resolver.address(), *ctx.accounts.payer.address());
    let panel = &mut ctx.accounts.panel;
    if panel.bump == 0 {
        panel.mint = ctx.accounts.accepted_mint.mint;
        panel.rent_payer = payer;
        panel.epoch = epoch.into();
        panel.bump = ctx.bumps.panel;
    }
    panel.enroll(resolver, stake)?;
    let panel = *ctx.accounts.panel.address();
    ctx.accounts.locking.lock(&Lock {
        payer: ctx.accounts.payer.account(),
        system_program: ctx.accounts.system_program.account(),
        subject: seat::subject(&panel, &resolver),
        amount: Amount::new(stake),
        until: ctx.accounts.panel.needed_until()?,
        bump: ctx.bumps.locking.claim_signer,
    })?;
    emit_event!(ctx, ResolverEnrolled { panel, resolver, stake: stake.into(), epoch: epoch.into() });
    Ok(())
}
