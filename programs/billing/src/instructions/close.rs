//! What a closed channel did not spend is free again, and its account goes once everybody is paid and nobody can be convicted
//! by it any more; anyone may see to it.

use crate::{
    error::BillingError,
    event::ChannelClosed,
    state::{Channel, Payer},
};
use anchor_lang::{prelude::*, AccountClose};
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: the channel says who gets what, and when.
#[event_cpi]
#[derive(Accounts)]
pub struct Close {
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(mut, unsafe(dup), address = channel.rent_payer @ BillingError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount,
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Close>) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let (payer, channel) = (&mut ctx.accounts.payer, &mut ctx.accounts.channel);
    let released = channel.release(now)?;
    payer.release(released)?;
    let is_final = channel.is_final()?;
    let closes = is_final && !channel.is_evidence(now);
    if released.is_zero() {
        require!(is_final, BillingError::NotPaidOut);
        require!(closes, BillingError::StillDisputable);
    }
    if closes {
        let dust = Amount::new(channel.held.get());
        channel.let_go(dust)?;
        payer.release(dust)?;
        payer.let_go()?;
    }
    emit_event!(
        ctx,
        ChannelClosed {
            channel: *channel.address(),
            payer: channel.payer,
            released: released.get().into(),
            settled: channel.settled,
            accrued: channel.accrued,
            at: now.get().into(),
            closed: closes as u8,
        }
    );
    if closes {
        let accounts = &mut ctx.accounts;
        let to = rent_receiver(accounts.rent_payer.account(), accounts.payer.account());
        accounts.channel.close(to)?;
    }
    Ok(())
}

/// Whoever paid the rent; but not once that address has become a program, whose lamports no caller of ours would see come. Then
/// the payer's account. Comes last: lamports moved by hand must not be followed by another call.
#[inline(always)]
pub fn rent_receiver(rent_payer: &AccountView, payer: &AccountView) -> AccountView {
    match rent_payer.executable() {
        true => *payer,
        false => *rent_payer,
    }
}
