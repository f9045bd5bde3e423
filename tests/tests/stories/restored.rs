//! `joule-indexer backup`: a copy that is taken while the indexer writes is one moment of it, and an indexer that starts on the copy
//! goes on from there.

use crate::support::{run, Order, World};
use joule_api::JobStatus;
use joule_localnet::{
    Config,
    Persona::{Alice, Bob, North},
};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// More than the story lasts.
const ALL_SLOTS: usize = 1_000_000;
const COPIES: usize = 4;

async fn backup(database: &Path, to: &Path) -> std::process::Output {
    let paths = [database, to].map(|path| path.to_str().expect("utf-8"));
    run("joule-indexer", &["backup", "--database", paths[0], "--to", paths[1]]).await
}

/// The slot up to which a sound copy has everything.
fn slot_of(copy: &Path) -> u64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = Connection::open_with_flags(copy, flags).expect("a database");
    let sound: String = conn.pragma_query_value(None, "integrity_check", |row| row.get(0)).expect("a check");
    assert_eq!(sound, "ok");
    let slot: i64 = conn.query_row("select slot from checkpoint", [], |row| row.get(0)).expect("a checkpoint");
    slot.cast_unsigned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_while_the_indexer_writes_is_restored_and_followed_on_without_a_gap() {
    let world = World::start_with(|config| Config { replay_slots: ALL_SLOTS, ..config }).await;
    world.register(North).await;
    let indexer = world.indexer("indexer", None).await;
    indexer.well().await;
    let folder = world.folder.path();
    let copies: Vec<PathBuf> = (0..COPIES).map(|n| folder.join(format!("copy-{n}.sqlite"))).collect();

    let writing = async {
        let mut jobs = Vec::new();
        for _ in 0..2 * COPIES {
            let job = world.open(Alice, Order::for_show()).await;
            world.cancel(Alice, job).await;
            jobs.push(job);
        }
        jobs
    };
    let copying = async {
        for copy in &copies {
            let before = indexer.api.health().await.expect("health").checkpoint_slot;
            let output = backup(&indexer.database, copy).await;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            let slot = slot_of(copy);
            // What a plain copy of the file lacks is what had been written last.
            assert!(slot >= before, "{slot} < {before}");
            assert!(said.contains(&format!("slot {slot}")), "{said}");
        }
    };
    let (jobs, ()) = tokio::join!(writing, copying);
    let again = backup(&indexer.database, &copies[0]).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("a backup replaces none"));
    indexer.process.stop().await;

    // While nobody follows.
    let missed = world.open(Bob, Order::for_show()).await;
    world.cancel(Bob, missed).await;

    let (middle, restored) = (&copies[COPIES / 2], folder.join("restored.sqlite"));
    std::fs::copy(middle, &restored).expect("a copy");
    let indexer = world.indexer("restored", None).await;
    indexer.well().await;
    let slot = slot_of(middle);
    assert!(indexer.process.log().contains(&format!("going on from the checkpoint slot={slot}")), "it began there");
    for job in jobs.into_iter().chain([missed]) {
        indexer.job_is(job, JobStatus::Refunded).await;
        assert_eq!(indexer.history(job).await, ["JobOpened", "JobRefunded"]);
    }
    let metrics =
        reqwest::get(format!("{}/metrics", indexer.url)).await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("\njoule_indexer_gaps_total 0\n"), "{metrics}");
    indexer.equals_the_chain(world.localnet.rpc_url()).await;
    indexer.process.stop().await;
    world.stop().await;
}
