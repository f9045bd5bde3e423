//! What is stored as a file for analysts and auditors: a noun's rows, events, accounts, or the trail of one account, as CSV or Parquet.
//!
//! [`sheet`] is what a file has, whatever its format; [`noun`], [`event`], [`account`] and [`trail`] are where it comes from; [`csv`] and
//! [`parquet`] are formats. Whatever the size of the store, some thousand lines and one group of Parquet's are held at a time.

mod account;
mod csv;
mod event;
mod file;
mod moment;
mod noun;
mod parquet;
pub mod sheet;
#[cfg(test)]
mod tests;
mod trail;
mod wanted;

pub use file::Out;

use crate::{
    row::{record::Table, tables},
    store::{Between, Moment, Scan, Scanned, Store},
    types::Address,
};
use anyhow::{bail, Context as _};
use clap::ValueEnum;
use serde::de::IntoDeserializer as _;
use sheet::{Line, Sheet};
use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};
use wanted::Wanted;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    Jobs,
    Providers,
    Disputes,
    Models,
    Channels,
    Plans,
    Distributions,
    /// Everything that the programs stated.
    Events,
    /// Every account of the programs, with its bytes.
    Accounts,
    /// What happened to one account, event by event, and what it is now.
    Trail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
}

/// What to export.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    pub what: What,
    /// The account of a trail
    #[arg(value_name = "ADDRESS")]
    pub of: Option<Address>,
    /// [default: as --out ends, or csv]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// The file, which has its name only when it is whole; one that is there is replaced. - is the standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// From this time on: of a job its opening, of an event its block. "2026-11-30 14:05" is local time, "2026-11-30T13:05:00Z" is UTC
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<i64>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<i64>,
    /// Only where a column has this value; of several all must hold
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub wanted: Vec<String>,
}

fn time(text: &str) -> Result<i64, String> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    joule_settings::unix_seconds(text).map_err(|error| error.to_string())
}

/// Where lines come from.
trait Source {
    fn sheet(&self) -> &Sheet;
    fn scan(&self) -> Scan;
    fn lines(&mut self, scanned: Scanned) -> anyhow::Result<Vec<Line>>;
}

/// A format's.
trait Writer {
    fn write(&mut self, lines: Vec<Line>) -> anyhow::Result<()>;
    /// With what is to be known of the whole, where the format has a place for that.
    fn finish(self: Box<Self>, about: &[(&str, String)]) -> anyhow::Result<()>;
}

impl Options {
    fn format(&self) -> Format {
        let by_name = match self.out.extension().and_then(|end| end.to_str()) {
            Some("parquet" | "pq") => Format::Parquet,
            _ => Format::Csv,
        };
        self.format.unwrap_or(by_name)
    }

    fn source(&self) -> anyhow::Result<Box<dyn Source>> {
        let time = Between { from: self.from, to: self.to };
        let is_bounded = time != Between::default();
        let table = |name: &str| -> anyhow::Result<&'static Table> {
            tables().into_iter().find(|table| table.name == name).context("there is no such table")
        };
        let name = match self.what {
            What::Events => return Ok(Box::new(event::Events::new(time, &self.wanted)?)),
            What::Accounts if is_bounded => bail!("accounts are as they are now: leave out --from and --to"),
            What::Accounts => return Ok(Box::new(account::Accounts::new(&self.wanted)?)),
            What::Trail if is_bounded || !self.wanted.is_empty() => {
                bail!("a trail is whole: leave out --from, --to and --where, or export events")
            }
            What::Trail => {
                let of = self.of.context("whose trail? joule-indexer export trail ADDRESS")?;
                return Ok(Box::new(trail::Trail::new(of)));
            }
            What::Jobs => "jobs",
            What::Providers => "providers",
            What::Disputes => "disputes",
            What::Models => "models",
            What::Channels => "channels",
            What::Plans => "plans",
            What::Distributions => "distributions",
        };
        Ok(Box::new(noun::Nouns::new(table(name)?, time, &self.wanted)?))
    }

    /// Writes it all. `each` hears how many lines there are by now, and may break it off, which leaves nothing.
    pub fn run(&self, store: &dyn Store, each: &mut dyn FnMut(u64) -> ControlFlow<()>) -> anyhow::Result<u64> {
        if let (Some(of), false) = (self.of, self.what == What::Trail) {
            bail!("{of}: only a trail is of one account; others are filtered by --where COLUMN=VALUE");
        }
        let mut source = self.source()?;
        let out = Out::new(&self.out, self.format())?;
        let lines = write(store, &mut *source, self.format(), out.writer()?, each)?;
        out.keep()?;
        Ok(lines)
    }
}

fn write(
    store: &dyn Store,
    source: &mut dyn Source,
    format: Format,
    out: Box<dyn Write + Send>,
    each: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> anyhow::Result<u64> {
    let sheet = source.sheet().clone();
    let name = sheet.name.clone();
    let mut writer: Box<dyn Writer> = match format {
        Format::Csv => Box::new(csv::Csv::new(sheet, out)?),
        Format::Parquet => Box::new(parquet::Parquet::new(sheet, out)?),
    };
    let (mut count, mut failed) = (0, None);
    let scan = source.scan();
    let moment = store.scan(&scan, &mut |scanned| {
        let lines = match source.lines(scanned) {
            Ok(lines) => lines,
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        };
        count += lines.len() as u64;
        match writer.write(lines) {
            Ok(()) => {
                let told = each(count);
                if told.is_break() {
                    failed = Some(anyhow::anyhow!("stopped; nothing is kept of it"));
                }
                told
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    writer.finish(&about(name, &moment))?;
    Ok(count)
}

/// Of what moment of what chain it is.
fn about(name: String, Moment { genesis, checkpoint }: &Moment) -> Vec<(&'static str, String)> {
    let mut about = vec![("sheet", name), ("version", env!("CARGO_PKG_VERSION").to_owned())];
    about.extend(genesis.clone().map(|genesis| ("genesis", genesis)));
    if let Some(checkpoint) = checkpoint {
        about.extend([("slot", checkpoint.slot.to_string()), ("finalized", checkpoint.finalized.to_string())]);
    }
    about
}

/// The sheets that are no tables of rows.
pub fn others() -> Vec<Sheet> {
    vec![event::sheet(), account::sheet(), trail::sheet()]
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}
