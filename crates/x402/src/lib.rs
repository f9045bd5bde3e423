//! Paying for HTTP requests as x402 version 2 words it: what a gateway asks for, what a client sends, what it gets back.
//!
//! `wire` is the headers, `session` the client's side of one channel. The scheme is our own, `joule-channel`: the
//! specification's `batch-settlement` means the same by its words, but on Solana it names another program, and a client that
//! knows that one must not be misled. `exact` is the specification's own, for whoever pays one request without a channel.

mod base58;
pub mod exact;
mod proof;
pub mod session;
pub mod sse;
mod weight;
pub mod wire;

pub use base58::Base58;
pub use proof::Proof;
pub use session::{Objection, Session};
pub use weight::{shorten, text_bytes, Weight, END};
pub use wire::{decode, encode, BadHeader, Extra, Payload, PaymentPayload, PaymentRequired, Requirements, Resource};
pub use wire::{Accepted, Payment, Settlement, SettlementExtra, Signed, Terms};

/// Of a 402, what is wanted (`PaymentRequired`).
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// Of a request, what pays for it (`PaymentPayload`).
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
/// Of an answer, the receipt or why there is none (`Settlement`).
pub const PAYMENT_RESPONSE: &str = "payment-response";
/// What a stream's receipt begins with: a comment, which every reader of events passes over, before `data: [DONE]`.
pub const RECEIPT_COMMENT: &str = ": payment-response ";

pub const VERSION: u32 = 2;
pub const SCHEME: &str = "joule-channel";

/// CAIP-2 of a Solana cluster: the first 32 characters of its genesis hash.
pub fn network(genesis: &joule_voucher::Hash) -> String {
    let hash = bs58::encode(genesis).into_string();
    format!("solana:{}", &hash[..hash.len().min(32)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_named_as_caip_2_does() {
        let devnet = bs58::decode("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG").into_vec().unwrap();
        assert_eq!(network(&devnet.try_into().unwrap()), "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1");
    }
}
