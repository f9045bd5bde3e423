//! Updates of content, written without a struct in between.

use super::{
    blob::{Blob, Filling},
    slots::{Content, Place},
};
use crate::wire;

/// Writes an account update, without its data being copied twice.
pub fn put_account(out: &mut Vec<u8>, place: &Place, account: &Account) {
    let info = account.info_len();
    let body = {
        let head = 1 + wire::varint_len(info as u64);
        head + info + 1 + wire::varint_len(place.slot) + 1 + wire::varint_len(place.bank)
    };
    wire::put_head(out, wire::update::ACCOUNT, body);
    wire::put_head(out, 1, info);
    wire::put_bytes(out, 1, &account.address);
    wire::put_number(out, 2, account.lamports);
    wire::put_bytes(out, 3, &account.owner);
    wire::put_number(out, 5, u64::MAX);
    wire::put_bytes(out, 6, account.data);
    wire::put_number(out, 7, account.write_version);
    if let Some(signature) = account.signature {
        wire::put_bytes(out, 8, signature);
    }
    wire::put_some(out, 2, place.slot);
    wire::put_some(out, 4, place.bank);
}

/// One write of one account.
pub struct Account<'a> {
    pub address: [u8; 32],
    pub owner: [u8; 32],
    pub lamports: u64,
    pub data: &'a [u8],
    pub write_version: u64,
    pub signature: Option<&'a [u8; 64]>,
}

impl Account<'_> {
    fn info_len(&self) -> usize {
        let number = |value: u64| if value == 0 { 0 } else { 1 + wire::varint_len(value) };
        let bytes = |length: usize| 1 + wire::varint_len(length as u64) + length;
        bytes(32) * 2
            + number(self.lamports)
            + number(u64::MAX)
            + bytes(self.data.len())
            + number(self.write_version)
            + self.signature.map_or(0, |_| bytes(64))
    }
}

/// Writes a transaction's update, the next one of its block. `info` is all of it but its index.
pub fn put_transaction(content: &mut Content, place: &Place, info: &Blob, filling: &Filling) {
    let number = |value: u64| if value == 0 { 0 } else { 1 + wire::varint_len(value) };
    let index = content.transactions;
    let length = info.len() + number(index);
    let body = 1 + wire::varint_len(length as u64) + length + number(place.slot) + number(place.bank);
    let out = &mut content.bytes;
    wire::put_head(out, wire::update::TRANSACTION, body);
    wire::put_head(out, 1, length);
    info.put(out, filling);
    wire::put_number(out, 5, index);
    wire::put_number(out, 2, place.slot);
    wire::put_number(out, 3, place.bank);
    content.transactions += 1;
    content.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use yellowstone_grpc_proto::{
        prelude::{subscribe_update::UpdateOneof, SubscribeUpdate, SubscribeUpdateTransactionInfo},
        prost::Message,
    };

    const PLACE: Place = Place { slot: 300, parent: 299, bank: 7, time: 0 };

    #[test]
    fn what_is_written_is_what_prost_reads() {
        let signature = [5; 64];
        for (lamports, write_version) in [(0, 1), (127, 128), (u64::MAX, 1 << 40)] {
            let (address, owner, data) = ([1; 32], [2; 32], &[3; 900][..]);
            let account = Account { address, owner, lamports, data, write_version, signature: Some(&signature) };
            let mut out = Vec::new();
            put_account(&mut out, &PLACE, &account);
            let update = SubscribeUpdate::decode(out.as_slice()).unwrap().update_oneof;
            let Some(UpdateOneof::Account(update)) = update else { panic!("{update:?}") };
            let info = update.account.unwrap();
            assert_eq!((update.slot, update.bank_id), (300, Some(7)));
            assert_eq!((info.pubkey, info.owner, info.data), (vec![1; 32], vec![2; 32], vec![3; 900]));
            assert_eq!((info.lamports, info.write_version), (lamports, write_version));
            assert_eq!(info.txn_signature, Some(vec![5; 64]));
        }
        let info = SubscribeUpdateTransactionInfo { signature: vec![9; 64], ..Default::default() };
        let blob = Blob::new(info.encode_to_vec(), &Default::default(), &[9; 64], 0, &[]);
        let filling = Filling { seed: 0, world: 0, story: 0, shift: 0, signature };
        let mut content = Content::default();
        for index in 0..300 {
            put_transaction(&mut content, &PLACE, &blob, &filling);
            let update = SubscribeUpdate::decode(content.get(index)).unwrap().update_oneof;
            let Some(UpdateOneof::Transaction(update)) = update else { panic!("{update:?}") };
            let info = update.transaction.unwrap();
            assert_eq!((update.slot, update.bank_id, info.index as usize), (300, 7, index));
            assert_eq!(info.signature, [5; 64]);
        }
    }
}
