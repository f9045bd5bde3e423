//! What is too long for a transaction without a version goes in version 1, by RPC to the local validator; and by a lookup table on
//! a cluster that does not take it.

use crate::support::{run, sent, Market};
use joule_localnet::Persona::{Alice, North};
use joule_sdk::{
    billing::state::ChannelTerms,
    instruction::billing as pay,
    pda,
    table::plain_len,
    token_program,
    transaction::{self, VersionedMessage, MAX_BYTES},
    units::{Amount, UnixTime},
    v1,
    voucher::{Domain, Format as _, Voucher},
    Chain, Instruction, Keypair, Pubkey, RpcRequest, SdkError, Signer,
};
use serde_json::{json, Value};

const VOUCHERS: usize = 15;
const SPENT: u64 = 5_000;

/// Opens a channel of a new owner, for which Alice pays, and gives the two instructions that settle a voucher of it.
async fn voucher(market: &Market, genesis: &[u8; 32], now: i64) -> (Pubkey, [Instruction; 2]) {
    let (world, owner, session) = (&market.world, Keypair::new(), Keypair::new());
    let (alice, mint) = (world.address(Alice), world.localnet.mint());
    let payer = pda::payer(&owner.pubkey(), &mint);
    let terms = ChannelTerms {
        cap: 100_000,
        signer: session.pubkey(),
        limit: 100_000,
        session_expires_at: now + 86_400,
        grace: 3_600,
        backing_bps: 0,
        max_fee_bps: 1_000,
    };
    let accounts = pay::OpenAccounts {
        rent_payer: alice,
        owner: owner.pubkey(),
        mint,
        authority: world.address(North),
        payout: world.tokens(North),
        model: market.model(),
        prices: market.prices,
    };
    let opening = [
        pay::create_payer(alice, owner.pubkey(), mint, token_program::CLASSIC),
        pay::deposit(alice, payer, world.tokens(Alice), token_program::CLASSIC, 100_000),
        pay::open(accounts, 0, terms),
    ];
    world.chain.send(&opening, &[world.key(Alice), &owner]).await.expect("a channel");
    let channel = pda::channel(&payer, 0);
    let voucher = Voucher {
        context: pay::context(Domain::Voucher, genesis, &channel),
        sequence: 1.into(),
        cumulative: Amount::new(SPENT).into(),
        expires_at: UnixTime::new(now + 600).into(),
        ..Voucher::default()
    };
    let signature = session.sign_message(voucher.as_bytes());
    let verify = pay::verify(&session.pubkey(), signature.as_array(), voucher.as_bytes()).expect("it fits");
    (channel, [verify, pay::settle(channel)])
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_vouchers_of_as_many_payers_settle_in_one_transaction() {
    let market = Market::open_without_bond().await;
    let (world, north) = (&market.world, market.world.key(North));
    let genesis = world.chain.rpc().get_genesis_hash().await.expect("a cluster").to_bytes();
    let now = world.chain.now().await.expect("the time");
    let (mut channels, mut instructions) = (Vec::new(), Vec::new());
    for _ in 0..VOUCHERS {
        let (channel, settling) = voucher(&market, &genesis, now).await;
        channels.push(channel);
        instructions.extend(settling);
    }
    assert!(plain_len(&instructions, &north.pubkey()) > MAX_BYTES);
    let signature = world.chain.send(&instructions, &[north]).await.expect("settled");
    for channel in &channels {
        assert_eq!(market.channel(channel).await.settled.get(), SPENT);
    }

    // The cluster has it as it was sent, with limits that are near what it used.
    let bytes = sent(&world.chain, &signature).await;
    let read = transaction::read(&bytes).expect("a transaction");
    assert!(bytes.len() > MAX_BYTES && bytes.len() <= v1::MAX_BYTES, "{} bytes", bytes.len());
    let VersionedMessage::V1(message) = &read.message else { panic!("{read:?}") };
    assert_eq!((read.signatures[0], message.instructions.len()), (signature, 2 * VOUCHERS));
    let (units, loaded) = (message.config.compute_unit_limit, message.config.loaded_accounts_data_size_limit);
    assert!(units.is_some_and(|units| units < 10_000), "{units:?}");
    assert!(loaded.is_some_and(|loaded| loaded < 1 << 20), "{loaded:?}");
    assert_eq!((message.config.priority_fee, message.config.heap_size), (None, None));

    // More than one transaction holds, and what one of them cannot do, are known before they are sent.
    let twice = [instructions.clone(), instructions.clone()].concat();
    let over = world.chain.send(&twice, &[north]).await;
    assert!(matches!(over, Err(SdkError::TooLong { most: v1::MAX_BYTES, .. })), "{over:?}");
    let again = world.chain.send(&instructions, &[north]).await;
    assert_eq!(again.expect_err("they are settled").name(), Some("NothingNew"));

    without_version_1(&market, &instructions[..8]).await;
    market.world.stop().await;
}

/// The same cluster as one where the feature was never asked for sees it: its account is not there.
async fn without_version_1(market: &Market, four: &[Instruction]) {
    let (world, north) = (&market.world, market.world.key(North));
    assert!(world.chain.takes_v1().await.expect("an answer"));
    let nothing =
        json!([v1::FEATURE.to_string(), { "lamports": 0, "data": "", "owner": Pubkey::default().to_string() }]);
    let cheat = RpcRequest::Custom { method: "surfnet_setAccount" };
    world.chain.rpc().send::<Value>(cheat, nothing).await.expect("the account goes");

    let chain = Chain::new(world.localnet.rpc_url());
    assert!(
        !chain.takes_v1().await.expect("an answer") && !chain.can_send(four, &north.pubkey()).await.expect("an answer")
    );
    let over = chain.send(four, &[north]).await;
    assert!(matches!(over, Err(SdkError::TooLong { most: MAX_BYTES, .. })), "{over:?}");
    let table = chain.make_table(four, north).await.expect("a table");
    // They arrive, all together: the program finds them settled.
    let again = chain.send_with_table(four, &[north], &table).await;
    assert_eq!(again.expect_err("they are settled").name(), Some("NothingNew"));

    // The table is given up, and cannot be closed before it is cold.
    let (state_dir, table) = (world.state_dir().display().to_string(), table.address().to_string());
    let args = ["channel", "reclaim-table", &table, "--json", "--as", "north", "--state-dir", &state_dir];
    let reclaimed = run("joule", &args.map(str::to_owned)).await;
    assert!(reclaimed.status.success(), "{}", String::from_utf8_lossy(&reclaimed.stderr));
    let reclaimed: Value = serde_json::from_slice(&reclaimed.stdout).expect("JSON");
    assert_eq!(reclaimed["closed"], false, "{reclaimed}");
    assert!(reclaimed["not_before"].as_u64().expect("a slot") > 512, "{reclaimed}");
}
