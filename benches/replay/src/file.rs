//! A file of updates: a header in JSON, then each `SubscribeUpdate` as it goes over the wire, without filter names and without a
//! time. Everything comes after its length, a varint, and all of it is one zstd stream.

use anyhow::{bail, Context, Result};
use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
};

const FORMAT: u32 = 1;
/// What is read of the stream at a time, in bytes.
const CHUNK: usize = 1 << 20;
/// No update is longer: an account holds 10 MiB.
const LONGEST: u64 = 64 << 20;

/// What all updates of a file have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: u32,
    /// Genesis hash of the chain, in base58.
    pub genesis: String,
    /// Addresses of the programs whose accounts and transactions these are, in base58.
    pub programs: Vec<String>,
    /// The first slot that is told of.
    pub first_slot: u64,
    /// When it was recorded, in Unix seconds.
    pub recorded_at: i64,
    /// What it was recorded from, and what recorded it.
    pub versions: Vec<String>,
    /// How it was made, if it was not recorded: the arguments of `scale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// Updates before those that are measured: blocks in which nothing happens, for a start.
    #[serde(default)]
    pub lead: u64,
}

pub struct Writer {
    out: zstd::Encoder<'static, BufWriter<File>>,
    path: PathBuf,
}

impl Writer {
    /// `level` is zstd's.
    pub fn create(path: &Path, header: &Header, level: i32) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut writer = Self { out: zstd::Encoder::new(BufWriter::new(file), level)?, path: path.to_owned() };
        writer.push(&serde_json::to_vec(&Header { format: FORMAT, ..header.clone() })?)?;
        Ok(writer)
    }

    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        let mut length = [0; 10];
        let length = varint(record.len() as u64, &mut length);
        self.out.write_all(length).and_then(|()| self.out.write_all(record)).with_context(|| self.failed())
    }

    pub fn finish(self) -> Result<()> {
        let failed = self.failed();
        self.out.finish().and_then(|mut file| file.flush()).context(failed)
    }

    fn failed(&self) -> String {
        format!("writing {}", self.path.display())
    }
}

pub struct Reader {
    pub header: Header,
    input: zstd::Decoder<'static, std::io::BufReader<File>>,
    buffer: BytesMut,
    path: PathBuf,
}

impl Reader {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let input = zstd::Decoder::new(file)?;
        let mut reader = Self { header: Header::default(), input, buffer: BytesMut::new(), path: path.to_owned() };
        let header = reader.next()?.with_context(|| format!("{} is empty", path.display()))?;
        reader.header = serde_json::from_slice(&header)
            .with_context(|| format!("{} does not begin like a file of updates", path.display()))?;
        if reader.header.format != FORMAT {
            bail!("{} has format {}, this program reads {FORMAT}", path.display(), reader.header.format);
        }
        Ok(reader)
    }

    /// The next update. `None` at the end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some((length, head)) = length(&self.buffer) {
                if length > LONGEST {
                    bail!("{} says that an update has {length} bytes: it is broken", self.path.display());
                }
                let length = length as usize;
                if self.buffer.len() >= head + length {
                    self.buffer.advance(head);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
            }
            let held = self.buffer.len();
            self.buffer.resize(held + CHUNK, 0);
            let read = self.input.read(&mut self.buffer[held..]);
            let read = read.with_context(|| format!("reading {}", self.path.display()))?;
            self.buffer.truncate(held + read);
            if read == 0 {
                return match held {
                    0 => Ok(None),
                    _ => bail!("{} ends within an update: it is not whole", self.path.display()),
                };
            }
        }
    }
}

/// A varint and its length in bytes; `None` while it is not whole.
fn length(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, place + 1));
        }
    }
    None
}

fn varint(mut value: u64, room: &mut [u8; 10]) -> &[u8] {
    let mut used = 0;
    loop {
        room[used] = (value & 0x7f) as u8;
        value >>= 7;
        used += 1;
        if value == 0 {
            return &room[..used];
        }
        room[used - 1] |= 0x80;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_a_cut_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let header = Header { format: FORMAT, genesis: "g".to_owned(), first_slot: 7, ..Header::default() };
        let records: Vec<Vec<u8>> =
            [0, 1, 127, 128, 3_000_000].iter().map(|length| (0..*length).map(|n| (n % 251) as u8).collect()).collect();
        let mut writer = Writer::create(&path, &header, 1).unwrap();
        for record in &records {
            writer.push(record).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.header, header);
        for record in &records {
            assert_eq!(reader.next().unwrap().unwrap(), record);
        }
        assert_eq!(reader.next().unwrap(), None);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 20]).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert!(std::iter::from_fn(|| reader.next().transpose()).any(|record| record.is_err()));
        std::fs::write(&path, b"something else").unwrap();
        assert!(Reader::open(&path).is_err());
    }
}
