//! What convicts a provider, as a file that whoever has caught it hands to whoever brings it on chain. docs/wire.md has the format.

use crate::{Base58, Signed};
use joule_voucher::{Receipt, Voucher};
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// Signatures are for whoever uses it to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    version: u32,
    /// CAIP-2.
    pub network: String,
    pub channel: Base58,
    /// From number 1 on, without a gap: one of them asks for too much, unless there is `other`.
    pub receipts: Vec<Signed<Receipt>>,
    /// Another one with a number that stands in `receipts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Signed<Receipt>>,
    /// Pays for all receipts, and whoever has it can settle it; `None` when there is nothing to pay for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Signed<Voucher>>,
}

impl Proof {
    pub fn new(network: String, channel: Base58, receipts: Vec<Signed<Receipt>>) -> Self {
        Self { version: VERSION, network, channel, receipts, other: None, voucher: None }
    }

    /// What is wrong with the file otherwise, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let proof: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if proof.version != VERSION {
            return Err(format!("it is of version {}, and not of {VERSION}", proof.version));
        }
        let numbers = proof.receipts.iter().map(|signed| signed.message.sequence.get());
        match numbers.zip(1..).find(|(found, wanted)| found != wanted) {
            Some((found, wanted)) => Err(format!("receipt {found} stands where {wanted} should be")),
            None => Ok(proof),
        }
    }

    pub fn text(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string_pretty(self).map_or_else(|error| error.to_string(), |text| text + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_anything_else_is_refused_in_words() {
        let proof = Proof::new("solana:x".into(), Base58([4; 32]), Vec::new());
        assert_eq!(Proof::read(&proof.text()), Ok(proof.clone()));
        let refused = |from: &str, to: &str| Proof::read(&proof.text().replace(from, to)).unwrap_err();
        assert_eq!(refused("\"version\": 1", "\"version\": 2"), "it is of version 2, and not of 1");
        assert!(refused("receipts", "receits").contains("unknown field"));
        assert!(refused("[]", "[\"AAAA\"]").contains("3 bytes are not the"));
    }
}
