//! `joule-indexer rewind`: a database is put back, so that the next start goes on from an older slot.

use crate::store::{Beyond, Database};
use anyhow::{bail, ensure, Context as _};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
    fmt,
    io::{IsTerminal as _, Write as _},
};

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The slot up to which everything stays; the next start goes on after it
    #[arg(long, value_name = "SLOT")]
    pub to: u64,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What goes, and then what went.
#[derive(Debug, Serialize)]
pub struct Report {
    pub to: u64,
    #[serde(flatten)]
    pub beyond: Beyond,
}

/// Says what goes, asks, and has it forgotten. `None` where whoever is asked does not want that.
pub fn run(options: &Options, database: &Database) -> anyhow::Result<Option<Report>> {
    let Options { to, yes } = *options;
    if let Some(file) = database.file() {
        ensure!(file.is_file(), "there is no database at {}; check --database", file.display());
    }
    // Nobody may write meanwhile, nor begin to.
    let store = database.open_alone()?;
    let report = Report { to, beyond: store.beyond(to)? };
    eprintln!("{report}");
    if !yes && !confirmed(&format!("Forget all that in {database}"))? {
        return Ok(None);
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% of {human_len} events").context("the progress")?;
    let shown = ProgressBar::new(2 * report.beyond.events).with_style(style);
    let done = store.rewind(to, &mut |some| shown.inc(some));
    shown.finish_and_clear();
    done?;
    Ok(Some(report))
}

/// Asks on the terminal; `--yes` answers for whoever has none.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{question}? There is nobody to ask: --yes says so");
    }
    eprint!("{question}? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, beyond: Beyond { checkpoint, events, dead_letters, unknown, reopened, oldest } } = self;
        writeln!(f, "everything up to slot {checkpoint} is stored; after slot {to} there are")?;
        writeln!(f, "  {events} events and {dead_letters} dead letters, with what jobs, channels, plans and totals have of them")?;
        writeln!(
            f,
            "  {unknown} accounts that were written since: they are unknown until they are listed at the next start"
        )?;
        write!(f, "  {reopened} accounts that were closed since: they live again")?;
        match oldest {
            Some(oldest) if to < oldest => write!(
                f,
                "\nnothing that is stored is as old as slot {to}: the oldest event is of slot {oldest}. What happened before is not read \
                 again, unless the database is made anew"
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, Sqlite, Store as _, StoreError};

    #[test]
    fn only_a_database_that_is_there_and_used_by_nobody_is_put_back_and_not_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let database = Database::from(path.clone());
        let options = |to, yes| Options { to, yes };
        let error = run(&options(5, true), &database).unwrap_err().to_string();
        assert!(error.contains("there is no database"), "{error}");
        let store = Sqlite::open_alone(&path).unwrap();
        store.apply(&Batch { checkpoint: Some(9), ..Batch::default() }).unwrap();
        let error = run(&options(5, true), &database).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(StoreError::Taken { .. })), "{error}");
        drop(store);
        let error = run(&options(10, true), &database).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(StoreError::Ahead { .. })), "{error}");
        if !std::io::stdin().is_terminal() {
            let error = run(&options(5, false), &database).unwrap_err().to_string();
            assert!(error.contains("--yes"), "{error}");
        }
        let report = run(&options(5, true), &database).unwrap().unwrap();
        assert_eq!((report.to, report.beyond.checkpoint), (5, 9));
        assert_eq!(Sqlite::open(&path).unwrap().checkpoint().unwrap().unwrap().slot, 5);
    }

    #[test]
    fn a_slot_before_everything_is_said_to_be() {
        let beyond = Beyond { checkpoint: 90, events: 3, oldest: Some(50), ..Beyond::default() };
        let said = |to| Report { to, beyond }.to_string();
        assert!(said(49).contains("the oldest event is of slot 50") && !said(50).contains("oldest"));
    }
}
