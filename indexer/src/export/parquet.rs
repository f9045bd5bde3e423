//! A sheet as Parquet: amounts and counts as UINT64, times as TIMESTAMP(MILLIS, UTC), flags as BOOLEAN, addresses, signatures, hashes and
//! names as text, names by a dictionary, lists as LIST of STRUCT. Parquet has no timestamps of seconds: arrow writes such as bare integers,
//! which other readers take for numbers.

use super::{
    csv::plain,
    moment::within,
    sheet::{Column, Holds, Line, List, Sheet, Value},
    Writer,
};
use crate::row::cell::{Cell, Kind};
use anyhow::{bail, Context as _};
use arrow_array::{
    builder::{
        ArrayBuilder, BinaryBuilder, BooleanBuilder, Decimal128Builder, Int64Builder, StringBuilder,
        StringDictionaryBuilder, TimestampMillisecondBuilder, UInt64Builder,
    },
    types::Int32Type,
    ArrayRef, ListArray, RecordBatch, StructArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use parquet::{
    arrow::ArrowWriter,
    basic::Compression,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use serde_json::json;
use std::{io::Write, sync::Arc};

/// What is held until it is written, whichever comes first.
const GROUP_ROWS: usize = 128 * 1_024;
const GROUP_BYTES: usize = 32 << 20;
const UTC: &str = "UTC";

pub struct Parquet<W: Write + Send> {
    sheet: Sheet,
    schema: SchemaRef,
    out: ArrowWriter<W>,
}

impl<W: Write + Send> Parquet<W> {
    pub fn new(sheet: Sheet, out: W) -> anyhow::Result<Self> {
        let columns = sheet.columns.iter().map(field);
        let schema = Arc::new(Schema::new(columns.chain(sheet.lists.iter().map(list_field)).collect::<Fields>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let out = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
        Ok(Self { sheet, schema, out })
    }
}

impl<W: Write + Send> Writer for Parquet<W> {
    fn write(&mut self, lines: Vec<Line>) -> anyhow::Result<()> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (place, column) in self.sheet.columns.iter().enumerate() {
            let mut array = Building::of(column.holds);
            lines.iter().try_for_each(|line| array.push(column, &line.values[place]))?;
            columns.push(array.finish());
        }
        for (place, list) in self.sheet.lists.iter().enumerate() {
            let items: Vec<&[Vec<Cell>]> = lines.iter().map(|line| line.lists[place].as_slice()).collect();
            columns.push(list_array(list, &items)?);
        }
        self.out.write(&RecordBatch::try_new(self.schema.clone(), columns)?)?;
        if self.out.memory_size() > GROUP_BYTES {
            self.out.flush()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, about: &[(&str, String)]) -> anyhow::Result<()> {
        for (key, value) in about {
            self.out.append_key_value_metadata(KeyValue::new(format!("joule.{key}"), value.clone()));
        }
        let columns = described(&self.sheet).to_string();
        self.out.append_key_value_metadata(KeyValue::new("joule.columns".to_owned(), columns));
        self.out.close().context("the end cannot be written")?;
        Ok(())
    }
}

/// Each column's unit and meaning.
fn described(sheet: &Sheet) -> serde_json::Value {
    let column = |prefix: &str, column: &Column| {
        let unit = match column.holds {
            Holds::Kind(Kind::Time) => "time",
            Holds::Kind(Kind::Flag) => "flag",
            holds => holds.unit(),
        };
        (format!("{prefix}{}", column.name), json!({"unit": unit, "meaning": column.meaning}))
    };
    let lists = sheet.lists.iter().flat_map(|list| {
        let whole = (list.name.clone(), json!({"unit": "list", "meaning": list.meaning}));
        let prefix = format!("{}.", list.name);
        let within: Vec<_> = list.columns.iter().map(|of| column(&prefix, of)).collect();
        [whole].into_iter().chain(within)
    });
    sheet.columns.iter().map(|of| column("", of)).chain(lists).collect::<serde_json::Map<_, _>>().into()
}

fn field(column: &Column) -> Field {
    let kind = match column.holds {
        Holds::Kind(Kind::Address | Kind::Signature | Kind::Hash | Kind::Text) | Holds::Json => DataType::Utf8,
        Holds::Kind(Kind::Name) => DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into()),
        Holds::Kind(Kind::Flag) => DataType::Boolean,
        Holds::Kind(Kind::Time) => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        Holds::Kind(Kind::Number) => DataType::Int64,
        Holds::Kind(Kind::Count | Kind::Amount) => DataType::UInt64,
        Holds::Kind(Kind::Sum) => DataType::Decimal128(DIGITS, 0),
        Holds::Bytes | Holds::Kind(Kind::Bytes) => DataType::Binary,
    };
    Field::new(&column.name, kind, column.nullable)
}

fn item(list: &List) -> Arc<Field> {
    let fields: Fields = list.columns.iter().map(field).collect();
    Arc::new(Field::new("element", DataType::Struct(fields), false))
}

fn list_field(list: &List) -> Field {
    Field::new(&list.name, DataType::List(item(list)), false)
}

fn list_array(list: &List, lines: &[&[Vec<Cell>]]) -> anyhow::Result<ArrayRef> {
    let mut columns = Vec::with_capacity(list.columns.len());
    for (place, column) in list.columns.iter().enumerate() {
        let mut array = Building::of(column.holds);
        let cells = lines.iter().flat_map(|items| items.iter()).map(|cells| &cells[place]);
        cells.into_iter().try_for_each(|cell| array.push(column, &Value::Cell(cell.clone())))?;
        columns.push(array.finish());
    }
    let item = item(list);
    let DataType::Struct(fields) = item.data_type().clone() else { bail!("{} is no list", list.name) };
    let items = StructArray::try_new(fields, columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lines.iter().map(|items| items.len()));
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(items), None)?))
}

/// Of a sum: all that the format has room for.
const DIGITS: u8 = 38;

/// An array that grows.
enum Building {
    Text(StringBuilder),
    Names(StringDictionaryBuilder<Int32Type>),
    Flags(BooleanBuilder),
    Times(TimestampMillisecondBuilder),
    Numbers(Int64Builder),
    Counts(UInt64Builder),
    Sums(Decimal128Builder),
    Bytes(BinaryBuilder),
}

impl Building {
    fn of(holds: Holds) -> Self {
        match holds {
            Holds::Kind(Kind::Address | Kind::Signature | Kind::Hash | Kind::Text) | Holds::Json => {
                Self::Text(StringBuilder::new())
            }
            Holds::Kind(Kind::Name) => Self::Names(StringDictionaryBuilder::new()),
            Holds::Kind(Kind::Flag) => Self::Flags(BooleanBuilder::new()),
            Holds::Kind(Kind::Time) => Self::Times(TimestampMillisecondBuilder::new().with_timezone(UTC)),
            Holds::Kind(Kind::Number) => Self::Numbers(Int64Builder::new()),
            Holds::Kind(Kind::Count | Kind::Amount) => Self::Counts(UInt64Builder::new()),
            Holds::Kind(Kind::Sum) => {
                Self::Sums(Decimal128Builder::new().with_data_type(DataType::Decimal128(DIGITS, 0)))
            }
            Holds::Bytes | Holds::Kind(Kind::Bytes) => Self::Bytes(BinaryBuilder::new()),
        }
    }

    fn push(&mut self, column: &Column, value: &Value) -> anyhow::Result<()> {
        let is_null = *value == Value::NULL;
        match (self, value) {
            (Self::Text(array), _) if is_null => array.append_null(),
            (Self::Names(array), _) if is_null => array.append_null(),
            (Self::Flags(array), _) if is_null => array.append_null(),
            (Self::Times(array), _) if is_null => array.append_null(),
            (Self::Numbers(array), _) if is_null => array.append_null(),
            (Self::Counts(array), _) if is_null => array.append_null(),
            (Self::Sums(array), _) if is_null => array.append_null(),
            (Self::Bytes(array), _) if is_null => array.append_null(),
            (Self::Text(array), Value::Cell(Cell::Name(text))) => array.append_value(text),
            (Self::Sums(array), Value::Cell(Cell::Sum(sum))) => array.append_value(**sum),
            (Self::Bytes(array), Value::Cell(Cell::Bytes(bytes))) => array.append_value(bytes),
            (Self::Text(array), Value::Json(json)) => array.append_value(json.to_string()),
            (Self::Text(array), Value::Cell(cell @ (Cell::Key(_) | Cell::Signature(_)))) => {
                let Holds::Kind(kind) = column.holds else { bail!("{} holds {cell:?}", column.name) };
                array.append_value(plain(kind, cell));
            }
            (Self::Names(array), Value::Cell(Cell::Name(name))) => array.append_value(name),
            (Self::Flags(array), Value::Cell(Cell::Flag(flag))) => array.append_value(*flag),
            (Self::Times(array), Value::Cell(Cell::Int(time))) => array.append_value(within(*time) * 1_000),
            (Self::Numbers(array), Value::Cell(Cell::Int(number))) => array.append_value(*number),
            (Self::Counts(array), Value::Cell(Cell::Uint(number))) => array.append_value(*number),
            (Self::Bytes(array), Value::Bytes(bytes)) => array.append_value(bytes),
            (_, value) => bail!("{} holds {value:?}", column.name),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut array) => ArrayBuilder::finish(&mut array),
            Self::Names(mut array) => ArrayBuilder::finish(&mut array),
            Self::Flags(mut array) => ArrayBuilder::finish(&mut array),
            Self::Times(mut array) => ArrayBuilder::finish(&mut array),
            Self::Numbers(mut array) => ArrayBuilder::finish(&mut array),
            Self::Counts(mut array) => ArrayBuilder::finish(&mut array),
            Self::Sums(mut array) => ArrayBuilder::finish(&mut array),
            Self::Bytes(mut array) => ArrayBuilder::finish(&mut array),
        }
    }
}
