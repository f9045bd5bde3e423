//! A voucher that pays more than its channel has settled is brought on chain; anyone may see to it.

use crate::{
    error::BillingError,
    signed::{self, INSTRUCTIONS},
    state::{Channel, Promise},
};
use anchor_lang::prelude::*;
use joule_units::UnixTime;
use joule_voucher::Voucher;

/// Nobody needs to sign: the voucher is signed. The instruction before this one has the chain verify that.
#[derive(Accounts)]
pub struct Settle {
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(address = INSTRUCTIONS)]
    pub instructions: UncheckedAccount,
    /// Read in place: asking the runtime would cost three times as much.
    #[account(address = signed::CLOCK)]
    pub clock: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Settle>) -> Result<()> {
    let accounts = &mut ctx.accounts;
    let now = UnixTime::new(signed::unix_time(accounts.clock.account()));
    let channel = &mut accounts.channel;
    let voucher: &Voucher = signed::message(accounts.instructions.account(), 1, &channel.session.signer)?;
    require!(signed::is_same(voucher.context.bytes(), &channel.context), BillingError::WrongContext);
    let promise = Promise {
        sequence: voucher.sequence.get(),
        cumulative: voucher.cumulative.get().get(),
        expires_at: voucher.expires_at.get().get(),
    };
    channel.settle(&promise, now)?;
    channel.units = voucher.units.get().into();
    channel.usage_root = voucher.usage_root;
    Ok(())
}
