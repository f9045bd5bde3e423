//! The indexer follows a file, and has what the file says.

use super::make;
use anyhow::Result;
use joule_indexer::{config::Settings, Indexer};
use joule_replay::{
    compare::{self, Shown},
    serve::{self, Chain, Rate, Start},
    truth,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_store_equals_the_truth_and_a_store_of_something_else_does_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), 3_000, 5)?;
    let chain = Arc::new(Chain::open(&file, Rate::Max, Start::After(Duration::ZERO))?);
    let (stop, local) = (CancellationToken::new(), ([127, 0, 0, 1], 0).into());
    let served = serve::start(chain, local, local, stop.clone()).await?;
    let settings = Settings {
        grpc: format!("http://{}", served.grpc).into(),
        rpc: format!("http://{}", served.rpc).into(),
        database: folder.path().join("indexer.sqlite").into(),
        listen: local,
        ..Settings::default()
    };
    let indexer = Indexer::start(&settings, stop.clone()).await?;
    let truth = truth::beside(&file);
    let last = truth::Reader::open(&truth)?.summary.last_confirmed_slot;
    let store = compare::open(settings.database.file().unwrap())?;
    while store.checkpoint()? < Some(last) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    indexer.finished().await?;
    let found = compare::differences(&truth, &*store, &Shown::default())?;
    assert!(found.is_none(), "{found:?}");

    let other = make(folder.path(), 3_000, 6)?;
    let found = compare::differences(&truth::beside(&other), &*store, &Shown::default())?;
    assert!(found.accounts_missing > 0 && found.accounts_too_many > 0 && found.events_missing > 0, "{found:?}");
    Ok(())
}
