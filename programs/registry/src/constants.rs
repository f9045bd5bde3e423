//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["provider", authority]`: a `Provider`.
#[constant]
pub const PROVIDER_SEED: &[u8] = b"provider";
/// `["attestor", authority]`: an `Attestor`.
#[constant]
pub const ATTESTOR_SEED: &[u8] = b"attestor";
/// `["attestations", subject]`: the `Attestations` about one subject.
#[constant]
pub const ATTESTATIONS_SEED: &[u8] = b"attestations";
/// `["requirements", client, hash]`: `Requirements`.
#[constant]
pub const REQUIREMENTS_SEED: &[u8] = b"requirements";
/// `["model", creator, id (u64, little endian)]`: a `Model`.
#[constant]
pub const MODEL_SEED: &[u8] = b"model";
/// `["prices", model, version (u32, little endian)]`: a `PriceList`.
#[constant]
pub const PRICES_SEED: &[u8] = b"prices";

/// No credential is good for longer than 2 years, in seconds.
#[constant]
pub const MAX_VALIDITY: u32 = 2 * 365 * 24 * 60 * 60;
/// A credential that has ended is kept for 100 days, in seconds: whoever held it when a dispute opened may vote, and no dispute
/// takes votes for longer.
#[constant]
pub const EVIDENCE: u32 = 100 * 24 * 60 * 60;
/// Requirements stay for 300 days after they were retired, in seconds: longer than any job that names them can need them.
#[constant]
pub const REQUIREMENTS_NOTICE: u32 = 300 * 24 * 60 * 60;
/// How many of a subject's places one attestor may hold, so that no single one keeps the others out.
#[constant]
pub const MAX_PER_ATTESTOR: u8 = 4;

/// A model derives from at most four others, one through another.
#[constant]
pub const MAX_DEPTH: u8 = 4;
/// Places for shares in a price list.
pub const MAX_SHARES: usize = 6;
/// What a price list's shares take together at most, in basis points: the rest is for whoever runs the model.
#[constant]
pub const MAX_SHARE_BPS: u16 = 8_000;
