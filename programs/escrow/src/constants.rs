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
/// `["bid", job, provider]`: a `Bid`.
#[constant]
pub const BID_SEED: &[u8] = b"bid";
/// `["dispute", job]`: a `Dispute`.
#[constant]
pub const DISPUTE_SEED: &[u8] = b"dispute";
/// `["vote", dispute, round (u8), juror]`: a `Vote`.
#[constant]
pub const VOTE_SEED: &[u8] = b"vote";
/// `["panel", mint, epoch (u64, little endian)]`: a `Panel`.
#[constant]
pub const PANEL_SEED: &[u8] = b"panel";
/// SHA-256 of `"seat"`, panel and resolver is what a resolver's claim is made for.
#[constant]
pub const SEAT_SEED: &[u8] = b"seat";

/// No window is longer than 90 days, in seconds: whoever falls silent, a job is settled or refunded within the sum of them.
#[constant]
pub const MAX_WINDOW: u32 = 90 * 24 * 60 * 60;
/// No step of a dispute is longer than a day, in seconds; a dispute has at most eight.
#[constant]
pub const MAX_VOTE_WINDOW: u32 = 24 * 60 * 60;
/// No step of a panel's dispute is shorter than an hour, in seconds: its members did not ask for this job, and have to find it,
/// run it and answer.
#[constant]
pub const MIN_PANEL_WINDOW: u32 = 60 * 60;
/// A bond outlives the last moment at which it can be needed by 30 days, in seconds: that long, somebody may be late.
#[constant]
pub const LATE: u32 = 30 * 24 * 60 * 60;

/// What a provider locks is between a tenth of the budget and five times its price.
#[constant]
pub const MIN_BOND_BPS: u16 = 1_000;
#[constant]
pub const MAX_BOND_BPS: u16 = 50_000;
/// The jurors' part of what the loser of a dispute forfeits.
#[constant]
pub const JUROR_BPS: u16 = 2_000;
/// What a vote that was opened and was not right loses of what stood behind it; one that was never opened loses all. Anybody can stage
/// a dispute and by chance have most of its seats: what others lose by that is not much more than what it costs.
#[constant]
pub const DISSENT_BPS: u16 = 2_000;
/// The treasury's part of what a wrong challenger forfeits, the jurors' aside: to be wrong against oneself is not free.
#[constant]
pub const STAGED_BPS: u16 = 5_000;
/// What whoever appeals from a round that decided nothing loses of its deposit, to the treasury, if the second one decides nothing either:
/// a second lot is not free.
#[constant]
pub const SECOND_LOT_BPS: u16 = 1_000;

/// A first panel has at most seven members, and a quorum is at most seven.
#[constant]
pub const MAX_JURORS: u8 = 7;
/// The panel of an appeal has twice as many members and one more.
pub const APPEAL_JURORS: usize = 2 * MAX_JURORS as usize + 1;
/// An appeal's deposit is this many times the challenger's.
#[constant]
pub const APPEAL_MULTIPLE: u64 = 2;
/// A panel is fixed for seven days, in seconds.
#[constant]
pub const PANEL_EPOCH: i64 = 7 * 24 * 60 * 60;
/// Resolvers enrolled for one epoch.
pub const MAX_RESOLVERS: usize = 128;
/// Outputs beside the delivered one and the challenger's that a round counts one by one; a panel has no more seats.
pub const MAX_THIRDS: usize = APPEAL_JURORS;
/// While a member that the lot has fallen on is busy with other disputes, a panel waits for it, for seven days at most, in seconds.
#[constant]
pub const PATIENCE: u32 = 7 * 24 * 60 * 60;
/// A panel is drawn by the hash of a slot this many slots after the dispute began.
#[constant]
pub const DRAW_DELAY: u64 = 16;

// Both panels of a dispute may be waited for and leave time for whoever is late.
const _: () = assert!(2 * PATIENCE < LATE);
// The registry keeps what votes depend on for as long as they are taken: a quorum's until the review window ends or for a step, and
// requirements for as long as a job may live before.
const _: () = assert!(joule_registry::constants::EVIDENCE >= MAX_WINDOW + MAX_VOTE_WINDOW);
const _: () = assert!(joule_registry::constants::REQUIREMENTS_NOTICE >= 3 * MAX_WINDOW + 2 * MAX_VOTE_WINDOW);
