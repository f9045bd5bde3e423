//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["cluster"]`: the one `Cluster`.
#[constant]
pub const CLUSTER_SEED: &[u8] = b"cluster";
/// `["payer", owner, mint]`: a `Payer`.
#[constant]
pub const PAYER_SEED: &[u8] = b"payer";
/// `["vault", payer]`: the token account that holds a payer's money; its authority is the payer.
#[constant]
pub const VAULT_SEED: &[u8] = b"vault";
/// `["channel", payer, number (u64, little endian)]`: a `Channel`.
#[constant]
pub const CHANNEL_SEED: &[u8] = b"channel";
/// `["plan", channel]`: a `Plan`.
#[constant]
pub const PLAN_SEED: &[u8] = b"plan";

/// Parties that a price list can name.
pub const MAX_SHARES: usize = 6;
/// Where in `Channel::owed` the protocol stands, after the shares of the price list.
pub const PROTOCOL: usize = MAX_SHARES;
/// Where in `Channel::owed` the provider stands.
pub const PROVIDER: usize = MAX_SHARES + 1;

/// How long a bill can be disputed after it was backed or its channel closed, in seconds: a provider's share is behind a
/// claim on its bond, or not paid, for that long.
#[constant]
pub const DISPUTE_PERIOD: u32 = 3 * DAY;
/// A provider has between a minute and 30 days to bring its newest voucher after the payer wants to close, in seconds.
#[constant]
pub const MIN_GRACE: u32 = 60;
#[constant]
pub const MAX_GRACE: u32 = 30 * DAY;
/// A provider locks at most five times what it collects, in basis points.
#[constant]
pub const MAX_BACKING_BPS: u16 = 50_000;
/// A plan's notice is at most 90 days, in seconds.
#[constant]
pub const MAX_PERIOD: u32 = 90 * DAY;

/// Seconds.
const DAY: u32 = 24 * 60 * 60;
