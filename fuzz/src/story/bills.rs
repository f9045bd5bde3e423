//! Bills, as the billing program tells of them: backed, divided, owed, disputed.

use super::{
    payers::{both, keep, tab},
    vouchers::verified,
    Called, Debt, Story,
};
use crate::{
    check::Violation,
    model::{penalty, Model, Tab},
};
use joule_sdk::{
    billing::{
        constants::{PROTOCOL, PROVIDER},
        event::{Backed, BillDisputed, Distributed, OwedClaimed},
        state::Verdict,
    },
    instruction::billing::context,
    registry::state::PriceList,
    voucher::{tree, Domain, Format, Receipt, Voucher},
    Pubkey,
};
use joule_tests::GENESIS;

/// How long a claim stands behind a bill, in seconds.
const DISPUTE_PERIOD: i64 = 3 * 24 * 60 * 60;

impl Story {
    pub(super) fn backed(&mut self, model: &mut Model, e: &Backed, called: &Called) -> Result<(), Violation> {
        let locked = self.take_locked(&e.channel)?;
        let bond = model.bonds.get(&locked.bond).map(|bond| (bond.owner, bond.mint));
        let tab = tab(model, &e.channel)?;
        let (earned, channel) = (tab.earned(), &mut tab.channel);
        called.signed_by(&channel.authority)?;
        Violation::unless(bond == Some((channel.authority, channel.mint)), "backed with somebody else's bond")?;
        let unbacked = (earned - channel.backed.get()) as u128;
        let wanted = (unbacked * channel.backing_bps.get() as u128).div_ceil(10_000);
        let is_all = locked.amount as u128 == wanted && e.locked.get() as u128 == wanted;
        Violation::unless(is_all, "backed with another claim than the bill wants")?;
        Violation::unless(locked.until == called.now + DISPUTE_PERIOD, "backed for another time than a dispute takes")?;
        (channel.backed, channel.claim) = (earned.into(), locked.claim);
        channel.claimed_until = locked.until.max(channel.claimed_until.get()).into();
        model.mark("bill backed");
        Ok(())
    }

    pub(super) fn distributed(&mut self, model: &mut Model, e: &Distributed, called: &Called) -> Result<(), Violation> {
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        let list = list(model, &tab)?;
        let (earned, divided) = (tab.earned(), tab.channel.paid.get());
        let target = tab.collectable(called.now);
        let share = |of: u64, bps: u16| of as u128 * bps as u128 / 10_000;
        let mut total = 0;
        for (party, bps) in tab.bps(&list).into_iter().enumerate() {
            let mut part = share(earned, bps) - share(divided, bps);
            if party == PROVIDER {
                part = tab.of_provider(target) - tab.of_provider(tab.channel.collected.get());
                let returned = if tab.has_lost(Verdict::AgainstProvider) { part as u64 } else { 0 };
                Violation::unless(e.returned.get() == returned, "a payer got back what it should not, or did not")?;
                part -= returned as u128;
                tab.returned += returned as u128;
                tab.let_go(returned)?;
                wallet.release(returned)?;
            }
            let due = tab.channel.owed[party].get() + part as u64;
            let paid = e.paid[party].get();
            Violation::unless(paid == due || paid == 0, "somebody was paid something else than it is due")?;
            tab.channel.owed[party] = (due - paid).into();
            tab.paid[party] += paid as u128;
            total += paid;
            let (account, owner) = payee(&tab, &list, party);
            if paid > 0 {
                self.payouts.extend(owner.map(|owner| (account, owner)));
                self.give(model, account, paid);
            } else if due > 0 {
                self.debts.push(Debt { account, owner, mint: tab.channel.mint });
                model.mark("share of a bill owed");
            }
        }
        (tab.channel.paid, tab.channel.collected) = (earned.into(), target.into());
        let channel = &tab.channel;
        let told = [e.settled, e.accrued, e.collected] == [channel.settled, channel.accrued, channel.collected];
        Violation::unless(told, "a bill that is another than was told")?;
        tab.let_go(total)?;
        wallet.spend(total)?;
        self.gain(wallet.payer.vault, -(total as i128));
        keep(model, wallet, tab);
        if total > 0 {
            model.mark("bill paid");
        }
        Ok(())
    }

    pub(super) fn owed_claimed(
        &mut self,
        model: &mut Model,
        e: &OwedClaimed,
        called: &Called,
    ) -> Result<(), Violation> {
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        let (_, owner) = payee(&tab, &list(model, &tab)?, e.party as usize);
        called.signed_by(&e.owner)?;
        Violation::unless(owner == Some(e.owner), "somebody else's share was claimed")?;
        let (party, amount) = (e.party as usize, e.amount.get());
        let is_owed = amount > 0 && tab.channel.owed[party].get() == amount;
        Violation::unless(is_owed, "claimed what is not owed")?;
        tab.channel.owed[party] = 0.into();
        tab.paid[party] += amount as u128;
        tab.let_go(amount)?;
        wallet.spend(amount)?;
        self.gain(wallet.payer.vault, -(amount as i128));
        self.payouts.push((e.destination, e.owner));
        self.give(model, e.destination, amount);
        keep(model, wallet, tab);
        model.mark("owed share claimed");
        Ok(())
    }

    pub(super) fn bill_disputed(
        &mut self,
        model: &mut Model,
        e: &BillDisputed,
        called: &Called,
    ) -> Result<(), Violation> {
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        let is_by_payer = called.name == "dispute_vouchers";
        let verdict = if is_by_payer { Verdict::AgainstPayer } else { Verdict::AgainstProvider };
        Violation::unless(e.verdict == verdict as u8, "a verdict against somebody who has not lied")?;
        Violation::unless(!tab.has_lost(verdict), "somebody was convicted twice on a channel")?;
        tab.channel.disputed |= e.verdict;
        // What a proof against the provider has closed is over for the payer's key, and not for its double promise.
        let is_closed = tab.is_closed(called.now);
        let is_over = is_closed && !tab.has_lost(Verdict::AgainstProvider);
        let is_late = is_over || called.now > tab.channel.session.expires_at.get();
        if !is_closed {
            tab.close_at(called.now);
        } else if !is_by_payer {
            tab.channel.session.limit = tab.channel.settled;
        }
        if is_by_payer {
            contradiction(model, &tab, called)?;
            Violation::unless(!is_late, "a payer lost what no voucher could have spent any more")?;
            let channel = &mut tab.channel;
            let most = channel.cap.get().min(channel.session.limit.get());
            let lost = most.saturating_sub(channel.settled.get());
            let is_all = lost > 0 && lost == e.forfeited.get() && e.slashed.get() == 0 && e.returned.get() == 0;
            Violation::unless(is_all, "a payer lost something else than its session could spend")?;
            channel.settled = most.into();
            keep(model, wallet, tab);
            model.mark("payer contradicted itself");
            return Ok(());
        }
        match called.name {
            "dispute_receipt" => overcharge(model, &tab, called)?,
            _ => two_receipts(model, &tab, called)?,
        }
        let earned = tab.earned();
        let uncollected = tab.of_provider(earned) - tab.of_provider(tab.channel.collected.get());
        let returned = uncollected as u64 + tab.channel.owed[PROVIDER].get();
        tab.channel.collected = earned.into();
        tab.channel.owed[PROVIDER] = 0.into();
        tab.let_go(returned)?;
        tab.returned += returned as u128;
        let claim = tab.channel.claim;
        let slashed = match claim == Pubkey::default() {
            true => 0,
            false => self.take_slashed(model, &claim, u64::MAX, &wallet.payer.vault)?,
        };
        let told = (e.returned.get(), e.slashed.get(), e.forfeited.get()) == (returned, slashed, 0);
        Violation::unless(told, "a provider lost something else than was told")?;
        let fine = penalty(slashed as u128) as u64;
        wallet.take_in(slashed);
        wallet.reserve(fine)?;
        wallet.release(returned)?;
        wallet.sync(called.now);
        tab.fine += fine as u128;
        tab.hold(fine);
        tab.channel.owed[PROTOCOL] = (tab.channel.owed[PROTOCOL].get() + fine).into();
        keep(model, wallet, tab);
        model.mark(if slashed > 0 { "bill disputed, slashed" } else { "bill disputed, nothing behind it" });
        Ok(())
    }
}

/// Where a party is paid, and who must own that account; the protocol's is named by the treasury.
fn payee(tab: &Tab, list: &PriceList, party: usize) -> (Pubkey, Option<Pubkey>) {
    match party {
        PROVIDER => (tab.channel.payout, Some(tab.channel.payout_owner)),
        PROTOCOL => (tab.channel.fee_vault, None),
        _ => {
            let share = list.parties().get(party);
            (share.map(|share| share.account).unwrap_or_default(), share.map(|share| share.owner))
        }
    }
}

fn list(model: &Model, tab: &Tab) -> Result<PriceList, Violation> {
    model.list(&tab.channel.prices).ok_or_else(|| Violation::new("a bill on prices that nobody published"))
}

fn receipt<'a>(model: &Model, tab: &Tab, called: &Called<'a>, back: usize) -> Result<&'a Receipt, Violation> {
    let (key, message) = verified(model, called, back)?;
    let receipt = Receipt::from_bytes(message).ok_or_else(|| Violation::new("disputed with something else"))?;
    let is_its = receipt.context == context(Domain::Receipt, &GENESIS, &tab.address) && key == tab.channel.authority;
    Violation::unless(is_its, "disputed with a receipt for something else").map(|()| receipt)
}

/// The provider has asked for more than the price list does, and the payer has paid for it.
fn overcharge(model: &Model, tab: &Tab, called: &Called) -> Result<(), Violation> {
    let receipt = receipt(model, tab, called, 1)?;
    let prices = list(model, tab)?.prices;
    let of = |count: u64, price: u64| count as u128 * price as u128;
    let tokens = of(receipt.input_tokens.get(), prices.per_million_input.get())
        + of(receipt.output_tokens.get(), prices.per_million_output.get());
    let fair = prices.per_request.get() as u128
        + tokens.div_ceil(1_000_000)
        + of(receipt.images.get(), prices.per_image.get())
        + of(receipt.milliseconds.get(), prices.per_second.get()).div_ceil(1_000);
    let is_more = receipt.amount.get().get() as u128 > fair;
    Violation::unless(is_more, "a provider was found guilty of a fair price")?;
    let book = model.books.get(&tab.address);
    let paid_for = book.and_then(|book| book.tree(&tab.channel.usage_root));
    let leaf = tree::leaf(receipt.as_bytes());
    let is_paid_for = paid_for.is_some_and(|leaves| leaves.contains(&leaf));
    Violation::unless(is_paid_for, "a provider was found guilty of a receipt that nobody has paid for")
}

fn two_receipts(model: &Model, tab: &Tab, called: &Called) -> Result<(), Violation> {
    let (one, other) = (receipt(model, tab, called, 1)?, receipt(model, tab, called, 2)?);
    Violation::unless(one.sequence == other.sequence && one != other, "two receipts that are one, or of two numbers")
}

/// The session has promised two things under one number.
fn contradiction(model: &Model, tab: &Tab, called: &Called) -> Result<(), Violation> {
    let voucher = |back: usize| {
        let (key, message) = verified(model, called, back)?;
        let voucher = Voucher::from_bytes(message).ok_or_else(|| Violation::new("disputed with something else"))?;
        let is_its = *voucher.context.bytes() == tab.channel.context && key == tab.channel.session.signer;
        Violation::unless(is_its, "disputed with a voucher for something else").map(|()| voucher)
    };
    let (one, other) = (voucher(1)?, voucher(2)?);
    let differ = one.cumulative != other.cumulative || one.usage_root != other.usage_root;
    Violation::unless(one.sequence == other.sequence && differ, "two vouchers that do not contradict each other")
}
