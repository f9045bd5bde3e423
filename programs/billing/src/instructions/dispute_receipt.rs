//! A receipt that was paid for and asked for more than the price list does; anyone may show it.

use crate::{error::BillingError, groups::*, signed};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_registry::state::PriceList;
use joule_units::UnixTime;
use joule_voucher::{tree, Format, Receipt};

#[event_cpi]
#[derive(Accounts)]
pub struct DisputeReceipt {
    pub condemned: Nested<Condemned>,
    #[account(address = condemned.channel.prices @ BillingError::WrongPrices)]
    pub prices: Account<PriceList>,
}

impl DisputeReceipt {
    /// The provider has signed it, the payer has paid for it, and it is too much.
    #[inline(always)]
    fn validate(&self, index: u64, size: u64, proof: &[[u8; 32]]) -> Result<()> {
        let (channel, instructions) = (&self.condemned.channel, self.condemned.instructions.account());
        let receipt: &Receipt = signed::message(instructions, 1, &channel.authority)?;
        require!(receipt.context == self.condemned.receipt_context(), BillingError::WrongContext);
        // Of a batch's tree nobody but the prover knows the size; a wrong one proves nothing that is not in it.
        let is_in = tree::verify(&channel.usage_root, receipt.as_bytes(), index, size, proof);
        require!(is_in, BillingError::NotIncluded);
        require!(receipt.overcharges(&self.prices.prices()), BillingError::FairPrice);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DisputeReceipt>, index: u64, size: u64, proof: &[[u8; 32]]) -> Result<()> {
    ctx.accounts.validate(index, size, proof)?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let event = ctx.accounts.condemned.condemn(now, ctx.bumps.condemned.claim_signer)?;
    emit_event!(ctx, event);
    Ok(())
}
