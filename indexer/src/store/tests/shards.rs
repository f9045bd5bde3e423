//! What is ClickHouse's alone: batches that were cut off, one writer, figures beyond 64 bits, and the same words to today's engine.
//! Each needs the servers at `JOULE_TEST_CLICKHOUSE`, and is nothing without.

use super::*;
use crate::{
    row::{
        cell::{Cell, Kind},
        inner_tables,
        payer::PayerRow,
        revenue::{RevenueKey, RevenueRow, Sums},
        tables,
    },
    store::{clickhouse::asked, tables::Tables, tests::tested::Lent},
};
use std::{fmt::Write as _, path::Path};

/// What doubles and integers with a sign lose.
const EDGES: [u64; 3] = [(1 << 53) + 1, 1 << 63, u64::MAX];

fn servers() -> Option<Lent> {
    std::env::var("JOULE_TEST_CLICKHOUSE").ok().map(|url| tested::lent(&url))
}

fn letter(n: u8) -> Change {
    let (letter, reason) = (Letter::Account(Address([n; 32])), "test".into());
    let (kind, program) = (letter.kind().into(), Address([1; 32]));
    let row = LetterRow { letter, kind, program, slot: 1, data: vec![n].into(), reason, tx_index: None };
    Change { before: None, now: row.to_cells().unwrap() }
}

/// A model with as many of its list.
fn model(n: u8, lineage: usize) -> Change {
    let (_folder, store) = open_sqlite();
    let mut chain = Chain::new();
    chain.model(1, None, 0);
    store.apply(&confirmed(chain.take())).unwrap();
    let table = joule_api::Model::table();
    let mut now = store.read(false, |tables| tables.all(table, &[])).unwrap().remove(0);
    now.row[0] = Cell::Key([n; 32]);
    let cell = |column: &crate::row::record::Column| match column.kind {
        Kind::Address | Kind::Hash => Cell::Key([7; 32]),
        Kind::Count | Kind::Amount => Cell::Uint(u64::MAX),
        _ => Cell::Int(-1),
    };
    now.lists[0] = vec![table.lists[0].columns.iter().map(cell).collect(); lineage];
    Change { before: None, now }
}

fn letters(store: &ClickHouse) -> u64 {
    store.dead_letters().unwrap()
}

#[test]
fn a_batch_that_was_cut_off_is_whole_for_whoever_comes_next() {
    let Some(store) = servers() else { return };
    let models = |store: &ClickHouse| store.read(false, |tables| tables.all(joule_api::Model::table(), &[])).unwrap();
    let batch = |n: u8| {
        move |tables: &mut dyn Tables| {
            tables.put(LetterRow::table(), vec![letter(n)])?;
            tables.put(joule_api::Model::table(), vec![model(n, 2)])
        }
    };
    // It has come to the journal, and to none, one, two of the three tables that it writes.
    for cut in 0..3 {
        store.cut_off(cut);
        store.write(batch(cut as u8)).unwrap_err();
        assert_eq!(
            (letters(&store), models(&store).len() as u64),
            (cut as u64 + 1, cut as u64 + 1),
            "whoever reads next"
        );
    }
    assert!(models(&store).iter().all(|model| model.lists[0].len() == 2));
    // The process is gone, and another one opens the store.
    store.cut_off(1);
    store.write(batch(9)).unwrap_err();
    store.end_abruptly();
    let next = store.again();
    assert_eq!((letters(&next), models(&next).len()), (4, 4));
    // What comes after has a later version, so that it is what is read.
    let gone = [vec![letter(9).now.row[0].clone()]];
    next.write(|tables| tables.delete(LetterRow::table(), gone.to_vec())).unwrap();
    assert_eq!(letters(&next), 3);
    drop(next);
    assert_eq!(letters(&store.again()), 3, "and it is not written again");
}

#[test]
fn of_a_batch_that_has_not_come_to_the_journal_whole_nothing_is_there() {
    let Some(store) = servers() else { return };
    store.write(|tables| tables.put(LetterRow::table(), vec![letter(1)])).unwrap();
    store.half_journalled();
    store.end_abruptly();
    let next = store.again();
    assert_eq!(letters(&next), 1);
    next.write(|tables| tables.put(LetterRow::table(), vec![letter(2)])).unwrap();
    assert_eq!(letters(&next), 2);
}

#[test]
fn one_writes_and_another_is_refused_until_it_is_gone() {
    let Some(store) = servers() else { return };
    store.bind("one").unwrap();
    let other = store.again();
    assert!(matches!(
        other.write(|tables| tables.put(LetterRow::table(), vec![letter(1)])),
        Err(StoreError::Taken { .. })
    ));
    assert!(matches!(other.check_chain("another"), Err(StoreError::OtherChain { .. })), "it may read");
    // It was asleep for so long that it was taken for dead: what it writes is lost, and what the other writes is not.
    store.lose_lease();
    other.write(|tables| tables.put(LetterRow::table(), vec![letter(1)])).unwrap();
    assert!(matches!(store.bind("two"), Err(StoreError::OtherChain { .. })));
    assert!(matches!(
        store.write(|tables| tables.put(LetterRow::table(), vec![letter(2)])),
        Err(StoreError::Taken { .. })
    ));
    assert_eq!((letters(&store), letters(&other)), (1, 1));
}

#[test]
fn a_server_that_is_away_is_passed_over_and_what_is_there_is_known() {
    let Some(store) = servers() else { return };
    store.bind("one").unwrap();
    let other = store.past_one_that_is_away();
    other.check_chain("one").unwrap();
    assert!(matches!(other.check_chain("two"), Err(StoreError::OtherChain { .. })));
}

/// Rows of revenue with every edge in their sums, and in each amount of a payer.
fn put_edges(store: &ClickHouse) {
    let row = |(n, edge): (u8, u64)| {
        let key = RevenueKey {
            day: 20_000 + i64::from(n),
            mint: Address([1; 32]),
            model: Address([n; 32]),
            provider: Address([3; 32]),
        };
        let sum = i128::from(edge) << n;
        let sums = Sums { requests: sum, units: -sum, amount: sum, ..Sums::default() };
        Change { before: None, now: RevenueRow { key, sums }.to_cells().unwrap() }
    };
    let payer = |(n, edge): (u8, u64)| {
        let (address, mint) = (Address([n; 32]), Address([1; 32]));
        let row = PayerRow { address, owner: mint, mint, balance: edge, slot: 1 };
        Change { before: None, now: row.to_cells().unwrap() }
    };
    let edges = || (0..).zip(EDGES);
    store
        .write(|tables| {
            tables.put(RevenueRow::table(), edges().map(row).collect::<Vec<_>>())?;
            tables.put(PayerRow::table(), edges().map(payer).collect::<Vec<_>>())
        })
        .unwrap();
}

/// As the README tells analysts to ask.
fn figures() -> [&'static str; 5] {
    [
        "select sum(toDecimal128(balance, 0)) from payers final where _gone = 0",
        "select intDiv(sum(toDecimal128(balance, 0)), count()) from payers final where _gone = 0",
        "select balance, intDiv(balance, 10000) * 30 + intDiv(balance % 10000 * 30, 10000) as share from payers final where _gone = 0 order by balance",
        "select sum(amount), sum(units) from revenue final where _gone = 0",
        "select day, amount, units from revenue final where _gone = 0 order by day",
    ]
}

#[test]
fn sums_averages_and_shares_are_exact_beyond_what_doubles_and_64_bits_hold() {
    let Some(store) = servers() else { return };
    put_edges(&store);
    let asked = figures().map(|sql| String::from_utf8(store.tsv(sql, false)).unwrap());
    let total: u128 = EDGES.iter().map(|edge| u128::from(*edge)).sum();
    let shares: String = EDGES.iter().fold(String::new(), |mut all, edge| {
        writeln!(all, "{edge}\t{}", u128::from(*edge) * 30 / 10_000).unwrap();
        all
    });
    let sums = (0..).zip(EDGES).map(|(n, edge)| i128::from(edge) << n);
    let sum: i128 = sums.clone().sum();
    let days: String = (20_000..).zip(sums).fold(String::new(), |mut all, (day, sum)| {
        writeln!(all, "{day}\t{sum}\t{}", -sum).unwrap();
        all
    });
    let wanted = [format!("{total}\n"), format!("{}\n", total / 3), shares, format!("{sum}\t{}\n", -sum), days];
    assert_eq!(asked, wanted);
    let page = include_str!("../../../README.md").split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let statements = page.lines().filter(|line| !line.starts_with("--")).map(|line| line.trim_end_matches(';'));
    let said: Vec<_> = statements.map(|sql| String::from_utf8(store.tsv(sql, false)).unwrap()).collect();
    assert_eq!(said, [format!("{total}\t{}\n", total / 3), wanted[2].clone()]);
    let rows = store.revenue_by_mint().unwrap();
    assert_eq!((rows[0].1.amount, rows[0].1.units), (sum, -sum));
}

/// For `tests/chdb/check.py`: everything that is stored, every question that a story has, and what was answered.
#[test]
fn what_is_asked_and_answered_is_written_for_another_engine() {
    let (Some(store), Some(folder)) = (servers(), std::env::var_os("JOULE_CHDB_FOLDER")) else { return };
    let folder = Path::new(&folder);
    let mut chain = Chain::new();
    let (provider, model) = (chain.register(1), chain.model(2, None, 0));
    chain.bond(1, 100_000);
    chain.pay_in(1, 1_000_000);
    let channel = chain.open_channel(1, &provider, &model, 10_000);
    chain.settle_voucher(&channel, 5, 200);
    chain.distribute(&channel, None);
    let jobs: Vec<_> = (0..3).map(|who| chain.open(who, 1_000)).collect();
    for job in &jobs[1..] {
        chain.accept(job, &provider, 800);
        chain.deliver(job);
    }
    chain.garbage_event();
    for block in chain.take() {
        store.apply(&confirmed(vec![block])).unwrap();
    }
    put_edges(&store);
    chain.settle(&jobs[1]);
    chain.retire(&provider);
    store.apply(&confirmed(chain.take())).unwrap();
    store.write(|tables| tables.delete(LetterRow::table(), vec![vec![letter(1).now.row[0].clone()]])).unwrap();
    let store = Tested::ClickHouse(store);
    let ((), mut asked) = asked::during(|| {
        contents(&store);
        let page = PageRequest { after: Some(Cursor { time: testing::EPOCH, address: Address([9; 32]) }), limit: 5 };
        store.list(&JobFilter { provider: Some(provider), ..JobFilter::default() }, &page, &[channel]).unwrap();
        store.list(&ChannelFilter { lost_by: Some(Against::Payer), ..ChannelFilter::default() }, &page, &[]).unwrap();
        for address in jobs.iter().chain([&provider, &channel]) {
            store.events(address, 3).unwrap();
            store.history(address).unwrap();
            store.events_since(address, 3).unwrap();
        }
        store.read(false, |tables| tables.get(Job::table(), &["provider"], &[vec![Cell::Key(provider.0)]])).unwrap();
        store.scan(&Scan::Events(Between::default()), &mut |_| ControlFlow::Continue(())).unwrap();
        store.scan(&Scan::Trail(jobs[1]), &mut |_| ControlFlow::Continue(())).unwrap();
        store.scan(&Scan::Accounts, &mut |_| ControlFlow::Continue(())).unwrap();
        store.unread().unwrap();
        store.totals().unwrap();
    });
    let Tested::ClickHouse(store) = &store else { unreachable!() };
    asked.extend(figures().map(|sql| (sql.to_owned(), false)));
    asked.sort();
    asked.dedup();
    let mut questions = String::new();
    for (sql, alone) in &asked {
        let answer = hex::encode(store.tsv(sql, *alone));
        writeln!(questions, "{}", serde_json::json!({ "sql": sql, "answer": answer })).unwrap();
    }
    std::fs::write(folder.join("asked.jsonl"), questions).unwrap();
    for table in tables().into_iter().chain(inner_tables()) {
        for name in std::iter::once(table.name).chain(table.lists.iter().map(|list| list.table.as_str())) {
            std::fs::write(folder.join(format!("{name}.rowbinary")), store.raw(&format!("select * from {name}")))
                .unwrap();
        }
    }
}

/// What `make clickhouse-bench` prints: accounts as large as a job's, new ones, by the batch.
#[test]
fn rows_a_second_through_the_distributed_table() {
    let (Some(store), Ok(wanted)) = (servers(), std::env::var("JOULE_CLICKHOUSE_ROWS")) else { return };
    const BATCH: u64 = 10_000;
    let wanted: u64 = wanted.replace('_', "").parse().unwrap();
    let row = |n: u64| {
        // Keys that lie anywhere, as addresses do, and bytes that nothing makes small.
        let (mut random, mut key, mut data) = (fastrand::Rng::with_seed(n), [0; 32], vec![0; 818]);
        random.fill(&mut key);
        random.fill(&mut data);
        let write = crate::types::AccountWrite {
            address: Address(key),
            owner: crate::decode::Program::Escrow.address(),
            lamports: n,
            data: data.into(),
            version: Version { slot: n / 1_000, write: n },
        };
        let now = AccountRow::written(None, &write, "job").unwrap().to_cells().unwrap();
        Change { before: None, now }
    };
    let (mut within, begun) = (std::time::Duration::ZERO, std::time::Instant::now());
    for first in (0..wanted).step_by(BATCH as usize) {
        let rows: Vec<Change> = (first..wanted.min(first + BATCH)).map(row).collect();
        let batch = std::time::Instant::now();
        store.write(|tables| tables.put(AccountRow::table(), rows)).unwrap();
        within += batch.elapsed();
    }
    let rate = |time: std::time::Duration| wanted as f64 / time.as_secs_f64();
    println!(
        "{wanted} rows, {BATCH} a batch, two shards: {:.0} rows/s stored; {:.0} with making them",
        rate(within),
        rate(begun.elapsed())
    );
    assert_eq!(store.read(false, |tables| tables.count(AccountRow::table())).unwrap(), wanted);
}
