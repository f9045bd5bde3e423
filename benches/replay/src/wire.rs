//! Looking into encoded updates without decoding them, and writing them without a struct in between.

use yellowstone_grpc_proto::prelude::SlotStatus;

/// Field numbers of `SubscribeUpdate`.
pub mod update {
    pub const FILTERS: u32 = 1;
    pub const ACCOUNT: u32 = 2;
    pub const SLOT: u32 = 3;
    pub const TRANSACTION: u32 = 4;
    pub const BLOCK_META: u32 = 7;
    pub const CREATED_AT: u32 = 11;
}

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Bytes(_) => 0,
        }
    }

    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => &[],
        }
    }
}

/// The fields of an encoded message, as far as they can be read.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The last one of a number, as protobuf has it.
    pub fn get(self, number: u32) -> Option<Value<'a>> {
        self.filter(|(field, _)| *field == number).last().map(|(_, value)| value)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => Value::Number(u32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some(((key >> 3) as u32, value))
    }
}

/// What a filter asks of an update.
#[derive(Debug, Clone, Copy)]
pub enum Look<'a> {
    /// `SubscribeUpdateAccount`.
    Account(Fields<'a>),
    Slot {
        slot: u64,
        status: i32,
        bank: u64,
    },
    /// `SubscribeUpdateTransaction`.
    Transaction(Fields<'a>),
    BlockMeta(Fields<'a>),
    Other,
}

impl<'a> Look<'a> {
    pub fn of(record: &'a [u8]) -> Self {
        for (field, value) in Fields(record) {
            let inner = Fields(value.bytes());
            return match field {
                update::ACCOUNT => Self::Account(inner),
                update::TRANSACTION => Self::Transaction(inner),
                update::BLOCK_META => Self::BlockMeta(inner),
                update::SLOT => {
                    let (mut slot, mut status, mut bank) = (0, SlotStatus::SlotProcessed as i32, 0);
                    for (field, value) in inner {
                        match field {
                            1 => slot = value.number(),
                            3 => status = value.number() as i32,
                            5 => bank = value.number(),
                            _ => {}
                        }
                    }
                    Self::Slot { slot, status, bank }
                }
                update::FILTERS | update::CREATED_AT => continue,
                _ => Self::Other,
            };
        }
        Self::Other
    }

    pub fn slot(&self) -> Option<u64> {
        match self {
            Self::Account(fields) | Self::Transaction(fields) => fields.get(2).map(Value::number),
            Self::BlockMeta(fields) => fields.get(1).map(Value::number),
            Self::Slot { slot, .. } => Some(*slot),
            Self::Other => None,
        }
    }
}

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field that is a number. As in proto3, zero is what is not there.
pub fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        put_some(out, field, value);
    }
}

/// A field that is a number and optional: zero is there.
pub fn put_some(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field) << 3);
    put_varint(out, value);
}

/// A field of so many bytes, which have to follow.
pub fn put_head(out: &mut Vec<u8>, field: u32, length: usize) {
    put_varint(out, u64::from(field) << 3 | 2);
    put_varint(out, length as u64);
}

pub fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_head(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Bytes that a number takes as a varint.
pub fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yellowstone_grpc_proto::{
        prelude::{
            subscribe_update::UpdateOneof, SubscribeUpdate, SubscribeUpdateAccount, SubscribeUpdateAccountInfo,
            SubscribeUpdateSlot,
        },
        prost::Message,
    };

    #[test]
    fn an_encoded_update_is_looked_into_as_prost_wrote_it() {
        let account = SubscribeUpdateAccountInfo { owner: vec![7; 32], data: vec![1; 300], ..Default::default() };
        let account = SubscribeUpdateAccount { account: Some(account), slot: 300, is_startup: false, bank_id: Some(4) };
        let one = |update| {
            SubscribeUpdate { filters: vec!["f".to_owned()], update_oneof: Some(update), ..Default::default() }
                .encode_to_vec()
        };
        let encoded = one(UpdateOneof::Account(account));
        let look = Look::of(&encoded);
        assert_eq!(look.slot(), Some(300));
        let Look::Account(fields) = look else { panic!("{look:?}") };
        let info = Fields(fields.get(1).unwrap().bytes());
        assert_eq!(info.get(3).unwrap().bytes(), [7; 32]);
        let slot = SubscribeUpdateSlot { slot: 9, status: 2, bank_id: Some(3), ..Default::default() };
        assert!(matches!(Look::of(&one(UpdateOneof::Slot(slot))), Look::Slot { slot: 9, status: 2, bank: 3 }));
    }

    #[test]
    fn what_is_cut_off_ends_and_does_not_panic() {
        let encoded = SubscribeUpdate { filters: vec!["abc".to_owned()], ..Default::default() }.encode_to_vec();
        for length in 0..encoded.len() {
            assert_eq!(Fields(&encoded[..length]).count(), 0);
        }
    }

    #[test]
    fn varints_are_as_long_as_they_say() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
            assert_eq!(Fields(&out).varint(), Some(value));
        }
    }
}
