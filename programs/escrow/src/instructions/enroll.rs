//! A resolver locks a stake to be drawn in the next epoch.

use crate::{
    constants::PANEL_SEED,
    error::EscrowError,
    event::ResolverEnrolled,
    groups::*,
    seat,
    state::{epoch_at, Panel},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
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
    /// The token of the bond. Whether it is still accepted, and what its smallest payment is, does not matter: jobs that run need judges,
    /// and whoever governs must not choose them by keeping others from enrolling.
    pub mint: UncheckedAccount,
    #[account(
        init_if_needed, payer = payer, bump,
        seeds = [PANEL_SEED, mint.address().as_ref(), &epoch.to_le_bytes()]
    )]
    pub panel: Account<Panel>,
    pub locking: Nested<Locking>,
    pub system_program: Program<System>,
}

impl Enroll {
    #[inline(always)]
    fn validate(&self, epoch: u64, now: UnixTime) -> Result<()> {
        // The panel of the present epoch is fixed.
        require!(Some(epoch) == epoch_at(now).checked_add(1), EscrowError::NotNextEpoch);
        self.locking.require_bond(self.resolver.address(), self.mint.address()).map(|_| ())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Enroll>, epoch: u64, stake: u64) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(epoch, now)?;
    let (resolver, payer) = (*ctx.accounts.resolver.address(), *ctx.accounts.payer.address());
    let panel = &mut ctx.accounts.panel;
    if panel.bump == 0 {
        panel.mint = *ctx.accounts.mint.address();
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
