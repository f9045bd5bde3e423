//! Results that others look at: a lie that costs its bond, the truth that costs nothing, a juror that is killed in between, and a
//! provider that never delivers.

use crate::support::{until, Digits, Indexer, Order, Process, World, BOND};
use joule_api::{DisputeStatus, JobStatus, Verdict};
use joule_artifacts::Hash;
use joule_localnet::Persona::{self, Alice, Bob, Carol, East, North, Uma, Vera, Wim};
use joule_sdk::{
    escrow::state::{Dispute, JobStatus as OnChain},
    instruction::escrow,
    pda, token_program, Pubkey,
};

const PRICE: u64 = 2_000_000;
const JURORS: [Persona; 3] = [Uma, Vera, Wim];

/// A node that takes no jobs.
fn bystander(world: &World, indexer: &Indexer, persona: Persona, duty: &str) -> Process {
    let role = ["--provide", "false", duty, "--max-deposit", "5 JOULE"];
    world.node(persona, world.localnet.rpc_url(), &indexer.url, &role)
}

async fn delivered_by_east(world: &World, order: Order, result: Hash) -> Pubkey {
    let job = world.open(Alice, order).await;
    world.accept(East, job, PRICE).await;
    world.submit(East, job, result).await;
    job
}

/// Waits until its dispute is wound up, and nothing of the job is left on the chain.
async fn wound_up(indexer: &Indexer, job: Pubkey) -> joule_api::Case {
    let address = job.to_string();
    until("the dispute is wound up and the job closed", async || {
        let case = indexer.api.dispute(&address).await.ok()?;
        (case.dispute.status == DisputeStatus::Closed && case.job.closed).then_some(case)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_challenged_judged_and_slashed_and_the_truth_is_left_alone() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    for provider in [North, East, Uma, Vera, Wim] {
        world.register(provider).await;
    }
    let carol = bystander(&world, &indexer, Carol, "--verify");
    let jurors = JURORS.map(|juror| bystander(&world, &indexer, juror, "--vote"));

    // The truth: the verifying node runs it again, agrees, and the client's silence pays.
    let rpc = world.localnet.rpc_url();
    let north = world.node(North, rpc, &indexer.url, &["--min-vote-window", "1s", "--mode", "quorum"]);
    let order = Order { review_window: 20, ..Order::digits(&world.store()).await.judged(3, 6) };
    let honest = world.open(Bob, order).await;
    indexer.job_is(honest, JobStatus::Delivered).await;
    until("carol's node says that the result is right", async || {
        carol.log().lines().any(|line| line.contains(&honest.to_string()) && line.contains("is right")).then_some(())
    })
    .await;
    let row = indexer.job_is(honest, JobStatus::Settled).await;
    assert_eq!((row.paid.provider, row.challenger), (PRICE - PRICE / 40, None));
    north.stop().await;

    // The lie.
    let before = [Alice, Carol, Uma, Vera, Wim].map(|persona| (persona, world.tokens(persona)));
    let mut had = Vec::new();
    for (_, tokens) in before {
        had.push(world.chain.token_balance(&tokens).await.expect("a balance"));
    }
    let fees = world.fees().await;
    let job = delivered_by_east(&world, Order { review_window: 60, ..order }, Hash::of(b"a lie")).await;
    let case = wound_up(&indexer, job).await;
    assert_eq!(case.dispute.verdict, Some(Verdict::Counter));
    assert_eq!(case.dispute.counter_result, Hash::of(&Digits::read().expected).to_string());
    assert_eq!((case.job.status, case.job.verdict), (JobStatus::Refunded, Some(Verdict::Counter)));
    assert_eq!((case.dispute.votes.len(), case.dispute.tallies[0].revealed), (3, 3));
    assert_eq!((case.job.slashed, case.job.deposited, case.job.paid.provider), (PRICE, PRICE, 0));

    // Who has what: the jurors a fifth of the bond, and of the rest everybody's share.
    let bond = world.bond(East).await;
    assert_eq!((bond.amount.get(), bond.locked.get(), bond.failed.get() > 0), (BOND - PRICE, 0, true));
    let mut gained = Vec::new();
    for ((persona, tokens), had) in before.iter().zip(had) {
        let has = world.chain.token_balance(tokens).await.expect("a balance");
        gained.push((*persona, has as i64 - had as i64));
    }
    let fee = world.fees().await - fees;
    let sum: i64 = gained.iter().map(|(_, gain)| gain).sum();
    assert_eq!(sum + fee as i64, PRICE as i64, "what east lost, the others have: {gained:?} and {fee} in fees");
    let [alice, carol_gain, uma, vera, wim] = [0, 1, 2, 3, 4].map(|n| gained[n].1);
    assert!(uma == PRICE as i64 / 15 && uma == vera && vera == wim, "{gained:?}");
    assert!(alice > carol_gain && carol_gain > 0 && fee > 0, "{gained:?}, fees {fee}");
    for juror in JURORS {
        let bond = world.bond(juror).await;
        assert_eq!((bond.amount.get(), bond.locked.get()), (BOND, 0), "{juror}'s bond is whole and free");
    }
    indexer.equals_the_chain(rpc).await;
    for node in jurors.into_iter().chain([carol]) {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_juror_killed_between_commit_and_reveal_opens_its_vote_after_a_restart() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(East).await;
    world.register(Uma).await;
    // Its vote is the only one: without it nothing would be decided.
    let order = Order { review_window: 60, ..Order::digits(&world.store()).await.judged(1, 12) };
    let mut uma = bystander(&world, &indexer, Uma, "--vote");
    let job = delivered_by_east(&world, order, Hash::of(b"a lie")).await;
    world.challenge(Carol, job, Hash::of(&Digits::read().expected)).await;
    let dispute = pda::dispute(&job);
    until("the vote is on the chain", async || {
        let dispute: Dispute = world.chain.find(&dispute).await.ok()??;
        (dispute.votes_open.get() == 1).then_some(())
    })
    .await;
    uma.kill();
    let ballots = world.key_file(Uma).with_extension("votes");
    assert_eq!(std::fs::read_dir(&ballots).expect("a folder").count(), 1, "what opens the vote is on the disk");

    let uma = bystander(&world, &indexer, Uma, "--vote");
    let case = wound_up(&indexer, job).await;
    assert_eq!(case.dispute.verdict, Some(Verdict::Counter));
    assert_eq!(case.dispute.votes.len(), 1, "it voted once");
    assert_eq!(case.dispute.votes[0].choice, Some(Verdict::Counter));
    let bond = world.bond(Uma).await;
    assert_eq!((bond.amount.get(), bond.locked.get()), (BOND, 0));
    until("the ballot is thrown away", async || {
        (std::fs::read_dir(&ballots).expect("a folder").count() == 0).then_some(())
    })
    .await;
    assert_eq!(uma.log().matches("vote revealed").count(), 1);
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    uma.stop().await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_delivers_nothing_loses_its_bond_to_its_client() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(East).await;
    let before = world.balance(Alice).await;
    let job = world.open(Alice, Order { work_window: 2, ..Order::for_show() }).await;
    world.accept(East, job, 1_000_000).await;
    until("its time is over", async || {
        (world.chain.now().await.ok()? > world.job(job).await.deliver_by.get()).then_some(())
    })
    .await;
    assert_eq!(world.job(job).await.status, OnChain::Accepted as u8);
    // Anybody's crank.
    let fail = escrow::fail(job, &world.job(job).await, token_program::CLASSIC);
    world.send("have the job failed", Bob, &[fail]).await;
    let row = indexer.job_is(job, JobStatus::Refunded).await;
    assert_eq!((row.slashed, row.closed), (1_000_000, true));
    assert_eq!(world.bond(East).await.amount.get(), BOND - 1_000_000);
    assert_eq!(world.balance(Alice).await - before, row.paid.client - row.budget);
    assert!(row.paid.client > row.budget && row.paid.fee > 0, "{row:?}");
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_takes_out_of_the_store_the_providers_node_gives_to_the_jurors() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    for provider in [North, Uma, Vera, Wim] {
        world.register(provider).await;
    }
    let north = world.node(North, world.localnet.rpc_url(), &indexer.url, &["--min-vote-window", "1s"]);
    let order = Order { review_window: 600, ..Order::digits(&world.store()).await.judged(3, 300) };
    let job = world.open(Alice, order).await;
    indexer.job_is(job, JobStatus::Delivered).await;
    std::fs::remove_dir_all(world.artifacts().join("sha256")).expect("a folder");
    world.challenge(Bob, job, Hash::of(b"nonsense")).await;

    let jurors = JURORS.map(|juror| bystander(&world, &indexer, juror, "--vote"));
    let place = pda::dispute(&job);
    let dispute = until("all have voted", async || {
        let dispute: Dispute = world.chain.find(&place).await.ok()??;
        (dispute.votes_open.get() == 3).then_some(dispute)
    })
    .await;
    for juror in JURORS {
        let kept = world.key_file(juror).with_extension("kept").join("artifacts").join(order.input.to_string());
        assert!(kept.exists(), "{juror} keeps its own");
    }
    world.after(dispute.commit_by.get()).await;
    for juror in &jurors {
        until("the vote is opened", async || juror.log().contains("vote revealed").then_some(())).await;
    }
    world.after(dispute.final_at.get()).await;
    assert_eq!(wound_up(&indexer, job).await.dispute.verdict, Some(Verdict::Stands));
    assert_eq!((world.bond(North).await.amount.get(), world.bond(North).await.locked.get()), (BOND, 0));
    for node in jurors.into_iter().chain([north]) {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}
