//! Seats a panel by lot; anyone may see to it.
//!
//! The lot is the hash of a slot that had not begun when the dispute did, or the first one after it if its leader made no
//! block. Only the leaders of those slots can bend it: one that leaves its block out gives up the block's fees and
//! rewards, and gets one more throw for it. If nobody draws while the cluster still remembers the slot, a later one is chosen;
//! an attacker gets that throw only if for 512 slots nobody at all sends this instruction.

use crate::{
    constants::DRAW_DELAY,
    error::EscrowError,
    event::PanelDrawn,
    state::{is_zero, tickets, Dispute, DisputeStatus, Job, Panel},
};
use anchor_lang::prelude::*;
use joule_events::emit_event;
use joule_units::UnixTime;
use pinocchio::sysvars::slot_hashes::{SlotHashEntry, SlotHashes, SLOTHASHES_ID};

/// Nobody needs to sign: the lot decides.
#[event_cpi]
#[derive(Accounts)]
pub struct DrawPanel {
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    /// Keeps account of what stands behind which seats.
    #[account(mut, address = dispute.panel @ EscrowError::WrongPanel)]
    pub panel: Account<Panel>,
    #[account(address = SLOTHASHES_ID)]
    pub slot_hashes: UncheckedAccount,
}

/// The hash of the first slot from `wanted` on that has one; newest come first. `None` when it is not known any more.
///
/// Called and not inlined: it has all of the VM's few registers to itself then.
#[inline(never)]
fn first_since(entries: &[SlotHashEntry], wanted: u64) -> Result<Option<&[u8; 32]>> {
    // Whoever draws does so soon, so that the slot is near the front: steps are doubled until they pass it.
    let mut end = 1;
    while end < entries.len() && entries[end - 1].slot() >= wanted {
        end *= 2;
    }
    let (passed, end) = (end / 2, end.min(entries.len()));
    let later = passed + entries[passed..end].partition_point(|entry| entry.slot() >= wanted);
    require!(later > 0, EscrowError::SlotNotReached);
    let is_forgotten = later == entries.len() && entries[later - 1].slot() > wanted;
    Ok((!is_forgotten).then(|| &entries[later - 1].hash))
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DrawPanel>) -> Result<()> {
    let clock = Clock::get()?;
    ctx.accounts.dispute.require(DisputeStatus::Drawing)?;
    let now = UnixTime::new(clock.unix_timestamp);
    let mut hash = ctx.accounts.dispute.lot;
    if is_zero(&hash) {
        let data = ctx.accounts.slot_hashes.account().try_borrow()?;
        // SAFETY: the account's address is that of the sysvar, which the runtime writes.
        let hashes = unsafe { SlotHashes::new_unchecked(data) };
        let Some(found) = first_since(hashes.entries(), ctx.accounts.dispute.draw_slot.get())? else {
            let slot = clock.slot.checked_add(DRAW_DELAY).ok_or(EscrowError::Overflow)?;
            return ctx.accounts.dispute.aim(slot, now);
        };
        hash = *found;
    }
    let accounts = &mut ctx.accounts;
    let tickets = tickets(&hash, accounts.dispute.address(), accounts.dispute.round);
    if !accounts.dispute.draw(&accounts.job, &mut accounts.panel, now, tickets)? {
        return accounts.dispute.pin(hash);
    }
    let dispute = &ctx.accounts.dispute;
    emit_event!(
        ctx,
        PanelDrawn {
            job: dispute.job,
            dispute: *dispute.address(),
            hash,
            commit_by: dispute.commit_by,
            reveal_by: dispute.reveal_by,
            final_at: dispute.final_at,
            round: dispute.round,
            drawn: dispute.drawn,
        }
    );
    Ok(())
}
