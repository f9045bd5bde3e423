//! Transactions that somebody else has built: read as they come over the wire, tried, sent, looked up.

use crate::{error, Chain, SdkError, Signature};
pub use solana_message::{v0, MessageHeader};
pub use solana_transaction::{versioned::VersionedTransaction, CompiledInstruction, Hash, Message, VersionedMessage};

use solana_client::rpc_config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig};
use solana_commitment_config::CommitmentConfig;

/// The longest that the network carries.
pub const MAX_BYTES: usize = 1_232;

/// `None` for what is no transaction, or not in the one way that it is written.
pub fn read(bytes: &[u8]) -> Option<VersionedTransaction> {
    let transaction: VersionedTransaction = wincode::deserialize(bytes).ok()?;
    let canonical = bytes.len() <= MAX_BYTES && write(&transaction) == bytes;
    (canonical && transaction.sanitize().is_ok()).then_some(transaction)
}

/// As it goes over the wire.
pub fn write(transaction: &VersionedTransaction) -> Vec<u8> {
    // Into memory nothing fails that `read` has read.
    wincode::serialize(transaction).unwrap_or_default()
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
    pub async fn rehearse(&self, transaction: &VersionedTransaction) -> Result<(), SdkError> {
        let config = RpcSimulateTransactionConfig {
            sig_verify: false,
            replace_recent_blockhash: false,
            commitment: Some(self.rpc().commitment()),
            ..Default::default()
        };
        let outcome = self.rpc().simulate_transaction_with_config(transaction, config).await?.value;
        let logs = outcome.logs.unwrap_or_default();
        outcome.err.map_or(Ok(()), |failed| Err(error::from_transaction(&failed.into(), logs)))
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
