//! A panel that no dispute can need any more gives its rent back; anyone may see to it. Votes and absent members are wound up with the
//! panel, however late: it stays while anything stands behind a seat.

use crate::{error::EscrowError, event::PanelClosed, state::Panel};
use anchor_lang::prelude::*;
use joule_events::emit_event;

/// Nobody needs to sign: the panel says who gets its rent.
#[event_cpi]
#[derive(Accounts)]
pub struct ClosePanel {
    #[account(mut, close = rent_payer)]
    pub panel: Account<Panel>,
    #[account(mut, unsafe(dup), address = panel.rent_payer @ EscrowError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<ClosePanel>) -> Result<()> {
    let needed_until = ctx.accounts.panel.needed_until()?;
    require!(Clock::get()?.unix_timestamp > needed_until, EscrowError::PanelNeeded);
    require!(!ctx.accounts.panel.is_engaged(), EscrowError::PanelNeeded);
    emit_event!(ctx, PanelClosed { panel: *ctx.accounts.panel.address(), epoch: ctx.accounts.panel.epoch });
    Ok(())
}
