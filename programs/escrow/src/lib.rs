//! Pays for work: a client locks a budget, a provider delivers, and the program pays, refunds and closes by the clock.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod groups;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod instructions;
pub mod math;
mod payout;
pub mod seat;
pub mod state;
mod token;

use anchor_lang::prelude::*;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
use instructions::*;

declare_id!("FcXuduhNVgQvcK6ni7nXbi6hcsUjiboVJXGTHF6ioF3g");

#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
#[program]
pub mod escrow {
    use super::*;

    // Where it says `inline(always)`, the compiler sees within the dispatch that no account was walked before, which saves 50 to
    // 150 units. Not everywhere: each makes the stack frame that all share larger.

    /// The client posts a job and locks its budget in a vault of its own.
    pub fn open(ctx: &mut Context<Open>, id: u64, terms: state::Terms) -> Result<()> {
        open::handler(ctx, id, terms)
    }

    /// A provider takes an open job for a price within the budget, and locks a part of its bond.
    pub fn accept(ctx: &mut Context<Accept>, price: u64) -> Result<()> {
        accept::handler(ctx, price)
    }

    /// A provider offers to do a job for a price; the offer binds.
    pub fn place_bid(ctx: &mut Context<PlaceBid>, price: u64) -> Result<()> {
        place_bid::handler(ctx, price)
    }

    /// The client gives its job to a bidder.
    pub fn pick_bid(ctx: &mut Context<PickBid>) -> Result<()> {
        pick_bid::handler(ctx)
    }

    /// Anyone gives a job to the cheapest bidder once bidding is over.
    pub fn award_bid(ctx: &mut Context<AwardBid>) -> Result<()> {
        award_bid::handler(ctx)
    }

    /// Anyone has a bid let go that did not win.
    pub fn withdraw_bid(ctx: &mut Context<WithdrawBid>) -> Result<()> {
        withdraw_bid::handler(ctx)
    }

    /// The provider of a job that is paid by the second says how many it has worked so far.
    pub fn report(ctx: &mut Context<Report>, seconds: u32, progress_hash: [u8; 32]) -> Result<()> {
        report::handler(ctx, seconds, progress_hash)
    }

    /// The client stops a job that is paid by the second, and pays what was reported: at most `seconds`.
    pub fn stop(ctx: &mut Context<Stop>, seconds: u32) -> Result<()> {
        stop::handler(ctx, seconds)
    }

    /// The provider delivers: the hash of its output.
    #[inline(always)]
    pub fn submit(ctx: &mut Context<Submit>, result_hash: &[u8; 32]) -> Result<()> {
        submit::handler(ctx, result_hash)
    }

    /// The client agrees to the result it names, and the provider is paid at once.
    pub fn approve(ctx: &mut Context<Approve>, result_hash: [u8; 32]) -> Result<()> {
        approve::handler(ctx, result_hash)
    }

    /// Anyone has a delivered job paid once its review window has passed.
    pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
        settle::handler(ctx)
    }

    /// The client takes back a job that nobody has accepted.
    pub fn cancel(ctx: &mut Context<Cancel>) -> Result<()> {
        cancel::handler(ctx)
    }

    /// Anyone has a job refunded that nobody accepted in time.
    pub fn expire(ctx: &mut Context<Expire>) -> Result<()> {
        expire::handler(ctx)
    }

    /// Anyone has a job refunded that was not delivered in time, and its provider slashed.
    pub fn fail(ctx: &mut Context<Fail>) -> Result<()> {
        fail::handler(ctx)
    }

    /// Anyone has paid what a settled or refunded job still owes.
    pub fn pay(ctx: &mut Context<Pay>) -> Result<()> {
        pay::handler(ctx)
    }

    /// Client, payout owner or challenger names another token account to be paid into.
    pub fn redirect(ctx: &mut Context<Redirect>) -> Result<()> {
        redirect::handler(ctx)
    }

    /// Anyone says that a delivered result is wrong, and stakes as much on it as the provider.
    #[inline(always)]
    pub fn challenge(ctx: &mut Context<Challenge>, counter_result: [u8; 32]) -> Result<()> {
        challenge::handler(ctx, counter_result)
    }

    /// Anyone seats a panel by lot.
    #[inline(always)]
    pub fn draw_panel(ctx: &mut Context<DrawPanel>) -> Result<()> {
        draw_panel::handler(ctx)
    }

    /// A provider votes under seal in a quorum, and locks a stake on it.
    pub fn commit_vote(ctx: &mut Context<CommitVote>, commitment: [u8; 32], stake: u64) -> Result<()> {
        commit_vote::handler(ctx, commitment, stake)
    }

    /// A member of a panel votes under seal.
    pub fn commit_seat(ctx: &mut Context<CommitSeat>, seat: u8, commitment: [u8; 32]) -> Result<()> {
        commit_seat::handler(ctx, seat, commitment)
    }

    /// Opens a vote's seal.
    pub fn reveal_vote(ctx: &mut Context<RevealVote>, output: [u8; 32], salt: [u8; 32]) -> Result<()> {
        reveal_vote::handler(ctx, output, salt)
    }

    /// Provider or challenger asks for a second, larger panel.
    pub fn appeal(ctx: &mut Context<Appeal>) -> Result<()> {
        appeal::handler(ctx)
    }

    /// Anyone has a dispute's verdict carried out.
    pub fn resolve(ctx: &mut Context<Resolve>) -> Result<()> {
        resolve::handler(ctx)
    }

    /// Anyone has a vote rewarded or slashed, and closed.
    #[inline(always)]
    pub fn close_vote(ctx: &mut Context<CloseVote>) -> Result<()> {
        close_vote::handler(ctx)
    }

    /// Anyone has a member slashed that was drawn and never voted.
    pub fn punish_absent(ctx: &mut Context<PunishAbsent>, member: u8) -> Result<()> {
        punish_absent::handler(ctx, member)
    }

    /// Anyone closes a dispute whose votes are closed.
    pub fn close_dispute(ctx: &mut Context<CloseDispute>) -> Result<()> {
        close_dispute::handler(ctx)
    }

    /// A resolver locks a stake to be drawn in the next epoch.
    pub fn enroll(ctx: &mut Context<Enroll>, epoch: u64, stake: u64) -> Result<()> {
        enroll::handler(ctx, epoch, stake)
    }

    /// Anyone closes a panel that no dispute can need any more.
    pub fn close_panel(ctx: &mut Context<ClosePanel>) -> Result<()> {
        close_panel::handler(ctx)
    }
}

joule_errors::entrypoint!(crate::error::EscrowError, joule_registry::error::RegistryError);
