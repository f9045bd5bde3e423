//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["protocol"]`: the one `Protocol`.
#[constant]
pub const PROTOCOL_SEED: &[u8] = b"protocol";
/// `["mint", mint]`: an `AcceptedMint`.
#[constant]
pub const MINT_SEED: &[u8] = b"mint";
/// `["fee_vault", mint]`: the token account that collects fees in one token.
#[constant]
pub const FEE_VAULT_SEED: &[u8] = b"fee_vault";

/// No service may ever charge more than a fifth.
#[constant]
pub const MAX_FEE_BPS: u16 = 2_000;
