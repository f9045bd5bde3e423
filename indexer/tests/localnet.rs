//! The indexer on a real chain: the programs' own binaries, RPC, and the Yellowstone gRPC stream.
//!
//! Needs `target/deploy/*.so` (`make build`).

use joule_api::{Client, Commitment, DisputeStatus, JobStatus, ProviderStatus, Verdict};
use joule_indexer::{config::Settings, source::rpc::Rpc, store::Sqlite, verify, Indexer};
use joule_localnet::{Config, Localnet, Persona};
use joule_sdk::{
    escrow::state::{commitment, Dispute, Terms, Verification, Vote},
    instruction::{
        escrow,
        model::{create_model, publish_prices, share_accounts, Origin},
        registry, staking,
    },
    pda,
    registry::state::{Attributes, Listing, Model, ModelProfile, Profile},
    token_program,
    treasury::state::Service,
    Chain, Keypair, Pubkey,
};
use std::{
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use yellowstone_grpc_client::GeyserGrpcClient;

/// Long enough for a loaded machine; only failures wait for it.
const PATIENCE: Duration = Duration::from_secs(90);
const BUDGET: u64 = 1_000_000;
const PRICE: u64 = 900_000;
/// What each provider and juror answers with.
const BOND: u64 = 10_000_000;
const RESULT: [u8; 32] = [7; 32];

struct World {
    localnet: Localnet,
    chain: Chain,
    folder: tempfile::TempDir,
}

struct Following {
    indexer: Indexer,
    client: Client,
    stop: CancellationToken,
}

impl World {
    async fn start(replay_slots: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/deploy");
        let config = Config { replay_slots, ..Config::ephemeral(programs, folder.path().join("state")) };
        let localnet = Localnet::start(config).await.expect("localnet starts; the programs are built by `make build`");
        let chain = Chain::new(localnet.rpc_url());
        Self { localnet, chain, folder }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("indexer.sqlite")
    }

    async fn follow(&self, database: &Path) -> Following {
        let settings = Settings {
            grpc: self.localnet.grpc_url().to_owned(),
            rpc: self.localnet.rpc_url().to_owned(),
            database: database.to_owned(),
            listen: ([127, 0, 0, 1], 0).into(),
            ..Settings::default()
        };
        let stop = CancellationToken::new();
        let indexer = Indexer::start(&settings, stop.clone()).await.unwrap();
        let client = Client::new(format!("http://{}", indexer.address()));
        Following { indexer, client, stop }
    }

    fn key(&self, persona: Persona) -> &Keypair {
        self.localnet.personas().key(persona)
    }

    fn address(&self, persona: Persona) -> Pubkey {
        self.localnet.personas().address(persona)
    }

    fn tokens(&self, owner: Persona) -> Pubkey {
        pda::associated_token(&self.address(owner), &self.localnet.mint(), &token_program::CLASSIC)
    }

    fn provider(&self, persona: Persona) -> Pubkey {
        pda::provider(&self.address(persona))
    }

    fn bond(&self, persona: Persona) -> Pubkey {
        pda::bond(&self.address(persona), &self.localnet.mint())
    }

    /// As a provider, with a bond.
    async fn register(&self, persona: Persona) -> Pubkey {
        let authority = self.address(persona);
        let profile = Profile {
            payout_owner: authority,
            capacity: 4,
            endpoint_hash: [1; 32],
            metadata_hash: [2; 32],
            attributes: Attributes { cpu_cores: 2, ..Attributes::default() },
        };
        let (mint, bond) = (self.localnet.mint(), self.bond(persona));
        let instructions = [
            registry::register(authority, authority, profile),
            staking::open_bond(authority, authority, mint, token_program::CLASSIC, authority),
            staking::name_service(authority, bond, Service::Escrow as u8, true),
            staking::deposit_bond(authority, self.tokens(persona), bond, mint, token_program::CLASSIC, BOND, authority),
        ];
        self.chain.send(&instructions, &[self.key(persona)]).await.unwrap();
        self.provider(persona)
    }

    async fn open(&self, persona: Persona) -> Pubkey {
        self.open_with(persona, Verification::Review, 3_600).await
    }

    /// `window` is each of the job's own, in seconds.
    async fn open_with(&self, persona: Persona, verification: Verification, window: u32) -> Pubkey {
        let client = self.address(persona);
        let id = self.chain.next_job_id(&client).await.unwrap();
        let accounts = escrow::OpenAccounts {
            payer: client,
            client,
            source: self.tokens(persona),
            refund: self.tokens(persona),
            mint: self.localnet.mint(),
            token_program: token_program::CLASSIC,
            requirements: None,
            staked_in: None,
        };
        let is_judged = verification != Verification::Review;
        let terms = Terms {
            budget: BUDGET,
            spec_hash: [3; 32],
            input_hash: [4; 32],
            accept_window: window,
            bid_window: 0,
            work_window: window,
            review_window: window,
            vote_window: if is_judged { 60 } else { 0 },
            bond_bps: 10_000,
            verification: verification as u8,
            pricing: 0,
            jurors: is_judged.into(),
            max_rate: 0,
        };
        self.chain.send(&[escrow::open(accounts, id, terms)], &[self.key(persona)]).await.unwrap();
        pda::job(&client, id)
    }

    async fn accept(&self, provider: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        let who = escrow::Provider::new(self.address(provider), self.tokens(provider));
        let accept = escrow::accept(who, job, &state, PRICE);
        self.chain.send(&[accept], &[self.key(provider)]).await.unwrap();
    }

    async fn submit(&self, provider: Persona, job: Pubkey) {
        let submit = escrow::submit(self.address(provider), job, RESULT);
        self.chain.send(&[submit], &[self.key(provider)]).await.unwrap();
    }

    async fn approve(&self, client: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        let approve = escrow::approve(job, &state, token_program::CLASSIC, RESULT);
        self.chain.send(&[approve], &[self.key(client)]).await.unwrap();
    }

    async fn cancel(&self, client: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        self.chain.send(&[escrow::cancel(job, &state, token_program::CLASSIC)], &[self.key(client)]).await.unwrap();
    }

    async fn equals_the_chain(&self, database: &Path) {
        let store = Sqlite::open_existing(database).unwrap();
        let rpc = Rpc::new(self.localnet.rpc_url().to_owned(), false);
        let report = verify::run(&store, &rpc, PATIENCE).await.unwrap();
        assert!(report.differences.is_empty(), "{report}");
        assert!(report.accounts > 2 && report.reputations > 0 && report.unknown_reputations == 0, "{report}");
    }
}

impl Following {
    async fn job_is(&self, job: Pubkey, status: JobStatus, commitment: Commitment) -> joule_api::Job {
        let started = Instant::now();
        loop {
            if let Ok(found) = self.client.job(&job.to_string()).await {
                if found.status == status && found.commitment >= commitment {
                    return found;
                }
            }
            let health = self.client.health().await.unwrap();
            assert!(started.elapsed() < PATIENCE, "{job} never became {status:?}; {health:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn(Client) -> F) {
        let started = Instant::now();
        while !holds(self.client.clone()).await {
            let health = self.client.health().await.unwrap();
            assert!(started.elapsed() < PATIENCE, "never: {what}; {health:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.indexer.finished().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_followed_from_the_first_to_the_last_unit() {
    let world = World::start(1_500).await;
    // Before anybody listens: a whole life, and a job that is still open.
    let provider = world.register(Persona::North).await;
    let early = world.open(Persona::Alice).await;
    world.accept(Persona::North, early).await;
    world.submit(Persona::North, early).await;
    world.approve(Persona::Alice, early).await;
    let open = world.open(Persona::Bob).await;

    let database = world.database();
    let following = world.follow(&database).await;
    let settled = following.job_is(early, JobStatus::Settled, Commitment::Confirmed).await;
    assert!(settled.closed);
    assert_eq!(settled.paid.provider + settled.paid.fee, PRICE);
    assert_eq!(settled.paid.client, BUDGET - PRICE);
    assert_eq!(settled.result_hash.as_deref(), Some("07".repeat(32).as_str()));
    following.job_is(open, JobStatus::Open, Commitment::Confirmed).await;
    let offers = following.client.open_jobs(&provider.to_string(), 10).await.unwrap();
    assert_eq!(offers.iter().map(|offer| offer.job.address.clone()).collect::<Vec<_>>(), [open.to_string()]);

    // Live, seen before it is confirmed.
    world.accept(Persona::North, open).await;
    following.job_is(open, JobStatus::Accepted, Commitment::Processed).await;
    world.submit(Persona::North, open).await;
    following.job_is(open, JobStatus::Delivered, Commitment::Processed).await;
    world.approve(Persona::Bob, open).await;
    following.job_is(open, JobStatus::Settled, Commitment::Confirmed).await;
    let totals = following.client.totals().await.unwrap();
    assert_eq!((totals.mints[0].jobs_settled, totals.mints[0].escrowed), (2, 0));
    let account = following.client.account(&open.to_string()).await.unwrap();
    let names: Vec<_> = account.history.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["JobSettled", "JobDelivered", "JobAccepted", "JobOpened"]);
    world.equals_the_chain(&database).await;
    following.stop().await;

    // While it is away, within what the server can replay.
    let third = world.open(Persona::Alice).await;
    world.cancel(Persona::Alice, third).await;
    let fourth = world.open(Persona::Alice).await;
    let following = world.follow(&database).await;
    let refunded = following.job_is(third, JobStatus::Refunded, Commitment::Confirmed).await;
    assert_eq!((refunded.paid.client, refunded.closed), (BUDGET, true));
    following.job_is(fourth, JobStatus::Open, Commitment::Finalized).await;
    world.equals_the_chain(&database).await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_followed_from_the_challenge_until_the_last_vote_is_wound_up() {
    let world = World::start(1_500).await;
    let (east, truth) = (world.register(Persona::East).await, [8; 32]);
    world.register(Persona::Uma).await;
    let database = world.database();
    let following = world.follow(&database).await;
    let job = world.open_with(Persona::Alice, Verification::Quorum, 3_600).await;
    world.accept(Persona::East, job).await;
    world.submit(Persona::East, job).await;

    let carol = escrow::Challenger {
        challenger: world.address(Persona::Carol),
        payer: world.address(Persona::Carol),
        source: world.tokens(Persona::Carol),
        account: world.tokens(Persona::Bob),
    };
    let challenge = escrow::challenge(carol, job, None, token_program::CLASSIC, truth);
    world.chain.send(&[challenge], &[world.key(Persona::Carol)]).await.unwrap();
    following.job_is(job, JobStatus::Challenged, Commitment::Processed).await;
    let case = following.client.dispute(&job.to_string()).await.unwrap();
    assert_eq!((case.dispute.status, case.dispute.deposit), (DisputeStatus::Voting, PRICE));

    let (uma, salt) = (world.address(Persona::Uma), [5; 32]);
    let state = world.chain.job(&job).await.unwrap().unwrap();
    let (at, vote) = (pda::dispute(&job), pda::vote(&pda::dispute(&job), 0, &uma));
    let sealed = commitment(&job, &truth, &salt, &uma);
    let juror = escrow::Provider::new(uma, world.tokens(Persona::Uma));
    let commit = escrow::commit_vote(juror, job, &state, sealed, 2 * PRICE);
    world.chain.send(&[commit], &[world.key(Persona::Uma)]).await.unwrap();
    let dispute: Dispute = world.chain.get(&at).await.unwrap();
    world.localnet.time_travel(dispute.commit_by.get() + 2).await.unwrap();
    let reveal = escrow::reveal_vote(job, vote, truth, salt);
    world.chain.send(&[reveal], &[world.key(Persona::Uma)]).await.unwrap();
    world.localnet.time_travel(dispute.final_at.get() + 2).await.unwrap();
    let resolve = escrow::resolve(job, &state, token_program::CLASSIC);
    world.chain.send(&[resolve], &[world.key(Persona::Bob)]).await.unwrap();
    let overturned = following.job_is(job, JobStatus::Refunded, Commitment::Confirmed).await;
    assert_eq!((overturned.verdict, overturned.slashed, overturned.paid.provider), (Some(Verdict::Counter), PRICE, 0));
    assert!(overturned.disputed && overturned.escrowed > 0);
    world.equals_the_chain(&database).await;

    let (state, cast): (_, Vote) =
        (world.chain.job(&job).await.unwrap().unwrap(), world.chain.get(&vote).await.unwrap());
    let dispute: Dispute = world.chain.get(&at).await.unwrap();
    let last = [
        escrow::close_vote(job, &state, Pubkey::default(), vote, &cast, token_program::CLASSIC),
        escrow::close_dispute(at, &dispute),
        escrow::pay(job, &state, token_program::CLASSIC),
    ];
    for instruction in last {
        world.chain.send(&[instruction], &[world.key(Persona::Bob)]).await.unwrap();
    }
    following
        .until("wound up", |client| async move { client.job(&job.to_string()).await.is_ok_and(|job| job.closed) })
        .await;
    let case = following.client.dispute(&job.to_string()).await.unwrap();
    assert_eq!((case.dispute.status, case.dispute.verdict), (DisputeStatus::Closed, Some(Verdict::Counter)));
    assert_eq!(case.dispute.votes[0].output, Some(hex::encode(truth)));
    // A fifth of the bond is the juror's.
    assert_eq!((case.dispute.votes[0].paid, case.job.paid.jurors), (PRICE / 5, PRICE / 5));
    assert_eq!(case.job.paid.total(), u128::from(case.job.budget + case.job.deposited + case.job.slashed));
    let bonds = following.client.provider(&east.to_string()).await.unwrap().bonds;
    assert_eq!((bonds[0].amount, bonds[0].reputation.failed), (BOND - PRICE, PRICE));
    // A vote earns money, not reputation.
    let bonds = following.client.bonds(&uma.to_string()).await.unwrap();
    assert_eq!((bonds[0].bond.free, bonds[0].bond.reputation.kept, bonds[0].claims.len()), (BOND, 0, 0));
    world.equals_the_chain(&database).await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_its_lineage_and_its_prices_are_followed() {
    let world = World::start(1_500).await;
    world.register(Persona::North).await;
    let (alice, north, mint) = (world.address(Persona::Alice), world.address(Persona::North), world.localnet.mint());
    let profile = |payout_owner| ModelProfile { payout_owner, endpoint_hash: [1; 32], metadata_hash: [2; 32] };
    let (base, model) = (pda::model(&alice, 3), pda::model(&north, 4));
    // Before anybody listens.
    let create = create_model(alice, alice, Origin { id: 3, base: None, royalty_bps: 250 }, profile(alice));
    world.chain.send(&[create], &[world.key(Persona::Alice)]).await.unwrap();
    let database = world.database();
    let following = world.follow(&database).await;
    let create = create_model(north, north, Origin { id: 4, base: Some(base), royalty_bps: 0 }, profile(north));
    world.chain.send(&[create], &[world.key(Persona::North)]).await.unwrap();
    let state: Model = world.chain.get(&model).await.unwrap();
    let listing = Listing { per_request: 7, creator_bps: 1_000, ..Listing::default() };
    let accounts = share_accounts(&state, &listing, &mint, &token_program::CLASSIC);
    let publish = publish_prices(north, north, model, mint, 1, listing, &accounts);
    world.chain.send(&[publish], &[world.key(Persona::North)]).await.unwrap();
    following
        .until("priced", |client| async move {
            client.model(&model.to_string()).await.is_ok_and(|found| found.prices.is_some())
        })
        .await;
    let found = following.client.model(&model.to_string()).await.unwrap();
    assert_eq!((found.bases[0].address.clone(), found.model.version), (base.to_string(), 1));
    let shares: Vec<_> = found.prices.unwrap().shares.into_iter().map(|s| (s.owner, s.account, s.bps)).collect();
    let expected = [(alice, Persona::Alice, 250), (north, Persona::North, 1_000)];
    assert_eq!(shares, expected.map(|(owner, who, bps)| (owner.to_string(), world.tokens(who).to_string(), bps)));
    let history = following.client.account(&model.to_string()).await.unwrap().history;
    assert_eq!(history.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["PricesPublished", "ModelCreated"]);
    world.equals_the_chain(&database).await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_cannot_replay_is_filled_by_rpc() {
    let world = World::start(5).await;
    let north = world.register(Persona::North).await;
    let job = world.open(Persona::Alice).await;
    let database = world.database();
    let following = world.follow(&database).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    following.stop().await;

    world.accept(Persona::North, job).await;
    world.submit(Persona::North, job).await;
    world.approve(Persona::Alice, job).await;
    let brief = world.open(Persona::Bob).await;
    world.cancel(Persona::Bob, brief).await;
    let retire = registry::retire(world.address(Persona::North), world.address(Persona::North));
    world.chain.send(&[retire], &[world.key(Persona::North)]).await.unwrap();
    // Until the stream itself says that it no longer reaches back to these changes.
    let changed_by = world.chain.rpc().get_slot().await.unwrap();
    let grpc = GeyserGrpcClient::build_from_shared(world.localnet.grpc_url().to_owned()).unwrap();
    let mut grpc = grpc.connect().await.unwrap();
    let started = Instant::now();
    while grpc.subscribe_replay_info().await.unwrap().first_available.unwrap_or_default() <= changed_by {
        assert!(started.elapsed() < PATIENCE, "the chain stands still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let following = world.follow(&database).await;
    let settled = following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    assert_eq!(settled.paid.provider + settled.paid.fee, PRICE);
    following.job_is(brief, JobStatus::Refunded, Commitment::Confirmed).await;
    following
        .until("retired", |client| async move {
            client.provider(&north.to_string()).await.is_ok_and(|north| north.status == ProviderStatus::Retired)
        })
        .await;
    following.until("well", |client| async move { client.health().await.is_ok_and(|health| health.ok) }).await;
    world.equals_the_chain(&database).await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexer_that_starts_before_the_chain_waits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings {
        grpc: format!("http://{free}"),
        rpc: format!("http://{free}"),
        database: folder.path().join("indexer.sqlite"),
        listen: ([127, 0, 0, 1], 0).into(),
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    let indexer = Indexer::start(&settings, stop.clone()).await.unwrap();
    let following = Following { client: Client::new(format!("http://{}", indexer.address())), indexer, stop };
    following
        .until("unwell", |client| async move {
            client
                .health()
                .await
                .is_ok_and(|health| !health.ok && health.reason.is_some_and(|why| why.contains("gRPC")))
        })
        .await;
    let taken = Settings { listen: following.indexer.address(), ..settings };
    let error = Indexer::start(&taken, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("--listen"), "{error:#}");
    following.stop().await;
}
