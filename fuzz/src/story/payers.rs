//! Deposits, as the billing program tells of them.

use super::{Called, Story};
use crate::{
    check::Violation,
    model::{Model, Tab, Thing, Wallet},
};
use bytemuck::Zeroable;
use joule_sdk::{
    billing::{
        event::{AnyEvent as Billing, Deposited, PayerCreated, Reclaimed},
        state::Payer,
    },
    Pubkey,
};

impl Story {
    pub(super) fn billing(&mut self, model: &mut Model, event: Billing, called: &Called) -> Result<(), Violation> {
        match event {
            Billing::ClusterInitialized(_) => Err(Violation::new("something was set up twice")),
            Billing::PayerCreated(e) => self.payer_created(model, &e, called),
            Billing::Deposited(e) => self.deposited(model, &e, called),
            Billing::Reclaimed(e) => self.reclaimed(model, &e, called),
            Billing::ChannelOpened(e) => self.channel_opened(model, &e, called),
            Billing::ChannelToppedUp(e) => self.topped_up(model, &e, called),
            Billing::SessionSet(e) => self.session_set(model, &e, called),
            Billing::CloseRequested(e) => self.close_requested(model, &e, called),
            Billing::ChannelClosed(e) => self.channel_closed(model, &e, called),
            Billing::Backed(e) => self.backed(model, &e, called),
            Billing::Distributed(e) => self.distributed(model, &e, called),
            Billing::OwedClaimed(e) => self.owed_claimed(model, &e, called),
            Billing::BillDisputed(e) => self.bill_disputed(model, &e, called),
            Billing::PlanStarted(e) => self.plan_started(model, &e, called),
            Billing::PlanPaused(e) => self.plan_paused(model, &e, called),
            Billing::PlanResumed(e) => self.plan_resumed(model, &e, called),
            Billing::PlanTerminated(e) => self.plan_terminated(model, &e, called),
            Billing::PlanSettled(e) => self.plan_settled(model, &e, called),
        }
    }

    fn payer_created(&mut self, model: &mut Model, e: &PayerCreated, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.owner)?;
        let (vault, rent_payer) = (called.account("vault")?, called.account("rent_payer")?);
        self.rents.extend([(e.payer, rent_payer), (vault, rent_payer)]);
        let payer = Payer { owner: e.owner, mint: e.mint, vault, synced_at: called.now.into(), ..Payer::zeroed() };
        model.name([e.payer, vault], Thing::Wallet(e.payer));
        let earlier = model.wallets.insert(e.payer, Wallet { payer, gifts: 0, inflow: 0, outflow: 0 });
        Violation::unless(earlier.is_none(), "a payer was made twice")
    }

    fn deposited(&mut self, model: &mut Model, e: &Deposited, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.from)?;
        let wallet = wallet(model, &e.payer)?;
        let is_late = wallet.payer.synced_at.get() < called.now && wallet.payer.rate.get() > wallet.free();
        wallet.take_in(e.amount.get());
        wallet.sync(called.now);
        let told = (e.balance.get(), e.reserved.get()) == (wallet.payer.balance.get(), wallet.payer.reserved.get());
        Violation::unless(told, "a deposit that is another than was told")?;
        let vault = wallet.payer.vault;
        if is_late {
            model.mark("deposit into arrears");
        }
        self.gain(called.account("source")?, -(e.amount.get() as i128));
        self.gain(vault, e.amount.get() as i128);
        Ok(())
    }

    fn reclaimed(&mut self, model: &mut Model, e: &Reclaimed, called: &Called) -> Result<(), Violation> {
        let wallet = wallet(model, &e.payer)?;
        called.signed_by(&wallet.payer.owner)?;
        wallet.sync(called.now);
        wallet.take_out(e.amount.get())?;
        let vault = wallet.payer.vault;
        self.gain(vault, -(e.amount.get() as i128));
        self.give(model, e.destination, e.amount.get());
        Ok(())
    }
}

pub(super) fn wallet<'a>(model: &'a mut Model, payer: &Pubkey) -> Result<&'a mut Wallet, Violation> {
    model.wallets.get_mut(payer).ok_or_else(|| Violation::new("an event about a payer that nobody has made"))
}

pub(super) fn tab<'a>(model: &'a mut Model, channel: &Pubkey) -> Result<&'a mut Tab, Violation> {
    model.tabs.get_mut(channel).ok_or_else(|| Violation::new("an event about a channel that is not open"))
}

/// A channel and the deposit behind it, to be changed together and given back with [`keep`].
pub(super) fn both(model: &mut Model, channel: &Pubkey) -> Result<(Wallet, Tab), Violation> {
    let tab = *tab(model, channel)?;
    Ok((*wallet(model, &tab.channel.payer)?, tab))
}

pub(super) fn keep(model: &mut Model, wallet: Wallet, tab: Tab) {
    model.wallets.insert(tab.channel.payer, wallet);
    model.tabs.insert(tab.address, tab);
}
