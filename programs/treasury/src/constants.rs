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
/// A fee moves by at most one percentage point at a time.
#[constant]
pub const MAX_FEE_STEP_BPS: u16 = 100;
/// Seconds from staging a fee until it can be applied.
#[constant]
pub const FEE_DELAY: u32 = 2 * DAY;

/// Seconds after which a paused service is open again by itself.
#[constant]
pub const MAX_PAUSE: u32 = 7 * DAY;
/// Seconds from the end of a pause until the service can be paused again.
#[constant]
pub const PAUSE_GAP: u32 = 7 * DAY;

/// The shortest window of a breaker, in seconds.
#[constant]
pub const MIN_BREAKER_WINDOW: u32 = 60 * 60;
/// The longest window of a breaker, in seconds.
#[constant]
pub const MAX_BREAKER_WINDOW: u32 = 30 * DAY;
/// Seconds from staging a looser breaker until it can be applied.
#[constant]
pub const BREAKER_DELAY: u32 = 2 * DAY;

const DAY: u32 = 24 * 60 * 60;
