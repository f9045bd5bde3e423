//! What a store must have at the end of a file: every account as its newest surviving write left it, and every event of a surviving
//! block. Sorted and compressed; written and read in bounded memory.

mod row;

pub use row::{AccountRow, EventRow, Letter, Life, Row};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Rows are sorted by what they begin with, one part of them at a time.
const PARTS: usize = 64;

/// Beside a file of updates.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".truth");
    name.into()
}

/// What is true of the file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub last_confirmed_slot: u64,
    /// Updates of the file, whatever their kind; those before the measured part too.
    pub updates: u64,
    /// Those before the blocks at the end in which nothing happens.
    #[serde(default)]
    pub body: u64,
    pub account_updates: u64,
    pub transactions: u64,
    pub slots: u64,
    pub accounts: u64,
    pub events: u64,
    /// What nobody can read and a store keeps as it is.
    #[serde(default)]
    pub letters: u64,
    /// Share of account updates that show an account for the first time.
    pub new: f64,
    /// Updates of dead banks, and those that come twice.
    pub dead: u64,
    pub repeated: u64,
}

pub fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// Takes rows in any order.
pub struct Writer {
    accounts: Sorter,
    events: Sorter,
    letters: Sorter,
    path: PathBuf,
}

impl Writer {
    pub fn create(path: PathBuf) -> Result<Self> {
        Ok(Self { accounts: Sorter::new()?, events: Sorter::new()?, letters: Sorter::new()?, path })
    }

    pub fn account(&mut self, row: &AccountRow) -> Result<()> {
        self.accounts.push(row)
    }

    pub fn event(&mut self, row: &EventRow) -> Result<()> {
        self.events.push(row)
    }

    pub fn letter(&mut self, row: &Letter) -> Result<()> {
        self.letters.push(row)
    }

    /// `accounts`, `events` and `letters` of the summary are counted here.
    pub fn finish(self, summary: Summary) -> Result<Summary> {
        let Self { accounts, events, letters, path } = self;
        let summary = Summary { accounts: accounts.rows, events: events.rows, letters: letters.rows, ..summary };
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut out = zstd::Encoder::new(BufWriter::new(file), 1)?;
        let head = serde_json::to_vec(&summary)?;
        out.write_all(&u32::try_from(head.len())?.to_le_bytes())?;
        out.write_all(&head)?;
        accounts.finish::<AccountRow>(&mut out)?;
        events.finish::<EventRow>(&mut out)?;
        letters.finish::<Letter>(&mut out)?;
        out.finish()?.flush()?;
        Ok(summary)
    }
}

/// Rows in files without a name, by their first bits, until all are there.
struct Sorter {
    parts: Vec<BufWriter<File>>,
    rows: u64,
    row: Vec<u8>,
}

impl Sorter {
    fn new() -> Result<Self> {
        let part = || Ok(BufWriter::new(tempfile::tempfile().context("a temporary file")?));
        Ok(Self { parts: (0..PARTS).map(|_| part()).collect::<Result<_>>()?, rows: 0, row: Vec::new() })
    }

    fn push(&mut self, row: &impl Row) -> Result<()> {
        self.row.clear();
        row.put(&mut self.row);
        self.rows += 1;
        let part = usize::from(self.row[0]) * PARTS / 256;
        Ok(self.parts[part].write_all(&self.row)?)
    }

    fn finish<R: Row>(self, out: &mut impl Write) -> Result<()> {
        for part in self.parts {
            let mut file = part.into_inner().map_err(|error| error.into_error())?;
            file.seek(SeekFrom::Start(0))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let mut rows: Vec<&[u8]> = bytes.chunks_exact(R::SIZE).collect();
            rows.sort_unstable();
            rows.into_iter().try_for_each(|row| out.write_all(row))?;
        }
        Ok(())
    }
}

/// Rows in the order of their keys: first all accounts, then all events, then all letters.
pub struct Reader {
    pub summary: Summary,
    input: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    accounts: u64,
    events: u64,
    letters: u64,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}; `scale` writes it", path.display()))?;
        let mut input = BufReader::new(zstd::Decoder::new(file)?);
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        let mut head = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut head)?;
        let summary: Summary =
            serde_json::from_slice(&head).with_context(|| format!("{} is no truth", path.display()))?;
        Ok(Self { accounts: summary.accounts, events: summary.events, letters: summary.letters, summary, input })
    }

    pub fn account(&mut self) -> Result<Option<AccountRow>> {
        let Some(left) = self.accounts.checked_sub(1) else { return Ok(None) };
        self.accounts = left;
        self.row().map(Some)
    }

    /// Not before every account was read.
    pub fn event(&mut self) -> Result<Option<EventRow>> {
        if self.accounts > 0 {
            bail!("accounts come before events");
        }
        let Some(left) = self.events.checked_sub(1) else { return Ok(None) };
        self.events = left;
        self.row().map(Some)
    }

    /// All of them; not before every event was read.
    pub fn letters(&mut self) -> Result<Vec<Letter>> {
        if self.accounts + self.events > 0 {
            bail!("accounts and events come before letters");
        }
        (0..std::mem::take(&mut self.letters)).map(|_| self.row()).collect()
    }

    fn row<R: Row>(&mut self) -> Result<R> {
        let mut bytes = vec![0; R::SIZE];
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => anyhow::anyhow!("the truth ends too early: it is not whole"),
            _ => error.into(),
        })?;
        Ok(R::read(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_sorted_whatever_their_order_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth");
        let account = |n: u8| AccountRow {
            address: [n.wrapping_mul(151); 32],
            slot: n.into(),
            write_version: 1 << 40,
            lamports: 7,
            data: hash(&[n]),
            life: [Life::Open, Life::Closed, Life::ClosedUnseen][usize::from(n) % 3],
        };
        let event = |n: u8| EventRow { signature: [n.wrapping_mul(77); 64], instruction: n.into(), inner: 300 };
        let mut writer = Writer::create(path.clone()).unwrap();
        for n in 0..=255 {
            writer.account(&account(n)).unwrap();
            writer.event(&event(n)).unwrap();
        }
        writer.finish(Summary { updates: 9, ..Summary::default() }).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!((reader.summary.updates, reader.summary.accounts, reader.summary.events), (9, 256, 256));
        assert!(reader.event().is_err());
        let mut accounts: Vec<AccountRow> = (0..=255).map(account).collect();
        accounts.sort_by_key(|row| row.address);
        for row in accounts {
            assert_eq!(reader.account().unwrap(), Some(row));
        }
        let mut events: Vec<EventRow> = (0..=255).map(event).collect();
        events.sort_by_key(Row::key);
        for row in events {
            assert_eq!(reader.event().unwrap(), Some(row));
        }
        assert_eq!((reader.account().unwrap(), reader.event().unwrap()), (None, None));
    }
}
