//! Vouchers of many channels are brought on chain under one signature; anyone may see to it.

use crate::{
    error::BillingError,
    signed::{self, INSTRUCTIONS},
    state::{Channel, Promise},
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::UnixTime;
use joule_voucher::{Batch, Context as MessageContext};

/// Nobody needs to sign: the batch is signed. After this account come the channels, in the order of the batch. A transaction
/// names 64 addresses: with no other account here, 60 of them can be channels.
#[derive(Accounts)]
pub struct SettleBatch {
    #[account(address = INSTRUCTIONS)]
    pub instructions: UncheckedAccount,
}

/// A channel on which its entry cannot settle is passed over, whatever is wrong with it: a session that was changed, a limit, an
/// end. It must not keep the others from settling.
///
/// `payer` is signed, and every channel names it.
#[inline(always)]
pub fn handler(ctx: &mut Context<SettleBatch>, payer: &Address) -> Result<()> {
    let channels = ctx.remaining_accounts()?;
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let (signer, message) = signed::bytes(ctx.accounts.instructions.account())?;
    let (batch, entries) = Batch::from_bytes(message).ok_or(BillingError::WrongBatch)?;
    require!(entries.len() == channels.len(), BillingError::WrongBatch);
    // Nobody's entry counts any more.
    require!(now.get() <= batch.expires_at.get().get(), BillingError::VoucherExpired);
    let mut is_checked = false;
    for (view, entry) in channels.iter().zip(entries) {
        // SAFETY: one channel is loaded at a time, and no declared account is one.
        let Ok(mut channel) = (unsafe { Account::<Channel>::load_mut(*view) }) else { continue };
        // Every channel knows the cluster, and without one there is nothing to settle.
        if !is_checked {
            let addresses = channels.iter().map(|channel| channel.address().as_array());
            let context =
                MessageContext::batch(&channel.genesis_hash, crate::ID.as_array(), payer.as_array(), addresses);
            let context = context.ok_or(BillingError::WrongBatch)?;
            require!(signed::is_same(batch.context.bytes(), context.bytes()), BillingError::WrongContext);
            is_checked = true;
        }
        let is_its = address_eq(&channel.payer, payer) && signed::is_same(channel.session.signer.as_array(), signer);
        let promise = Promise {
            sequence: entry.sequence.get(),
            cumulative: entry.cumulative.get().get(),
            expires_at: batch.expires_at.get().get(),
        };
        if is_its && channel.settle(&promise, now).is_ok() {
            channel.usage_root = batch.usage_root;
        }
    }
    Ok(())
}
