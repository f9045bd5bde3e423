//! What is written beside the work that leads to it is read as if it were written at once.

use super::*;
use crate::{
    row::{
        cell::Cell,
        record::{Cells, Kept as _},
        totals::{Figure, Scope, Total, TotalKey},
    },
    store::tables::{Change, Engine as _, Range, Tables},
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(u8, i128)>),
    Delete(u8),
    Get(u8),
    /// All of a beginning of the key.
    Prefix,
    Newest,
    Count,
    Pages,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::btree_map(0u8..12, -5i128..5, 1..4).prop_map(|rows| Step::Put(rows.into_iter().collect())),
        (0u8..12).prop_map(Step::Delete),
        (0u8..12).prop_map(Step::Get),
        Just(Step::Prefix),
        Just(Step::Newest),
        Just(Step::Count),
        Just(Step::Pages),
    ]
}

fn row(of: u8, value: i128) -> Cells {
    let key = TotalKey { scope: Scope::Mint, key: Address([of; 32]), name: Figure::Billed };
    Total { key, value }.to_cells().unwrap()
}

fn act(tables: &mut dyn Tables, steps: &[Step]) -> Result<Vec<Vec<Cells>>> {
    let table = Total::table();
    let mint = || vec![row(0, 0).row[0].clone()];
    let mut seen = Vec::new();
    for step in steps {
        match step {
            Step::Put(rows) => {
                let change = |(of, value): &(u8, i128)| {
                    let key = vec![row(*of, 0).row[..table.key].to_vec()];
                    let before = tables.get(table, &["scope", "key", "name"], &key)?.pop();
                    Ok(Change { before, now: row(*of, *value) })
                };
                let changes = rows.iter().map(change).collect::<Result<Vec<_>>>()?;
                tables.put(table, changes)?;
            }
            Step::Delete(of) => tables.delete(table, vec![row(*of, 0).row[..table.key].to_vec()])?,
            Step::Get(of) => {
                let key = vec![row(*of, 0).row[..table.key].to_vec()];
                seen.push(tables.get(table, &["scope", "key", "name"], &key)?);
            }
            Step::Prefix => {
                let mut found = tables.get(table, &["scope"], &[mint()])?;
                found.sort_by(|one, other| one.row.cmp(&other.row));
                seen.push(found);
            }
            Step::Newest => seen.extend(tables.newest(table, &[Range { prefix: mint(), above: None }], 3)?),
            Step::Count => {
                let count = tables.count(table)?;
                seen.push(vec![Cells { row: vec![Cell::Uint(count)], lists: Vec::new() }]);
            }
            Step::Pages => {
                let mut all = tables.all(table, &[])?;
                all.sort_by(|one, other| one.row.cmp(&other.row));
                seen.push(all);
            }
        }
    }
    Ok(seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_put_is_read_by_whoever_reads_after_it(
        transactions in prop::collection::vec(prop::collection::vec(step(), 1..14), 1..4),
    ) {
        let ((_one, at_once), (_other, beside)) = (open(), open());
        for steps in &transactions {
            let expected = at_once.write(|tables| act(tables, steps)).unwrap();
            let found = beside.write_much(|tables| act(tables, steps)).unwrap();
            prop_assert_eq!(expected, found);
        }
        let all = |store: &Tested| store.read(false, |tables| act(tables, &[Step::Pages])).unwrap();
        prop_assert_eq!(all(&at_once), all(&beside));
    }
}

#[test]
fn what_fails_is_said_and_nothing_of_it_stays() {
    let (_folder, store) = open_sqlite();
    let count = || store.read(false, |tables| tables.count(Total::table())).unwrap();
    let before = count();
    let failed = store.write_much(|tables| {
        tables.put(Total::table(), vec![Change { before: None, now: row(1, 1) }])?;
        // A column too few, which only the thread that writes finds out.
        tables.put(
            Total::table(),
            vec![Change { before: None, now: Cells { row: row(2, 2).row[..3].to_vec(), lists: Vec::new() } }],
        )?;
        (0..10).try_for_each(|of| tables.put(Total::table(), vec![Change { before: None, now: row(of, 1) }]))
    });
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("parameters"), "{error}");
    let refused: Result<()> = store.write_much(|tables| {
        tables.put(Total::table(), vec![Change { before: None, now: row(3, 3) }])?;
        Err(StoreError::TooMuch)
    });
    assert!(matches!(refused, Err(StoreError::TooMuch)));
    assert_eq!(count(), before);
    store.write_much(|tables| tables.put(Total::table(), vec![Change { before: None, now: row(1, 1) }])).unwrap();
    assert_eq!(count(), before + 1);
}
