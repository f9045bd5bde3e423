//! Where a page begins.

use crate::types::Address;

/// The last item of a page, in an order that never changes for an item: its time, then its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Unix seconds.
    pub time: i64,
    pub address: Address,
}

/// Which part of a list to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    pub after: Option<Cursor>,
    pub limit: usize,
}

impl Cursor {
    /// As clients see it: 40 bytes in hexadecimal that mean nothing to them.
    pub fn encode(&self) -> String {
        let mut bytes = [0; 40];
        let (time, address) = bytes.split_at_mut(8);
        time.copy_from_slice(&self.time.to_be_bytes());
        address.copy_from_slice(&self.address.0);
        hex::encode(bytes)
    }

    pub fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; 40];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let (time, address) = bytes.split_first_chunk::<8>()?;
        Some(Self { time: i64::from_be_bytes(*time), address: Address::try_from(address).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        for time in [i64::MIN, -1, 0, 1_700_000_000, i64::MAX] {
            let cursor = Cursor { time, address: Address([7; 32]) };
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    #[test]
    fn what_is_no_cursor_is_none() {
        for text in ["", "zz", "00", &"0".repeat(79), &"0".repeat(82), "é"] {
            assert_eq!(Cursor::decode(text), None);
        }
    }
}
