//! Models and price lists, as the registry tells of them.

use super::{Called, Story};
use crate::{
    check::Violation,
    model::{Card, Model, Sheet, Thing},
};
use joule_sdk::{
    registry::event::{ModelCreated, ModelUpdated, PricesPublished},
    Pubkey,
};
use std::collections::BTreeMap;

impl Story {
    pub(super) fn model_created(&mut self, model: &mut Model, e: &ModelCreated, c: &Called) -> Result<(), Violation> {
        c.signed_by(&e.creator)?;
        self.rents.push((e.model, c.account("payer")?));
        let (lineage, depth) = match e.base == Pubkey::default() {
            true => (BTreeMap::new(), 0),
            false => {
                let base = card(model, &e.base)?;
                Violation::unless(base.is_active, "derived from a model that was retired")?;
                (base.owed(), base.depth + 1)
            }
        };
        let card = Card {
            creator: e.creator,
            payout_owner: e.payout_owner,
            base: e.base,
            royalty_bps: e.royalty_bps.get(),
            lineage,
            depth,
            is_active: true,
            lists: Vec::new(),
        };
        Violation::unless(model.cards.insert(e.model, card).is_none(), "a model was made twice")?;
        model.name([e.model], Thing::Card(e.model));
        Ok(())
    }

    pub(super) fn model_updated(&mut self, model: &mut Model, e: &ModelUpdated, c: &Called) -> Result<(), Violation> {
        let card = card(model, &e.model)?;
        c.signed_by(&card.creator)?;
        card.payout_owner = e.payout_owner;
        card.is_active = e.status == 1;
        Ok(())
    }

    pub(super) fn prices_published(
        &mut self,
        model: &mut Model,
        e: &PricesPublished,
        c: &Called,
    ) -> Result<(), Violation> {
        let card = card(model, &e.model)?;
        c.signed_by(&card.creator)?;
        Violation::unless(card.is_active, "a retired model has published prices")?;
        card.lists.push(Sheet { address: e.price_list, mint: e.mint, seen: None });
        let is_next = card.lists.len() == e.version.get() as usize;
        let is_derived = !card.lineage.is_empty();
        Violation::unless(is_next, "a price list has another version than the next one")?;
        self.rents.push((e.price_list, c.account("payer")?));
        model.name([e.price_list], Thing::Card(e.model));
        if is_derived {
            model.mark("prices of a derived model");
        }
        Ok(())
    }
}

fn card<'a>(model: &'a mut Model, address: &Pubkey) -> Result<&'a mut Card, Violation> {
    model.cards.get_mut(address).ok_or_else(|| Violation::new("told of a model that nobody has made"))
}
