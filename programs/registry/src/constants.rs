//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["provider", authority]`: a `Provider`.
#[constant]
pub const PROVIDER_SEED: &[u8] = b"provider";
