//! What is written is what other readers read, to the last unit.

use super::{sheet::Column, *};
use crate::{
    row::{
        cell::{Cell, Kind},
        record::Cells,
    },
    schema,
    store::{Batch, Read as _, Sqlite},
    testing::{self, Chain},
};
use ::parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use serde_json::{json, Value as Json};
use std::sync::{Arc, Mutex};

/// Where doubles, signed and unsigned numbers end.
const EDGES: [u64; 3] = [(1 << 53) + 1, 1 << 63, u64::MAX];

/// Where a writer writes, to be looked at afterwards.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn cell(column: &Column, n: usize) -> Cell {
    let sheet::Holds::Kind(kind) = column.holds else { panic!("a table has no {column:?}") };
    if column.nullable && n % 4 == 3 {
        return Cell::Null;
    }
    match kind {
        Kind::Address | Kind::Hash => Cell::Key([n as u8 + 1; 32]),
        Kind::Signature => Cell::Signature(Box::new([n as u8 + 1; 64])),
        Kind::Name | Kind::Text => Cell::Name(["one", "another"][n % 2].into()),
        Kind::Flag => Cell::Flag(n.is_multiple_of(2)),
        Kind::Time => Cell::Int([0, 1_796_036_123, -1, i64::MAX, i64::MIN][n % 5]),
        Kind::Number => Cell::Int([0, i64::from(u32::MAX), -5][n % 3]),
        Kind::Count | Kind::Amount => Cell::Uint(EDGES[n % 3]),
        Kind::Sum => Cell::sum(EDGES[n % 3].into()),
        Kind::Bytes => Cell::Bytes(vec![n as u8; n % 9].into()),
    }
}

fn lines(sheet: &Sheet) -> Vec<Line> {
    let cells = |columns: &[Column], n| columns.iter().enumerate().map(|(at, column)| cell(column, n + at)).collect();
    let line = |n: usize| {
        Line::from(Cells {
            row: cells(&sheet.columns, n),
            lists: sheet
                .lists
                .iter()
                .map(|list| (0..n % 3).map(|item| cells(&list.columns, n + item)).collect())
                .collect(),
        })
    };
    (0..12).map(line).collect()
}

fn file(sheet: &Sheet, format: Format, lines: Vec<Line>) -> Vec<u8> {
    let written = Written::default();
    let out = Box::new(written.clone());
    let mut writer: Box<dyn Writer> = match format {
        Format::Csv => Box::new(csv::Csv::new(sheet.clone(), out).unwrap()),
        Format::Parquet => Box::new(parquet::Parquet::new(sheet.clone(), out).unwrap()),
    };
    // In two parts, as pages come.
    let rest = lines[lines.len() / 2..].to_vec();
    writer.write(lines[..lines.len() / 2].to_vec()).unwrap();
    writer.write(rest).unwrap();
    writer.finish(&[("slot", "7".to_owned())]).unwrap();
    let bytes = written.0.lock().unwrap();
    bytes.clone()
}

/// What a reader of Parquet has of a cell, as text; nothing where it is null.
fn of_parquet(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bool(flag) => flag.to_string(),
        Field::TimestampMillis(time) => moment::rfc3339(time.div_euclid(1_000)),
        Field::Long(number) => number.to_string(),
        Field::ULong(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

/// As [`of_parquet`], of a list that is JSON.
fn of_json(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn read_parquet(bytes: Vec<u8>) -> (Vec<Vec<String>>, std::collections::HashMap<String, String>) {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let about = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let cell = |(_, field): (&String, &Field)| match field {
            Field::ListInternal(list) => {
                let items = list.elements().iter().map(|item| match item {
                    Field::Group(item) => item.get_column_iter().map(|(_, field)| of_parquet(field)).collect(),
                    other => panic!("{other:?}"),
                });
                format!("{:?}", items.collect::<Vec<Vec<String>>>())
            }
            field => of_parquet(field),
        };
        row.get_column_iter().map(cell).collect()
    });
    (rows.collect(), about.into_iter().filter_map(|kv| Some((kv.key, kv.value?))).collect())
}

fn read_csv(bytes: &[u8], sheet: &Sheet) -> Vec<Vec<String>> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let lists = sheet.lists.iter().map(|list| list.name.clone());
    assert_eq!(names, sheet.columns.iter().map(|column| column.name.clone()).chain(lists).collect::<Vec<_>>());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let (cells, lists) = (row.iter().take(sheet.columns.len()), row.iter().skip(sheet.columns.len()));
        let list = |(text, list): (&str, &sheet::List)| {
            let items: Vec<Json> = serde_json::from_str(text).unwrap();
            let item = |item: &Json| list.columns.iter().map(|column| of_json(&item[&column.name])).collect();
            format!("{:?}", items.iter().map(item).collect::<Vec<Vec<String>>>())
        };
        cells.map(str::to_owned).chain(lists.zip(&sheet.lists).map(list)).collect()
    });
    rows.collect()
}

#[test]
fn every_noun_is_read_as_it_was_written_up_to_the_last_digit() {
    for table in tables() {
        let sheet = schema::sheet(table);
        let lines = lines(&sheet);
        let text = |column: &Column, cell: &Cell| match column.holds {
            sheet::Holds::Kind(kind) => csv::plain(kind, cell).into_owned(),
            _ => panic!("{column:?}"),
        };
        let expected: Vec<Vec<String>> = lines
            .iter()
            .map(|line| {
                let cells = sheet.columns.iter().zip(&line.values).map(|(column, value)| match value {
                    sheet::Value::Cell(cell) => text(column, cell),
                    other => panic!("{other:?}"),
                });
                let lists = sheet.lists.iter().zip(&line.lists).map(|(list, items)| {
                    let item =
                        |cells: &Vec<Cell>| list.columns.iter().zip(cells).map(|(of, cell)| text(of, cell)).collect();
                    format!("{:?}", items.iter().map(item).collect::<Vec<Vec<String>>>())
                });
                cells.chain(lists).collect()
            })
            .collect();
        assert!(expected.iter().flatten().any(|cell| cell == "18446744073709551615"), "{}", sheet.name);
        let (rows, about) = read_parquet(file(&sheet, Format::Parquet, lines.clone()));
        assert_eq!(rows, expected, "{}", sheet.name);
        assert_eq!(about["joule.slot"], "7");
        let said: Json = serde_json::from_str(&about["joule.columns"]).unwrap();
        assert!(said["slot"]["meaning"].as_str().is_some_and(|meaning| !meaning.is_empty()), "{said}");
        assert_eq!(read_csv(&file(&sheet, Format::Csv, lines), &sheet), expected, "{}", sheet.name);
    }
}

#[test]
fn no_cell_of_csv_begins_a_formula() {
    let (_folder, store, ..) = store();
    for what in [What::Jobs, What::Providers, What::Events, What::Accounts] {
        let bytes = export(&store, options(what)).unwrap();
        for row in ::csv::Reader::from_reader(&*bytes).records() {
            for cell in row.unwrap().iter() {
                let number = cell.parse::<i64>().is_ok();
                assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell}");
            }
        }
    }
}

fn options(what: What) -> Options {
    Options { what, of: None, format: Some(Format::Csv), out: "-".into(), from: None, to: None, wanted: Vec::new() }
}

/// A store with two jobs in it, one settled, of clients 1 and 2.
fn store() -> (tempfile::TempDir, Sqlite, [Address; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("indexer.sqlite")).unwrap();
    let mut chain = Chain::new();
    let provider = chain.register(1);
    let jobs = [chain.open(1, u64::MAX), chain.open(2, (1 << 53) + 1)];
    chain.accept(&jobs[1], &provider, (1 << 53) + 1);
    chain.deliver(&jobs[1]);
    chain.settle(&jobs[1]);
    chain.garbage_event();
    chain.garbage_account();
    let blocks = chain.take();
    let checkpoint = blocks.iter().map(|block| block.slot).max();
    store.apply(&Batch { blocks, checkpoint, ..Batch::default() }).unwrap();
    (folder, store, jobs)
}

fn export(store: &Sqlite, options: Options) -> anyhow::Result<Vec<u8>> {
    let written = Written::default();
    let mut source = options.source()?;
    write(store, &mut *source, options.format(), Box::new(written.clone()), &mut |_| ControlFlow::Continue(()))?;
    let bytes = written.0.lock().unwrap();
    Ok(bytes.clone())
}

/// By name, of every line.
fn column(bytes: &[u8], name: &str) -> Vec<String> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|row| row.unwrap()[place].to_owned()).collect()
}

#[test]
fn jobs_are_those_that_the_api_lists_in_its_order_by_time_and_by_what_is_asked_for() {
    let (_folder, store, [first, second]) = store();
    let all = export(&store, options(What::Jobs)).unwrap();
    assert_eq!(column(&all, "address"), [second.to_string(), first.to_string()]);
    assert_eq!(column(&all, "budget"), ["9007199254740993", "18446744073709551615"]);
    let opened = store.get::<joule_api::Job>(&second).unwrap().unwrap().opened_at;
    let addresses = |options: Options| column(&export(&store, options).unwrap(), "address");
    let jobs = options(What::Jobs);
    assert_eq!(addresses(Options { from: Some(opened), ..jobs.clone() }), [second.to_string()]);
    assert_eq!(addresses(Options { to: Some(opened), ..jobs.clone() }), [first.to_string()]);
    let settled = Options { wanted: vec!["status=settled".to_owned()], ..jobs.clone() };
    assert_eq!(addresses(settled), [second.to_string()]);
    let client = store.get::<joule_api::Job>(&first).unwrap().unwrap().client;
    let of = format!("client={client}");
    assert_eq!(addresses(Options { wanted: vec![of.clone()], ..jobs.clone() }), [first.to_string()]);
    assert!(addresses(Options { wanted: vec![of, "status=settled".to_owned()], ..jobs }).is_empty());
    // The oldest come first of providers, and the bounds hold there too.
    let registered = testing::EPOCH;
    let providers = options(What::Providers);
    assert_eq!(addresses(Options { from: Some(registered), ..providers.clone() }).len(), 1);
    assert!(addresses(Options { from: Some(registered + 1), ..providers.clone() }).is_empty());
    assert_eq!(addresses(Options { to: Some(registered + 1), ..providers.clone() }).len(), 1);
    assert!(addresses(Options { to: Some(registered), ..providers }).is_empty());
}

#[test]
fn events_come_in_the_order_in_which_they_happened_and_those_that_nobody_can_read_too() {
    let (_folder, store, [_, second]) = store();
    let all = export(&store, options(What::Events)).unwrap();
    let names = column(&all, "name");
    assert_eq!(names[..3], ["ProviderRegistered", "JobOpened", "JobOpened"]);
    assert!(names.iter().any(|name| name == "undecodable"), "{names:?}");
    let slots: Vec<u64> = column(&all, "slot").iter().map(|slot| slot.parse().unwrap()).collect();
    assert!(slots.is_sorted());
    let settled = Options { wanted: vec!["name=JobSettled".to_owned()], ..options(What::Events) };
    let settled = export(&store, settled).unwrap();
    let fields: Json = serde_json::from_str(&column(&settled, "fields")[0]).unwrap();
    assert_eq!(fields["budget"], "9007199254740993");
    let concerns: Json = serde_json::from_str(&column(&settled, "accounts")[0]).unwrap();
    assert_eq!(concerns[0], json!({"address": second.to_string()}));
    let time = testing::EPOCH + 1;
    let bounded =
        |from, to| column(&export(&store, Options { from, to, ..options(What::Events) }).unwrap(), "name").len();
    assert_eq!(bounded(Some(time), None) + bounded(None, Some(time)), names.len());
    assert!(bounded(Some(time), None) > 0 && bounded(None, Some(time)) > 0);
}

#[test]
fn accounts_have_their_bytes_and_what_they_say() {
    let (_folder, store, [first, _]) = store();
    let jobs = Options { wanted: vec!["kind=job".to_owned(), "closed=false".to_owned()], ..options(What::Accounts) };
    let jobs = export(&store, jobs).unwrap();
    assert_eq!(column(&jobs, "address"), [first.to_string()]);
    let row = store.account(&first).unwrap().unwrap();
    assert_eq!(column(&jobs, "data"), [hex::encode(&row.data)]);
    let fields: Json = serde_json::from_str(&column(&jobs, "fields")[0]).unwrap();
    let client = store.get::<joule_api::Job>(&first).unwrap().unwrap().client;
    assert_eq!((&fields["budget"], &fields["client"]), (&json!(u64::MAX.to_string()), &json!(client)));
}

#[test]
fn a_trail_has_every_event_of_an_account_what_it_was_after_each_and_what_it_is() {
    let (_folder, store, [_, second]) = store();
    let trail = export(&store, Options { of: Some(second), ..options(What::Trail) }).unwrap();
    assert_eq!(column(&trail, "name"), ["JobOpened", "JobAccepted", "JobDelivered", "JobSettled", "job"]);
    assert_eq!(column(&trail, "what"), ["event", "event", "event", "event", "closed account"]);
    let states: Vec<Json> = column(&trail, "row")[..4].iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let statuses: Vec<&Json> = states.iter().map(|state| &state["status"]).collect();
    assert_eq!(statuses, ["open", "accepted", "delivered", "settled"]);
    // The last word of the events is what the API answers.
    let mut job = serde_json::to_value(store.get::<joule_api::Job>(&second).unwrap().unwrap()).unwrap();
    job.as_object_mut().unwrap().remove("commitment");
    for field in ["status", "budget", "price", "paid", "owed", "client", "provider", "opened_at", "settled_at"] {
        assert_eq!(states[3][field], job[field], "{field}");
    }
}

#[test]
fn what_cannot_be_exported_is_refused_with_what_to_do() {
    let (folder, store, [first, _]) = store();
    let refused = |options: Options| options.run(&store, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string();
    let wanted = |what, wanted: &str| refused(Options { wanted: vec![wanted.to_owned()], ..options(what) });
    for (said, why) in [
        (wanted(What::Jobs, "status=setled"), "status is one of open, accepted, delivered"),
        (wanted(What::Jobs, "owner=x"), "jobs may be filtered by address, "),
        (wanted(What::Jobs, "client=x"), "is no address"),
        (wanted(What::Jobs, "opened_at=7"), "times by --from and --to"),
        (wanted(What::Jobs, "status"), "write COLUMN=VALUE"),
        (wanted(What::Events, "program=bank"), "program is one of treasury"),
        (wanted(What::Events, "fields={}"), "events may be filtered by slot"),
        (refused(options(What::Trail)), "whose trail?"),
        (refused(Options { of: Some(first), ..options(What::Jobs) }), "only a trail is of one account"),
        (refused(Options { from: Some(1), ..options(What::Accounts) }), "leave out --from and --to"),
        (refused(Options { out: folder.path().into(), ..options(What::Jobs) }), "is a folder"),
        (refused(Options { out: folder.path().join("none/x"), ..options(What::Jobs) }), "choose another --out"),
    ] {
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_file_has_its_name_only_when_it_is_whole_and_replaces_the_one_before() {
    let (folder, store, _) = store();
    let exports = folder.path().join("exports");
    std::fs::create_dir(&exports).unwrap();
    let out = exports.join("jobs.parquet");
    std::fs::write(&out, "of yesterday").unwrap();
    let options = Options { out: out.clone(), format: None, ..options(What::Jobs) };
    let stopped = options.run(&store, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert!(stopped.to_string().contains("nothing is kept"), "{stopped}");
    assert_eq!(std::fs::read(&out).unwrap(), b"of yesterday");
    assert_eq!(std::fs::read_dir(&exports).unwrap().count(), 1, "what was begun is gone");
    assert_eq!(options.run(&store, &mut |_| ControlFlow::Continue(())).unwrap(), 2);
    assert_eq!(read_parquet(std::fs::read(&out).unwrap()).0.len(), 2);
    assert_eq!(std::fs::read_dir(&exports).unwrap().count(), 1);
}

#[test]
fn an_export_is_of_one_moment_whatever_is_written_meanwhile() {
    let (_folder, store, _) = store();
    let mut chain = Chain::new();
    for _ in 0..1_500 {
        chain.open(3, 7);
    }
    store.apply(&Batch { blocks: chain.take(), ..Batch::default() }).unwrap();
    let counted = |options: &Options, meanwhile: &mut dyn FnMut()| {
        let written = Written::default();
        let mut source = options.source().unwrap();
        let mut first = true;
        let mut each = |_| {
            if std::mem::take(&mut first) {
                meanwhile();
            }
            ControlFlow::Continue(())
        };
        write(&store, &mut *source, options.format(), Box::new(written), &mut each).unwrap()
    };
    for what in [What::Jobs, What::Events, What::Accounts] {
        let options = options(what);
        let before = counted(&options, &mut || {});
        let mut more = || {
            for _ in 0..10 {
                chain.open(4, 7);
            }
            store.apply(&Batch { blocks: chain.take(), ..Batch::default() }).unwrap();
        };
        assert_eq!(counted(&options, &mut more), before, "{what:?}");
        assert!(counted(&options, &mut || {}) > before, "{what:?}");
    }
}
