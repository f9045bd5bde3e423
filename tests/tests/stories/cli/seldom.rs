//! What is typed seldom: somebody could not be paid, lost an auction, leaves, or says things no longer. Each time with what everybody
//! has afterwards.

use super::{channel::promise, Terminal};
use crate::support::World;
use joule_localnet::Persona::{self, Alice, Carol, East, North, South};
use joule_sdk::{
    billing::state::Channel,
    instruction::{billing, escrow},
    pda,
    registry::state::{Attestor, PriceList, Provider},
    staking::state::Bond,
    token_program,
    voucher::Voucher,
    Keypair, Pubkey, Signer,
};
use joule_x402::Signed;
use spl_token_2022_interface::{extension::ExtensionType, instruction as token, state::Account};

/// Burns what the persona has and closes its token account.
async fn loses_its_account(world: &World, persona: Persona) {
    let (program, who, account) = (token_program::CLASSIC, world.address(persona), world.tokens(persona));
    let burn = token::burn(&program, &account, &world.localnet.mint(), &who, &[], world.balance(persona).await);
    let close = token::close_account(&program, &account, &who, &who, &[]);
    world.send("lose its account", persona, &[burn.unwrap(), close.unwrap()]).await;
}

/// Another token account of the persona's.
async fn another_account(world: &World, persona: Persona) -> Pubkey {
    let (program, who, account) = (token_program::CLASSIC, world.address(persona), Keypair::new());
    let len = ExtensionType::try_calculate_account_len::<Account>(&[]).expect("a length");
    let rent = world.chain.rpc().get_minimum_balance_for_rent_exemption(len).await.expect("the rent");
    let create =
        solana_system_interface::instruction::create_account(&who, &account.pubkey(), rent, len as u64, &program);
    let start = token::initialize_account3(&program, &account.pubkey(), &world.localnet.mint(), &who).unwrap();
    world.chain.send(&[create, start], &[world.key(persona), &account]).await.expect("an account");
    account.pubkey()
}

async fn lamports(world: &World, persona: Persona) -> u64 {
    world.chain.rpc().get_balance(&world.address(persona)).await.expect("a balance")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_seldom_does_what_it_says_to_the_unit() {
    let joule = Terminal::open().await;
    for (provider, bond) in [("north", "50"), ("south", "50"), ("east", "0")] {
        joule.json(&["provider", "register", "--as", provider, "--cpu-cores", "8"]).await;
        joule.json(&["provider", "bond", "open", bond, "--as", provider]).await;
    }
    an_empty_bond_is_closed_and_its_provider_retired(&joule).await;
    a_disabled_attestor_says_nothing_new_until_it_is_enabled(&joule).await;
    a_bid_that_did_not_win_is_withdrawn_by_anybody(&joule).await;
    a_job_pays_the_account_that_it_was_redirected_to(&joule).await;
    what_a_channel_owes_is_claimed(&joule).await;
    joule.close().await;
}

async fn an_empty_bond_is_closed_and_its_provider_retired(joule: &Terminal) {
    let world = &joule.world;
    let full = joule.fails(4, "refused", &["provider", "bond", "close", "--as", "north"]).await;
    assert!(full["message"].as_str().is_some_and(|said| said.contains("50 JOULE")), "{full}");
    let (bond, provider) = (pda::bond(&world.address(East), &world.localnet.mint()), world.provider(East));
    let (tokens, before) = (world.balance(East).await, lamports(world, East).await);
    joule.json(&["provider", "bond", "close", "--as", "east"]).await;
    assert!(world.chain.find::<Bond>(&bond).await.unwrap().is_none());
    let between = lamports(world, East).await;
    joule.json(&["provider", "retire", "--as", "east"]).await;
    assert!(world.chain.find::<Provider>(&provider).await.unwrap().is_none());
    let after = lamports(world, East).await;
    assert!(before < between && between < after, "rents come back: {before}, {between}, {after}");
    assert_eq!(world.balance(East).await, tokens);
    joule.fails(3, "not_found", &["provider", "retire", "--as", "east"]).await;
    joule.fails(3, "not_found", &["provider", "bond", "close", "--as", "east"]).await;
}

async fn a_disabled_attestor_says_nothing_new_until_it_is_enabled(joule: &Terminal) {
    let world = &joule.world;
    let [carol, north] = [Carol, North].map(|who| world.address(who).to_string());
    joule.json(&["attestor", "admit", &carol, "--as", "authority"]).await;
    let issue = |schema| ["attest", "issue", &*north, "--schema", schema, "--as", "carol"];
    let shown = async || {
        let shown = joule.json(&["attest", "show", &north]).await;
        shown["attestations"].as_array().expect("a list").len()
    };
    joule.json(&issue("3")).await;
    joule.fails(4, "refused", &["attestor", "disable", &carol, "--as", "carol"]).await;
    joule.json(&["attestor", "disable", &carol, "--as", "authority"]).await;
    let attestor = pda::attestor(&world.address(Carol));
    assert_eq!(world.chain.get::<Attestor>(&attestor).await.unwrap().enabled, 0);
    let refused = joule.fails(4, "refused", &issue("4")).await;
    assert_eq!(refused["name"], "AttestorDisabled", "{refused}");
    assert_eq!(shown().await, 1, "what was said before stays");
    joule.json(&["attestor", "enable", &carol, "--as", "authority"]).await;
    joule.json(&issue("4")).await;
    assert_eq!(shown().await, 2);
}

async fn a_bid_that_did_not_win_is_withdrawn_by_anybody(joule: &Terminal) {
    let world = &joule.world;
    let terms = ["--budget", "2.5", "--accept-window", "1h", "--bid-window", "10m", "--as", "alice"];
    let order = ["job", "submit", "--module", &*joule.module, "--input", &*joule.input];
    let job = joule.json(&[&order[..], &terms[..]].concat()).await["job"].as_str().expect("a job").to_owned();
    let address: Pubkey = job.parse().expect("an address");
    for (bidder, price) in [(North, 2_000_000), (South, 1_500_000)] {
        let me = escrow::Provider::new(world.address(bidder), world.tokens(bidder));
        let bid = escrow::place_bid(me, address, &world.job(address).await, price);
        world.send("bid", bidder, &[bid]).await;
    }
    assert_eq!(world.bond(North).await.locked.get(), 2_000_000);
    let north = world.provider(North).to_string();
    let withdraw = ["job", "withdraw-bid", &*job, "--provider", &*north, "--as", "bob"];
    joule.fails(4, "refused", &withdraw).await;
    world.after(world.job(address).await.bid_until.get()).await;
    joule.json(&["job", "crank", &job, "--as", "bob"]).await;
    assert_eq!(world.job(address).await.provider, world.provider(South));
    let (rent, tokens) = (lamports(world, North).await, world.balance(North).await);
    joule.json(&withdraw).await;
    let bond = world.bond(North).await;
    assert_eq!((bond.locked.get(), bond.amount.get()), (0, 50_000_000));
    assert!(lamports(world, North).await > rent, "whoever has paid the bid's rent gets it back");
    assert_eq!(world.balance(North).await, tokens);
    joule.fails(3, "not_found", &withdraw).await;
}

async fn a_job_pays_the_account_that_it_was_redirected_to(joule: &Terminal) {
    let world = &joule.world;
    let job = joule.submit("alice").await;
    let address: Pubkey = job.parse().expect("an address");
    world.accept(North, address, 2_000_000).await;
    let result = world.store().put("the answer").await.expect("a store");
    world.submit(North, address, result).await;
    loses_its_account(world, North).await;
    let before = world.balance(Alice).await;
    joule.json(&["job", "approve", &job, "--as", "alice"]).await;
    assert_eq!(world.balance(Alice).await - before, 500_000, "nobody waits for north's account");
    let owed = world.job(address).await;
    assert_eq!(owed.owed_provider.get(), 1_950_000);

    let other = another_account(world, North).await;
    let redirect = ["job", "redirect", &*job, "--to", &other.to_string()];
    joule.fails(4, "refused", &[&redirect[..], &["--as", "carol"]].concat()).await;
    joule.json(&[&redirect[..], &["--as", "north"]].concat()).await;
    joule.json(&["job", "pay", &job, "--as", "bob"]).await;
    assert_eq!(world.chain.token_balance(&other).await.expect("a balance"), 1_950_000);
    assert!(world.chain.job(&address).await.expect("an answer").is_none(), "all is paid, and the account gone");
}

async fn what_a_channel_owes_is_claimed(joule: &Terminal) {
    let world = &joule.world;
    let model = joule.json(&["model", "create", "--as", "south"]).await["model"].as_str().expect("a model").to_owned();
    joule.json(&["model", "publish", &model, "--request", "0.01", "--own-share", "15", "--as", "south"]).await;
    let carol = world.address(Carol).to_string();
    joule.json(&["provider", "register", "--as", "carol", "--cpu-cores", "1"]).await;
    let open = ["channel", "open", &*model, "--provider", &*carol, "10", "--yes", "--backing", "0", "--as", "alice"];
    let channel = joule.json(&open).await["channel"].as_str().expect("a channel").to_owned();
    let address: Pubkey = channel.parse().expect("an address");
    let state: Channel = world.chain.get(&address).await.expect("a channel");
    let text = promise(world, &address, &state, 1_000_000);
    let voucher: Signed<Voucher> = serde_json::from_value(text.into()).expect("a voucher");
    let verify = billing::verify(&state.session.signer, &voucher.signature, bytemuck::bytes_of(&voucher.message));
    world.send("settle", Carol, &[verify.expect("a message that fits"), billing::settle(address)]).await;
    let claim = ["channel", "claim-owed", &*channel, "--as", "south"];
    let nothing = joule.fails(4, "refused", &claim).await;
    assert!(nothing["message"].as_str().is_some_and(|said| said.contains("owes south nothing")), "{nothing}");

    loses_its_account(world, South).await;
    let before = world.balance(Carol).await;
    let state: Channel = world.chain.get(&address).await.expect("a channel");
    let prices: PriceList = world.chain.get(&state.prices).await.expect("prices");
    let distribute = billing::distribute(address, &state, &prices, token_program::CLASSIC);
    world.send("distribute", Carol, &[distribute]).await;
    let fee = 1_000_000 * u64::from(state.fee_bps.get()) / 10_000;
    assert_eq!(world.balance(Carol).await - before, 1_000_000 - 150_000 - fee, "nobody waits for south's account");
    let claimed = joule.json(&claim).await;
    assert_eq!((&claimed["amount"], &claimed["amount_tokens"]), (&"150000".into(), &"0.15".into()));
    assert_eq!(world.balance(South).await, 150_000, "the usual account, made again");
    joule.fails(4, "refused", &claim).await;
    let state: Channel = world.chain.get(&address).await.expect("a channel");
    assert!(state.owed.iter().all(|owed| owed.get() == 0));
}
