//! Fees: how high they are, whose they are, and how fast they may leave.

use crate::{cast::Token, chain};
use joule_sdk::{
    pda,
    treasury::{
        constants::{FEE_DELAY, MAX_PAUSE},
        state::{AcceptedMint, Protocol},
    },
    Pubkey,
};
use litesvm::LiteSVM;

/// Outflows that are remembered.
const REMEMBERED: usize = 256;

/// Services that are played with, by their numbers.
pub const ESCROW: usize = 0;
pub const BILLING: usize = 1;
pub const SERVICES: usize = 2;

/// What the protocol's authority has decided.
#[derive(Clone, Copy)]
pub struct Governed {
    pub authority: Pubkey,
    pub services: [Decided; SERVICES],
}

/// About one service.
#[derive(Clone, Copy)]
pub struct Decided {
    /// Basis points.
    pub fee_bps: u16,
    /// The fee that is to follow, and when it can be applied at the earliest, in Unix seconds.
    pub staged: Option<(u16, i64)>,
    /// Unix seconds.
    pub paused_until: i64,
}

impl Governed {
    pub fn new(svm: &LiteSVM, authority: Pubkey) -> Self {
        let protocol: Protocol = chain::read(svm, &pda::protocol()).expect("a protocol");
        let decided =
            |service: usize| Decided { fee_bps: protocol.fee_bps[service].get(), staged: None, paused_until: 0 };
        Self { authority, services: [decided(ESCROW), decided(BILLING)] }
    }

    /// A service that is played with.
    pub fn service(&mut self, number: u8) -> Option<&mut Decided> {
        self.services.get_mut(number as usize)
    }
}

impl Decided {
    pub fn stage(&mut self, fee_bps: u16, now: i64) {
        self.staged = Some((fee_bps, now + FEE_DELAY as i64));
    }

    pub fn pause(&mut self, now: i64) {
        self.paused_until = now + MAX_PAUSE as i64;
    }
}

/// A fee vault. Amounts in base units.
#[derive(Clone)]
pub struct Fees {
    pub vault: Pubkey,
    pub accepted: Pubkey,
    /// What the vault holds.
    pub balance: u128,
    /// The treasury's part and the stakers', as far as they have been told apart.
    pub kept: u128,
    pub owed: u128,
    /// The stakers' share, in basis points.
    pub share_bps: u16,
    /// What was divided under the present share, and how much of it went to the stakers.
    divided: u128,
    to_stakers: u128,
    /// The breaker: base units, seconds.
    pub limit: u64,
    pub window: u32,
    /// What has left under the present breaker, and when.
    outflows: Vec<(i64, u64)>,
}

impl Fees {
    pub fn new(svm: &LiteSVM, token: &Token) -> Self {
        let accepted: AcceptedMint = chain::read(svm, &token.accepted).expect("an accepted mint");
        Self {
            vault: token.fee_vault,
            accepted: token.accepted,
            balance: chain::purse(svm, &token.fee_vault).expect("a fee vault").amount as u128,
            kept: accepted.kept.get() as u128,
            owed: accepted.owed_rewards.get() as u128,
            share_bps: accepted.reward_bps.get(),
            divided: 0,
            to_stakers: 0,
            limit: accepted.outflow_limit.get(),
            window: accepted.outflow_window.get(),
            outflows: Vec::new(),
        }
    }

    /// Tells apart what has come in: of all that came in under one share, `floor(all * share / 10_000)` is the stakers',
    /// however often it was divided.
    pub fn divide(&mut self) {
        let new = self.balance - self.kept - self.owed;
        self.divided += new;
        let to_stakers = self.divided * self.share_bps as u128 / 10_000;
        self.owed += to_stakers - self.to_stakers;
        self.kept += new - (to_stakers - self.to_stakers);
        self.to_stakers = to_stakers;
    }

    pub fn set_share(&mut self, share_bps: u16) {
        if share_bps != self.share_bps {
            (self.share_bps, self.divided, self.to_stakers) = (share_bps, 0, 0);
        }
    }

    pub fn set_breaker(&mut self, limit: u64, window: u32) {
        (self.limit, self.window) = (limit, window);
        self.outflows.clear();
    }

    /// Counts what leaves. False when within some time `t` more than `limit * (1 + t / window)` has left.
    #[must_use]
    pub fn spend(&mut self, amount: u64, now: i64) -> bool {
        if self.outflows.len() == REMEMBERED {
            self.outflows.remove(0);
        }
        self.outflows.push((now, amount));
        let (limit, window) = (self.limit as u128, self.window as u128);
        let mut sum = 0;
        self.outflows.iter().rev().all(|(then, amount)| {
            sum += *amount as u128;
            sum * window <= limit * (window + (now - then) as u128)
        })
    }
}
