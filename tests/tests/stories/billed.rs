//! Requests are paid through a channel while the indexer is killed three times: its rows are the chain's, its sums what
//! everybody got, and the same as those of an indexer that never died.

use crate::support::{run, until, Indexer, World};
use joule_api::{ChannelStatus, ChannelWithPlan, PaidOut, RevenueReport};
use joule_localnet::Persona::{Alice, Bob, North, South};
use joule_sdk::{
    billing::state::{Channel, ChannelTerms, Payer},
    instruction::{
        billing::{self, OpenAccounts},
        model::{self, Origin},
        token::create_associated,
    },
    pda,
    registry::state::{Listing, Model, ModelProfile, PriceList},
    token_program,
    units::{Amount, UnixTime},
    voucher::{Domain, Format, Voucher},
    Keypair, Pubkey, Signer,
};

const DEPOSIT: u64 = 10_000_000;
const CAP: u64 = 2_000_000;
/// What the creator gets of everything, in basis points.
const CREATOR_BPS: u16 = 1_500;

/// A channel of Alice's to North, for South's model.
struct Billed {
    world: World,
    session: Keypair,
    channel: Pubkey,
    model: Pubkey,
}

impl Billed {
    async fn open() -> Self {
        let world = World::start().await;
        world.register(North).await;
        let (mint, creator, alice) = (world.localnet.mint(), world.address(South), world.address(Alice));
        let model = pda::model(&creator, 0);
        let profile = ModelProfile { payout_owner: creator, endpoint_hash: [1; 32], metadata_hash: [2; 32] };
        let origin = Origin { id: 0, base: None, royalty_bps: 0 };
        let create = model::create_model(creator, creator, origin, profile);
        let account = create_associated(creator, creator, mint, token_program::CLASSIC);
        world.send("make a model", South, &[account, create]).await;
        let listing = Listing { per_request: 100_000, creator_bps: CREATOR_BPS, ..Listing::default() };
        let state: Model = world.chain.get(&model).await.unwrap();
        let shares = model::share_accounts(&state, &listing, &mint, &token_program::CLASSIC);
        let publish = model::publish_prices(creator, creator, model, mint, 1, listing, &shares);
        world.send("publish prices", South, &[publish]).await;

        let (payer, session) = (pda::payer(&alice, &mint), Keypair::new());
        let create = billing::create_payer(alice, alice, mint, token_program::CLASSIC);
        let deposit = billing::deposit(alice, payer, world.tokens(Alice), token_program::CLASSIC, DEPOSIT);
        let accounts = OpenAccounts {
            rent_payer: alice,
            owner: alice,
            mint,
            authority: world.address(North),
            payout: world.tokens(North),
            model,
            prices: pda::price_list(&model, 1),
        };
        let terms = ChannelTerms {
            cap: CAP,
            signer: session.pubkey(),
            limit: CAP,
            session_expires_at: world.chain.now().await.unwrap() + 86_400,
            grace: 60,
            backing_bps: 0,
            max_fee_bps: 10_000,
        };
        let open = billing::open(accounts, 0, terms);
        world.send("open a channel", Alice, &[create, deposit, open]).await;
        Self { channel: pda::channel(&payer, 0), world, session, model }
    }

    async fn state(&self) -> Channel {
        self.world.chain.get(&self.channel).await.expect("a channel")
    }

    /// Anyone settles a voucher that pays for the first `requests`.
    async fn settle(&self, requests: u64) {
        let genesis = self.world.chain.rpc().get_genesis_hash().await.expect("a genesis hash");
        let voucher = Voucher {
            context: billing::context(Domain::Voucher, &genesis.to_bytes(), &self.channel),
            sequence: requests.into(),
            cumulative: Amount::new(requests * 100_000).into(),
            units: (requests * 1_000).into(),
            expires_at: UnixTime::new(self.world.chain.now().await.unwrap() + 3_600).into(),
            usage_root: [7; 32],
        };
        let signature = self.session.sign_message(voucher.as_bytes());
        let verify = billing::verify(&self.session.pubkey(), signature.as_array(), voucher.as_bytes());
        let instructions = [verify.expect("a message that fits"), billing::settle(self.channel)];
        self.world.send("settle", Bob, &instructions).await;
    }

    async fn distribute(&self) {
        let state = self.state().await;
        let prices: PriceList = self.world.chain.get(&state.prices).await.expect("a price list");
        let distribute = billing::distribute(self.channel, &state, &prices, token_program::CLASSIC);
        self.world.send("distribute", Bob, &[distribute]).await;
    }

    /// By the provider, at once; and everybody is paid, so that the account goes.
    async fn close(&self) {
        let request = billing::request_close(self.world.address(North), self.channel);
        self.world.send("end the channel", North, &[request]).await;
        let close = billing::close(self.channel, &self.state().await);
        self.world.send("close", Bob, &[close]).await;
    }

    async fn shows(&self, indexer: &Indexer, what: &str, is: impl Fn(&ChannelWithPlan) -> bool) -> ChannelWithPlan {
        until(what, async || {
            let found = indexer.api.channel(&self.channel.to_string()).await.ok()?;
            (found.channel.commitment >= joule_api::Commitment::Confirmed && is(&found)).then_some(found)
        })
        .await
    }

    async fn revenue(&self, indexer: &Indexer, by: &str) -> RevenueReport {
        indexer.api.revenue(&[("by", by.to_owned())]).await.expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_paid_out_to_the_last_unit_and_counted_while_the_indexer_is_killed() {
    let billed = Billed::open().await;
    let world = &billed.world;
    let before = (world.balance(North).await, world.balance(South).await, world.fees().await);
    let reference = world.indexer("reference", None).await;
    let mut mortal = world.indexer("mortal", None).await;
    for indexer in [&reference, &mortal] {
        billed.shows(indexer, "the channel is open", |c| c.channel.status == ChannelStatus::Open).await;
    }

    // Settled and seen; then it dies, and misses a distribution and another voucher.
    billed.settle(3).await;
    billed.shows(&mortal, "three requests are paid for", |c| c.channel.requests == 3).await;
    mortal.process.kill();
    billed.distribute().await;
    billed.settle(7).await;

    let mut mortal = world.indexer("mortal", None).await;
    let shown = billed.shows(&mortal, "seven requests are paid for", |c| c.channel.requests == 7).await;
    assert_eq!((shown.channel.settled, shown.channel.paid, shown.distributions.len()), (700_000, 300_000, 1));
    billed.distribute().await;
    mortal.process.kill();

    // Down for the end of it.
    billed.settle(10).await;
    billed.distribute().await;
    let mut mortal = world.indexer("mortal", None).await;
    billed.shows(&mortal, "ten requests are paid for", |c| c.channel.paid == 1_000_000).await;
    mortal.equals_the_chain(world.localnet.rpc_url()).await;
    billed.close().await;
    mortal.process.kill();
    let mortal = world.indexer("mortal", None).await;

    let fee_bps = u64::from(shown.channel.fee_bps);
    let paid = PaidOut {
        shares: 1_000_000 * u64::from(CREATOR_BPS) / 10_000,
        fee: 1_000_000 * fee_bps / 10_000,
        provider: 1_000_000 - 1_000_000 * (u64::from(CREATOR_BPS) + fee_bps) / 10_000,
    };
    for indexer in [&reference, &mortal] {
        let shown = billed.shows(indexer, "closed", |c| c.channel.status == ChannelStatus::Closed).await;
        assert_eq!((shown.channel.requests, shown.channel.units), (10, 10_000));
        assert_eq!((&shown.channel.paid_out, shown.distributions.len()), (&paid, 3));
        indexer.equals_the_chain(world.localnet.rpc_url()).await;
    }
    // What everybody has got is what is on the chain.
    let after = (world.balance(North).await, world.balance(South).await, world.fees().await);
    assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (paid.provider, paid.shares, paid.fee));
    let payer_address = pda::payer(&world.address(Alice), &world.localnet.mint());
    let payer: Payer = world.chain.get(&payer_address).await.unwrap();
    let row = mortal.api.payer(&payer_address.to_string()).await.unwrap();
    assert_eq!((row.balance, row.reserved, row.open_channels), (payer.balance.get(), payer.reserved.get(), 0));
    assert_eq!((row.balance, row.free), (DEPOSIT - 1_000_000, DEPOSIT - 1_000_000));

    for by in ["model", "creator", "provider", "day"] {
        let report = billed.revenue(&mortal, by).await;
        assert_eq!(report, billed.revenue(&reference, by).await);
        let rows: Vec<_> = report.rows.iter().map(|row| (row.amount, row.requests, row.units)).collect();
        assert_eq!(rows.iter().map(|row| row.0).sum::<u128>(), 1_000_000, "{by}: {rows:?}");
        assert_eq!(rows.iter().map(|row| (row.1, row.2)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (10, 10_000));
    }
    assert_eq!(billed.revenue(&mortal, "creator").await.rows[0].key, Some(world.address(South).to_string()));
    the_command_line_shows_it(&billed, &mortal).await;

    reference.process.stop().await;
    mortal.process.stop().await;
    billed.world.stop().await;
}

async fn the_command_line_shows_it(billed: &Billed, indexer: &Indexer) {
    let joule = async |args: &[&str]| {
        let output = run("joule", &[args, &["--indexer", &indexer.url]].concat()).await;
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let (channel, model) = (billed.channel.to_string(), billed.model.to_string());
    let report: RevenueReport = serde_json::from_str(&joule(&["revenue", "--by", "model", "--json"]).await).unwrap();
    assert_eq!((report.rows[0].key.as_deref(), report.rows[0].requests), (Some(model.as_str()), 10));
    let table = joule(&["revenue", "--by", "model"]).await;
    assert!(table.contains(&model) && table.contains("1,000,000 units"), "{table}");
    assert!(joule(&["revenue", "--by", "day", "--to", "1999-01-01"]).await.lines().count() < 6);
    let list = joule(&["channel", "list", "--status", "closed", "--model", &model]).await;
    assert!(list.contains(&channel), "{list}");
    let shown = joule(&["channel", "show", &channel]).await;
    assert!(shown.contains("10, 10000 tokens, images and seconds") && shown.contains("closed"), "{shown}");
    let unknown = run("joule", &["channel", "show", &model, "--indexer", &indexer.url]).await;
    assert_eq!(unknown.status.code(), Some(3), "a model is no channel");
}
