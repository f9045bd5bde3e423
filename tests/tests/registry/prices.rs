//! Price lists: what stays as it was published, who shares, and everybody who would like to and may not.

use crate::world;
use joule_sdk::{
    account::token_amount,
    instruction::{
        model::*,
        treasury::{accept_mint, update_mint},
    },
    pda,
    registry::state::{Listing, Model, ModelStatus, Part, PriceList},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{swap, Kind, World, BREAKER};
use joule_voucher::Usage;
use spl_token_2022_interface::{
    extension::ExtensionType,
    instruction::{self as token, AuthorityType},
};

/// Owners, accounts and basis points.
fn shares(w: &World, list: &Pubkey) -> Vec<(Pubkey, Pubkey, u16)> {
    w.get::<PriceList>(list).parties().iter().map(|share| (share.owner, share.account, share.bps.get())).collect()
}

fn usual(w: &World, owner: &Pubkey) -> Pubkey {
    pda::associated_token(owner, &w.mint, &w.token_program)
}

/// Alice's model that derives from north's, its next listing with a share for a data owner, and that published.
struct Derived {
    w: World,
    alice: Keypair,
    north: Pubkey,
    data: Keypair,
    model: Pubkey,
    listing: Listing,
    publish: Instruction,
}

fn derived(kind: Kind) -> Derived {
    let mut w = World::governed(kind);
    let (alice, north, data) = (w.alice.insecure_clone(), w.north.insecure_clone(), w.new_key());
    let base = w.model(&north, None, 700);
    let model = w.model(&alice, Some(base), 0);
    let listing = w.listing(&[(data.pubkey(), 300)]);
    let publish = w.publish(&alice, model, &listing);
    Derived { w, alice, north: north.pubkey(), data, model, listing, publish }
}

/// The accounts of those who share come after eight others.
const FIRST_SHARE: usize = 8;

#[test]
fn a_price_list_says_what_requests_cost_and_who_shares_the_lineage_first() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let Derived { mut w, alice, north, data, model, publish, .. } = derived(kind);
        w.send(&[publish], &[&alice]);
        let address = pda::price_list(&model, 1);
        let list: PriceList = w.get(&address);
        assert_eq!((list.model, list.mint, list.version.get(), list.created_at.get()), (model, w.mint, 1, w.now()));
        let expected = [(north, 700), (alice.pubkey(), 1_000), (data.pubkey(), 300)];
        assert_eq!(shares(&w, &address), expected.map(|(owner, bps)| (owner, usual(&w, &owner), bps)));
        assert_eq!(w.get::<Model>(&model).version.get(), 1);
        let usage = Usage { input_tokens: 10, output_tokens: 20, images: 1, milliseconds: 1_500 };
        // 5 for the request, 2 and 12 for tokens, 7 for the image, 13.5 for the time.
        assert_eq!(list.prices().amount(&usage).map(|amount| amount.get()), Some(5 + 14 + 7 + 14));
    }
}

#[test]
fn versions_follow_each_other_and_none_comes_twice() {
    let Derived { mut w, alice, model, listing, publish, .. } = derived(Kind::Classic);
    for version in [0, 2, u32::MAX] {
        let next = w.publish_as(version, &alice, model, &listing);
        w.refuse(next, &[&alice], "WrongVersion");
    }
    w.send(std::slice::from_ref(&publish), &[&alice]);
    assert!(w.attempt(&[publish], &[&alice]).is_err());
    assert_eq!(w.get::<Model>(&model).version.get(), 1);
    w.published(&alice, model, &[]);
    let skipped = w.publish_as(4, &alice, model, &listing);
    w.refuse(skipped, &[&alice], "WrongVersion");
}

#[test]
fn a_price_list_lies_where_its_model_and_version_say() {
    let Derived { mut w, alice, model, publish, .. } = derived(Kind::Classic);
    let own = pda::price_list(&model, 1);
    w.refuse(swap(publish.clone(), own, pda::price_list(&model, 2)), &[&alice], "InvalidSeeds");
    let other = w.model(&alice, None, 0);
    w.refuse(swap(publish.clone(), own, pda::price_list(&other, 1)), &[&alice], "InvalidSeeds");
    w.svm.airdrop(&own, 1_000_000).unwrap();
    w.send(&[publish], &[&alice]);
}

#[test]
fn what_was_published_stays_whatever_the_creator_does_later() {
    let Derived { mut w, alice, model, publish, .. } = derived(Kind::Classic);
    w.send(&[publish], &[&alice]);
    let first = pda::price_list(&model, 1);
    let before = w.svm.get_account(&first).unwrap();
    w.send(&[update_model(alice.pubkey(), model, w.model_profile(w.guardian.pubkey()))], &[&alice]);
    let second = w.published(&alice, model, &[]);
    w.send(&[set_model_status(alice.pubkey(), model, ModelStatus::Retired)], &[&alice]);
    assert_eq!(w.svm.get_account(&first).unwrap(), before);
    assert_eq!(shares(&w, &second)[1].0, w.guardian.pubkey());
}

#[test]
fn a_creator_cannot_leave_out_whom_its_model_derives_from() {
    let Derived { mut w, alice, north, publish, .. } = derived(Kind::Classic);
    let of_north = usual(&w, &north);
    let mut without = publish.clone();
    without.accounts.remove(FIRST_SHARE);
    w.refuse(without, &[&alice], "NotShareOwner");
    let own = w.extra_token_account(&alice.pubkey(), &w.mint.clone(), &[]);
    w.refuse(swap(publish.clone(), of_north, own), &[&alice], "NotShareOwner");
    w.refuse(swap(publish.clone(), of_north, usual(&w, &alice.pubkey())), &[&alice], "NotShareOwner");
    let mut turned = publish.clone();
    turned.accounts.swap(FIRST_SHARE, FIRST_SHARE + 1);
    w.refuse(turned, &[&alice], "NotShareOwner");
    let mut nobody = publish;
    nobody.accounts.truncate(FIRST_SHARE);
    w.refuse(nobody, &[&alice], "WrongShareAccounts");
}

#[test]
fn every_share_has_its_account_and_no_account_is_beside_them() {
    let Derived { mut w, alice, publish, .. } = derived(Kind::Classic);
    let mut fewer = publish.clone();
    fewer.accounts.pop();
    w.refuse(fewer, &[&alice], "WrongShareAccounts");
    let mut more = publish.clone();
    more.accounts.push(publish.accounts[FIRST_SHARE].clone());
    w.refuse(more, &[&alice], "WrongShareAccounts");
}

#[test]
fn a_share_goes_into_no_account_that_is_not_its_owners() {
    let Derived { mut w, alice, data, publish, .. } = derived(Kind::Classic);
    let of_data = usual(&w, &data.pubkey());
    let thief = w.token_account(&Pubkey::new_from_array([44; 32]));
    w.refuse(swap(publish.clone(), of_data, thief), &[&alice], "NotShareOwner");
    let fee_vault = w.fee_vault();
    w.refuse(swap(publish.clone(), of_data, fee_vault), &[&alice], "NotShareOwner");
    // Any account of the owner's will do.
    let other = w.extra_token_account(&data.pubkey(), &w.mint.clone(), &[]);
    w.send(&[swap(publish, of_data, other)], &[&alice]);
}

#[test]
fn a_share_goes_into_no_account_that_cannot_receive() {
    let Derived { mut w, alice, data, publish, .. } = derived(Kind::Classic);
    let of_data = usual(&w, &data.pubkey());
    let other_mint = w.create_mint(Kind::Classic, &[], &[]);
    let of_other_mint = w.extra_token_account(&data.pubkey(), &other_mint, &[]);
    for wrong in [of_other_mint, data.pubkey(), Pubkey::new_unique(), w.mint, pda::protocol()] {
        w.refuse(swap(publish.clone(), of_data, wrong), &[&alice], "CannotReceive");
    }
    w.freeze(&of_data);
    w.refuse(publish.clone(), &[&alice], "CannotReceive");
    w.thaw(&of_data);

    // The bytes of a good account, where the token program did not write them.
    let mut planted = w.svm.get_account(&of_data).unwrap();
    let fake = w.new_key().pubkey();
    planted.owner = joule_sdk::registry::ID;
    w.svm.set_account(fake, planted.clone()).unwrap();
    w.refuse(swap(publish.clone(), of_data, fake), &[&alice], "CannotReceive");
    // A Multisig whose signers spell a token account.
    planted.owner = w.token_program;
    planted.data.resize(355, 0);
    planted.data[165] = 2;
    planted.lamports = 10_000_000;
    w.svm.set_account(fake, planted).unwrap();
    w.refuse(swap(publish, of_data, fake), &[&alice], "CannotReceive");
}

#[test]
fn a_share_goes_into_no_account_that_wants_a_memo_with_every_payment() {
    let Derived { mut w, alice, data, publish, .. } = derived(Kind::Token2022);
    let (of_data, mint) = (usual(&w, &data.pubkey()), w.mint);
    let demanding = w.extra_token_account(&data.pubkey(), &mint, &[ExtensionType::MemoTransfer]);
    let demand = spl_token_2022_interface::extension::memo_transfer::instruction::enable_required_transfer_memos(
        &w.token_program,
        &demanding,
        &data.pubkey(),
        &[],
    );
    w.send(&[demand.unwrap()], &[&data]);
    w.refuse(swap(publish.clone(), of_data, demanding), &[&alice], "CannotReceive");
    // Whose owner makes its accounts useless cannot keep others from publishing: anybody can make it another one.
    let plain = w.extra_token_account(&data.pubkey(), &mint, &[]);
    w.send(&[swap(publish, of_data, plain)], &[&alice]);
}

#[test]
fn a_gift_that_its_giver_can_close_and_make_again_is_no_account_for_a_share() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let Derived { mut w, alice, north, publish, .. } = derived(kind);
        let (of_north, mint, program) = (usual(&w, &north), w.mint, w.token_program);
        let gift = w.extra_token_account(&alice.pubkey(), &mint, &[]);
        let hand_over =
            |kind, to: &Pubkey| token::set_authority(&program, &gift, Some(to), kind, &alice.pubkey(), &[]).unwrap();
        let keep = hand_over(AuthorityType::CloseAccount, &alice.pubkey());
        w.send(&[keep, hand_over(AuthorityType::AccountOwner, &north)], &[&alice]);
        w.refuse(swap(publish, of_north, gift), &[&alice], "ClosedByOthers");
        // What the check is for: it is north's, and alice closes it.
        let close = token::close_account(&program, &gift, &alice.pubkey(), &alice.pubkey(), &[]).unwrap();
        assert_eq!(token_amount(&w.svm.get_account(&gift).unwrap().data).unwrap(), 0);
        w.send(&[close], &[&alice]);
        assert!(w.is_closed(&gift));
    }
}

#[test]
fn shares_that_go_into_one_account_are_one_share() {
    let Derived { mut w, alice, north, data, model, .. } = derived(Kind::Classic);
    // North has a royalty already, alice the creator's share, and the data owner comes twice.
    let parts = [(north, 50), (data.pubkey(), 300), (alice.pubkey(), 20), (data.pubkey(), 1)];
    let list = w.published(&alice, model, &parts);
    let expected = [(north, 750), (alice.pubkey(), 1_020), (data.pubkey(), 301)];
    assert_eq!(shares(&w, &list), expected.map(|(owner, bps)| (owner, usual(&w, &owner), bps)));
}

#[test]
fn shares_leave_a_fifth_to_whoever_runs_the_model() {
    let Derived { mut w, alice, data, model, listing, .. } = derived(Kind::Classic);
    let with = |creator_bps: u16, parts: &[u16]| Listing {
        creator_bps,
        parts: parts.iter().map(|bps| Part { owner: data.pubkey(), bps: *bps }).collect(),
        ..listing.clone()
    };
    // The lineage has 700 already.
    let too_much =
        [with(7_301, &[]), with(7_000, &[301]), with(0, &[u16::MAX]), with(u16::MAX, &[]), with(1, &[40_000, 40_000])];
    for listing in too_much {
        let publish = w.publish(&alice, model, &listing);
        w.refuse(publish, &[&alice], "SharesTooHigh");
    }
    let publish = w.publish(&alice, model, &with(7_000, &[300]));
    w.send(&[publish], &[&alice]);
}

#[test]
fn a_share_that_is_given_away_is_more_than_nothing() {
    let Derived { mut w, alice, data, model, listing, .. } = derived(Kind::Classic);
    let nothing = Listing { parts: vec![Part { owner: data.pubkey(), bps: 0 }], ..listing };
    let publish = w.publish(&alice, model, &nothing);
    w.refuse(publish, &[&alice], "EmptyShare");
}

#[test]
fn a_price_list_has_at_most_six_shares() {
    let Derived { mut w, alice, model, .. } = derived(Kind::Classic);
    let owners: Vec<(Pubkey, u16)> = (0..5).map(|_| (w.new_key().pubkey(), 10)).collect();
    let seventh = w.listing(&owners);
    let publish = w.publish(&alice, model, &seventh);
    w.refuse(publish, &[&alice], "TooManyShares");
    let list = w.published(&alice, model, &owners[..4]);
    assert_eq!(shares(&w, &list).len(), 6);
}

#[test]
fn a_list_nobody_shares_in_is_all_the_providers() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let model = w.model(&alice, None, 0);
    let free = Listing { creator_bps: 0, ..w.listing(&[]) };
    let publish = w.publish(&alice, model, &free);
    w.send(&[publish], &[&alice]);
    assert!(shares(&w, &pda::price_list(&model, 1)).is_empty());
}

#[test]
fn only_its_creator_publishes_for_a_model() {
    let Derived { mut w, alice, model, publish, .. } = derived(Kind::Classic);
    let mallory = w.north.insecure_clone();
    w.refuse(swap(publish.clone(), alice.pubkey(), mallory.pubkey()), &[&mallory], "NotCreator");
    let own = w.model(&mallory, None, 0);
    w.refuse(swap(publish.clone(), model, own), &[&alice], "InvalidSeeds");
    let elsewhere = swap(publish.clone(), pda::price_list(&model, 1), pda::price_list(&own, 1));
    w.refuse(swap(elsewhere, model, own), &[&alice], "NotCreator");
    for signer in [0, 1] {
        let mut unsigned = publish.clone();
        unsigned.accounts[0].pubkey = mallory.pubkey();
        unsigned.accounts[signer].is_signer = false;
        let others: [&Keypair; 1] = if signer == 0 { [&alice] } else { [&mallory] };
        w.refuse(unsigned, &others, "MissingRequiredSignature");
    }
}

#[test]
fn a_retired_model_publishes_nothing_until_it_is_back() {
    let Derived { mut w, alice, model, publish, .. } = derived(Kind::Classic);
    w.send(&[set_model_status(alice.pubkey(), model, ModelStatus::Retired)], &[&alice]);
    w.refuse(publish.clone(), &[&alice], "ModelRetired");
    w.send(&[set_model_status(alice.pubkey(), model, ModelStatus::Active)], &[&alice]);
    w.send(&[publish], &[&alice]);
}

#[test]
fn prices_are_in_a_token_that_the_protocol_takes() {
    let Derived { mut w, alice, publish, .. } = derived(Kind::Classic);
    let governor = w.authority.insecure_clone();
    let (mint, accepted) = (w.mint, pda::accepted_mint(&w.mint));
    w.send(&[update_mint(governor.pubkey(), mint, false, 1_000)], &[&governor]);
    w.refuse(publish.clone(), &[&alice], "MintNotAccepted");
    w.send(&[update_mint(governor.pubkey(), mint, true, 1_000)], &[&governor]);

    let unknown = w.create_mint(Kind::Classic, &[], &[]);
    let elsewhere = swap(publish.clone(), accepted, pda::accepted_mint(&unknown));
    w.refuse(elsewhere, &[&alice], "UninitializedAccount");
    // Another token that it takes: then the accounts are of the wrong one.
    let token_program = w.token_program;
    w.send(&[accept_mint(governor.pubkey(), unknown, token_program, 1_000, BREAKER)], &[&governor]);
    w.refuse(swap(publish.clone(), accepted, pda::accepted_mint(&unknown)), &[&alice], "CannotReceive");
    let mut fake = w.svm.get_account(&accepted).unwrap();
    fake.owner = joule_sdk::registry::ID;
    let planted = w.new_key().pubkey();
    w.svm.set_account(planted, fake).unwrap();
    w.refuse(swap(publish, accepted, planted), &[&alice], "IllegalOwner");
}

#[test]
fn the_largest_listing_fits_into_a_transaction_with_three_signers() {
    let mut w = world();
    let creators: Vec<Keypair> = (0..5).map(|_| w.new_key()).collect();
    let mut base = None;
    for creator in &creators {
        base = Some(w.model(creator, base, 1_000));
    }
    let (model, creator, sponsor) = (base.unwrap(), &creators[4], w.north.insecure_clone());
    // As many accounts as there may be, and then every owner of the line once more.
    let parts: Vec<(Pubkey, u16)> = [w.alice.pubkey()]
        .into_iter()
        .chain(creators[..4].iter().map(Signer::pubkey))
        .map(|owner| (owner, 10))
        .collect();
    let listing = w.listing(&parts);
    let mut publish = w.publish(creator, model, &listing);
    publish.accounts[0].pubkey = sponsor.pubkey();
    let transaction = solana_transaction::Transaction::new_signed_with_payer(
        std::slice::from_ref(&publish),
        Some(&w.stranger.pubkey()),
        &[&w.stranger, &sponsor, creator],
        w.svm.latest_blockhash(),
    );
    let bytes = 1 + 64 * transaction.signatures.len() + transaction.message.serialize().len();
    assert!(bytes <= 1_232, "{bytes} bytes");
    w.send(&[publish], &[creator, &sponsor]);
    assert_eq!(shares(&w, &pda::price_list(&model, 1)).len(), 6);
}
