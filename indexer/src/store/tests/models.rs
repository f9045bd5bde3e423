//! Models as lists and readers show them, and their price lists.

use super::*;
use crate::testing::creator;
use joule_api::{Model, ModelStatus, Royalty};

fn view() -> (tempfile::TempDir, Arc<Tested>, Arc<Overlay>, View) {
    let (folder, store) = open();
    let (store, overlay) = (Arc::new(store), Arc::new(Overlay::default()));
    let view = View::new(store.clone(), overlay.clone());
    (folder, store, overlay, view)
}

fn listed(view: &View, filter: ModelFilter) -> Vec<String> {
    let page = PageRequest { after: None, limit: 10 };
    view.list(&filter, &page).unwrap().items.into_iter().map(|model| model.address).collect()
}

#[test]
fn a_model_shows_what_it_owes_where_it_comes_from_and_its_prices_the_newest_first() {
    let (_folder, store, _, view) = view();
    let mut chain = Chain::new();
    let first = chain.model(1, None, 300);
    let second = chain.model(2, Some(&first), 200);
    let third = chain.model(3, Some(&second), 100);
    let old = chain.publish(&third, 5, 1_000);
    let new = chain.publish(&third, 7, 0);
    store.apply(&confirmed(chain.take())).unwrap();

    let shown = view.get::<joule_api::Model>(&third).unwrap().unwrap();
    let royalty = |who, bps| Royalty { owner: creator(who).to_string(), bps };
    assert_eq!(shown.lineage, [royalty(1, 300), royalty(2, 200)]);
    assert_eq!((shown.base.clone(), shown.depth, shown.version), (Some(second.to_string()), 2, 2));
    assert_eq!((shown.creator.clone(), shown.royalty_bps), (creator(3).to_string(), 100));
    assert_eq!((shown.status, shown.commitment), (ModelStatus::Active, Commitment::Confirmed));
    let bases: Vec<String> = view.bases(&shown).unwrap().into_iter().map(|base| base.address).collect();
    assert_eq!(bases, [second.to_string(), first.to_string()]);

    let prices = view.prices(&third).unwrap();
    assert_eq!(prices.iter().map(|list| list.address.clone()).collect::<Vec<_>>(), [new.to_string(), old.to_string()]);
    assert_eq!((prices[0].version, prices[0].per_request, prices[0].per_million_output), (2, 7, 70));
    let shares: Vec<_> = prices[1].shares.iter().map(|share| (share.owner.clone(), share.bps)).collect();
    assert_eq!(shares, [(1, 300), (2, 200), (3, 1_000)].map(|(who, bps)| (creator(who).to_string(), bps)));
    assert_eq!(prices[0].shares.len(), 2);
    assert!(view.prices(&first).unwrap().is_empty());
}

#[test]
fn models_are_listed_by_creator_base_and_status_the_newest_first() {
    let (_folder, store, overlay, view) = view();
    let mut chain = Chain::new();
    let base = chain.model(1, None, 0);
    let models: Vec<Address> = (0..6)
        .map(|n| {
            chain.wait(10);
            chain.model(n % 3, Some(&base), 0)
        })
        .collect();
    chain.retire_model(&models[4]);
    let mut blocks = chain.take();
    // The newest of them is not confirmed.
    let retired = blocks.pop().unwrap();
    store.apply(&confirmed(blocks)).unwrap();
    show(&overlay, &store, &retired, 1);

    let at = |n: usize| models[n].to_string();
    let status = |status| ModelFilter { status: Some(status), ..ModelFilter::default() };
    assert_eq!(listed(&view, status(ModelStatus::Retired)), [at(4)]);
    assert_eq!(listed(&view, status(ModelStatus::Active)).len(), 6);
    let of = ModelFilter { creator: Some(creator(1)), ..ModelFilter::default() };
    assert_eq!(listed(&view, of), [at(4), at(1), base.to_string()]);
    let from = ModelFilter { base: Some(base), ..ModelFilter::default() };
    assert_eq!(listed(&view, from), (0..6).rev().map(at).collect::<Vec<_>>());

    let mut seen: Vec<Model> = Vec::new();
    let mut after = None;
    loop {
        let page = view.list(&ModelFilter::default(), &PageRequest { after, limit: 2 }).unwrap();
        seen.extend(page.items);
        let Some(cursor) = page.next_cursor else { break };
        after = Cursor::decode(&cursor);
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
    assert_eq!(seen[1].commitment, Commitment::Processed);
}

#[test]
fn unconfirmed_models_and_prices_are_shown_and_vanish_with_their_fork() {
    let (_folder, store, overlay, view) = view();
    let mut chain = Chain::new();
    let base = chain.model(1, None, 0);
    store.apply(&confirmed(chain.take())).unwrap();
    chain.publish(&base, 5, 0);
    let block = chain.take().remove(0);
    show(&overlay, &store, &block, 3);
    let shown = view.get::<joule_api::Model>(&base).unwrap().unwrap();
    assert_eq!((shown.version, shown.commitment), (1, Commitment::Processed));
    assert_eq!(view.prices(&base).unwrap()[0].commitment, Commitment::Processed);
    let another = chain.model(2, None, 0);
    let forked = chain.take().remove(0);
    show(&overlay, &store, &forked, 4);
    assert_eq!(view.get::<joule_api::Model>(&another).unwrap().unwrap().creator, creator(2).to_string());
    assert_eq!(listed(&view, ModelFilter::default()).len(), 2);

    let banks = [(&block, 3), (&forked, 4)].map(|(block, bank)| BankRef { slot: block.slot, bank });
    overlay.apply(vec![Unconfirmed::Dropped(banks.to_vec())], false);
    assert_eq!(view.get::<joule_api::Model>(&base).unwrap().unwrap().version, 0);
    assert!(view.prices(&base).unwrap().is_empty() && view.get::<joule_api::Model>(&another).unwrap().is_none());
}
