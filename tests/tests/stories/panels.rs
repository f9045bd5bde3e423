//! Results that a panel judges: resolvers that enrol for it, are drawn, run the job again and vote, each of them a node; and a
//! first panel that was wrong.

use crate::support::{nobody, until, Digits, Indexer, Order, Process, World, BOND};
use joule_api::{DisputeStatus, JobStatus, Verdict};
use joule_artifacts::Hash;
use joule_localnet::Persona::{self, Alice, Carol, East, North, South, Uma, Vera, Wim};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{commitment, epoch_at, Dispute, Panel},
    },
    instruction::escrow,
    pda,
    units::UnixTime,
    Pubkey,
};

const PRICE: u64 = 2_000_000;
const STAKE: u64 = 5_000_000;

/// A node that takes no jobs and enrols for panels.
fn resolver(world: &World, indexer: &str, persona: Persona) -> Process {
    let role = ["--provide", "false", "--panel-stake", "5 JOULE"];
    world.node(persona, world.localnet.rpc_url(), indexer, &role)
}

async fn panel_after(world: &World, epochs: u64) -> (u64, Pubkey) {
    let now = world.chain.now().await.expect("the chain's clock");
    let epoch = epoch_at(UnixTime::new(now)) + epochs;
    (epoch, pda::panel(&world.localnet.mint(), epoch))
}

/// Waits until so many have enrolled for the next epoch, and goes there.
async fn next_epoch(world: &World, enrolled: usize) {
    let (epoch, panel) = panel_after(world, 1).await;
    until("the resolvers are enrolled", async || {
        let panel = world.chain.find::<Panel>(&panel).await.ok()??;
        (panel.enrolled().len() == enrolled).then_some(())
    })
    .await;
    world.after(epoch as i64 * PANEL_EPOCH).await;
}

async fn delivered_by(world: &World, provider: Persona, order: Order, result: Hash) -> Pubkey {
    let job = world.open(Alice, order).await;
    world.accept(provider, job, PRICE).await;
    world.submit(provider, job, result).await;
    job
}

/// Waits until the dispute is like this on the chain.
async fn dispute_when(world: &World, job: Pubkey, what: &str, is: impl Fn(&Dispute) -> bool) -> Dispute {
    let place = pda::dispute(&job);
    until(what, async || world.chain.find::<Dispute>(&place).await.ok()?.filter(|dispute| is(dispute))).await
}

async fn wound_up(indexer: &Indexer, job: Pubkey) -> joule_api::Case {
    let address = job.to_string();
    until("the dispute is wound up and the job closed", async || {
        let case = indexer.api.dispute(&address).await.ok()?;
        (case.dispute.status == DisputeStatus::Closed && case.job.closed).then_some(case)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_of_nodes_finds_a_liar_out_though_its_member_is_killed_and_comes_back_without_an_indexer() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(East).await;
    let panel = [South, Uma, Vera, Wim];
    for member in panel {
        // A resolver needs a bond and need not be a provider.
        world.open_bond(member).await;
    }
    let mut members = panel.map(|member| resolver(&world, &indexer.url, member));
    next_epoch(&world, panel.len()).await;
    let rpc = world.localnet.rpc_url();
    let watch = ["--provide", "false", "--verify", "--max-deposit", "5 JOULE"];
    let carol = world.node(Carol, rpc, &indexer.url, &watch);

    // Four are as many as a panel of one and the appeal from it need.
    let order = Order::digits(&world.store()).await.panelled(1);
    let before = world.balance(Carol).await;
    let job = delivered_by(&world, East, order, Hash::of(b"a lie")).await;
    let committed = |dispute: &Dispute| dispute.drawn == 1 && dispute.rounds[0].committed.get() == 1;
    let dispute = dispute_when(&world, job, "the member commits", committed).await;
    let drawn = panel.iter().position(|member| dispute.members[0] == world.address(*member)).expect("a resolver");
    // What opens its vote is on the disk, and what is to be opened on the chain.
    members[drawn].kill();
    world.after(dispute.commit_by.get()).await;
    members[drawn] = resolver(&world, &format!("http://{}", nobody()), panel[drawn]);
    let dispute = dispute_when(&world, job, "the vote is opened", |d| d.rounds[0].revealed.get() == 1).await;
    world.after(dispute.final_at.get()).await;

    let case = wound_up(&indexer, job).await;
    assert_eq!((case.dispute.verdict, case.job.status), (Some(Verdict::Counter), JobStatus::Refunded));
    assert_eq!(case.dispute.counter_result, Hash::of(&Digits::read().expected).to_string());
    assert!(case.dispute.votes.iter().all(|vote| vote.choice == Some(Verdict::Counter) && vote.paid == PRICE / 5));
    assert_eq!(world.bond(East).await.amount.get(), BOND - PRICE);
    assert!(world.balance(Carol).await > before, "whoever was right gains");
    for member in panel {
        let (bond, seats) = (world.bond(member).await, STAKE);
        assert_eq!(bond.amount.get(), BOND, "{member} has lost nothing");
        let (_, next) = panel_after(&world, 1).await;
        let next = world.chain.find::<Panel>(&next).await.expect("an answer");
        let again = next.is_some_and(|p| p.enrolled().iter().any(|r| r.resolver == world.address(member)));
        assert_eq!(bond.locked.get(), seats + if again { STAKE } else { 0 }, "its seats alone are locked");
    }
    assert_eq!(members[drawn].log().matches("vote revealed").count(), 1);

    // When nobody can need their stakes any more, they have them back, and are enrolled anew.
    let (epoch, _) = panel_after(&world, 0).await;
    world.after((epoch as i64 + 2) * PANEL_EPOCH + 38 * 24 * 60 * 60).await;
    for (member, node) in panel.iter().zip(&members) {
        until("its past stakes are free", async || {
            let is_free = node.log().contains("free again: the claim has come to its end");
            (is_free && world.bond(*member).await.locked.get() == STAKE).then_some(())
        })
        .await;
    }
    indexer.equals_the_chain(rpc).await;
    for node in members.into_iter().chain([carol]) {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whose_node_cannot_run_the_job_says_so_and_loses_nothing() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(East).await;
    let panel = [South, Uma, Vera, Wim];
    for member in panel {
        world.open_bond(member).await;
    }
    // Nothing that the job names is to be had where they look.
    let (empty, rpc) = (world.folder.path().join("empty").display().to_string(), world.localnet.rpc_url());
    let role = ["--provide", "false", "--panel-stake", "5 JOULE"];
    let members = panel.map(|member| world.node_with(&empty, member, rpc, &indexer.url, &role));
    next_epoch(&world, panel.len()).await;

    let order = Order::digits(&world.store()).await.panelled(1);
    let job = delivered_by(&world, East, order, Hash::of(b"a lie")).await;
    world.challenge(Carol, job, Hash::of(&Digits::read().expected)).await;
    let dispute = dispute_when(&world, job, "the panel is drawn", |d| d.drawn == 1).await;
    let drawn = panel.iter().position(|member| dispute.members[0] == world.address(*member)).expect("a resolver");
    assert!(!members[drawn].log().contains("says so"), "it tries for as long as there is time");
    world.after(dispute.commit_by.get() - i64::from(dispute.vote_window.get()) / 8).await;
    dispute_when(&world, job, "it says that it cannot", |d| d.rounds[0].committed.get() == 1).await;
    world.after(dispute.commit_by.get()).await;
    dispute_when(&world, job, "the vote is opened", |d| d.rounds[0].revealed.get() == 1).await;
    world.after(dispute.final_at.get().max(world.job(job).await.settle_after.get())).await;

    let case = wound_up(&indexer, job).await;
    assert_eq!((case.dispute.verdict, case.dispute.tallies[0].revealed), (Some(Verdict::Undecided), 1));
    let said = &case.dispute.votes[0];
    assert_eq!(said.juror, world.address(panel[drawn]).to_string());
    assert_eq!((said.choice, said.paid, said.slashed), (Some(Verdict::Undecided), 0, 0));
    assert_eq!(world.bond(panel[drawn]).await.amount.get(), BOND, "neither paid nor slashed");
    indexer.equals_the_chain(rpc).await;
    for node in members {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_a_bought_panel_condemns_appeals_and_is_paid() {
    let world = World::start().await;
    let indexer = world.indexer("indexer", None).await;
    world.register(North).await;
    let resolvers = [South, Uma, Vera, Wim];
    let (epoch, _) = panel_after(&world, 1).await;
    for resolver in resolvers {
        world.open_bond(resolver).await;
        let who = world.address(resolver);
        let enroll = escrow::enroll(who, who, world.localnet.mint(), epoch, STAKE);
        world.send("enrol", resolver, &[enroll]).await;
    }
    world.after(epoch as i64 * PANEL_EPOCH).await;
    let rpc = world.localnet.rpc_url();
    let north = world.node(North, rpc, &indexer.url, &["--min-panel", "1", "--appeal", "--max-appeal", "4 JOULE"]);

    // North delivers the truth, and whoever is drawn first is on Carol's side.
    let before = [world.balance(North).await, world.balance(Carol).await];
    let order = Order::digits(&world.store()).await.panelled(1);
    let job = world.open(Alice, order).await;
    indexer.job_is(job, JobStatus::Delivered).await;
    let lie = Hash::of(b"a lie");
    world.challenge(Carol, job, lie).await;
    let dispute = dispute_when(&world, job, "north has the panel drawn", |dispute| dispute.drawn == 1).await;
    let is_bought = |who: &Persona| world.address(*who) == dispute.members[0];
    let bought = resolvers.into_iter().find(is_bought).expect("a resolver of ours");
    let (who, salt) = (world.address(bought), [9; 32]);
    let member = escrow::Provider::new(who, world.tokens(bought));
    let sealed = commitment(&job, lie.as_bytes(), &salt, &who);
    let commit = escrow::commit_seat(member, &dispute, 0, sealed);
    world.send("commit", bought, &[commit]).await;
    world.after(dispute.commit_by.get()).await;
    let vote = pda::vote(&pda::dispute(&job), 0, &who);
    world.send("reveal", bought, &[escrow::reveal_vote(job, vote, *lie.as_bytes(), salt)]).await;
    world.after(dispute.reveal_by.get()).await;

    // The others are nodes, and look for themselves.
    let others: Vec<Persona> = resolvers.into_iter().filter(|who| *who != bought).collect();
    let members: Vec<Process> = others.iter().map(|member| resolver(&world, &indexer.url, *member)).collect();
    let second = |dispute: &Dispute| dispute.round == 1 && dispute.rounds[1].committed.get() == 3;
    let dispute = dispute_when(&world, job, "north appeals, and a second panel commits", second).await;
    assert_eq!(dispute.appeal_deposit.get(), 2 * PRICE);
    world.after(dispute.commit_by.get()).await;
    dispute_when(&world, job, "the votes are opened", |d| d.rounds[1].revealed.get() == 3).await;
    world.after(dispute.final_at.get()).await;

    let case = wound_up(&indexer, job).await;
    assert_eq!((case.dispute.verdict, case.job.status), (Some(Verdict::Stands), JobStatus::Settled));
    assert_eq!((case.dispute.round, case.dispute.appellant), (1, Some(joule_api::Side::Provider)));
    // Its price less the fee, and of Carol's deposit, less the jurors' fifth, half; what the appeal cost came back.
    let gained = world.balance(North).await - before[0];
    assert_eq!(gained, PRICE - PRICE / 40 + (PRICE - PRICE / 5) / 2);
    assert_eq!(before[1] - world.balance(Carol).await, PRICE);
    assert_eq!(world.bond(North).await.amount.get(), BOND);
    assert_eq!(world.bond(bought).await.amount.get(), BOND - PRICE / 5, "a bought vote costs a fifth of its stake");
    for other in others {
        assert_eq!(world.bond(other).await.amount.get(), BOND);
    }
    indexer.equals_the_chain(rpc).await;
    for node in members.into_iter().chain([north]) {
        node.stop().await;
    }
    indexer.process.stop().await;
    world.stop().await;
}
