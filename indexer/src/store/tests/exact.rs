//! Amounts that no double and no signed number holds, in every figure that is computed from them.
//!
//! | figure | where it is computed | width |
//! |---|---|---|
//! | a job's fee and payout, what is left of a budget | the program's event; `row::job` adds what was paid | 64 bits: a job pays no more than came in |
//! | `escrowed`, came in less paid | `row::job::came_in` | 128 bits |
//! | a channel's shares, fee and rest: differences of `floor(a * bps / 10000)` | the program's event; `row::distribution::paid` | 64 bits: no more than was settled |
//! | what a channel earned and was paid, by day; requests, units | `row::revenue::Days`, `Sums` | 128 bits |
//! | revenue by model, creator, provider, day | `revenue`, `row::revenue::report` | 128 bits; the API answers at most 2^64 - 1 |
//! | totals by mint, counters of providers | `aggregates`, `row::totals` | 128 bits; the API answers at most 2^64 - 1 |
//! | deposits, free and reserved; bonds, locked and free | the account, by the program's own checked sums | 64 bits |
//! | a bond's claims, a payer's reserve, a job's books | `verify` | 128 bits |
//!
//! No engine computes any of them: queries find and sort. There are no averages and no medians.

use super::{rewound::dump, *};
use crate::{
    row::{
        cell::{Cell, Kind},
        inner_tables,
        record::{Cells, Column, Table},
        revenue::Sums,
        tables,
    },
    testing::{payer_address, FEE_BPS, MINT},
};
use joule_api::PaidOut;

const EDGES: [u64; 3] = [(1 << 53) + 1, 1 << 63, u64::MAX];
const PAGE_OF_ALL: PageRequest = PageRequest { after: None, limit: 100 };

fn cell(column: &Column, edge: u64) -> Cell {
    let byte = edge.trailing_zeros() as u8 ^ edge.leading_zeros() as u8;
    match column.kind {
        Kind::Address | Kind::Hash => Cell::Key([byte; 32]),
        Kind::Signature => Cell::Signature([byte; 64].into()),
        Kind::Name | Kind::Text => Cell::Name(format!("n{byte}").into()),
        Kind::Flag => Cell::Flag(true),
        Kind::Time => Cell::Int(i64::MAX - i64::from(byte)),
        Kind::Number => Cell::Int(i64::from(u32::MAX) - i64::from(byte)),
        Kind::Count | Kind::Amount => Cell::Uint(edge),
        Kind::Sum => Cell::sum(i128::from(edge) * i128::from(edge / 16) * if byte.is_multiple_of(2) { 1 } else { -1 }),
        Kind::Bytes => Cell::Bytes(vec![byte; 3].into()),
    }
}

fn row(table: &Table, edge: u64) -> Cells {
    let cells = |columns: &[Column]| columns.iter().map(|column| cell(column, edge)).collect::<Vec<_>>();
    let lists = table.lists.iter().map(|list| vec![cells(&list.columns); 2]).collect();
    Cells { row: cells(&table.columns), lists }
}

#[test]
fn every_column_holds_every_value_and_finds_it_by_its_size() {
    let (_folder, store) = open();
    for table in tables().into_iter().chain(inner_tables()) {
        let rows = EDGES.map(|edge| row(table, edge));
        let one =
            table.columns.iter().any(|column| column.name == "id" && table.key == 1 && column.kind == Kind::Number);
        let rows = &rows[..if one { 1 } else { 3 }];
        store
            .write(|tables| {
                let change = |now: &Cells| Change { before: None, now: now.clone() };
                tables.put(table, rows.iter().map(change).collect::<Vec<_>>())
            })
            .unwrap();
        let key: Vec<&str> = table.key().iter().map(|column| column.name.as_str()).collect();
        let keys: Vec<Vec<Cell>> = rows.iter().map(|cells| cells.row[..table.key].to_vec()).collect();
        let mut found = store.read(false, |tables| tables.get(table, &key, &keys)).unwrap();
        let mut expected = rows.to_vec();
        found.sort_by(|one, other| one.row.cmp(&other.row));
        expected.sort_by(|one, other| one.row.cmp(&other.row));
        assert_eq!(found, expected, "{}", table.name);
        if table.column("slot").is_none() || rows.len() < 3 {
            continue;
        }
        let place = table.column("slot").map_or(0, |(place, _)| place);
        let slots = |condition: Condition| -> Vec<Cell> {
            let found = store.read(false, |tables| tables.all(table, &[condition])).unwrap();
            let mut slots: Vec<Cell> = found.into_iter().map(|cells| cells.row[place].clone()).collect();
            slots.sort();
            slots
        };
        let edges = EDGES.map(Cell::Uint);
        assert_eq!(slots(Condition::From("slot", Cell::Uint((1 << 53) + 2))), edges[1..], "{}", table.name);
        assert_eq!(slots(Condition::From("slot", edges[2].clone())), edges[2..], "{}", table.name);
        assert_eq!(slots(Condition::Below("slot", edges[2].clone())), edges[..2], "{}", table.name);
        assert_eq!(slots(Condition::Is("slot", edges[1].clone())), edges[1..2], "{}", table.name);
    }
}

fn share(amount: u64, bps: u16) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(bps) / 10_000).unwrap()
}

fn sum(store: &Tested, name: &str) -> i128 {
    let found =
        dump(store)["aggregates"].iter().find_map(|cells| match (&cells.row[0], &cells.row[2], &cells.row[3]) {
            (Cell::Name(scope), Cell::Name(figure), Cell::Sum(sum)) if scope == "mint" && figure == name => Some(**sum),
            _ => None,
        });
    found.unwrap_or_default()
}

#[test]
fn jobs_pay_what_the_program_pays_and_their_sums_go_beyond_64_bits() {
    let (_folder, store) = open();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let jobs = EDGES.map(|amount| chain.open(1, amount));
    store.apply(&confirmed(chain.take())).unwrap();
    let all: i128 = EDGES.iter().map(|edge| i128::from(*edge)).sum();
    assert_eq!(sum(&store, "escrowed"), all);
    let budgets = EDGES.map(|edge| edge.to_string());
    let mut answered: Vec<String> = contents(&store)["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["budget"].as_str().unwrap().to_owned())
        .collect();
    answered.sort_by_key(|text| text.parse::<u64>().unwrap());
    assert_eq!(answered, budgets, "as the API answers");
    for (job, amount) in jobs.iter().zip(EDGES) {
        chain.accept(job, &provider, amount - 1);
        chain.deliver(job);
        chain.settle(job);
    }
    store.apply(&confirmed(chain.take())).unwrap();
    let mut fees = 0;
    for (job, amount) in jobs.iter().zip(EDGES) {
        let row = store.get::<Job>(job).unwrap().unwrap();
        let fee = share(amount - 1, FEE_BPS);
        assert_eq!((row.budget, row.price, row.escrowed), (amount, amount - 1, 0));
        assert_eq!((row.paid.fee, row.paid.provider, row.paid.client), (fee, amount - 1 - fee, 1));
        fees += i128::from(fee);
    }
    assert_eq!((sum(&store, "escrowed"), sum(&store, "paid_in_fees")), (0, fees));
    assert_eq!(sum(&store, "paid_to_providers"), all - 3 - fees);
    let totals = store.totals().unwrap();
    let earned = (all - 3 - fees).unsigned_abs();
    assert!(earned > u64::MAX.into());
    assert_eq!((totals.mints[0].paid_to_providers, totals.mints[0].paid_in_fees), (earned, fees.unsigned_abs()));
    assert_eq!(store.counters(&provider).unwrap().earned, earned);
    let told: joule_api::Totals = serde_json::from_value(serde_json::to_value(&totals).unwrap()).unwrap();
    assert_eq!(told, totals, "as everybody is told it");
    assert_eq!(crate::verify::audit(&store).unwrap().differences, []);
}

#[test]
fn channels_divide_as_the_program_does_and_revenue_goes_beyond_64_bits() {
    let (_folder, store) = open();
    let store = Arc::new(store);
    let view = View::new(store.clone(), Arc::default());
    let mut chain = Chain::new();
    let (provider, model) = (chain.register(1), chain.model(3, None, 0));
    let channels = [1u8, 2, 0].into_iter().zip(EDGES).map(|(who, amount)| {
        chain.pay_in(who, amount);
        let channel = chain.open_channel(who, &provider, &model, amount);
        (who, channel, amount)
    });
    let channels: Vec<_> = channels.collect();
    let all: i128 = EDGES.iter().map(|edge| i128::from(*edge)).sum();
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(sum(&store, "prepaid"), all);
    for (who, _, amount) in &channels {
        let payer = view.payer(&payer_address(*who)).unwrap().unwrap();
        assert_eq!((payer.balance, payer.reserved, payer.free), (*amount, *amount, 0));
    }
    for (_, channel, amount) in &channels {
        assert!(chain.settle_voucher(channel, 1, *amount));
        chain.distribute(channel, None);
    }
    store.apply(&confirmed(chain.take())).unwrap();
    let mut paid = Sums::default();
    for (_, channel, amount) in &channels {
        let row = store.get::<Channel>(channel).unwrap().unwrap();
        let PaidOut { shares, fee, provider } = row.paid_out.clone();
        assert_eq!((row.settled, row.paid, row.collected), (*amount, *amount, *amount));
        let all = u128::from(shares) + u128::from(fee) + u128::from(provider);
        // Each share is a floor: less than a unit of each is left.
        assert!((u128::from(*amount) - 8..=u128::from(*amount)).contains(&all), "{all} of {amount}");
        assert_eq!(fee, share(*amount, row.fee_bps));
        let of = DistributionFilter { channel: Some(*channel), ..DistributionFilter::default() };
        assert_eq!(store.list(&of, &PAGE_OF_ALL, &[]).unwrap()[0].paid, row.paid_out);
        paid.paid_shares += i128::from(shares);
        paid.paid_fee += i128::from(fee);
        paid.paid_provider += i128::from(provider);
    }
    let sums = store.revenue_by_mint().unwrap();
    assert_eq!((sums.len(), sums[0].0), (1, Address::from(&MINT)));
    assert_eq!((sums[0].1.amount, sums[0].1.collected), (all, all));
    assert_eq!(
        (sums[0].1.paid_shares, sums[0].1.paid_fee, sums[0].1.paid_provider),
        (paid.paid_shares, paid.paid_fee, paid.paid_provider)
    );
    assert_eq!((sum(&store, "billed"), sum(&store, "billed_to_shares")), (all, paid.paid_shares));
    let by = |by| store.revenue(&RevenueFilter { by, days: (None, None), mint: None }).unwrap();
    for by in [by(RevenueBy::Model), by(RevenueBy::Provider), by(RevenueBy::Day)] {
        assert_eq!((by[0].amount, by[0].requests), (all.unsigned_abs(), 3));
        assert_eq!(by[0].paid.fee, paid.paid_fee.unsigned_abs());
    }
    assert_eq!(crate::verify::audit(&*store).unwrap().differences, []);
}
