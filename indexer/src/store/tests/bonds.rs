//! Bonds as providers show them.

use super::*;
use crate::testing::bond_address;

fn view() -> (tempfile::TempDir, Arc<Tested>, Arc<Overlay>, View) {
    let (folder, store) = open();
    let (store, overlay) = (Arc::new(store), Arc::new(Overlay::default()));
    let view = View::new(store.clone(), overlay.clone());
    (folder, store, overlay, view)
}

#[test]
fn a_provider_shows_what_it_answers_with_and_how_it_has_done() {
    let (_folder, store, _, view) = view();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let bond = chain.bond(1, 1_000);
    let kept = chain.open(1, 1_000);
    chain.accept(&kept, &provider, 800);
    store.apply(&confirmed(chain.take())).unwrap();
    let shown = view.get::<joule_api::Provider>(&provider).unwrap().unwrap().bonds;
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].address.clone(), shown[0].owner.clone()),
        (bond.to_string(), testing::authority(1).to_string())
    );
    assert_eq!((shown[0].amount, shown[0].locked, shown[0].free, shown[0].open_claims), (1_000, 400, 600, 1));
    let claims = view.claims(&bond).unwrap();
    assert_eq!((claims.len(), claims[0].amount, claims[0].subject.clone()), (1, 400, kept.to_string()));

    chain.deliver(&kept);
    chain.settle(&kept);
    let failed = chain.open(2, 1_000);
    chain.accept(&failed, &provider, 200);
    chain.fail(&failed);
    chain.unbond(1, 150);
    store.apply(&confirmed(chain.take())).unwrap();
    let shown = view.bonds(&testing::authority(1)).unwrap().remove(0);
    assert_eq!((shown.amount, shown.locked, shown.unbonding, shown.free), (900, 0, 150, 750));
    assert_eq!((shown.reputation.kept, shown.reputation.failed), (400, 100));
    assert!(shown.unbonds_at.is_some() && view.claims(&bond).unwrap().is_empty());
    assert_eq!(
        view.list(&ProviderFilter::default(), &PageRequest { after: None, limit: 5 }).unwrap().items[0].bonds,
        [shown]
    );
    assert!(view.bonds(&testing::authority(2)).unwrap().is_empty());
}

#[test]
fn unconfirmed_bonds_are_shown_and_vanish_with_their_fork() {
    let (_folder, store, overlay, view) = view();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    store.apply(&confirmed(chain.take())).unwrap();
    chain.bond(1, 700);
    let block = chain.take().remove(0);
    show(&overlay, &store, &block, 3);
    let shown = view.get::<joule_api::Provider>(&provider).unwrap().unwrap().bonds;
    assert_eq!((shown[0].amount, shown[0].commitment), (700, Commitment::Processed));
    overlay.apply(vec![Unconfirmed::Dropped(vec![BankRef { slot: block.slot, bank: 3 }])], false);
    assert!(view.get::<joule_api::Provider>(&provider).unwrap().unwrap().bonds.is_empty());
}

#[test]
fn a_claim_whose_closing_only_its_event_shows_is_gone() {
    let (_folder, store, _, view) = view();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    chain.bond(1, 1_000);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.settle(&job);
    let mut blocks = chain.take();
    for block in &mut blocks {
        block.writes.retain(|write| write.lamports > 0);
    }
    store.apply(&confirmed(blocks)).unwrap();
    assert!(view.claims(&bond_address(1)).unwrap().is_empty());
    assert_eq!(view.bonds(&testing::authority(1)).unwrap()[0].reputation.kept, 400);
}
