//! Transactions of every version, and such as nobody can read: a stranger who sends one stops nobody.

use crate::{
    node::{error, Node},
    support::World,
};
use joule_api::{Commitment, JobStatus};
use joule_indexer::{
    redecode,
    source::rpc::Rpc,
    store::{Sqlite, Store as _},
    types::Address,
};
use joule_localnet::Persona;
use joule_sdk::{escrow, AccountMeta, Instruction, Pubkey, Signature};

/// A transfer of one lamport to oneself that names a program of ours, and has no business with it.
fn naming_a_program(from: Pubkey) -> Instruction {
    const TRANSFER: u32 = 2;
    let account = AccountMeta::new(from, true);
    Instruction {
        program_id: Pubkey::default(),
        accounts: vec![account.clone(), account, AccountMeta::new_readonly(escrow::ID, false)],
        data: [&TRANSFER.to_le_bytes()[..], &1u64.to_le_bytes()].concat(),
    }
}

async fn stranger(world: &World) -> Signature {
    let carol = world.key(Persona::Carol);
    world.chain.send_v1(&[naming_a_program(world.address(Persona::Carol))], &[carol]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_transaction_of_version_1_stops_neither_a_new_indexer_nor_one_that_follows() {
    let world = World::start(1_500).await;
    stranger(&world).await;
    let job = world.open(Persona::Alice).await;
    let database = world.database();
    let following = world.follow(&database).await;
    following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
    stranger(&world).await;
    world.cancel(Persona::Alice, job).await;
    following.job_is(job, JobStatus::Refunded, Commitment::Confirmed).await;
    following.stop().await;
    let store = Sqlite::open_existing(&database).unwrap();
    assert_eq!(store.dead_letters().unwrap(), 0, "it can be read");
    world.localnet.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_cannot_be_read_is_a_dead_letter_until_the_node_can_read_it() {
    let world = World::start(1_500).await;
    world.register(Persona::North).await;
    let job = world.open(Persona::Alice).await;
    let opened = world.chain.rpc().get_signatures_for_address(&job).await.unwrap()[0].signature.clone();
    let from_agave = error(-32015, "Transaction version (2) is not supported by the requesting client");
    let from_others = error(-32603, "Internal error");
    for (n, refusal) in [Some(from_agave), Some(from_others), None].into_iter().enumerate() {
        let node = Node::before(world.localnet.rpc_url()).await;
        let unreadable = opened.clone();
        node.answers(move |method, params, answer| {
            if method == "getTransaction" && params[0] == *unreadable {
                match &refusal {
                    Some(refusal) => *answer = refusal.clone(),
                    None => answer["result"]["transaction"]["message"]["accountKeys"] = serde_json::json!(["x"]),
                }
            }
        });
        let database = world.folder.path().join(format!("indexer-{n}.sqlite"));
        let following = world.follow_by(&database, &node.url).await;
        // The account is in the snapshot, so the job is known; only what was stated is not.
        following.job_is(job, JobStatus::Open, Commitment::Confirmed).await;
        following.well().await;
        assert!(following.client.account(&job.to_string()).await.unwrap().history.is_empty());
        let metrics = reqwest::get(format!("{}/metrics", following.client.base())).await.unwrap().text().await.unwrap();
        let counted = metrics.lines().find_map(|line| line.strip_prefix("joule_indexer_dead_letters_total "));
        assert!(counted.is_some_and(|count| count != "0"), "{metrics}");
        following.stop().await;

        let store = Sqlite::open_existing(&database).unwrap();
        let unread = store.unread().unwrap();
        assert_eq!(
            unread.iter().map(|row| row.signature.to_string()).collect::<Vec<_>>(),
            std::slice::from_ref(&opened)
        );
        let found = redecode::run(&store, &Rpc::new(node.url.clone(), false)).await.unwrap();
        assert_eq!((found.tried, found.decoded), (1, 0), "the node is the same");
        let found = redecode::run(&store, &Rpc::new(world.localnet.rpc_url().to_owned(), false)).await.unwrap();
        assert_eq!((found.tried, found.decoded, store.dead_letters().unwrap()), (1, 1, 0));
        let history = store.events(&Address(job.to_bytes()), 10).unwrap();
        assert_eq!(history.len(), 1, "JobOpened");
        world.equals_the_chain(&database).await;
    }
    world.localnet.stop().await.unwrap();
}
