//! A member of a panel that was drawn and never committed is slashed once the dispute is resolved; anyone may see to it.

use crate::{
    error::EscrowError,
    event::AbsentPunished,
    groups::*,
    seat,
    state::{Dispute, Job, Panel},
};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_staking::penalty;
use joule_units::Amount;

/// Nobody needs to sign: the dispute says who was drawn and who came.
#[event_cpi]
#[derive(Accounts)]
pub struct PunishAbsent {
    #[account(mut, address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    /// Keeps account of what is left of the member's stake.
    #[account(mut, address = dispute.panel @ EscrowError::WrongPanel)]
    pub panel: Account<Panel>,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    pub backing: Nested<Backing>,
    /// The staking program checks it. A payee may have named it, and then must not keep itself from being slashed.
    #[account(mut, unsafe(dup))]
    pub bond_vault: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<PunishAbsent>, member: u8) -> Result<()> {
    let absent = ctx.accounts.dispute.punish(member)?;
    let (panel, at_risk) = (ctx.accounts.dispute.panel, ctx.accounts.dispute.deposit.get());
    let claim = seat::claim(ctx.accounts.backing.claim_signer.address(), &panel, &absent);
    ctx.accounts.panel.forfeit(&absent, at_risk, at_risk);
    let slashing = Slashing {
        bond_vault: ctx.accounts.bond_vault.account(),
        destination: ctx.accounts.vault.account(),
        token_program: ctx.accounts.token_program.account(),
        amount: Amount::new(at_risk),
        ends: false,
    };
    let slashed = ctx.accounts.backing.slash(&claim, &slashing, ctx.bumps.backing.claim_signer)?;
    ctx.accounts.job.owe_fee(penalty::jurors(slashed).treasury)?;
    emit_event!(
        ctx,
        AbsentPunished {
            job: *ctx.accounts.job.address(),
            dispute: *ctx.accounts.dispute.address(),
            resolver: absent,
            slashed: slashed.get().into(),
            member,
        }
    );
    Ok(())
}
