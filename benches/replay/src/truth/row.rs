//! Rows as they are written.

use anyhow::{Context, Result};

/// A row of fixed size that begins with its key.
pub trait Row: Sized + PartialEq {
    const SIZE: usize;
    const KEY: usize;

    fn put(&self, out: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Self;

    fn key(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::SIZE);
        self.put(&mut bytes);
        bytes.truncate(Self::KEY);
        bytes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRow {
    pub address: [u8; 32],
    /// Of the last write.
    pub slot: u64,
    pub write_version: u64,
    /// Of the last write that left it alive.
    pub lamports: u64,
    /// SHA-256 of its data then.
    pub data: [u8; 32],
    pub life: Life,
}

/// Whether an account is there at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Open = 0,
    /// An event names it in the transaction that closed it, or the closing itself can be seen by owner.
    Closed = 1,
    /// Nothing that a subscription by owner shows says that it was closed.
    ClosedUnseen = 2,
}

impl Row for AccountRow {
    const SIZE: usize = 32 + 8 * 3 + 32 + 1;
    const KEY: usize = 32;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.address);
        for number in [self.slot, self.write_version, self.lamports] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.data);
        out.push(self.life as u8);
    }

    fn read(bytes: &[u8]) -> Self {
        let number = |place: usize| u64::from_le_bytes(array(&bytes[place..place + 8]));
        let life = match bytes[88] {
            0 => Life::Open,
            1 => Life::Closed,
            _ => Life::ClosedUnseen,
        };
        Self {
            address: array(&bytes[..32]),
            slot: number(32),
            write_version: number(40),
            lamports: number(48),
            data: array(&bytes[56..88]),
            life,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow {
    pub signature: [u8; 64],
    pub instruction: u32,
    pub inner: u32,
}

impl Row for EventRow {
    const SIZE: usize = 72;
    const KEY: usize = 72;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.signature);
        // So that bytes sort like numbers.
        out.extend_from_slice(&self.instruction.to_be_bytes());
        out.extend_from_slice(&self.inner.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        let number = |place: usize| u32::from_be_bytes(array(&bytes[place..place + 4]));
        Self { signature: array(&bytes[..64]), instruction: number(64), inner: number(68) }
    }
}

/// What a store keeps of what it cannot read: an account, an event, or a transaction as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    Account([u8; 32]),
    Event { signature: [u8; 64], instruction: u32, inner: u32 },
    Transaction([u8; 64]),
}

impl Letter {
    /// As stores keep it: what it is of, and its key.
    pub fn of_key(kind: &str, key: &[u8]) -> Result<Self> {
        let letter = match kind {
            "account" => key.try_into().ok().map(Self::Account),
            "transaction" => key.try_into().ok().map(Self::Transaction),
            _ => (key.len() == EventRow::SIZE)
                .then(|| EventRow::read(key))
                .map(|EventRow { signature, instruction, inner }| Self::Event { signature, instruction, inner }),
        };
        letter.context("a dead letter with a key of another length")
    }
}

impl Row for Letter {
    const SIZE: usize = 1 + 72;
    const KEY: usize = Self::SIZE;

    fn put(&self, out: &mut Vec<u8>) {
        let end = out.len() + Self::SIZE;
        match self {
            Self::Account(address) => {
                out.push(0);
                out.extend_from_slice(address);
            }
            Self::Event { signature, instruction, inner } => {
                out.push(1);
                EventRow { signature: *signature, instruction: *instruction, inner: *inner }.put(out);
            }
            Self::Transaction(signature) => {
                out.push(2);
                out.extend_from_slice(signature);
            }
        }
        out.resize(end, 0);
    }

    fn read(bytes: &[u8]) -> Self {
        match bytes[0] {
            0 => Self::Account(array(&bytes[1..33])),
            1 => {
                let EventRow { signature, instruction, inner } = EventRow::read(&bytes[1..]);
                Self::Event { signature, instruction, inner }
            }
            _ => Self::Transaction(array(&bytes[1..65])),
        }
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}
