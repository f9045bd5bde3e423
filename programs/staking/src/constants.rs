//! Seeds and limits.

use anchor_lang::prelude::*;

/// `["pool", mint]`: a `Pool`.
#[constant]
pub const POOL_SEED: &[u8] = b"pool";
/// `["pool_vault", pool]`: the token account that holds a pool's stakes and rewards; its authority is the pool.
#[constant]
pub const POOL_VAULT_SEED: &[u8] = b"pool_vault";
/// `["stake", pool, owner]`: a `Stake`.
#[constant]
pub const STAKE_SEED: &[u8] = b"stake";
/// `["service", number (u8)]`: a `Service`.
#[constant]
pub const SERVICE_SEED: &[u8] = b"service";
/// `["claims"]` of a service's program: the address that signs for its claims.
#[constant]
pub const CLAIM_SIGNER_SEED: &[u8] = b"claims";
/// `["bond", owner, mint]`: a `Bond`.
#[constant]
pub const BOND_SEED: &[u8] = b"bond";
/// `["bond_vault", bond]`: the token account that holds a bond's money; its authority is the bond.
#[constant]
pub const BOND_VAULT_SEED: &[u8] = b"bond_vault";
/// `["claim", signer, subject]`: a `Claim`.
#[constant]
pub const CLAIM_SEED: &[u8] = b"claim";

/// Seconds of a day.
pub const DAY: u32 = 24 * 60 * 60;
/// No lock is longer than four years, in seconds, whatever a pool says.
#[constant]
pub const MAX_LOCK: u32 = 4 * 365 * DAY;
/// No pool keeps an unstaked amount longer than 90 days, in seconds.
#[constant]
pub const MAX_COOL_DOWN: u32 = 90 * DAY;
/// A pool drips its rewards over a day at least and 90 days at most, in seconds.
#[constant]
pub const MIN_DRIP: u32 = DAY;
#[constant]
pub const MAX_DRIP: u32 = 90 * DAY;
/// No tier takes more than half of a fee off, in basis points.
#[constant]
pub const MAX_DISCOUNT_BPS: u16 = 5_000;
/// A stake earns its owner discounts while it stays locked for at least seven days more, in seconds.
#[constant]
pub const DISCOUNT_LOCK: u32 = 7 * DAY;
/// A stake locked for as long as its pool allows weighs this many times its amount.
#[constant]
pub const MAX_MULTIPLIER: u64 = 4;

/// Seconds from asking for a bond's money to having it: long enough for every claim that is about to be made.
#[constant]
pub const UNBOND_DELAY: u32 = 7 * DAY;
/// Seconds from admitting a service to its being in force: longer than an unbonding takes, so that whoever does not like it is gone.
#[constant]
pub const ADMISSION_DELAY: u32 = 10 * DAY;
/// What is admitted on the protocol's first day, in seconds, is in force at once: nobody has a bond yet.
#[constant]
pub const FIRST_DAY: u32 = DAY;
const _: () = assert!(ADMISSION_DELAY > UNBOND_DELAY);
/// No claim is made for longer than 400 days, in seconds: whoever falls silent, a bond is free again.
#[constant]
pub const MAX_CLAIM: u32 = 400 * DAY;
/// What a bond has kept and failed counts half after 90 days, in seconds.
#[constant]
pub const HALF_LIFE: u32 = 90 * DAY;
