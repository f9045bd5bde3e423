//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["client", client]`: a `Client`.
#[constant]
pub const CLIENT_SEED: &[u8] = b"client";
/// `["job", client, id (u64, little endian)]`: a `Job`.
#[constant]
pub const JOB_SEED: &[u8] = b"job";
/// `["vault", job]`: the token account that holds a job's money; its authority is the job.
#[constant]
pub const VAULT_SEED: &[u8] = b"vault";

/// No window is longer than 90 days, in seconds: whoever falls silent, a job is settled or refunded within the sum of them.
#[constant]
pub const MAX_WINDOW: u32 = 90 * 24 * 60 * 60;
