//! Signing messages, and checking signatures as the chain does.
//!
//! The ed25519 precompile calls `verify_strict` of ed25519-dalek 1.0.1. We call that of 2.2, which takes a subset: it also
//! compares the encoding of R, where 1.0.1 compares points. Both refuse keys and Rs of small order and an S that is not
//! reduced, and take the equation without the cofactor. Plain `verify`, and batches, take signatures that the chain refuses.

use crate::{Format, Key, Limits, Refusal, Voucher};
pub use ed25519_dalek::SigningKey;
use ed25519_dalek::{Signer, VerifyingKey};
use joule_units::UnixTime;

pub type Signature = [u8; 64];

pub fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    key.sign(message).to_bytes()
}

/// The message was not signed with this key, or not in the one way that the chain accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSignature;

impl core::fmt::Display for BadSignature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the signature is not this key's on this message")
    }
}

impl std::error::Error for BadSignature {}

/// A key to check with, made ready once: that saves about a seventh of each check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier(VerifyingKey);

impl Verifier {
    /// `None` for a key with which no signature is good: not on the curve, or of small order.
    pub fn new(key: &Key) -> Option<Self> {
        VerifyingKey::from_bytes(key).ok().filter(|key| !key.is_weak()).map(Self)
    }

    pub fn key(&self) -> &Key {
        self.0.as_bytes()
    }

    /// What passes here passes on chain.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).map_err(|_| BadSignature)
    }

    /// A voucher as it arrives: all that the chain will ask of it at `now`. The signature, which takes nearly all the time,
    /// comes last.
    pub fn voucher<'a>(
        &self,
        limits: &Limits,
        bytes: &'a [u8],
        signature: &Signature,
        now: UnixTime,
    ) -> Result<&'a Voucher, Refusal> {
        let voucher = Voucher::from_bytes(bytes).ok_or(Refusal::NotAVoucher)?;
        limits.check(voucher, now)?;
        self.verify(bytes, signature).map_err(|_| Refusal::BadSignature)?;
        Ok(voucher)
    }
}
