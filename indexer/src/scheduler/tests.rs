//! What is offered, what is refused, and the words for both.

use super::*;
use crate::{
    query::Overlay,
    store::{Batch, Sqlite},
    testing::{authority, Chain, Demands, MINT},
};
use anchor_lang::prelude::Address as Key;
use joule_registry::state::Credential;

struct World {
    _folder: tempfile::TempDir,
    store: Arc<Sqlite>,
    view: View,
    scheduler: Scheduler,
    chain: Chain,
    provider: Address,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(folder.path().join("indexer.sqlite")).unwrap());
        let view = View::new(store.clone(), Arc::new(Overlay::default()));
        let mut chain = Chain::new();
        let provider = chain.register(1);
        Self { _folder: folder, store, view, scheduler: Scheduler::default(), chain, provider }
    }

    fn bonded(amount: u64) -> Self {
        let mut world = Self::new();
        world.chain.bond(1, amount);
        world
    }

    fn confirm(&mut self) -> Provider {
        let blocks = self.chain.take();
        let checkpoint = blocks.last().map(|block| block.slot);
        let applied = self.store.apply(&Batch { blocks, checkpoint, ..Batch::default() }).unwrap();
        self.scheduler.update(&applied.changes.jobs);
        self.view.get::<joule_api::Provider>(&self.provider).unwrap().unwrap()
    }

    fn offers(&mut self) -> Vec<OpenJob> {
        let provider = self.confirm();
        self.scheduler.open_jobs(&self.view, &provider, self.chain.now(), 50).unwrap()
    }

    /// Every reason why the one open job is refused.
    fn refusal(&mut self) -> String {
        let provider = self.confirm();
        assert!(self.offers().is_empty());
        let mut refused = self.scheduler.refused_jobs(&self.view, &provider, self.chain.now(), 50).unwrap();
        assert_eq!(refused.len(), 1);
        refused.remove(0).reasons.join("; ")
    }

    /// A job that demands something.
    fn demanding(&mut self, wanted: &Demands) -> Address {
        let requirements = self.chain.demand(1, wanted);
        self.chain.open_with(1, 1_000, |job| job.requirements = Key::new_from_array(requirements.0))
    }
}

fn gpus(count: u16) -> Demands {
    Demands { gpu_count: count, ..Demands::default() }
}

#[test]
fn a_provider_without_a_bond_is_offered_nothing() {
    let mut world = World::new();
    world.chain.open(1, 1_000);
    let why = world.refusal();
    assert!(why.contains("no bond") && why.contains(&MINT.to_string()), "{why}");
}

#[test]
fn the_bond_must_cover_what_would_be_locked_at_the_full_budget() {
    let mut world = World::bonded(499);
    world.chain.open(1, 1_000);
    let why = world.refusal();
    assert!(why.contains("500 base units") && why.contains("499 can be"), "{why}");
    world.chain.bond(1, 1);
    let offers = world.offers();
    assert_eq!((offers[0].exposure, offers[0].pay, offers[0].takes_bids), (500, 990, false));
    assert!(offers[0].reasons.iter().any(|reason| reason.contains("locks up to 500")), "{:?}", offers[0].reasons);
}

#[test]
fn a_bond_that_the_escrow_may_not_lock_backs_no_job() {
    let mut world = World::bonded(900);
    world.chain.open(1, 1_000);
    assert_eq!(world.offers().len(), 1);
    world.chain.name_escrow(1, false);
    let why = world.refusal();
    assert!(why.contains("does not let the escrow lock it"), "{why}");
    world.chain.name_escrow(1, true);
    assert_eq!(world.offers().len(), 1);
}

#[test]
fn what_is_on_its_way_out_can_still_be_locked_and_what_is_locked_cannot() {
    let mut world = World::bonded(900);
    world.chain.unbond(1, 900);
    let first = world.chain.open(1, 1_000);
    assert_eq!(world.offers().len(), 1);
    let provider = world.provider;
    world.chain.accept(&first, &provider, 1_000);
    world.chain.open(2, 1_000);
    let why = world.refusal();
    assert!(why.contains("400 can be"), "{why}");
}

#[test]
fn hardware_that_is_too_small_is_named_with_what_was_asked_for() {
    let mut world = World::bonded(1_000);
    world.demanding(&Demands { gpu_model: 3, cpu_cores: 8, ..gpus(2) });
    let provider = world.provider;
    world.chain.restate(&provider, |state| state.cpu_cores = 8.into());
    let why = world.refusal();
    assert!(why.contains("GPU model: 3 asked for, 0 there") && why.contains("GPUs: 2 asked for, 0 there"), "{why}");
    assert!(!why.contains("CPU"), "{why}");
    world.chain.restate(&provider, |state| {
        state.gpu_model = 3.into();
        state.gpu_count = 2.into();
    });
    let offers = world.offers();
    assert!(
        offers[0].reasons.iter().any(|reason| reason.contains("meets the requirements")),
        "{:?}",
        offers[0].reasons
    );
}

#[test]
fn another_region_is_refused() {
    let mut world = World::bonded(1_000);
    world.demanding(&Demands { regions: [4, 5, 0, 0], ..Demands::default() });
    let provider = world.provider;
    world.chain.restate(&provider, |state| state.region = 2.into());
    let why = world.refusal();
    assert!(why.contains("region 2") && why.contains("4, 5"), "{why}");
    world.chain.restate(&provider, |state| state.region = 5.into());
    assert_eq!(world.offers().len(), 1);
}

#[test]
fn whoever_is_not_on_the_list_is_refused() {
    let mut world = World::bonded(1_000);
    let mut allowed = [Key::default(); 8];
    allowed[0] = Key::new_from_array([1; 32]);
    world.demanding(&Demands { allowed, ..Demands::default() });
    let why = world.refusal();
    assert!(why.contains("not one of those that the client allows"), "{why}");
    allowed[1] = Key::new_from_array(world.provider.0);
    world.demanding(&Demands { allowed, ..Demands::default() });
    assert_eq!(world.offers().len(), 1);
}

#[test]
fn a_bond_below_the_least_that_a_client_asks_for_is_refused() {
    let mut world = World::bonded(2_000);
    world.demanding(&Demands { min_bond: 1_500, ..Demands::default() });
    assert_eq!(world.offers().len(), 1);
    // What is on its way out does not count here.
    world.chain.unbond(1, 501);
    let why = world.refusal();
    assert!(why.contains("1499 base units") && why.contains("1500 are asked for"), "{why}");
}

#[test]
fn credentials_are_looked_at_while_they_are_live() {
    let mut world = World::bonded(1_000);
    let attestor = Address([70; 32]);
    let mut all_of = [Credential::default(); 4];
    all_of[0] = Credential { attestor: Key::new_from_array(attestor.0), schema: 7 };
    world.demanding(&Demands { all_of, ..Demands::default() });
    let why = world.refusal();
    assert!(why.contains("lacks a credential"), "{why}");
    let until = world.chain.now() + 100;
    world.chain.attest(1, attestor, 8, until);
    assert!(world.refusal().contains("lacks a credential"), "of another schema");
    world.chain.attest(2, attestor, 7, until);
    assert!(world.refusal().contains("lacks a credential"), "{} is somebody else", authority(2));
    world.chain.attest(1, attestor, 7, until);
    assert_eq!(world.offers().len(), 1);
    world.chain.wait(101);
    assert!(world.refusal().contains("has expired"));
}

#[test]
fn requirements_that_are_gone_can_be_met_by_nobody() {
    let mut world = World::bonded(1_000);
    let wanted = Demands { cpu_cores: 0, ..gpus(0) };
    let requirements = world.chain.demand(1, &wanted);
    world.chain.open_with(1, 1_000, |job| job.requirements = Key::new_from_array(requirements.0));
    assert_eq!(world.offers().len(), 1);
    world.chain.close_demand(1, &requirements);
    let why = world.refusal();
    assert!(why.contains("are gone") && why.contains(&requirements.to_string()), "{why}");
}

#[test]
fn a_job_that_takes_bids_says_so_and_is_over_when_they_end() {
    let mut world = World::bonded(10_000);
    let rival = world.chain.register(2);
    world.chain.bond(2, 10_000);
    let until = world.chain.now() + 40;
    let job = world.chain.open_with(1, 1_000, |job| job.bid_until = until.into());
    let offers = world.offers();
    assert!(offers[0].takes_bids && offers[0].seconds_left <= 40);
    assert!(offers[0].reasons.iter().any(|reason| reason.contains("none yet")), "{:?}", offers[0].reasons);
    world.chain.bid(&job, &rival, 600);
    let offers = world.offers();
    assert_eq!(offers[0].job.best_price, 600);
    assert!(offers[0].reasons.iter().any(|reason| reason.contains("best so far is 600")), "{:?}", offers[0].reasons);
    world.chain.wait(50);
    let why = world.refusal();
    assert!(why.contains("bids ended"), "{why}");
}

#[test]
fn a_refusal_names_everything_at_once() {
    let mut world = World::new();
    world.demanding(&gpus(1));
    let provider = world.provider;
    world.chain.pause(&provider);
    world.chain.wait(2_000_000);
    let why = world.refusal();
    for part in ["is paused", "could be accepted until", "no bond", "GPUs: 1 asked for"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn a_provider_with_no_place_left_is_told_so() {
    let mut world = World::bonded(10_000);
    let provider = world.provider;
    for client in [2, 3] {
        let job = world.chain.open(client, 100);
        world.chain.accept(&job, &provider, 100);
    }
    world.chain.open(1, 1_000);
    let why = world.refusal();
    assert!(why.contains("all 2 places"), "{why}");
}

#[test]
fn jobs_by_the_second_are_backed_for_their_whole_budget() {
    let mut world = World::bonded(1_000);
    world.chain.open_with(1, 1_000, |job| {
        job.pricing = joule_escrow::state::Pricing::PerSecond as u8;
        job.max_rate = 40.into();
    });
    let offers = world.offers();
    assert_eq!(offers[0].exposure, 500);
    assert!(
        offers[0].reasons.iter().any(|reason| reason.contains("by the second") && reason.contains("40 each")),
        "{:?}",
        offers[0].reasons
    );
}
