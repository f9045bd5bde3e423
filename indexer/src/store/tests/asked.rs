//! What anybody may ask for is found by an index, in its order; what is not is given up.

use super::*;
use crate::store::sqlite::table::ASKED;
use rusqlite::Connection;

/// Every choice of the conditions.
fn subsets<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0..1usize << N).map(|bits| std::array::from_fn(|at| bits >> at & 1 == 1))
}

fn lists(store: &Sqlite) {
    let whom = Address([7; 32]);
    let page = |next: bool| PageRequest { after: next.then_some(Cursor { time: 5, address: whom }), limit: 50 };
    for [a, b, c, d, next] in subsets() {
        let filter = JobFilter {
            status: a.then_some(JobStatus::Open),
            client: b.then_some(whom),
            provider: c.then_some(whom),
            mint: d.then_some(whom),
        };
        store.list(&filter, &page(next), &[whom]).unwrap();
        let filter = DistributionFilter {
            channel: a.then_some(whom),
            payer: b.then_some(whom),
            provider: c.then_some(whom),
            model: d.then_some(whom),
        };
        store.list(&filter, &page(next), &[]).unwrap();
    }
    for [a, b, c, next] in subsets() {
        let status = a.then_some(ModelStatus::Active);
        let filter = ModelFilter { status, creator: b.then_some(whom), base: c.then_some(whom) };
        store.list(&filter, &page(next), &[]).unwrap();
        let status = a.then_some(PlanStatus::Running);
        let filter = PlanFilter { status, payer: b.then_some(whom), channel: c.then_some(whom) };
        store.list(&filter, &page(next), &[]).unwrap();
    }
    for [a, next] in subsets() {
        let status = a.then_some(ProviderStatus::Active);
        store.list(&ProviderFilter { status }, &page(next), &[]).unwrap();
        let status = a.then_some(DisputeStatus::Voting);
        store.list(&DisputeFilter { status }, &page(next), &[]).unwrap();
    }
    for [a, b, c, d, next] in subsets() {
        for lost_by in [None, Some(Against::Provider), Some(Against::Payer), Some(Against::Both)] {
            let filter = ChannelFilter {
                payer: a.then_some(whom),
                provider: b.then_some(whom),
                model: c.then_some(whom),
                status: d.then_some(ChannelStatus::Open),
                lost_by,
            };
            store.list(&filter, &page(next), &[]).unwrap();
        }
    }
}

#[test]
fn every_list_is_found_by_an_index_in_the_order_of_its_pages() {
    let (folder, store) = open_sqlite();
    ASKED.take();
    lists(&store);
    let conn = Connection::open(folder.path().join("deep/indexer.sqlite")).unwrap();
    let mut asked = ASKED.take();
    asked.sort();
    asked.dedup();
    assert!(asked.len() > 200, "{}", asked.len());
    for sql in asked {
        let mut statement = conn.prepare(&format!("explain query plan {sql}")).unwrap();
        let values: Vec<_> = (0..statement.parameter_count()).map(|_| rusqlite::types::Value::Null).collect();
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        // What is known better elsewhere is a list, looked up in memory.
        let known = ["LIST SUBQUERY 1", "SCAN json_each VIRTUAL TABLE INDEX 1:", "CREATE BLOOM FILTER"];
        let steps: Vec<_> = plan.iter().filter(|step| !known.contains(&step.as_str())).collect();
        // No second step, which would sort.
        let [step] = &steps[..] else { panic!("{sql}: {plan:?}") };
        assert!(step.contains(" INDEX "), "{sql}: {step}");
        // Without a condition the newest are read off the end of an index, and so are those that somebody has lost.
        let end = !sql.contains(" = ?") && !sql.contains("at <= ?") && !sql.contains("at >= ?");
        assert!(step.starts_with("SEARCH") || end, "{sql}: {step}");
        // A page begins where the one before ended.
        let next = sql.contains("at <= ?") || sql.contains("at >= ?");
        assert!(!next || step.contains("at<?") || step.contains("at>?"), "{sql}: {step}");
    }
}

#[test]
fn what_would_go_through_a_whole_table_is_given_up() {
    let (_folder, mut store) = open_sqlite();
    let mut chain = Chain::new();
    let (provider, model) = (chain.register(1), chain.model(2, None, 0));
    chain.pay_in(1, 1_000_000);
    for _ in 0..300 {
        let channel = chain.open_channel(1, &provider, &model, 1_000);
        chain.settle_voucher(&channel, 1, 100);
        chain.distribute(&channel, None);
        chain.wait(86_400);
    }
    store.apply(&confirmed(chain.take())).unwrap();
    store.steps = 1;
    let by_day = RevenueFilter { by: RevenueBy::Day, days: (None, None), mint: None };
    assert!(matches!(store.revenue(&by_day), Err(StoreError::TooMuch)));
    let day = testing::EPOCH.div_euclid(86_400);
    let shorter = RevenueFilter { days: (Some(day), Some(day + 5)), ..by_day };
    assert_eq!(store.revenue(&shorter).unwrap().len(), 5);
    // The next question has as many steps as the first, and whoever counts everything has no end to them.
    let page = PageRequest { after: None, limit: 10 };
    let of_provider = DistributionFilter { provider: Some(provider), ..DistributionFilter::default() };
    assert_eq!(store.list(&of_provider, &page, &[]).unwrap().len(), 10);
    assert_eq!(store.totals().unwrap().providers_total, 1);
    assert_eq!(store.revenue_by_mint().unwrap().len(), 1);
}

#[test]
fn whatever_is_closed_is_listed_under_nothing_any_more() {
    let (folder, store) = open_sqlite();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    chain.bond(1, 100_000);
    let jobs: Vec<_> = (0..3).map(|who| chain.open(who, 1_000)).collect();
    for job in &jobs {
        chain.accept(job, &provider, 800);
        chain.deliver(job);
        chain.settle(job);
    }
    let blocks = chain.take();
    store.apply(&confirmed(blocks.clone())).unwrap();
    // Again, and the oldest last.
    for block in blocks.into_iter().rev() {
        store.apply(&Batch { blocks: vec![block], ..Batch::default() }).unwrap();
    }
    let conn = Connection::open(folder.path().join("deep/indexer.sqlite")).unwrap();
    let count = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("select count(*) from members m join accounts a on a.address = m.address where a.closed = 1"), 0);
    assert!(count("select count(*) from members") > 0, "the bond");
}

#[test]
fn steps_of_sql_keep_what_is_there() {
    let conn = Connection::open_in_memory().unwrap();
    crate::store::sqlite::migrate(&conn, 0, 6).unwrap();
    conn.execute_batch(
        "insert into accounts values (x'01', x'02', x'', 5, 0, 77, 3, 77, 3, 'claim'), (x'03', x'02', x'', 0, 1, 78, 0, 70, 1, 'claim');
         insert into members values ('claim', x'09', x'01'), ('claim', x'09', x'03');
         insert into providers values (x'05', x'06', 'active', 1, 1, '{}'), (x'07', x'06', 'paused', 1, 1, '{}');
         insert into channels (address, payer, provider, model, status, opened_at, slot, body)
             values (x'0a', x'0b', x'05', x'0c', 'open', 1, 1, '{}');
         insert into distributions values (x'0d', x'0a', 1, 1, '{}'), (x'0e', x'ff', 1, 1, '{}');",
    )
    .unwrap();
    crate::store::sqlite::migrate(&conn, 6, 8).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let providers = |name| count(&format!("select cast(value as integer) from aggregates where name = '{name}'"));
    assert_eq!((providers("providers"), providers("providers_active")), (2, 1));
    assert_eq!(count("select count(*) from accounts where since = slot"), 2);
    assert_eq!(count("select count(*) from members"), 1, "one of them is closed");
    assert_eq!(
        count("select count(*) from distributions where payer = x'0b' and provider = x'05' and model = x'0c'"),
        1
    );
    assert_eq!(count("select count(*) from distributions where payer is null"), 1, "of a channel that is not known");
}
