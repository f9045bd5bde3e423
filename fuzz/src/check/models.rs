//! What models and price lists must be, compared with what they are.

use super::{
    things::{broken, equal, there},
    Violation,
};
use crate::{
    chain::find,
    model::{Card, Model, Sheet},
};
use joule_sdk::{
    registry::state::{Model as State, PriceList},
    Pubkey,
};
use litesvm::LiteSVM;
use solana_account::ReadableAccount;
use std::collections::{BTreeMap, BTreeSet};

pub fn card(svm: &LiteSVM, model: &mut Model, address: &Pubkey) -> Result<(), Violation> {
    let Some(card) = model.cards.get_mut(address) else { return Ok(()) };
    let is: State = there(svm, address, "model")?;
    is.invariant().map_err(broken(address))?;
    equal(
        "creator, payout owner and base",
        address,
        [is.creator, is.payout_owner, is.base],
        [card.creator, card.payout_owner, card.base],
    )?;
    let owed: BTreeMap<Pubkey, u16> = is.royalties().iter().map(|due| (due.owner, due.bps.get())).collect();
    equal("lineage", address, &owed, &card.lineage)?;
    equal("places of the lineage", address, is.royalties().len(), owed.len())?;
    equal("royalty", address, is.royalty_bps.get(), card.royalty_bps)?;
    equal("depth and status", address, (is.depth, is.is_active()), (card.depth, card.is_active))?;
    equal("newest version", address, is.version.get() as usize, card.lists.len())?;
    for place in 0..card.lists.len() {
        sheet(svm, card, address, place)?;
    }
    Ok(())
}

/// A price list leaves nobody of the lineage out when it is published, and is the same to the byte ever after.
fn sheet(svm: &LiteSVM, card: &mut Card, of: &Pubkey, place: usize) -> Result<(), Violation> {
    let Sheet { address, mint, .. } = card.lists[place];
    let account = find(svm, &address).ok_or_else(|| Violation::new(format!("price list {address} is gone")))?;
    if let Some(seen) = &card.lists[place].seen {
        return Violation::unless(seen == account.data(), "a price list has changed");
    }
    let list: PriceList = there(svm, &address, "price list")?;
    list.invariant().map_err(broken(&address))?;
    equal("model and mint", &address, [list.model, list.mint], [*of, mint])?;
    equal("version", &address, list.version.get() as usize, place + 1)?;
    let accounts: BTreeSet<Pubkey> = list.parties().iter().map(|share| share.account).collect();
    equal("accounts", &address, accounts.len(), list.parties().len())?;
    for (owner, bps) in &card.lineage {
        let theirs = list.parties().iter().filter(|share| share.owner == *owner);
        let shares: u16 = theirs.map(|share| share.bps.get()).sum();
        Violation::unless(shares >= *bps, "a price list gives less than the lineage owes")?;
    }
    card.lists[place].seen = Some(account.data().to_vec());
    Ok(())
}
