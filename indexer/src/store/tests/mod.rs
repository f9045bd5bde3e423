//! The store and the overlay, on real files and with the programs' own account and event types.

mod asked;
mod beside;
mod billing;
mod bonds;
mod disputes;
mod earned;
mod exact;
mod models;
mod repeated;
mod rewound;
mod schema;
mod shards;
mod tested;
mod upgraded;

use super::{
    tables::{Change, Engine as _},
    *,
};
use crate::{
    query::*,
    row::{
        dead_letter::{Letter, LetterRow},
        job, model,
        record::Kept as _,
        revenue,
    },
    source::BankRef,
    testing::{self, Chain, Happening},
    types::Version,
};
use joule_api::{
    Against, Channel, ChannelStatus, Commitment, DisputeStatus, Job, JobStatus, ModelStatus, Plan, PlanStatus,
    ProviderStatus, RevenueBy,
};
use proptest::prelude::*;
use std::sync::Arc;
use tested::Tested;

fn open() -> (tempfile::TempDir, Tested) {
    let at = |server| std::env::var(server).ok();
    if let Some(url) = at("JOULE_TEST_POSTGRES") {
        return (tempfile::tempdir().unwrap(), Tested::Postgres(tested::database(&url)));
    }
    if let Some(url) = at("JOULE_TEST_CLICKHOUSE") {
        return (tempfile::tempdir().unwrap(), Tested::ClickHouse(tested::lent(&url)));
    }
    let (folder, store) = open_sqlite();
    (folder, Tested::Sqlite(store))
}

fn open_sqlite() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("deep/indexer.sqlite")).unwrap();
    (folder, store)
}

fn confirmed(blocks: Vec<Block>) -> Batch {
    let checkpoint = blocks.iter().map(|block| block.slot).max();
    Batch { blocks, checkpoint, ..Batch::default() }
}

/// Everything that readers can see, in one value.
fn contents(store: &Tested) -> serde_json::Value {
    let page = PageRequest { after: None, limit: 10_000 };
    let accounts: Vec<_> = crate::decode::Program::ALL
        .iter()
        .flat_map(|program| store.live_accounts(&program.address()).unwrap())
        .map(|row| (row.address.to_string(), hex::encode(row.data), row.lamports, row.kind))
        .collect();
    let models = store.list(&ModelFilter::default(), &page, &[]).unwrap();
    let prices: Vec<_> = models
        .iter()
        .flat_map(|model| store.members(model::PRICE_LIST, &model.address.parse().unwrap()).unwrap())
        .map(|row| (row.address.to_string(), hex::encode(row.data)))
        .collect();
    let revenue = [RevenueBy::Model, RevenueBy::Creator, RevenueBy::Provider, RevenueBy::Day]
        .map(|by| store.revenue(&RevenueFilter { by, days: (None, None), mint: None }).unwrap());
    let distributions = store.list(&DistributionFilter::default(), &page, &[]).unwrap();
    let distributions: Vec<_> = distributions.into_iter().map(joule_api::Distribution::from).collect();
    serde_json::json!({
        "jobs": store.list(&JobFilter::default(), &page, &[]).unwrap(),
        "providers": store.list(&ProviderFilter::default(), &page, &[]).unwrap(),
        "disputes": store.list(&DisputeFilter::default(), &page, &[]).unwrap(),
        "models": models,
        "prices": prices,
        "channels": store.list(&ChannelFilter::default(), &page, &[]).unwrap(),
        "plans": store.list(&PlanFilter::default(), &page, &[]).unwrap(),
        "distributions": distributions,
        "revenue": revenue,
        "totals": Totals { slot: 0, ..store.totals().unwrap() },
        "accounts": accounts,
    })
}

#[test]
fn a_job_is_followed_from_opening_to_payment() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    store.apply(&confirmed(chain.take())).unwrap();
    let row = store.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.status, row.budget, row.commitment), (JobStatus::Open, 1_000, Commitment::Confirmed));
    assert_eq!(store.totals().unwrap().mints[0].escrowed, 1_000);

    chain.accept(&job, &provider, 800);
    store.apply(&confirmed(chain.take())).unwrap();
    let row = store.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.status, row.price), (JobStatus::Accepted, 800));
    assert_eq!(row.provider, Some(provider.to_string()));
    assert_eq!(row.provider_authority, Some(testing::authority(1).to_string()));
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().jobs_running, 1);

    chain.deliver(&job);
    chain.settle(&job);
    store.apply(&confirmed(chain.take())).unwrap();
    let row = store.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.status, row.closed), (JobStatus::Settled, true));
    assert_eq!((row.paid.provider, row.paid.fee, row.paid.client), (792, 8, 200));
    let provider = store.get::<joule_api::Provider>(&provider).unwrap().unwrap();
    assert_eq!((provider.jobs_running, provider.jobs_settled, provider.earned), (0, 1, 792));
    let totals = store.totals().unwrap();
    let mint = &totals.mints[0];
    assert_eq!((mint.escrowed, mint.paid_to_providers, mint.paid_in_fees, mint.refunded), (0, 792, 8, 200));
    assert_eq!((mint.jobs_open, mint.jobs_settled), (0, 1));
    let history = store.events(&job, 10).unwrap();
    let names: Vec<_> = history.iter().map(|event| event.to_api(Commitment::Confirmed).name).collect();
    assert_eq!(names, ["JobSettled", "JobDelivered", "JobAccepted", "JobOpened"]);
}

#[test]
fn a_job_that_was_never_seen_alive_is_known_from_its_events() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.settle(&job);
    let mut blocks = chain.take();
    let (_other, live) = open();
    live.apply(&confirmed(blocks.clone())).unwrap();
    for block in &mut blocks {
        block.writes.retain(|write| write.address == provider);
    }
    store.apply(&confirmed(blocks)).unwrap();
    assert_eq!(store.get::<joule_api::Job>(&job).unwrap(), live.get::<joule_api::Job>(&job).unwrap());
}

#[test]
fn a_closing_that_only_the_event_shows_closes_the_account() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    chain.retire(&provider);
    let mut blocks = chain.take();
    for block in &mut blocks {
        block.writes.retain(|write| write.lamports > 0);
    }
    store.apply(&confirmed(blocks)).unwrap();
    assert!(store.account(&provider).unwrap().unwrap().closed);
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Retired);

    // And may come back.
    chain.register(1);
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Active);
}

#[test]
fn whoever_retires_and_registers_again_in_one_block_is_active() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    store.apply(&confirmed(chain.take())).unwrap();
    chain.one_block(|chain| {
        chain.retire(&provider);
        chain.register(1);
    });
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Active);
    chain.one_block(|chain| {
        chain.retire(&provider);
        chain.register(1);
        chain.retire(&provider);
    });
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Retired);
}

#[test]
fn an_account_whose_owner_became_the_system_program_is_closed() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let mut blocks = chain.take();
    let slot = blocks[0].slot + 1;
    let write = AccountWriteOf::system(provider, slot);
    blocks.push(Block { slot, writes: vec![Arc::new(write)], ..Block::default() });
    store.apply(&confirmed(blocks)).unwrap();
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Retired);
}

struct AccountWriteOf;

impl AccountWriteOf {
    fn system(address: Address, slot: u64) -> crate::types::AccountWrite {
        crate::types::AccountWrite {
            address,
            owner: Address::SYSTEM,
            lamports: 5,
            data: Default::default(),
            version: Version { slot, write: 1_000_000 },
        }
    }
}

#[test]
fn a_snapshot_closes_what_vanished_and_leaves_what_is_newer() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let gone = chain.register(1);
    let kept = chain.register(2);
    let later = chain.register(3);
    let blocks = chain.take();
    let slot = blocks[1].slot;
    let kept_account = blocks[1].writes[0].clone();
    store.apply(&confirmed(blocks)).unwrap();
    let mut snapshot = Snapshot {
        program: crate::decode::Program::Registry.address(),
        slot,
        block_time: None,
        accounts: vec![crate::types::AccountWrite { version: Version::snapshot(slot), ..(*kept_account).clone() }],
    };
    snapshot.slot = slot;
    store.apply(&Batch { snapshots: vec![snapshot], ..Batch::default() }).unwrap();
    let status = |address| store.get::<joule_api::Provider>(&address).unwrap().unwrap().status;
    assert_eq!(status(gone), ProviderStatus::Retired);
    assert_eq!(status(kept), ProviderStatus::Active);
    assert_eq!(status(later), ProviderStatus::Active, "written after the snapshot");
}

fn snapshot_of(store: &Tested, slot: u64) -> Vec<Snapshot> {
    let of = |program: crate::decode::Program| {
        let rows = store.live_accounts(&program.address()).unwrap();
        let version = Version::snapshot(slot);
        let write = |row: AccountRow| crate::types::AccountWrite {
            address: row.address,
            owner: row.program,
            lamports: row.lamports,
            data: row.data,
            version,
        };
        let accounts = rows.into_iter().map(write).collect();
        Snapshot { program: program.address(), slot, block_time: Some(testing::EPOCH + 86_400), accounts }
    };
    crate::decode::Program::ALL.map(of).into()
}

#[test]
fn a_snapshot_that_shows_the_same_bytes_moves_nothing() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let (provider, model) = (chain.register(1), chain.model(2, None, 0));
    chain.bond(1, 10_000);
    chain.pay_in(1, 100_000);
    let channel = chain.open_channel(1, &provider, &model, 10_000);
    chain.start_plan(&channel, 1, 60);
    chain.settle_voucher(&channel, 4, 250);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.challenge(&job);
    let blocks = chain.take();
    let last = blocks.last().unwrap().slot;
    store.apply(&Batch { finalized: Some(last), ..confirmed(blocks) }).unwrap();
    let store = Arc::new(store);
    let view = View::new(store.clone(), Arc::default());
    let shown = |store: &Tested| {
        let accounts: Vec<_> = crate::decode::Program::ALL
            .iter()
            .flat_map(|program| store.live_accounts(&program.address()).unwrap())
            .map(|row| (row.address, row.since, row.data, row.lamports))
            .collect();
        let bonds = view.bonds(&testing::authority(1)).unwrap();
        let payer = view.payer(&testing::payer_address(1)).unwrap();
        (contents(store), accounts, bonds, payer)
    };
    let before = shown(&store);
    assert_eq!(before.2[0].commitment, Commitment::Finalized);
    let again = store.apply(&Batch { snapshots: snapshot_of(&store, last + 100), ..Batch::default() }).unwrap();
    assert!(
        again.changes.jobs.is_empty() && again.changes.providers.is_empty() && again.changes.channels.is_empty(),
        "{again:?}"
    );
    assert_eq!(shown(&store), before);

    // What was written before it and comes after it is older all the same.
    let mut late = snapshot_of(&store, 0)[2].accounts[0].clone();
    late.version = Version { slot: last + 50, write: 7 };
    late.data = vec![1].into();
    let block = Block { slot: last + 50, writes: vec![late.into()], ..Block::default() };
    store.apply(&Batch { blocks: vec![block], ..Batch::default() }).unwrap();
    assert_eq!(shown(&store), before);
    // One that shows something else is a change, of its own slot.
    let mut changed = snapshot_of(&store, last + 200);
    changed[2].accounts.retain(|write| write.address != job);
    store.apply(&Batch { snapshots: changed, ..Batch::default() }).unwrap();
    assert_eq!(store.account(&job).unwrap().unwrap().since, last + 200);
}

#[test]
fn an_older_write_never_replaces_a_newer_one() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    chain.pause(&provider);
    let mut blocks = chain.take();
    blocks.reverse();
    store.apply(&confirmed(blocks)).unwrap();
    assert_eq!(store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status, ProviderStatus::Paused);
}

#[test]
fn the_checkpoint_moves_forward_with_its_rows_and_never_back() {
    let (_folder, store) = open();
    assert_eq!(store.checkpoint().unwrap(), None);
    store.apply(&Batch { finalized: Some(3), ..Batch::default() }).unwrap();
    assert_eq!(store.checkpoint().unwrap(), None, "finality alone is no checkpoint");
    store.apply(&Batch { checkpoint: Some(7), finalized: Some(5), ..Batch::default() }).unwrap();
    store.apply(&Batch { checkpoint: Some(6), finalized: Some(4), ..Batch::default() }).unwrap();
    store.apply(&Batch { finalized: Some(6), ..Batch::default() }).unwrap();
    assert_eq!(store.checkpoint().unwrap(), Some(Checkpoint { slot: 7, finalized: 6 }));
}

#[test]
fn rows_say_when_they_are_final() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let job = chain.open(1, 10);
    let slot = chain.slot();
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(store.get::<joule_api::Job>(&job).unwrap().unwrap().commitment, Commitment::Confirmed);
    store.apply(&Batch { finalized: Some(slot), ..Batch::default() }).unwrap();
    assert_eq!(store.get::<joule_api::Job>(&job).unwrap().unwrap().commitment, Commitment::Finalized);
}

#[test]
fn what_cannot_be_decoded_is_kept_with_its_reason() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let account = chain.garbage_account();
    chain.garbage_event();
    let applied = store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!((applied.dead_letters, store.dead_letters().unwrap()), (2, 2));
    assert_eq!(store.account(&account).unwrap().unwrap().kind, crate::decode::UNDECODABLE);
    assert_eq!(store.redecode().unwrap(), Redecoded { tried: 2, decoded: 0 });
}

#[test]
fn a_transaction_that_could_not_be_read_is_a_dead_letter_once_until_it_can_be() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let job = chain.open(1, 1_000);
    let whole = chain.take();
    let mut unread = whole.clone();
    for transaction in &mut unread[0].transactions {
        let transaction = Arc::make_mut(transaction);
        transaction.events.clear();
        transaction.unread = Some(crate::types::Unread { reason: "of version 9".to_owned(), data: vec![1, 2].into() });
    }
    assert_eq!(store.apply(&confirmed(unread.clone())).unwrap().dead_letters, 1);
    assert_eq!(store.apply(&confirmed(unread)).unwrap().dead_letters, 0, "it is kept already");
    let row = store.unread().unwrap()[0];
    assert_eq!((row.signature, row.slot, row.index), (whole[0].transactions[0].signature, whole[0].slot, 0));
    assert_eq!(store.redecode().unwrap().tried, 0, "its bytes say no more than before");
    assert_eq!((store.dead_letters().unwrap(), store.events(&job, 10).unwrap().len()), (1, 0));

    store.apply(&confirmed(whole)).unwrap();
    assert_eq!((store.dead_letters().unwrap(), store.events(&job, 10).unwrap().len()), (0, 1));
}

#[test]
fn a_store_is_of_one_chain_for_ever_and_of_one_indexer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Sqlite::open_alone(&path).unwrap();
    store.check_chain("any").unwrap();
    store.bind("one").unwrap();
    store.bind("one").unwrap();
    assert!(matches!(store.check_chain("another"), Err(StoreError::OtherChain { .. })));
    assert!(matches!(store.bind("another"), Err(StoreError::OtherChain { .. })));
    assert!(matches!(Sqlite::open_alone(&path), Err(StoreError::Taken { .. })));
    assert!(Sqlite::open_existing(&path).is_ok(), "whoever only looks may");
    drop(store);
    let again = Sqlite::open_alone(&path).unwrap();
    assert!(matches!(again.bind("another"), Err(StoreError::OtherChain { .. })));
}

/// As an indexer that could not decode it would have left it.
fn put_letter(store: &Tested, letter: Letter, program: Address, data: Vec<u8>) {
    let (kind, reason) = (letter.kind().into(), "test".into());
    let row = LetterRow { letter, kind, program, slot: 1, data: data.into(), reason, tx_index: None };
    let change = Change { before: None, now: row.to_cells().unwrap() };
    store.write(|tables| tables.put(LetterRow::table(), vec![change])).unwrap();
}

#[test]
fn a_panic_within_a_transaction_leaves_nothing_of_it() {
    let (_folder, store) = open();
    let row = |letter: Letter| {
        let (kind, reason) = (letter.kind().into(), "test".into());
        let row = LetterRow {
            letter,
            kind,
            program: Address([1; 32]),
            slot: 1,
            data: vec![1].into(),
            reason,
            tx_index: None,
        };
        vec![Change { before: None, now: row.to_cells().unwrap() }]
    };
    let act = |tables: &mut dyn crate::store::tables::Tables| -> Result<()> {
        tables.put(LetterRow::table(), row(Letter::Account(Address([2; 32]))))?;
        panic!("on purpose");
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.write(act))).is_err());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.write_much(act))).is_err());
    assert_eq!(store.dead_letters().unwrap(), 0);
    store.write(|tables| tables.put(LetterRow::table(), row(Letter::Account(Address([3; 32]))))).unwrap();
    assert_eq!(store.dead_letters().unwrap(), 1, "the next one has its own alone");
}

#[test]
fn dead_letters_are_decoded_when_the_bytes_make_sense() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let job = chain.open(1, 1_000);
    store.apply(&confirmed(chain.take())).unwrap();
    let expected = contents(&store);
    // As an indexer that knew neither the account nor the event would have left it.
    let row = store.account(&job).unwrap().unwrap();
    let event = store.events(&job, 1).unwrap().remove(0);
    put_letter(&store, Letter::Account(job), row.program, row.data.to_vec());
    put_letter(&store, Letter::Event(event.key), row.program, event.data.to_vec());
    store.execute(
        "update accounts set kind = 'undecodable'; update events set name = 'undecodable', subject = null;
         delete from event_accounts; delete from jobs; delete from aggregates;",
    );
    assert_eq!(store.redecode().unwrap(), Redecoded { tried: 2, decoded: 2 });
    assert_eq!(store.dead_letters().unwrap(), 0);
    assert_eq!(contents(&store), expected);
}

#[test]
fn pages_cover_everything_once_whatever_the_size() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    // Several of one second, so that addresses decide.
    for client in 0..25 {
        chain.open(client, 10);
        chain.open(client, 20);
    }
    store.apply(&confirmed(chain.take())).unwrap();
    let view = View::new(Arc::new(store), Arc::default());
    for limit in [1, 3, 7, 50, 60] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = view.list(&JobFilter::default(), &PageRequest { after, limit }).unwrap();
            seen.extend(page.items.into_iter().map(|job| job.address));
            let Some(cursor) = page.next_cursor else { break };
            after = Cursor::decode(&cursor);
            assert!(after.is_some());
        }
        assert_eq!(seen.len(), 50);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 50);
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let (folder, store) = open_sqlite();
    drop(store);
    let path = folder.path().join("deep/indexer.sqlite");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, for certain, and longer than a header would be".repeat(20)).unwrap();
    assert!(Sqlite::open(&path).is_err());
    assert!(Sqlite::open_existing(folder.path().join("missing")).is_err());
}

/// Gives a block's content to the overlay.
fn show(overlay: &Overlay, store: &Tested, block: &Block, bank: u64) -> Changes {
    let bank = BankRef { slot: block.slot, bank };
    let mut happened: Vec<Unconfirmed> =
        block.writes.iter().map(|write| Unconfirmed::Write(bank, write.clone())).collect();
    happened.extend(block.transactions.iter().map(|tx| Unconfirmed::Transaction(bank, tx.clone())));
    let mut touched = overlay.apply(happened, true).unwrap();
    overlay.compare(&mut touched, store).unwrap();
    touched.changes
}

#[test]
fn unconfirmed_changes_are_seen_at_once_and_vanish_with_their_fork() {
    let (_folder, store) = open();
    let store = Arc::new(store);
    let overlay = Arc::new(Overlay::default());
    let view = View::new(store.clone(), overlay.clone());
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    store.apply(&confirmed(chain.take())).unwrap();
    let before = view.get::<joule_api::Job>(&job).unwrap();

    chain.accept(&job, &provider, 800);
    let accepted = chain.take().remove(0);
    let changes = show(&overlay, &store, &accepted, 7);
    assert_eq!((changes.jobs.len(), changes.events.len()), (1, 1));
    let shown = view.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((shown.status, shown.commitment), (JobStatus::Accepted, Commitment::Processed));
    let open = JobFilter { status: Some(JobStatus::Open), ..JobFilter::default() };
    let page = PageRequest { after: None, limit: 10 };
    assert!(view.list(&open, &page).unwrap().items.is_empty());
    assert_eq!(view.history(&job, 10).unwrap()[0].commitment, Commitment::Processed);
    assert_eq!(view.totals().unwrap().mints[0].jobs_open, 1, "totals are of confirmed state");

    overlay.apply(vec![Unconfirmed::Dropped(vec![BankRef { slot: accepted.slot, bank: 7 }])], false);
    assert_eq!(view.get::<joule_api::Job>(&job).unwrap(), before);
    assert!(overlay.is_empty());
}

#[test]
fn what_the_overlay_shows_is_what_the_store_shows_once_it_is_confirmed() {
    let (_folder, store) = open();
    let overlay = Overlay::default();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.settle(&job);
    chain.retire(&provider);
    for block in chain.take() {
        show(&overlay, &store, &block, 1);
        let shown = overlay.at(&job, &store, |shade| shade.job.clone()).unwrap();
        let shown_provider =
            overlay.at(&provider, &store, |shade| shade.provider.as_ref().map(|provider| provider.status)).unwrap();
        store.apply(&confirmed(vec![block.clone()])).unwrap();
        overlay.committed(block.slot);
        assert!(overlay.all(&store, |views| views.is_empty()).unwrap() && overlay.is_empty());
        let stored = store.get::<joule_api::Job>(&job).unwrap();
        if let Some(shown) = shown {
            assert_eq!(Some(Job { commitment: Commitment::Confirmed, ..shown }), stored);
        }
        if let Some(shown) = shown_provider {
            assert_eq!(shown, store.get::<joule_api::Provider>(&provider).unwrap().unwrap().status);
        }
    }
}

#[test]
fn several_unconfirmed_steps_of_one_job_are_shown_together() {
    let (_folder, store) = open();
    let overlay = Overlay::default();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let job = chain.open(1, 1_000);
    chain.accept(&job, &provider, 800);
    chain.deliver(&job);
    chain.settle(&job);
    let blocks = chain.take();
    for block in &blocks {
        show(&overlay, &store, block, 1);
    }
    let shown = overlay.at(&job, &store, |shade| shade.job.clone()).unwrap().unwrap();
    assert_eq!((shown.status, shown.paid.provider, shown.closed), (JobStatus::Settled, 792, true));
    // Confirming the first blocks leaves the rest as it is shown.
    store.apply(&confirmed(blocks[..3].to_vec())).unwrap();
    overlay.committed(blocks[2].slot);
    assert_eq!(overlay.at(&job, &store, |shade| shade.job.clone()).unwrap().unwrap(), shown);
    let banks = blocks.iter().map(|block| BankRef { slot: block.slot, bank: 1 }).collect();
    overlay.apply(vec![Unconfirmed::Dropped(banks)], false);
    assert!(overlay.all(&store, |views| views.is_empty()).unwrap());
}

proptest! {
    #![proptest_config(tested::cases(40))]

    /// Blocks in any order, as often as one likes, in batches of any size, with or without their unconfirmed copies:
    /// the store ends the same, and its books balance.
    #[test]
    fn any_permutation_and_repetition_of_blocks_gives_the_same_store(
        happenings in prop::collection::vec(any::<Happening>(), 1..25),
        order in prop::collection::vec((any::<prop::sample::Index>(), 1usize..4), 1..60),
    ) {
        let mut chain = Chain::new();
        chain.open(9, 1);
        chain.model(0, None, 0);
        for happening in happenings {
            chain.happen(happening);
        }
        let blocks = chain.take();
        let (_a, straight) = open();
        straight.apply(&confirmed(blocks.clone())).unwrap();
        prop_assert_eq!(crate::verify::audit(&straight).unwrap().differences, []);

        let (_b, shuffled) = open();
        for (index, size) in order {
            let start = index.index(blocks.len());
            let mut some: Vec<Block> = blocks[start..(start + size).min(blocks.len())].to_vec();
            some.reverse();
            shuffled.apply(&Batch { blocks: some, ..Batch::default() }).unwrap();
        }
        for block in blocks.into_iter().rev() {
            shuffled.apply(&Batch { blocks: vec![block], ..Batch::default() }).unwrap();
        }
        prop_assert_eq!(contents(&straight), contents(&shuffled));
    }
}
