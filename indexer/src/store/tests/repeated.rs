//! What anybody may have happen as often as they like.

use super::*;
use joule_escrow::state::Pricing;

const OFTEN: usize = 2_000;

/// A job paid by the second whose client names its account again and again, in the state that it ends in.
fn ended(redirects: usize) -> Vec<Block> {
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open_with(1, 1_000, |job| {
        job.pricing = Pricing::PerSecond as u8;
        job.max_rate = 10.into();
    });
    chain.one_block(|chain| (0..redirects).for_each(|_| chain.redirect(&job)));
    chain.accept(&job, &provider, 10);
    chain.one_block(|chain| (0..redirects).for_each(|_| chain.redirect(&job)));
    chain.wait(7);
    chain.report(&job, 7);
    chain.deliver(&job);
    chain.settle(&job);
    chain.take()
}

fn only_job(store: &Tested) -> joule_api::Job {
    let page = PageRequest { after: None, limit: 10 };
    store.list(&JobFilter::default(), &page, &[]).unwrap().remove(0)
}

#[test]
fn a_job_that_is_redirected_for_ever_is_rebuilt_from_a_bounded_history() {
    for is_seen_alive in [true, false] {
        let stores = [0, OFTEN].map(|redirects| {
            let (folder, store) = open();
            let mut blocks = ended(redirects);
            for block in &mut blocks {
                block.writes.retain(|write| {
                    is_seen_alive
                        || crate::decode::account(crate::decode::Program::Registry, write.version.slot, &write.data)
                            .is_ok()
                });
            }
            store.apply(&confirmed(blocks)).unwrap();
            (folder, store)
        });
        let [calm, busy] = stores.each_ref().map(|(_, store)| only_job(store));
        assert_eq!(busy.status, JobStatus::Settled);
        assert_eq!((busy.reported, busy.price, &busy.paid), (7, 70, &calm.paid));
        assert_eq!(joule_api::Job { slot: 0, ..busy.clone() }, joule_api::Job { slot: 0, ..calm });
        let (_, store) = &stores[1];
        let address = busy.address.parse().unwrap();
        let history = store.history(&address).unwrap();
        assert!(history.len() < 300, "{} events", history.len());
        assert!(store.events(&address, 10 * OFTEN).unwrap().len() > 2 * OFTEN, "all of it can be asked for");
    }
}

#[test]
fn a_provider_that_lives_is_told_by_its_account_alone() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    store.apply(&confirmed(chain.take())).unwrap();
    let row = store.account(&provider).unwrap().unwrap();
    assert_eq!(row.told_until(), Some(row.version.slot));
}

#[test]
fn a_list_is_answered_however_many_rows_are_not_confirmed_yet() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    chain.one_block(|chain| {
        (0..5_000).for_each(|_| {
            chain.open(1, 1_000);
        })
    });
    store.apply(&confirmed(chain.take())).unwrap();
    let page = PageRequest { after: None, limit: 10_000 };
    let all = store.list(&JobFilter::default(), &page, &[]).unwrap();
    let known: Vec<Address> = all.iter().skip(1).map(|job| job.address.parse().unwrap()).collect();
    assert_eq!(known.len(), 4_999);
    assert_eq!(store.list(&JobFilter::default(), &page, &known).unwrap(), all[..1]);
}
