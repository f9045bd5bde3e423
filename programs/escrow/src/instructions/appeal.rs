//! Whoever a first panel did not agree with stakes more, and a second, larger panel looks at it again. Once.

use crate::{
    constants::DRAW_DELAY,
    error::EscrowError,
    event::DisputeAppealed,
    math::Side,
    state::{Dispute, Job},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Appeal {
    /// The challenger, the client, or the provider's authority or payout owner.
    pub appellant: Signer,
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Token account that the deposit comes out of; the token program checks that the appellant may spend from it. What comes
    /// back goes to where the job pays the appellant's side.
    #[account(mut)]
    pub source: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl Appeal {
    #[inline(always)]
    fn side(&self) -> Result<Side> {
        let who = self.appellant.address();
        if address_eq(who, &self.dispute.challenger) {
            Ok(Side::Challenger)
        } else if address_eq(who, &self.job.client) {
            // The challenger may be the provider's friend, and content with a wrong verdict.
            Ok(Side::Client)
        } else if address_eq(who, &self.job.provider_authority) || address_eq(who, &self.job.payout_owner) {
            Ok(Side::Provider)
        } else {
            Err(EscrowError::NotParty.into())
        }
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Appeal>) -> Result<()> {
    let clock = Clock::get()?;
    let side = ctx.accounts.side()?;
    let slot = clock.slot.checked_add(DRAW_DELAY).ok_or(EscrowError::Overflow)?;
    ctx.accounts.dispute.appeal(side, slot, UnixTime::new(clock.unix_timestamp))?;
    let deposit = ctx.accounts.dispute.appeal_deposit;
    token::deposit(
        ctx.accounts.source.account(),
        ctx.accounts.vault.account(),
        ctx.accounts.appellant.account(),
        Amount::new(deposit.get()),
        ctx.accounts.token_program.address(),
    )?;
    let dispute = &ctx.accounts.dispute;
    emit_event!(
        ctx,
        DisputeAppealed {
            job: dispute.job,
            dispute: *dispute.address(),
            appellant: *ctx.accounts.appellant.address(),
            deposit,
            draw_slot: dispute.draw_slot,
            draw_by: dispute.draw_by,
            side: side as u8,
        }
    );
    Ok(())
}
