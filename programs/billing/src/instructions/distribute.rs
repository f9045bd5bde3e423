//! What a channel has earned is divided and paid; anyone may see to it.

use crate::{
    constants::{PROTOCOL, PROVIDER},
    error::BillingError,
    event::Distributed,
    state::{Channel, Dues, Payer, PARTIES},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
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
    pub token_program: Interface<'static, TokenInterface>,
}

/// What was paid to each party, in base units.
#[derive(Default)]
struct Paid {
    parts: [PodU64; PARTIES],
    total: Amount,
}

impl Distribute {
    /// Pays whoever can be paid of what it is owed. Somebody's account may have been closed, frozen, or made again by somebody
    /// else since it was named: what it is owed waits then, and keeps nobody else waiting.
    #[inline(always)]
    fn pay(&mut self, shares: &[AccountView]) -> Result<Paid> {
        let (mint, token_program) = (self.payer.mint, *self.token_program.address());
        let (vault, fee_vault, payout) = (*self.vault.account(), *self.fee_vault.account(), *self.payout.account());
        // Under the other program nobody could be paid, and anyone could turn payments into debts.
        require!(vault.owned_by(&token_program), BillingError::WrongTokenProgram);
        let takes = |to: &AccountView| {
            !address_eq(to.address(), vault.address()) && token::can_receive(to, &mint, &token_program)
        };
        let mut paid = Paid::default();
        let mut payments = [(&vault, Amount::ZERO); PARTIES];
        let channel = &mut self.channel;
        let mut give = |party: usize, to, is_payable: bool, channel: &mut Channel| -> Result<()> {
            if is_payable {
                let amount = channel.take_owed(party)?;
                paid.parts[party] = amount.get().into();
                paid.total = paid.total.checked_add(amount).ok_or(BillingError::Overflow)?;
                payments[party] = (to, amount);
            }
            Ok(())
        };
        for (place, (share, to)) in self.prices.parties().iter().zip(shares).enumerate() {
            require!(address_eq(&share.account, to.address()), BillingError::WrongShares);
            let is_payable = channel.is_owed(place) && takes(to) && token::is_owned_by(to, &share.owner);
            give(place, to, is_payable, channel)?;
        }
        let is_payable = channel.is_owed(PROTOCOL) && takes(&fee_vault);
        give(PROTOCOL, &fee_vault, is_payable, channel)?;
        let is_payable =
            channel.is_owed(PROVIDER) && takes(&payout) && token::is_owned_by(&payout, &channel.payout_owner);
        give(PROVIDER, &payout, is_payable, channel)?;
        channel.let_go(paid.total)?;
        self.payer.spend(paid.total)?;
        if !paid.total.is_zero() {
            token::pay(&vault, &self.payer, payments.into_iter(), &token_program)?;
        }
        Ok(paid)
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Distribute>) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let shares = ctx.remaining_accounts()?;
    let accounts = &mut ctx.accounts;
    require!(shares.len() == accounts.prices.parties().len(), BillingError::WrongShares);
    let dues = accounts.channel.accrue_dues(accounts.prices.parties(), UnixTime::new(now))?;
    accounts.payer.release(dues.returned)?;
    let paid = accounts.pay(&shares)?;
    require!(!paid.total.is_zero() || dues != Dues::default(), BillingError::NothingPayable);
    let channel = &accounts.channel;
    let event = Distributed {
        channel: *channel.address(),
        payer: channel.payer,
        provider: channel.provider,
        mint: channel.mint,
        settled: channel.settled,
        accrued: channel.accrued,
        sequence: channel.sequence,
        units: channel.units,
        paid: paid.parts,
        owed: channel.owed,
        collected: channel.collected,
        returned: dues.returned.get().into(),
        at: now.into(),
    };
    emit_event!(ctx, event);
    Ok(())
}
