//! Two different receipts of one number; anyone may show them.

use crate::{error::BillingError, groups::*, signed};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;
use joule_voucher::Receipt;

/// The two instructions before this one have the chain verify a receipt each.
#[event_cpi]
#[derive(Accounts)]
pub struct DisputeReceipts {
    pub condemned: Nested<Condemned>,
}

impl DisputeReceipts {
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        let (authority, instructions) = (&self.condemned.channel.authority, self.condemned.instructions.account());
        let one: &Receipt = signed::message(instructions, 1, authority)?;
        let other: &Receipt = signed::message(instructions, 2, authority)?;
        let context = self.condemned.receipt_context();
        require!(one.context == context && other.context == context, BillingError::WrongContext);
        require!(one.sequence == other.sequence && one != other, BillingError::NoContradiction);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DisputeReceipts>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let event = ctx.accounts.condemned.condemn(now, ctx.bumps.condemned.claim_signer)?;
    emit_event!(ctx, event);
    Ok(())
}
