//! What deposits, channels and plans must be, compared with what they are.

use super::{
    things::{broken, equal, held, same, there},
    Violation,
};
use crate::model::{Flow, Model, Tab, PARTIES};
use joule_sdk::{
    billing::state::{Channel, Payer, Plan},
    registry::state::PriceList,
    Pubkey,
};
use litesvm::LiteSVM;

/// What is reserved is what channels hold and plans have, nothing twice, and no more than there is.
pub fn wallet(svm: &LiteSVM, model: &mut Model, address: &Pubkey) -> Result<(), Violation> {
    let tabs = model.tabs.values().filter(|tab| tab.channel.payer == *address);
    let (mut reserved, mut rate, mut count) = (0u128, 0u128, 0);
    let Some(wallet) = model.wallets.get_mut(address) else { return Ok(()) };
    for tab in tabs {
        (reserved, count) = (reserved + tab.channel.held.get() as u128, count + 1);
        if let Some(flow) = model.flows.get(&tab.address) {
            reserved += flow.reserved(wallet.payer.synced_at.get())?;
            rate += if flow.is_running() { flow.plan.rate.get() as u128 } else { 0 };
        }
    }
    let payer: Payer = there(svm, address, "payer")?;
    wallet.payer.bump = payer.bump;
    same("payer", address, &payer, &wallet.payer)?;
    payer.invariant().map_err(broken(address))?;
    equal("what is reserved", address, payer.reserved.get() as u128, reserved)?;
    equal("what plans make", address, payer.rate.get() as u128, rate)?;
    equal("channels", address, payer.channels.get(), count)?;
    equal("deposits less what was spent", address, payer.balance.get() as u128 + wallet.outflow, wallet.inflow)?;
    Violation::unless(reserved <= payer.balance.get() as u128, "more is reserved than was deposited")?;
    let held = held(svm, &payer.vault, &payer.mint, address)?;
    if held != payer.balance.get() as u128 + wallet.gifts {
        let what = format!(
            "the vault of payer {address} holds {held} units, and owes {} + {}",
            payer.balance.get(),
            wallet.gifts
        );
        return Err(Violation::new(what));
    }
    Ok(())
}

/// What a channel holds is what came to it less what left; what was divided is everybody's part, to the unit.
pub fn tab(svm: &LiteSVM, model: &mut Model, address: &Pubkey, now: i64) -> Result<(), Violation> {
    let Some(tab) = model.tabs.get_mut(address) else { return Ok(()) };
    let is: Channel = there(svm, address, "channel")?;
    tab.channel.bump = is.bump;
    same("channel", address, &is, &tab.channel)?;
    let tab = *tab;
    let earned = tab.earned();
    let is_within = is.settled.get() <= is.cap.get() && is.paid.get() <= earned && is.backed.get() <= earned;
    Violation::unless(
        is_within && is.collected.get() <= earned,
        "a channel spends more than its cap, or than is earned",
    )?;
    let list: PriceList = there(svm, &is.prices, "price list")?;
    let shares: u16 = list.parties().iter().map(|share| share.bps.get()).sum();
    equal("shares", address, is.share_bps.get(), shares)?;
    parts(&tab, &list)?;
    let came = tab.reserved + is.accrued.get() as u128 + tab.fine;
    let left = tab.paid.iter().sum::<u128>() + tab.returned + tab.released;
    equal("what is held and has left", address, is.held.get() as u128 + left, came)?;
    match model.flows.get_mut(address) {
        Some(flow) => plan(svm, &tab, flow, now),
        None => equal("plan", address, is.has_plan, 0),
    }
}

/// Everybody has received, or is owed, what its share of what was divided is.
pub fn parts(tab: &Tab, list: &PriceList) -> Result<(), Violation> {
    let bps = tab.bps(list);
    (0..PARTIES).try_for_each(|party| {
        let what = format!("what party {party} has received or is owed");
        equal(&what, &tab.address, tab.received(party), tab.due(party, bps[party]))
    })
}

fn plan(svm: &LiteSVM, tab: &Tab, flow: &mut Flow, now: i64) -> Result<(), Violation> {
    let is: Plan = there(svm, &flow.address, "plan")?;
    flow.plan.bump = is.bump;
    same("plan", &flow.address, &is, &flow.plan)?;
    equal("plan", &tab.address, tab.channel.has_plan, 1)?;
    flow.sound(now)
}
