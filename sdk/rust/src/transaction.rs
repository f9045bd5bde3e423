//! Transactions as they go over the wire: how long they are; what somebody else has built, read, tried, sent, looked up.

use crate::{error, v1, Chain, SdkError, Signature};
pub use solana_message::{v0, MessageHeader};
pub use solana_transaction::{versioned::VersionedTransaction, CompiledInstruction, Hash, Message, VersionedMessage};

use solana_client::rpc_config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig};
use solana_commitment_config::CommitmentConfig;
use solana_signature::SIGNATURE_BYTES;

/// The longest without a version, and of version 0. For version 1 see [`v1::MAX_BYTES`].
pub const MAX_BYTES: usize = 1_232;

/// For `maxSupportedTransactionVersion`, by whoever reads the chain: every version, later ones too. With a lower one a node
/// answers with an error for whatever a stranger has sent in a higher.
pub const ANY_VERSION: u8 = u8::MAX;

/// `None` for what is no transaction, or not in the one way that it is written.
pub fn read(bytes: &[u8]) -> Option<VersionedTransaction> {
    let transaction: VersionedTransaction = wincode::deserialize(bytes).ok()?;
    let most = match transaction.message {
        VersionedMessage::V1(_) => v1::MAX_BYTES,
        VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => MAX_BYTES,
    };
    let canonical = bytes.len() <= most && write(&transaction) == bytes;
    (canonical && transaction.sanitize().is_ok()).then_some(transaction)
}

/// As it goes over the wire.
pub fn write(transaction: &VersionedTransaction) -> Vec<u8> {
    // Into memory nothing fails that `read` has read.
    wincode::serialize(transaction).unwrap_or_default()
}

/// How many bytes a transaction has, once all have signed it.
pub fn len(message: &VersionedMessage) -> usize {
    let signatures = SIGNATURE_BYTES * usize::from(message.header().num_required_signatures);
    let count = match message {
        // The head of version 1 says how many there are.
        VersionedMessage::V1(_) => 0,
        // One byte, while there are less than 128.
        VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => 1,
    };
    count + signatures + message.serialize().len()
}

/// What a rehearsal has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub compute_units: u64,
    /// As [`v1::Limits`] count them.
    pub loaded_bytes: u32,
}

/// What a cluster says of a transaction.
#[derive(Debug)]
pub enum Fate {
    /// It may have expired, or not have arrived yet.
    Unknown,
    /// In a block that may still be dropped.
    Processed,
    Confirmed,
    /// It is in a block, and has moved nothing but its fee.
    Failed(SdkError),
}

impl Chain {
    /// Looks in the cluster's recent blocks: at least as far back as a blockhash is good.
    pub async fn fate(&self, signature: &Signature) -> Result<Fate, SdkError> {
        let statuses = self.rpc().get_signature_statuses(&[*signature]).await?.value;
        Ok(match statuses.into_iter().next().flatten() {
            None => Fate::Unknown,
            // On a fork that dies it may have gone the other way.
            Some(status) if !status.satisfies_commitment(CommitmentConfig::confirmed()) => Fate::Processed,
            Some(status) => match &status.err {
                Some(failed) => Fate::Failed(error::from_transaction(failed, Vec::new())),
                None => Fate::Confirmed,
            },
        })
    }

    /// What would come of it now, whether all have signed it or not: its own blockhash must still be good.
    pub async fn rehearse(&self, transaction: &VersionedTransaction) -> Result<Used, SdkError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: false,
            commitment: Some(self.rpc().commitment()),
            ..Default::default()
        };
        let outcome = self.rpc().simulate_transaction_with_config(transaction, config).await?.value;
        let logs = outcome.logs.unwrap_or_default();
        if let Some(failed) = outcome.err {
            return Err(error::from_transaction(&failed.into(), logs));
        }
        // A node that does not say leaves the largest there are.
        let most = v1::Limits::MOST;
        Ok(Used {
            compute_units: outcome.units_consumed.unwrap_or(most.compute_units.into()),
            loaded_bytes: outcome.loaded_accounts_data_size.unwrap_or(most.loaded_bytes),
        })
    }

    /// Hands it in, as it is; the node sends it again until its blockhash ends. Only `Program` and `Refused` mean that it went
    /// nowhere.
    pub async fn hand_in(&self, transaction: &VersionedTransaction) -> Result<(), SdkError> {
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(self.rpc().commitment().commitment),
            ..Default::default()
        };
        self.rpc().send_transaction_with_config(transaction, config).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction() -> VersionedTransaction {
        let message = Message {
            header: MessageHeader { num_required_signatures: 1, ..MessageHeader::default() },
            account_keys: vec![[1; 32].into(), [2; 32].into()],
            instructions: vec![CompiledInstruction { program_id_index: 1, accounts: vec![0], data: vec![7] }],
            ..Message::default()
        };
        VersionedTransaction { signatures: vec![Signature::default()], message: VersionedMessage::Legacy(message) }
    }

    #[test]
    fn a_transaction_is_read_as_it_was_written_and_in_no_other_way() {
        let bytes = write(&transaction());
        assert_eq!(read(&bytes), Some(transaction()));
        assert_eq!(read(&[&bytes[..], &[0]].concat()), None, "something behind it");
        assert_eq!(read(&bytes[..bytes.len() - 1]), None, "cut short");
        assert_eq!(read(&[&[0x81, 0x00], &bytes[1..]].concat()), None, "a length in more bytes than it needs");
        let mut wild = transaction();
        wild.signatures.push(Signature::default());
        assert_eq!(read(&write(&wild)), None, "more signatures than signers");
    }
}
