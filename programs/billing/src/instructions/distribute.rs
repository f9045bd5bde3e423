//! What a channel has earned is divided and paid; anyone may see to it.

use crate::{
    constants::{MAX_SHARES, PROTOCOL, PROVIDER},
    error::BillingError,
    event::Distributed,
    state::{pay_or_owe, Channel, Payer, Verdict, PARTIES},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use core::mem::MaybeUninit;
use joule_accounts::trailing;
use joule_events::{emit_event, Message};
use joule_registry::state::PriceList;
use joule_units::{sum, Amount, UnixTime};

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

/// How many accounts are declared above, with the two of the events.
const DECLARED: usize = 9;

/// What is paid now, party by party.
struct Payments<'a> {
    channel: &'a mut Channel,
    mint: &'a Address,
    token_program: &'a Address,
    transfers: token::Transfers<'a>,
    /// Where the event says what each party was paid.
    paid: &'a mut [PodU64; PARTIES],
    total: u64,
}

impl<'a> Payments<'a> {
    /// A party is due `part` more. Its account may have been closed, frozen, or made again by somebody else since it was named:
    /// what it is due waits then, and keeps nobody else waiting. All but the protocol are named with their owners. False when a
    /// sum does not fit.
    ///
    /// Not inlined: the VM saves registers for nothing, and four copies of this would spill them all.
    #[inline(never)]
    fn give(&mut self, party: usize, part: Amount, to: &'a AccountView, owner: Option<&Address>) -> bool {
        let (mint, token_program) = (self.mint, self.token_program);
        let is_payable = || match owner {
            Some(owner) => token::reaches(to, owner, mint, token_program),
            None => token::can_receive(to, mint, token_program),
        };
        let Some(owed) = self.channel.owed.get_mut(party) else { return false };
        let Some(amount) = pay_or_owe(owed, part, is_payable) else { return false };
        if !amount.is_zero() {
            self.transfers.push(to, amount);
            self.paid[party] = amount.get().into();
            let Some(total) = sum(self.total, amount.get()) else { return false };
            self.total = total;
        }
        true
    }
}

impl Distribute {
    /// Pays whoever can be paid of what it is due, and says so in the event.
    #[inline(always)]
    fn pay(&mut self, shares: &[AccountView], event: &mut Distributed) -> Result<()> {
        let token_program = self.token_program.address();
        let vault = self.vault.account();
        // Under the other program nobody could be paid, and anyone could turn payments into debts. The vault was made by one of
        // the token programs.
        require!(vault.owned_by(token_program), BillingError::WrongTokenProgram);
        let parties = self.prices.parties();
        require!(shares.len() == parties.len(), BillingError::WrongShares);
        event.channel = *self.channel.address();
        let channel: &mut Channel = &mut self.channel;
        let division = channel.divide()?;
        let payout_owner = channel.payout_owner;
        let authority = *self.payer.account();
        let mut payments = Payments {
            channel,
            mint: &self.prices.mint,
            token_program,
            transfers: token::Transfers::new(vault, &authority),
            paid: &mut event.paid,
            total: 0,
        };
        // By place, which the compiler makes half as much of as of two lists that are walked together.
        for place in 0..parties.len() {
            let (share, to) = (&parties[place], &shares[place]);
            require!(address_eq(&share.account, to.address()), BillingError::WrongShares);
            let fits = payments.give(place, division.part(share.bps.get())?, to, Some(&share.owner));
            require!(fits, BillingError::Overflow);
        }
        let part = division.part(payments.channel.fee_bps.get())?;
        require!(payments.give(PROTOCOL, part, self.fee_vault.account(), None), BillingError::Overflow);
        let channel = &mut *payments.channel;
        let target = channel.collectable(|| Ok(UnixTime::new(Clock::get()?.unix_timestamp)))?;
        // Every step counts, one that rounds to nothing too, or the channel could never close.
        let is_news = division.is_something() || target != channel.collected.get();
        let mut part = channel.collect(target)?;
        if channel.is_convicted(Verdict::AgainstProvider) {
            let returned = core::mem::take(&mut part);
            channel.let_go(returned)?;
            self.payer.release(returned)?;
            event.returned = returned.get().into();
        }
        require!(payments.give(PROVIDER, part, self.payout.account(), Some(&payout_owner)), BillingError::Overflow);
        let (channel, total) = (&mut *payments.channel, Amount::new(payments.total));
        channel.let_go(total)?;
        self.payer.spend(total)?;
        event.settled = channel.settled;
        event.accrued = channel.accrued;
        event.collected = channel.collected;
        if !payments.transfers.is_empty() {
            self.payer.sign(|signer| payments.transfers.send(token_program, signer));
        } else {
            require!(is_news, BillingError::NothingPayable);
        }
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Distribute>) -> Result<()> {
    let (first, last) = (*ctx.accounts.payer.account(), *ctx.accounts.program.account());
    // No declared account before the event authority can be the program that runs, nor can that be the authority: where the
    // records are in their order, the last is no repetition.
    let is_in_order = last.account_ptr() > ctx.accounts.event_authority.account().account_ptr();
    let mut room = [const { MaybeUninit::uninit() }; MAX_SHARES];
    // SAFETY: these are the first and the last account; the shares' have not been touched.
    let found = unsafe { is_in_order.then(|| trailing(&first, &last, DECLARED, &mut room)).flatten() };
    let walked;
    let shares = match found {
        Some(shares) => shares,
        None => {
            walked = ctx.remaining_accounts()?;
            &walked
        }
    };
    let mut message = Message::<Distributed>::new(bytemuck::Zeroable::zeroed());
    ctx.accounts.pay(shares, &mut message.event)?;
    emit_event!(@call ctx, message);
    Ok(())
}
