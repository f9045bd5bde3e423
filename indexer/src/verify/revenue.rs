//! Whether what channels say is what was counted: of payers, of channels, and of revenue.

use super::{
    books::{ALL, PAGE},
    Books, Difference, Vault,
};
use crate::{
    decode::{Program, State},
    query::{ChannelFilter, Cursor, PageRequest},
    row::revenue::Sums,
    store::Store,
    types::Address,
};
use joule_api::{Against, Channel};
use joule_billing::state::{Payer, PlanStatus};
use std::collections::BTreeMap;

pub fn audit(store: &dyn Store, books: &mut Books) -> anyhow::Result<()> {
    payers(store, books)?;
    channels(store, books)
}

/// What channels and plans hold of a payer's reserve, and how many channels that are.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Held {
    amount: i128,
    channels: u32,
}

/// Payers: what their vaults must hold, and what is reserved for what.
fn payers(store: &dyn Store, books: &mut Books) -> anyhow::Result<()> {
    let rows = store.live_accounts(&Program::Billing.address())?;
    let mut payers: BTreeMap<Address, Payer> = BTreeMap::new();
    let mut held: BTreeMap<Address, Held> = BTreeMap::new();
    for row in &rows {
        match row.state() {
            Some(State::Payer(payer)) => {
                let least = payer.balance.get();
                books.vaults.push(Vault { owner: row.address, vault: (&payer.vault).into(), least });
                payers.insert(row.address, payer);
            }
            Some(State::Channel(channel)) => {
                let held = held.entry((&channel.payer).into()).or_default();
                held.amount += i128::from(channel.held.get());
                held.channels += 1;
            }
            _ => {}
        }
    }
    for row in &rows {
        let Some(State::Plan(plan)) = row.state() else { continue };
        let payer = Address::from(&plan.payer);
        let amount = &mut held.entry(payer).or_default().amount;
        *amount += i128::from(plan.lockup.get());
        if let (Some(payer), Ok(PlanStatus::Running)) = (payers.get(&payer), plan.status()) {
            // Reserved, and not on its channel yet.
            let seconds = payer.synced_at.get().saturating_sub(plan.settled_until.get());
            *amount += i128::from(plan.rate.get()) * i128::from(seconds);
        }
    }
    for (address, payer) in payers {
        let found = held.remove(&address).unwrap_or_default();
        let stated = Held { amount: payer.reserved.get().into(), channels: payer.channels.get() };
        if found != stated {
            let (reserved, channels) = (payer.reserved.get(), payer.channels.get());
            let (held, count) = (found.amount, found.channels);
            books.differences.push(Difference::Reserved { address, reserved, channels, held, count });
        }
    }
    Ok(())
}

/// Channels: whether their days come to where they are, and whether the days of all come to the revenue.
fn channels(store: &dyn Store, books: &mut Books) -> anyhow::Result<()> {
    let mut sums: BTreeMap<Address, Sums> = BTreeMap::new();
    let mut page = PageRequest { after: None, limit: PAGE };
    loop {
        let channels = store.list(&ChannelFilter::default(), &page, &[])?;
        for channel in &channels {
            let (Ok(address), Ok(mint)) = (channel.address.parse(), channel.mint.parse()) else { continue };
            let counted = store.earned(&address)?;
            sums.entry(mint).or_default().add(&counted, 1);
            match is_known(store, &address)? {
                true => {
                    books.channels += 1;
                    books.differences.extend(miscounted(address, channel, counted));
                }
                false => books.unknown_channels += 1,
            }
        }
        let Some(last) = channels.last() else { break };
        let Ok(address) = last.address.parse() else { break };
        page.after = Some(Cursor { time: last.opened_at, address });
    }
    let mut days: BTreeMap<Address, Sums> = store.revenue_by_mint()?.into_iter().collect();
    for mint in sums.keys() {
        days.entry(*mint).or_default();
    }
    for (mint, days) in days {
        let channels = sums.remove(&mint).unwrap_or_default();
        if days != channels {
            books.differences.push(Difference::Revenue { mint, channels: channels.into(), days: days.into() });
        }
    }
    Ok(())
}

/// Whether the store has the channel's history from the beginning.
fn is_known(store: &dyn Store, channel: &Address) -> anyhow::Result<bool> {
    let events = store.events(channel, ALL)?;
    Ok(events.iter().rev().any(|event| event.fact().is_ok_and(|fact| fact.name() == "ChannelOpened")))
}

/// A channel of which something else was counted than it says.
fn miscounted(address: Address, channel: &Channel, counted: Sums) -> Option<Difference> {
    let mut says = Sums {
        requests: channel.requests.into(),
        units: channel.units.into(),
        amount: channel.paid.into(),
        collected: channel.collected.into(),
        ..counted
    };
    // Whoever lost a dispute collects nothing more, and no distribution says that.
    if channel.dispute.as_ref().is_some_and(|dispute| dispute.against.includes(Against::Provider)) {
        says.collected = says.collected.min(counted.collected);
    }
    (says != counted).then(|| Difference::Counted { address, says: says.into(), counted: counted.into() })
}
