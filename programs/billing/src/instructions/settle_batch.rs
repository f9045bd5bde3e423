//! Vouchers of many channels are brought on chain under one signature; anyone may see to it.

use crate::{
    error::BillingError,
    signed::{self, INSTRUCTIONS},
    state::{Channel, Cluster, Promise},
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::UnixTime;
use joule_voucher::{Batch, Context as MessageContext};

/// Nobody needs to sign: the batch is signed. After these accounts come the channels, in the order of the batch.
#[derive(Accounts)]
pub struct SettleBatch {
    /// Every channel names it.
    pub payer: UncheckedAccount,
    /// There is one `Cluster`; owner and discriminator prove that it is it.
    pub cluster: Account<Cluster>,
    #[account(address = INSTRUCTIONS)]
    pub instructions: UncheckedAccount,
    #[account(address = signed::CLOCK)]
    pub clock: UncheckedAccount,
}

/// A channel on which its entry cannot settle is passed over, whatever is wrong with it: a session that was changed, a limit, an
/// end. It must not keep the others from settling.
#[inline(always)]
pub fn handler(ctx: &mut Context<SettleBatch>) -> Result<()> {
    let channels = ctx.remaining_accounts()?;
    let accounts = &ctx.accounts;
    let now = UnixTime::new(signed::unix_time(accounts.clock.account()));
    let (signer, message) = signed::bytes(accounts.instructions.account())?;
    let (batch, entries) = Batch::from_bytes(message).ok_or(BillingError::WrongBatch)?;
    require!(entries.len() == channels.len(), BillingError::WrongBatch);
    let payer = accounts.payer.address();
    let addresses = channels.iter().map(|channel| channel.address().as_array());
    let context =
        MessageContext::batch(&accounts.cluster.genesis_hash, crate::ID.as_array(), payer.as_array(), addresses);
    let context = context.ok_or(BillingError::WrongBatch)?;
    require!(signed::is_same(batch.context.bytes(), context.bytes()), BillingError::WrongContext);
    // Nobody's entry counts any more.
    require!(now.get() <= batch.expires_at.get().get(), BillingError::VoucherExpired);
    for (view, entry) in channels.iter().zip(entries) {
        // SAFETY: one channel is loaded at a time, and no declared account is one.
        let Ok(mut channel) = (unsafe { Account::<Channel>::load_mut(*view) }) else { continue };
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
