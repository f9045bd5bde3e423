//! What a channel has earned is divided and paid; anyone may see to it.

use crate::{
    constants::{PROTOCOL, PROVIDER},
    error::BillingError,
    event::Distributed,
    state::{Channel, Payer, Verdict, PARTIES},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_registry::state::PriceList;
use joule_units::{Amount, UnixTime};

/// Nobody needs to sign: price list and channel say who gets what. After these accounts come those of the price list's
/// shares, in its order. Two of all of them may be one and the same.
#[event_cpi]
#[derive(Accounts)]
pub struct Distribute {
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(mut, address = payer.vault @ BillingError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(address = channel.prices @ BillingError::WrongPrices)]
    pub prices: Account<PriceList>,
    #[account(mut, unsafe(dup), address = channel.fee_vault @ BillingError::WrongFeeVault)]
    pub fee_vault: UncheckedAccount,
    #[account(mut, unsafe(dup), address = channel.payout @ BillingError::WrongPayout)]
    pub payout: UncheckedAccount,
    /// Compared with the program that owns the vault.
    pub token_program: UncheckedAccount,
}

impl Distribute {
    /// Pays whoever can be paid of what it is due. Somebody's account may have been closed, frozen, or made again by somebody
    /// else since it was named: what it is due waits then, and keeps nobody else waiting.
    #[inline(always)]
    fn pay(&mut self, shares: &[AccountView]) -> Result<Distributed> {
        let (mint, token_program) = (&self.prices.mint, self.token_program.address());
        let (vault, fee_vault, payout) = (self.vault.account(), self.fee_vault.account(), self.payout.account());
        // Under the other program nobody could be paid, and anyone could turn payments into debts. The vault was made by one of
        // the token programs.
        require!(vault.owned_by(token_program), BillingError::WrongTokenProgram);
        let channel = &mut self.channel;
        let authority = *self.payer.account();
        let mut transfers = token::Transfers::new(vault, &authority);
        let mut paid = [PodU64::ZERO; PARTIES];
        let mut total = Amount::ZERO;
        let mut give = |party: usize, to, amount: Amount| -> Result<()> {
            if !amount.is_zero() {
                transfers.push(to, amount);
                paid[party] = amount.get().into();
                total = total.checked_add(amount).ok_or(BillingError::Overflow)?;
            }
            Ok(())
        };
        let reaches = |to: &AccountView, owner: &Address| token::reaches(to, owner, mint, token_program);
        let parties = self.prices.parties();
        require!(shares.len() == parties.len(), BillingError::WrongShares);
        let division = channel.divide()?;
        for (place, (share, to)) in parties.iter().zip(shares).enumerate() {
            require!(address_eq(&share.account, to.address()), BillingError::WrongShares);
            let part = division.part(share.bps.get())?;
            give(place, to, channel.pay_or_owe(place, part, || reaches(to, &share.owner))?)?;
        }
        let part = division.part(channel.fee_bps.get())?;
        let is_payable = || token::can_receive(fee_vault, mint, token_program);
        give(PROTOCOL, fee_vault, channel.pay_or_owe(PROTOCOL, part, is_payable)?)?;
        let target = channel.collectable(|| Ok(UnixTime::new(Clock::get()?.unix_timestamp)))?;
        // Every step counts, one that rounds to nothing too, or the channel could never close.
        let is_news = division.is_something() || target != channel.collected.get();
        let mut part = channel.collect(target)?;
        let mut returned = Amount::ZERO;
        if channel.is_convicted(Verdict::AgainstProvider) {
            returned = core::mem::take(&mut part);
            channel.let_go(returned)?;
            self.payer.release(returned)?;
        }
        let owner = channel.payout_owner;
        give(PROVIDER, payout, channel.pay_or_owe(PROVIDER, part, || reaches(payout, &owner))?)?;
        channel.let_go(total)?;
        self.payer.spend(total)?;
        if !transfers.is_empty() {
            self.payer.sign(|signer| transfers.send(token_program, signer));
        } else {
            require!(is_news, BillingError::NothingPayable);
        }
        Ok(Distributed {
            channel: *channel.address(),
            settled: channel.settled,
            accrued: channel.accrued,
            collected: channel.collected,
            returned: returned.get().into(),
            paid,
        })
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Distribute>) -> Result<()> {
    let shares = ctx.remaining_accounts()?;
    let event = ctx.accounts.pay(&shares)?;
    emit_event!(ctx, event);
    Ok(())
}
