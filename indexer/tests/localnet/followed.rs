//! What happens on the chain is what the indexer says, whether it saw it happen or read it up.

use crate::{
    node::nobody,
    support::{Following, World, BOND, BUDGET, PRICE},
};
use joule_api::{Client, Commitment, DisputeStatus, JobStatus, ProviderStatus, Verdict};
use joule_indexer::{config::Settings, Indexer};
use joule_localnet::Persona;
use joule_sdk::{
    escrow::state::{commitment, Dispute, Verification, Vote},
    instruction::{
        escrow,
        model::{create_model, publish_prices, share_accounts, Origin},
        registry,
    },
    pda,
    registry::state::{Listing, Model, ModelProfile},
    token_program, Pubkey,
};
use tokio_util::sync::CancellationToken;

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
    // Surfpool's clock may go back by a second, and who votes must have stated what it is before the dispute.
    let now = world.chain.now().await.unwrap();
    world.localnet.time_travel(now + 4).await.unwrap();
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
    world.cannot_replay_from(world.chain.slot().await.unwrap()).await;

    let following = world.follow(&database).await;
    let settled = following.job_is(job, JobStatus::Settled, Commitment::Confirmed).await;
    assert_eq!(settled.paid.provider + settled.paid.fee, PRICE);
    following.job_is(brief, JobStatus::Refunded, Commitment::Confirmed).await;
    following
        .until("retired", |client| async move {
            client.provider(&north.to_string()).await.is_ok_and(|north| north.status == ProviderStatus::Retired)
        })
        .await;
    following.well().await;
    world.equals_the_chain(&database).await;
    following.stop().await;
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexer_that_starts_before_the_chain_waits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = nobody();
    let free = nobody.local_addr().unwrap();
    let settings = Settings {
        grpc: format!("http://{free}").into(),
        rpc: format!("http://{free}").into(),
        database: folder.path().join("indexer.sqlite").into(),
        listen: ([127, 0, 0, 1], 0).into(),
        ..Settings::default()
    };
    let stop = CancellationToken::new();
    let indexer = Indexer::start(&settings, stop.clone()).await.unwrap();
    let following = Following { client: Client::new(format!("http://{}", indexer.address())), indexer, stop };
    following.unwell("the RPC node says which chain").await;
    let taken = Settings { listen: following.indexer.address(), ..settings };
    let error = Indexer::start(&taken, CancellationToken::new()).await.err().unwrap();
    assert!(format!("{error:#}").contains("--listen"), "{error:#}");
    following.stop().await;
}
