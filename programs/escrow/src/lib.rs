//! Pays for work: a client locks a budget, a provider delivers, and the program pays, refunds and closes by the clock.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
pub mod instructions;
mod payout;
pub mod state;
mod token;

use anchor_lang::prelude::*;
#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
use instructions::*;

declare_id!("FcXuduhNVgQvcK6ni7nXbi6hcsUjiboVJXGTHF6ioF3g");

#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
#[program]
pub mod escrow {
    use super::*;

    /// The client posts a job and locks its budget in a vault of its own.
    pub fn open(ctx: &mut Context<Open>, id: u64, terms: state::Terms) -> Result<()> {
        open::handler(ctx, id, terms)
    }

    /// A provider takes an open job for a price within the budget.
    pub fn accept(ctx: &mut Context<Accept>, price: u64) -> Result<()> {
        accept::handler(ctx, price)
    }

    /// The provider delivers: the hash of its output.
    pub fn submit(ctx: &mut Context<Submit>, result_hash: [u8; 32]) -> Result<()> {
        submit::handler(ctx, result_hash)
    }

    /// The client agrees to the result it names, and the provider is paid at once.
    pub fn approve(ctx: &mut Context<Approve>, result_hash: [u8; 32]) -> Result<()> {
        approve::handler(ctx, result_hash)
    }

    /// Anyone has a delivered job paid once its review window has passed, or what a settled job still owes.
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        settle::handler(ctx)
    }

    /// The client takes back a job that nobody has accepted.
    pub fn cancel(ctx: &mut Context<Cancel>) -> Result<()> {
        cancel::handler(ctx)
    }

    /// Anyone has a job refunded that was not accepted or not delivered in time, or what a refunded job still owes.
    pub fn expire(ctx: &mut Context<Expire>) -> Result<()> {
        expire::handler(ctx)
    }

    /// Client or payout owner names another token account to be paid into.
    pub fn redirect(ctx: &mut Context<Redirect>) -> Result<()> {
        redirect::handler(ctx)
    }
}
