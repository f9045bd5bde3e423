//! Channels and deposits find their way out: the parties end what is open, cranks divide what was earned and give back what was
//! not, whoever could not be paid claims it, and owners take back what is left.

use super::{must, purse_at_last};
use crate::{actions::bills::payee, check::Violation, model::PARTIES, stage::Stage};
use joule_sdk::{billing::constants::PROTOCOL, instruction::billing, Pubkey};

/// Everybody who has a channel open ends it, owner or provider.
pub fn end(stage: &mut Stage) -> Result<(), Violation> {
    for address in all(stage) {
        let Some(tab) = stage.model.tabs.get(&address).filter(|tab| tab.closed_at.is_none()) else { continue };
        let (owner, authority) = (tab.channel.owner, tab.channel.authority);
        let party = if stage.chance(50) { owner } else { authority };
        must(stage, vec![billing::request_close(party, address)])?;
    }
    Ok(())
}

/// Has every plan settled and every channel divided and closed, as far as the clock allows and accounts can receive.
pub fn crank(stage: &mut Stage) -> Result<(), Violation> {
    for address in all(stage) {
        let Some(tab) = stage.model.tabs.get(&address).copied() else { continue };
        if let Some(flow) = stage.model.flows.get(&address).copied() {
            let _ = stage.send(&[billing::settle_plan(address, &tab.channel, &flow.plan)])?;
        }
        distribute(stage, &address)?;
        let _ = stage.send(&[billing::close(address, &tab.channel)])?;
    }
    Ok(())
}

/// Nothing that a channel has left waits for anybody but those whose account cannot receive.
pub fn wait_for_payees(stage: &Stage) -> Result<(), Violation> {
    Violation::unless(stage.model.flows.is_empty(), "a plan cannot be ended by cranks alone")?;
    for tab in stage.model.tabs.values() {
        let channel = &tab.channel;
        let is_divided = [channel.paid, channel.collected].iter().all(|to| to.get() == tab.earned());
        let is_given_back = channel.cap == channel.settled;
        Violation::unless(is_divided && is_given_back, "a channel cannot be divided and given back by cranks alone")?;
        Violation::unless(tab.owes(), "a channel that owes nobody anything cannot be closed by cranks alone")?;
    }
    Ok(())
}

/// Whoever could not be paid is, or claims it into another account; then every channel closes.
pub fn pay_everybody(stage: &mut Stage) -> Result<(), Violation> {
    for (number, address) in all(stage).into_iter().enumerate() {
        distribute(stage, &address)?;
        let Some(tab) = stage.model.tabs.get(&address).copied() else { continue };
        for party in (0..PARTIES).filter(|party| *party != PROTOCOL && tab.channel.owed[*party].get() > 0) {
            let Some(owner) = payee(stage, &tab.channel, party) else { continue };
            let token = token(stage, &tab.channel.mint)?;
            let to = purse_at_last(stage, &format!("share {number} {party}"), owner, token)?;
            let program = stage.cast.tokens[token].program;
            // Refused to whoever has been paid by now.
            let _ = stage.send(&[billing::claim_owed(owner, address, &tab.channel, party as u8, to, program)])?;
        }
        must(stage, vec![billing::close(address, &tab.channel)])?;
    }
    Violation::unless(stage.model.tabs.is_empty(), "a channel has no way out")
}

/// Every owner takes back its deposit, and nothing is left but gifts.
pub fn reclaim(stage: &mut Stage) -> Result<(), Violation> {
    let wallets: Vec<Pubkey> = stage.model.wallets.keys().copied().collect();
    for (number, address) in wallets.iter().enumerate() {
        let Some(wallet) = stage.model.wallets.get(address).copied() else { continue };
        let (payer, token) = (wallet.payer, token(stage, &wallet.payer.mint)?);
        if payer.balance.get() > 0 {
            let to = purse_at_last(stage, &format!("payer {number}"), payer.owner, token)?;
            let program = stage.cast.tokens[token].program;
            must(stage, vec![billing::reclaim(payer.owner, payer.mint, to, program, payer.balance.get())])?;
        }
    }
    let is_empty = stage.model.wallets.values().all(|wallet| {
        let payer = &wallet.payer;
        [payer.balance, payer.reserved, payer.rate].iter().all(|left| left.get() == 0) && payer.channels.get() == 0
    });
    Violation::unless(is_empty, "something of a deposit has no way out")
}

fn distribute(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let Some(tab) = stage.model.tabs.get(address).copied() else { return Ok(()) };
    let list = stage.model.list(&tab.channel.prices);
    let list = list.ok_or_else(|| Violation::new("a channel on prices that nobody published"))?;
    let program = stage.program_of_mint(&tab.channel.mint);
    let _ = stage.send(&[billing::distribute(*address, &tab.channel, &list, program)])?;
    Ok(())
}

fn all(stage: &Stage) -> Vec<Pubkey> {
    stage.model.tabs.keys().copied().collect()
}

fn token(stage: &Stage, mint: &Pubkey) -> Result<usize, Violation> {
    stage.cast.token(mint).ok_or_else(|| Violation::new("a deposit in no token of ours"))
}
