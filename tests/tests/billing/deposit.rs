//! Money comes in, and what is free of it goes out again.

use joule_sdk::{instruction::billing as build, pda, Signer};
use joule_tests::{
    billing::{CAP, DEPOSIT},
    key, swap, Kind, World, GENESIS,
};

#[test]
fn only_the_protocols_authority_names_the_cluster_and_only_once() {
    let mut w = World::bare();
    let (authority, alice) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    let governed =
        joule_sdk::instruction::treasury::initialize_protocol(authority.pubkey(), w.guardian.pubkey(), [0; 8]);
    w.send(&[governed], &[&authority]);
    w.refuse(build::initialize(alice.pubkey(), GENESIS), &[&alice], "NotAuthority");
    w.send(&[build::initialize(authority.pubkey(), GENESIS)], &[&authority]);
    let name = w.refusal(&[build::initialize(authority.pubkey(), [1; 32])], &[&authority]);
    assert_ne!(name, "NotAuthority");
    assert_eq!(w.get::<joule_sdk::billing::state::Cluster>(&pda::cluster()).genesis_hash, GENESIS);
}

#[test]
fn a_payer_is_made_once_for_each_owner_and_mint() {
    let mut w = World::paying(Kind::Classic);
    let (alice, mint, program) = (w.alice.insecure_clone(), w.mint, w.token_program);
    let payer = w.payer();
    assert_eq!((payer.owner, payer.mint, payer.vault), (alice.pubkey(), mint, w.payer_vault()));
    assert_eq!((payer.balance.get(), payer.reserved.get(), w.balance(&w.payer_vault())), (DEPOSIT, 0, DEPOSIT));
    let again = build::create_payer(alice.pubkey(), alice.pubkey(), mint, program);
    w.refusal(&[again], &[&alice]);
}

/// Lamports that somebody sends there first do not keep an account from being made.
#[test]
fn addresses_that_hold_lamports_already_become_payers_channels_and_plans_all_the_same() {
    let mut w = World::new(Kind::Classic);
    w.priced(&[]);
    let (alice, stranger) = (w.alice.insecure_clone(), w.stranger.pubkey());
    let (payer, vault) = (w.payer_address(), w.payer_vault());
    let channel = pda::channel(&payer, 0);
    for address in [payer, vault, channel, pda::plan(&channel)] {
        let gift = solana_system_interface::instruction::transfer(&stranger, &address, 1_000_000);
        w.send(&[gift], &[]);
    }
    let create = build::create_payer(alice.pubkey(), alice.pubkey(), w.mint, w.token_program);
    let deposit = w.deposit(DEPOSIT);
    w.send(&[create, deposit], &[&alice]);
    assert_eq!(w.channelled(), channel);
    let start = build::start_plan(alice.pubkey(), channel, &w.channel(&channel), 10, 60);
    w.send(&[start], &[&alice]);
}

#[test]
fn a_token_that_is_not_accepted_takes_no_new_payers_and_no_new_channels() {
    let mut w = World::paying(Kind::Classic);
    let (authority, alice, bob) = (w.authority.insecure_clone(), w.alice.insecure_clone(), key("bob"));
    let disable = joule_sdk::instruction::treasury::update_mint(authority.pubkey(), w.mint, false, 1_000);
    w.send(&[disable], &[&authority]);
    let create = build::create_payer(alice.pubkey(), bob.pubkey(), w.mint, w.token_program);
    w.refuse(create, &[&alice, &bob], "MintNotAccepted");
    let open = w.open_channel(w.channel_terms());
    w.refuse(open, &[&alice], "MintNotAccepted");
    let reclaim = w.reclaim(DEPOSIT);
    w.send(&[reclaim], &[&alice]);
}

#[test]
fn anyone_may_add_to_a_deposit_and_nothing_is_no_deposit() {
    let mut w = World::paying(Kind::Classic);
    let bob = w.holder(500);
    let of =
        |w: &World, amount| build::deposit(bob.pubkey(), w.payer_address(), w.tokens_of(&bob), w.token_program, amount);
    let nothing = of(&w, 0);
    w.refuse(nothing, &[&bob], "ZeroAmount");
    let gift = of(&w, 500);
    w.send(&[gift], &[&bob]);
    assert_eq!((w.payer().balance.get(), w.balance(&w.payer_vault())), (DEPOSIT + 500, DEPOSIT + 500));
}

#[test]
fn the_owner_takes_back_what_is_free_and_not_a_unit_more() {
    let mut w = World::paying(Kind::Classic);
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    w.channelled();
    let before = w.balance(&w.alice_tokens());
    let too_much = w.reclaim(DEPOSIT - CAP + 1);
    w.refuse(too_much, &[&alice], "NotFree");
    let nothing = w.reclaim(0);
    w.refuse(nothing, &[&alice], "ZeroAmount");
    let other = swap(w.reclaim(1), alice.pubkey(), north.pubkey());
    w.refuse(other, &[&north], "NotOwner");
    let all = w.reclaim(DEPOSIT - CAP);
    w.send(&[all], &[&alice]);
    assert_eq!(w.balance(&w.alice_tokens()), before + DEPOSIT - CAP);
    let payer = w.payer();
    assert_eq!((payer.balance.get(), payer.reserved.get(), w.balance(&w.payer_vault())), (CAP, CAP, CAP));
}

#[test]
fn a_vault_is_not_reclaimed_into_itself_and_another_mints_account_gets_nothing() {
    let mut w = World::paying(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let into_itself = swap(w.reclaim(5), w.alice_tokens(), w.payer_vault());
    // The vault is in two places of which one may be written.
    let name = w.refusal(&[into_itself], &[&alice]);
    assert!(["PaysItself", "ConstraintDuplicateMutableAccount"].contains(&name.as_str()), "{name}");
    let other_mint = w.create_mint(Kind::Classic, &[], &[]);
    let other = w.extra_token_account(&alice.pubkey(), &other_mint, &[]);
    let reclaim = swap(w.reclaim(5), w.alice_tokens(), other);
    w.refuse(reclaim, &[&alice], "TokenError::MintMismatch");
}

/// What a stranger sends to the vault is nobody's: it counts for no balance.
#[test]
fn a_gift_to_the_vault_buys_nothing() {
    let mut w = World::paying(Kind::Classic);
    let (alice, bob) = (w.alice.insecure_clone(), w.holder(700));
    let vault = w.payer_vault();
    w.transfer(&bob, &vault, 700);
    let all = w.reclaim(DEPOSIT + 1);
    w.refuse(all, &[&alice], "NotFree");
    let all = w.reclaim(DEPOSIT);
    w.send(&[all], &[&alice]);
    assert_eq!(w.balance(&vault), 700);
}

#[test]
fn everything_works_with_token_2022() {
    let mut w = World::paying(Kind::Token2022);
    let alice = w.alice.insecure_clone();
    let channel = w.channelled();
    w.settled(channel, 500_001);
    w.backed(channel);
    let distribute = w.distribute(channel);
    w.send(&[distribute], &[]);
    assert!(w.balance(&w.north_tokens()) > 0);
    let reclaim = w.reclaim(DEPOSIT - CAP);
    w.send(&[reclaim], &[&alice]);
}
