//! A transaction in each form that there is.

use std::{fmt, str::FromStr};
use yellowstone_grpc_proto::prelude::{
    Message, MessageAddressTableLookup, SubscribeUpdateTransactionInfo, TransactionConfig, TransactionStatusMeta,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Legacy,
    /// With a lookup table, where an address may come from one.
    V0,
    V1,
}

impl Version {
    pub const ALL: [Self; 3] = [Self::Legacy, Self::V0, Self::V1];

    /// The same transaction in this version, whatever it was in.
    pub fn of(self, info: &SubscribeUpdateTransactionInfo) -> SubscribeUpdateTransactionInfo {
        let mut info = info.clone();
        let meta = info.meta.as_mut();
        let message = info.transaction.as_mut().and_then(|transaction| transaction.message.as_mut());
        let (Some(meta), Some(message)) = (meta, message) else { return info };
        to_plain(message, meta);
        match self {
            Self::Legacy => {}
            Self::V0 => {
                message.versioned = true;
                look_up(message, meta);
            }
            Self::V1 => {
                message.versioned = true;
                message.config = Some(TransactionConfig {
                    compute_unit_limit: Some(400_000),
                    loaded_accounts_data_size_limit: Some(1 << 20),
                    ..Default::default()
                });
            }
        }
        info
    }
}

/// With all addresses in the message. They stay in their order, so that every index says what it said.
fn to_plain(message: &mut Message, meta: &mut TransactionStatusMeta) {
    (message.versioned, message.config) = (false, None);
    message.address_table_lookups.clear();
    // A loaded address that can be written stands before all that cannot, as in a message; which of the message's own can is told
    // by counting from the end, and nobody here asks.
    message.account_keys.append(&mut meta.loaded_writable_addresses);
    message.account_keys.append(&mut meta.loaded_readonly_addresses);
}

/// Takes addresses from the end of the message that are only read and are not called from outside: they may come from a table.
fn look_up(message: &mut Message, meta: &mut TransactionStatusMeta) {
    let Some(header) = message.header.as_mut() else { return };
    let called: Vec<usize> = message.instructions.iter().map(|call| call.program_id_index as usize).collect();
    let mut taken = Vec::new();
    while header.num_readonly_unsigned_accounts > 0 && !called.contains(&(message.account_keys.len() - 1)) {
        let Some(key) = message.account_keys.pop() else { break };
        header.num_readonly_unsigned_accounts -= 1;
        taken.push(key);
    }
    if taken.is_empty() {
        return;
    }
    taken.reverse();
    let readonly_indexes = (0..taken.len()).map(|index| index as u8).collect();
    let lookup =
        MessageAddressTableLookup { account_key: vec![0xa1; 32], writable_indexes: Vec::new(), readonly_indexes };
    message.address_table_lookups.push(lookup);
    meta.loaded_readonly_addresses = taken;
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::V0 => "v0",
            Self::V1 => "v1",
        })
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|version| version.to_string() == text).ok_or(())
    }
}
