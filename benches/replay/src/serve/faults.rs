//! What goes wrong with a server, as a seed has it: streams that break off, hang or come in disorder, refusals, a short memory, and RPC
//! that fails.

use crate::scale::random::Random;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicU32, Ordering},
        Mutex, PoisonError,
    },
    time::Duration,
};
use tonic::Status;

/// What a server does wrong. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Slots before the newest one that can still be asked for.
    pub kept_slots: Option<u64>,
    /// Whether it says so to whoever asks first.
    pub tells_kept: bool,
    /// Faults of connections there are at most.
    pub connections: u32,
    /// Updates that a connection that breaks lives for, at most.
    pub lives: u64,
    /// Of updates: those that come a second time, whatever has become of their bank, and those that come later within their bank.
    pub repeated: f64,
    pub held: f64,
    /// Of answers by RPC: errors; and of those there are at most so many.
    pub rpc: f64,
    pub rpc_errors: u32,
}

/// How an RPC answer goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RpcFault {
    /// No answer of JSON-RPC, but this status of HTTP.
    Http(u16),
    Error(i64, &'static str),
    Slow(Duration),
    /// A list leaves one out.
    Hole,
}

/// What becomes of a connection.
#[derive(Debug, Default)]
pub struct Fate {
    /// After so many updates.
    pub end: Option<(u64, End)>,
    pub stall: Option<(u64, Duration)>,
    pub disorder: Option<Disorder>,
}

#[derive(Debug, Clone)]
pub enum End {
    Broken(Status),
    /// As if all had been said.
    Ended,
    /// It stays, and says nothing more, not even pings.
    Hangs,
}

impl End {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Broken(_) => "cut",
            Self::Ended => "ended",
            Self::Hangs => "hung",
        }
    }
}

/// What comes of a question to follow.
#[derive(Debug)]
pub enum Opening {
    Follow(Fate),
    /// Instead of a stream, or as its first word.
    Refused {
        status: Status,
        at_once: bool,
    },
    /// No answer.
    Hangs,
}

pub struct Faults {
    plan: Plan,
    random: Mutex<Random>,
    connections: AtomicU32,
    rpc_errors: AtomicU32,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Faults {
    pub fn new(plan: Plan, seed: u64) -> Self {
        Self {
            plan,
            random: Mutex::new(Random::new(seed)),
            connections: AtomicU32::new(plan.connections),
            rpc_errors: AtomicU32::new(plan.rpc_errors),
            counts: Mutex::default(),
        }
    }

    pub fn kept_slots(&self) -> Option<u64> {
        self.plan.kept_slots
    }

    pub fn tells_kept(&self) -> bool {
        self.plan.tells_kept
    }

    pub fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// What has gone wrong so far.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn opening(&self) -> Opening {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let Plan { lives, repeated, held, .. } = self.plan;
        let disorder = Some(Disorder::new(repeated, held, Random::new(random.draw())));
        if !take(&self.connections) {
            return Opening::Follow(Fate { end: None, stall: None, disorder });
        }
        // Most live for a while, some for a moment.
        let least = if random.chance(0.2) { 1 } else { lives / 8 };
        let after = least + random.below(lives);
        let stall = Duration::from_millis(50 + random.below(700));
        let end = |status| Some((after, End::Broken(status)));
        let (end, stall) = match random.below(12) {
            0 => return Opening::Refused { status: Status::unavailable("the server starts"), at_once: true },
            1 => {
                let status = Status::internal("failed to get replay response");
                return Opening::Refused { status, at_once: random.chance(0.5) };
            }
            2 => {
                let status = Status::resource_exhausted("too many subscriptions");
                return Opening::Refused { status, at_once: random.chance(0.5) };
            }
            3 if random.chance(0.1) => return Opening::Hangs,
            4 => (Some((after, End::Hangs)), None),
            5 => (Some((after, End::Ended)), None),
            6 => (None, Some((after, stall))),
            7 => (end(Status::data_loss("lagged")), None),
            8 => (end(Status::internal("h2 protocol error: error reading a body from connection")), None),
            9 => (end(Status::cancelled("the server stops")), None),
            _ => (end(Status::unavailable("the server stops")), Some((after / 2, stall))),
        };
        Opening::Follow(Fate { end, stall, disorder })
    }

    pub fn rpc(&self) -> Option<RpcFault> {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        if !random.chance(self.plan.rpc) || !take(&self.rpc_errors) {
            return None;
        }
        self.count("rpc_faults");
        Some(match random.below(8) {
            0 => RpcFault::Http(503),
            1 => RpcFault::Http(429),
            2 => RpcFault::Error(-32_005, "Node is behind by 151 slots"),
            3 => RpcFault::Error(-32_603, "Internal error"),
            4 => RpcFault::Error(-32_016, "Minimum context slot has not been reached"),
            5 => RpcFault::Hole,
            _ => RpcFault::Slow(Duration::from_millis(20 + random.below(400))),
        })
    }
}

fn take(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// A slot and the number of one attempt at it.
pub type Bank = (u64, u64);

/// Updates of one connection in another order than the file has, and some of them again.
#[derive(Debug)]
pub struct Disorder<T = Bytes> {
    repeated: f64,
    held: f64,
    random: Random,
    place: u64,
    /// By the place at which they come, with their bank.
    later: BTreeMap<(u64, u64), (Option<Bank>, T)>,
}

/// Places that something may come later.
const HELD: u64 = 12;
const REPEATED: u64 = 400;

impl<T: Clone> Disorder<T> {
    pub fn new(repeated: f64, held: f64, random: Random) -> Self {
        Self { repeated, held, random, place: 0, later: BTreeMap::new() }
    }

    /// What comes at this place, in order. `content` is the bank of an update that is part of one, and `seals` the slot of anything
    /// else: what is held of it comes first.
    pub fn next(&mut self, update: T, content: Option<Bank>, seals: Option<u64>) -> Vec<T> {
        self.place += 1;
        let mut out = Vec::new();
        let is_due = |at: u64, bank: &Option<Bank>| {
            at <= self.place || seals.is_some_and(|slot| bank.is_some_and(|(held, _)| held == slot))
        };
        let due: Vec<(u64, u64)> =
            self.later.iter().filter(|((at, _), (bank, _))| is_due(*at, bank)).map(|(key, _)| *key).collect();
        out.extend(due.iter().filter_map(|key| self.later.remove(key)).map(|(_, update)| update));
        let key = self.place << 1;
        if self.random.chance(self.repeated) {
            let at = self.place + 1 + self.random.below(REPEATED);
            self.later.insert((at, key | 1), (None, update.clone()));
        }
        match content {
            Some(bank) if self.random.chance(self.held) => {
                let at = self.place + 1 + self.random.below(HELD);
                self.later.insert((at, key), (Some(bank), update));
            }
            _ => out.push(update),
        }
        out
    }

    /// What has not come yet.
    pub fn rest(&mut self) -> Vec<T> {
        std::mem::take(&mut self.later).into_values().map(|(_, update)| update).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_before_its_bank_is_sealed_and_everything_comes() {
        let mut disorder = Disorder::new(0.0, 0.9, Random::new(1));
        let mut out = Vec::new();
        for number in 0..10 {
            out.extend(disorder.next(number, Some((7, 1)), None));
        }
        out.extend(disorder.next(10, None, Some(7)));
        assert_eq!(out.last(), Some(&10));
        assert_ne!(out, (0..=10).collect::<Vec<_>>());
        out.sort_unstable();
        assert_eq!(out, (0..=10).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_repeated_comes_twice() {
        let mut disorder = Disorder::new(1.0, 0.0, Random::new(1));
        let mut out: Vec<usize> = (0..100).flat_map(|number| disorder.next(number, None, None)).collect();
        out.extend(disorder.rest());
        assert_eq!((0..100).filter(|number| out.iter().filter(|out| *out == number).count() == 2).count(), 100);
    }

    #[test]
    fn faults_end() {
        let plan = Plan {
            kept_slots: None,
            tells_kept: true,
            connections: 5,
            lives: 100,
            repeated: 0.0,
            held: 0.0,
            rpc: 1.0,
            rpc_errors: 3,
        };
        let faults = Faults::new(plan, 1);
        assert_eq!(std::iter::repeat_with(|| faults.rpc()).take(10).flatten().count(), 3);
        let calm = |opening| matches!(opening, Opening::Follow(Fate { end: None, stall: None, .. }));
        assert!(std::iter::repeat_with(|| faults.opening()).take(10).skip(5).all(calm));
    }
}
