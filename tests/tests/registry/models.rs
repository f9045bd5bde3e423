//! Models: who made them, what they derive from, and what they owe for that.

use crate::world;
use anchor_lang::Discriminator;
use joule_sdk::{
    instruction::model::*,
    pda,
    registry::state::{Model, ModelProfile, ModelStatus, Royalty},
    registry::ID,
    Keypair, Pubkey, Signer,
};
use joule_tests::{swap, World};
use solana_account::Account;

/// The lineage as owners and basis points.
fn lineage(w: &World, model: &Pubkey) -> Vec<(Pubkey, u16)> {
    w.get::<Model>(model).royalties().iter().map(|royalty| (royalty.owner, royalty.bps.get())).collect()
}

fn origin(id: u64, base: Option<Pubkey>, royalty_bps: u16) -> Origin {
    Origin { id, base, royalty_bps }
}

#[test]
fn a_model_is_what_its_creator_states_and_active_at_once() {
    let mut w = world();
    let (alice, payout) = (w.alice.insecure_clone(), Pubkey::new_unique());
    let profile = ModelProfile { payout_owner: payout, endpoint_hash: [3; 32], metadata_hash: [4; 32] };
    w.send(&[create_model(alice.pubkey(), alice.pubkey(), origin(u64::MAX, None, 500), profile)], &[&alice]);
    let model: Model = w.get(&pda::model(&alice.pubkey(), u64::MAX));
    assert_eq!((model.creator, model.payout_owner, model.base), (alice.pubkey(), payout, Pubkey::default()));
    assert_eq!((model.endpoint_hash, model.metadata_hash), ([3; 32], [4; 32]));
    assert_eq!((model.id.get(), model.royalty_bps.get(), model.version.get()), (u64::MAX, 500, 0));
    assert_eq!((model.depth, model.status), (0, ModelStatus::Active as u8));
    assert_eq!((model.created_at.get(), model.updated_at.get()), (w.now(), w.now()));
    assert!(model.royalties().is_empty());
    assert_eq!(model.lineage, [Royalty::default(); 4]);
}

#[test]
fn a_derived_model_owes_everybody_up_the_line_what_each_asked_for() {
    let mut w = world();
    let people: Vec<Keypair> = (0..5).map(|_| w.new_key()).collect();
    let mut base = None;
    let mut owed = Vec::new();
    for (depth, creator) in people.iter().enumerate() {
        let royalty = 100 * (depth as u16 + 1);
        let model = w.model(creator, base, royalty);
        assert_eq!(lineage(&w, &model), owed);
        let state: Model = w.get(&model);
        assert_eq!((state.base, state.depth as usize), (base.unwrap_or_default(), depth));
        owed.push((creator.pubkey(), royalty));
        base = Some(model);
    }
}

#[test]
fn a_model_derives_from_at_most_four_others() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    // Without royalties the lineage stays empty, and the line is no longer for that.
    let mut base = w.model(&alice, None, 0);
    for _ in 0..4 {
        base = w.model(&alice, Some(base), 0);
    }
    assert_eq!((w.get::<Model>(&base).depth, w.get::<Model>(&base).lineage_count), (4, 0));
    let profile = w.model_profile(alice.pubkey());
    let fifth = create_model(alice.pubkey(), alice.pubkey(), origin(0, Some(base), 0), profile);
    w.refuse(fifth, &[&alice], "LineageTooDeep");
}

#[test]
fn an_owner_of_two_models_up_the_line_has_one_royalty_which_is_their_sum() {
    let mut w = world();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let first = w.model(&alice, None, 300);
    let second = w.model(&north, Some(first), 50);
    let third = w.model(&alice, Some(second), 200);
    let fourth = w.model(&north, Some(third), 0);
    let fifth = w.model(&north, Some(fourth), 0);
    assert_eq!(lineage(&w, &fourth), [(alice.pubkey(), 500), (north.pubkey(), 50)]);
    assert_eq!(lineage(&w, &fifth), lineage(&w, &fourth));
}

#[test]
fn what_a_model_owes_and_asks_leaves_a_fifth_of_its_earnings() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let profile = w.model_profile(alice.pubkey());
    let create = |base, royalty| create_model(alice.pubkey(), alice.pubkey(), origin(0, base, royalty), profile);
    for royalty in [8_001, 10_000, u16::MAX] {
        w.refuse(create(None, royalty), &[&alice], "SharesTooHigh");
    }
    let base = w.model(&alice, None, 5_000);
    for royalty in [3_001, 60_536, u16::MAX] {
        w.refuse(create(Some(base), royalty), &[&alice], "SharesTooHigh");
    }
    let derived = w.model(&alice, Some(base), 3_000);
    w.refuse(create(Some(derived), 1), &[&alice], "SharesTooHigh");
    let last = w.model(&alice, Some(derived), 0);
    assert_eq!(lineage(&w, &last), [(alice.pubkey(), 8_000)]);
    w.model(&alice, None, 8_000);
}

#[test]
fn nobody_derives_from_a_retired_model_until_it_is_back() {
    let mut w = world();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let base = w.model(&alice, None, 100);
    let derived = w.model(&north, Some(base), 0);
    w.send(&[set_model_status(alice.pubkey(), base, ModelStatus::Retired)], &[&alice]);
    let create =
        create_model(north.pubkey(), north.pubkey(), origin(0, Some(base), 0), w.model_profile(north.pubkey()));
    w.refuse(create.clone(), &[&north], "ModelRetired");
    // What derives from it already is a base as before.
    w.model(&north, Some(derived), 0);
    w.send(&[set_model_status(alice.pubkey(), base, ModelStatus::Active)], &[&alice]);
    w.send(&[create], &[&north]);
}

#[test]
fn a_model_does_not_derive_from_itself() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let own = pda::model(&alice.pubkey(), 0);
    let profile = w.model_profile(alice.pubkey());
    let create = create_model(alice.pubkey(), alice.pubkey(), origin(0, Some(own), 0), profile);
    w.refuse(create, &[&alice], "ConstraintDuplicateMutableAccount");
}

#[test]
fn what_is_no_model_is_nobodys_base() {
    let mut w = World::new(joule_tests::Kind::Classic);
    let alice = w.alice.insecure_clone();
    let real = w.model(&alice, None, 100);
    let account = w.svm.get_account(&real).unwrap();
    let changed = |change: fn(&mut Account)| {
        let mut account = account.clone();
        change(&mut account);
        account
    };
    let planted = [
        (changed(|account| account.data[..8].fill(0)), "InvalidAccountData"),
        (changed(|account| account.data.fill(0)), "InvalidAccountData"),
        (changed(|account| account.owner = joule_sdk::escrow::ID), "IllegalOwner"),
        (changed(|account| account.data.truncate(Model::DISCRIMINATOR.len())), "AccountDataTooSmall"),
    ];
    let profile = w.model_profile(alice.pubkey());
    let create = |base| create_model(alice.pubkey(), alice.pubkey(), origin(0, Some(base), 0), profile);
    for (account, error) in planted {
        let address = w.new_key().pubkey();
        w.svm.set_account(address, account).unwrap();
        w.refuse(create(address), &[&alice], error);
    }
    let provider = pda::provider(&w.north.pubkey());
    let nothing = w.new_key().pubkey();
    for other in [provider, w.mint, nothing, alice.pubkey()] {
        assert!(w.attempt(&[create(other)], &[&alice]).is_err());
    }
    w.send(&[create(real)], &[&alice]);
}

#[test]
fn a_model_is_made_in_nobodys_name_but_ones_own_and_once() {
    let mut w = world();
    let (alice, mallory) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let profile = w.model_profile(mallory.pubkey());
    let mut stolen = create_model(mallory.pubkey(), alice.pubkey(), origin(1, None, 0), profile);
    stolen.accounts[1].is_signer = false;
    w.refuse(stolen, &[&mallory], "MissingRequiredSignature");
    let create = create_model(mallory.pubkey(), mallory.pubkey(), origin(1, None, 0), profile);
    let (own, others) = (pda::model(&mallory.pubkey(), 1), pda::model(&alice.pubkey(), 1));
    w.refuse(swap(create.clone(), own, others), &[&mallory], "InvalidSeeds");
    // Lamports sent ahead keep nobody out.
    w.svm.airdrop(&own, 1_000_000).unwrap();
    w.send(std::slice::from_ref(&create), &[&mallory]);
    assert!(w.attempt(&[create], &[&mallory]).is_err());
}

#[test]
fn a_model_that_cannot_be_paid_is_rejected() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let unpaid = w.model_profile(Pubkey::default());
    let create = create_model(alice.pubkey(), alice.pubkey(), origin(0, None, 0), unpaid);
    w.refuse(create, &[&alice], "NoPayoutOwner");
    let model = w.model(&alice, None, 0);
    w.refuse(update_model(alice.pubkey(), model, unpaid), &[&alice], "NoPayoutOwner");
}

#[test]
fn an_update_changes_what_is_stated_and_nothing_that_others_rely_on() {
    let mut w = world();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let base = w.model(&north, None, 70);
    let model = w.model(&alice, Some(base), 30);
    let derived = w.model(&north, Some(model), 0);
    let before: Model = w.get(&model);
    w.set_time(w.now() + 10);
    let profile = ModelProfile { payout_owner: w.guardian.pubkey(), endpoint_hash: [8; 32], metadata_hash: [9; 32] };
    w.send(&[update_model(alice.pubkey(), model, profile)], &[&alice]);
    let after: Model = w.get(&model);
    assert_eq!(
        (after.payout_owner, after.endpoint_hash, after.metadata_hash),
        (profile.payout_owner, [8; 32], [9; 32])
    );
    assert_eq!((after.updated_at.get(), after.created_at), (w.now(), before.created_at));
    assert_eq!((after.creator, after.base, after.lineage), (before.creator, before.base, before.lineage));
    assert_eq!((after.royalty_bps, after.status, after.version), (before.royalty_bps, before.status, before.version));
    // Who derived before owes to whom it saw; who derives from now on, to the new one.
    assert_eq!(lineage(&w, &derived), [(north.pubkey(), 70), (alice.pubkey(), 30)]);
    let later = w.model(&north, Some(model), 0);
    assert_eq!(lineage(&w, &later), [(north.pubkey(), 70), (profile.payout_owner, 30)]);
}

#[test]
fn a_model_is_active_or_retired_and_nothing_else() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let model = w.model(&alice, None, 0);
    for status in [ModelStatus::Retired, ModelStatus::Active] {
        w.send(&[set_model_status(alice.pubkey(), model, status)], &[&alice]);
        assert_eq!(w.get::<Model>(&model).status, status as u8);
    }
    let mut unknown = set_model_status(alice.pubkey(), model, ModelStatus::Active);
    for number in [2, 255] {
        *unknown.data.last_mut().unwrap() = number;
        w.refuse(unknown.clone(), &[&alice], "UnknownModelStatus");
    }
}

#[test]
fn only_its_creator_changes_a_model() {
    let mut w = world();
    let (alice, mallory) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let model = w.model(&alice, None, 0);
    let profile = w.model_profile(mallory.pubkey());
    for instruction in [
        update_model(mallory.pubkey(), model, profile),
        set_model_status(mallory.pubkey(), model, ModelStatus::Retired),
    ] {
        w.refuse(instruction, &[&mallory], "NotCreator");
    }
    for mut instruction in
        [update_model(alice.pubkey(), model, profile), set_model_status(alice.pubkey(), model, ModelStatus::Retired)]
    {
        instruction.accounts[0].is_signer = false;
        w.refuse(instruction, &[], "MissingRequiredSignature");
    }
    // Being a creator of another one is no help: the account says whose it is.
    let own = w.model(&mallory, None, 0);
    let retire = set_model_status(mallory.pubkey(), own, ModelStatus::Retired);
    w.refuse(swap(retire, own, model), &[&mallory], "NotCreator");
    assert_eq!(w.get::<Model>(&model).creator, alice.pubkey());
    assert!(w.svm.get_account(&model).unwrap().owner == ID);
}
