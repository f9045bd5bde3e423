//! Two vouchers of one number that pay different sums, or for different receipts; anyone may show them.

use crate::{
    error::BillingError,
    event::BillDisputed,
    signed::{self, INSTRUCTIONS},
    state::{Channel, Verdict},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;
use joule_voucher::Voucher;

/// Nobody needs to sign: the vouchers are signed. The two instructions before this one have the chain verify one each.
#[event_cpi]
#[derive(Accounts)]
pub struct DisputeVouchers {
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(address = INSTRUCTIONS)]
    pub instructions: UncheckedAccount,
}

impl DisputeVouchers {
    /// Signed again with a later end, a voucher is still the same promise.
    #[inline(always)]
    fn validate(&self) -> Result<()> {
        let (signer, instructions) = (&self.channel.session.signer, self.instructions.account());
        let one: &Voucher = signed::message(instructions, 1, signer)?;
        let other: &Voucher = signed::message(instructions, 2, signer)?;
        let of_channel = |voucher: &Voucher| *voucher.context.bytes() == self.channel.context;
        require!(of_channel(one) && of_channel(other), BillingError::WrongContext);
        let differ = one.cumulative != other.cumulative || one.usage_root != other.usage_root;
        require!(one.sequence == other.sequence && differ, BillingError::NoContradiction);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DisputeVouchers>) -> Result<()> {
    ctx.accounts.validate()?;
    let now = Clock::get()?.unix_timestamp;
    let lost = ctx.accounts.channel.condemn_payer(UnixTime::new(now))?;
    let channel = &ctx.accounts.channel;
    let event = BillDisputed {
        channel: *channel.address(),
        payer: channel.payer,
        provider: channel.provider,
        slashed: 0.into(),
        returned: 0.into(),
        forfeited: lost.get().into(),
        at: now.into(),
        verdict: Verdict::AgainstPayer as u8,
    };
    emit_event!(ctx, event);
    Ok(())
}
