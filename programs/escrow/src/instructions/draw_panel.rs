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
    state::{Dispute, DisputeStatus, Job, Panel},
};
use anchor_lang::{hash::sha256, prelude::*};
use joule_events::emit_event;
use joule_units::UnixTime;
use pinocchio::sysvars::slot_hashes::{SlotHashes, SLOTHASHES_ID};

/// Nobody needs to sign: the lot decides.
#[event_cpi]
#[derive(Accounts)]
pub struct DrawPanel {
    #[account(address = dispute.job @ EscrowError::WrongDispute)]
    pub job: Account<Job>,
    #[account(mut)]
    pub dispute: Account<Dispute>,
    #[account(address = dispute.panel @ EscrowError::WrongPanel)]
    pub panel: Account<Panel>,
    #[account(address = SLOTHASHES_ID)]
    pub slot_hashes: UncheckedAccount,
}

impl DrawPanel {
    /// The hash of the first slot from `draw_slot` on that has one. `None` when it is not known any more.
    #[inline(always)]
    fn lot(&self) -> Result<Option<[u8; 32]>> {
        let hashes = SlotHashes::from_account_view(self.slot_hashes.account())?;
        let wanted = self.dispute.draw_slot.get();
        // Newest first. Whoever draws does so soon, so that the slot is near the front: steps are doubled until they pass it.
        let entries = hashes.entries();
        let mut end = 1;
        while end < entries.len() && entries[end - 1].slot() >= wanted {
            end *= 2;
        }
        let (passed, end) = (end / 2, end.min(entries.len()));
        let later = passed + entries[passed..end].partition_point(|entry| entry.slot() >= wanted);
        require!(later > 0, EscrowError::SlotNotReached);
        let is_forgotten = later == entries.len() && entries[later - 1].slot() > wanted;
        Ok((!is_forgotten).then(|| entries[later - 1].hash))
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DrawPanel>) -> Result<()> {
    let clock = Clock::get()?;
    ctx.accounts.dispute.require(DisputeStatus::Drawing)?;
    let Some(hash) = ctx.accounts.lot()? else {
        let slot = clock.slot.checked_add(DRAW_DELAY).ok_or(EscrowError::Overflow)?;
        return ctx.accounts.dispute.aim(slot, UnixTime::new(clock.unix_timestamp));
    };
    let mut seed = [0; 66];
    seed[..32].copy_from_slice(&hash);
    seed[32..64].copy_from_slice(ctx.accounts.dispute.address().as_ref());
    seed[64] = ctx.accounts.dispute.round;
    let ticket = |seat: u8| {
        seed[65] = seat;
        let [a, b, c, d, e, f, g, h, ..] = sha256(&seed);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    };
    let now = UnixTime::new(clock.unix_timestamp);
    ctx.accounts.dispute.draw(&ctx.accounts.job, &ctx.accounts.panel, now, ticket)?;
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
