//! Being a resolver: enrolled for every coming epoch, and with its stakes back when nobody can need them any more.

use super::{Court, Obstacle};
use crate::{chain::Address, work::Ended};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{epoch_at, Panel},
    },
    instruction::{escrow, staking},
    pda,
    staking::state::Claim,
    units::UnixTime,
};
use tracing::{info, warn};

/// How many past epochs are looked through for stakes: those whose panels can still be needed, and as many more.
const PAST: u64 = 16;

impl Court {
    /// Sees to it that this node is enrolled for the next epoch in a token, and lets go of what it had staked for past ones.
    pub async fn keep_seat(self, mint: Address) -> Ended {
        let Some(stake) = self.duty.panel_stake else { return Ended::Over };
        match self.keep_seat_once(mint, stake).await {
            Ok(ended) => ended,
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn keep_seat_once(&self, mint: Address, stake: u64) -> Result<Ended, Obstacle> {
        let (chain, me) = (self.chain.chain(), self.chain.authority());
        let now = chain.now().await?;
        let epoch = epoch_at(UnixTime::new(now));
        let next = pda::panel(&mint, epoch + 1);
        if self.is_enrolled(&next).await? {
            return Ok(Ended::Over);
        }
        // What comes back may be needed for the next.
        self.let_go(&mint, epoch, now).await?;
        // It can lose the seat to a higher stake; enrolling again would lock a second one for the same seat.
        if chain.find::<Claim>(&pda::seat_claim(&next, &me)).await?.is_some() {
            return Ok(Ended::Refused(format!(
                "epoch {}'s panel is full of higher stakes than {stake}: it is not in it",
                epoch + 1
            )));
        }
        let lockable = self.chain.lockable(&mint).await?;
        if lockable < stake.saturating_mul(2) {
            return Ok(Ended::Refused(format!(
                "a seat and a vote from it take twice {stake} base units of its bond, which has {lockable} left: \
                 `joule provider bond deposit`"
            )));
        }
        let sent = self.chain.send(&[escrow::enroll(me, me, mint, epoch + 1, stake)]).await;
        if !self.is_enrolled(&next).await? {
            sent?;
        }
        let begins = (epoch as i64 + 1) * PANEL_EPOCH;
        info!(%mint, stake, epoch = epoch + 1, begins, "enrolled as a resolver");
        Ok(Ended::Over)
    }

    async fn is_enrolled(&self, panel: &Address) -> Result<bool, Obstacle> {
        let panel = self.chain.chain().find::<Panel>(panel).await?;
        Ok(panel.is_some_and(|panel| panel.enrolled().iter().any(|entry| entry.resolver == self.chain.authority())))
    }

    /// Gives the stakes back to the bond that no dispute can need any more.
    async fn let_go(&self, mint: &Address, epoch: u64, now: i64) -> Result<(), Obstacle> {
        let (chain, me) = (self.chain.chain(), self.chain.authority());
        for past in epoch.saturating_sub(PAST)..epoch {
            let address = pda::seat_claim(&pda::panel(mint, past), &me);
            let Some(claim) = chain.find::<Claim>(&address).await? else { continue };
            let used = &claim.tranches[..usize::from(claim.count)];
            if used.iter().any(|tranche| tranche.until.get() > now) {
                continue;
            }
            let sent = self.chain.send(&[staking::release_expired(address, &claim)]).await;
            match chain.find::<Claim>(&address).await? {
                // Nothing waits for it.
                Some(_) => warn!(%mint, epoch = past, sent = ?sent.err(), "cannot let go of a past seat's stake yet"),
                None => info!(%mint, epoch = past, "a past seat's stake is free again"),
            }
        }
        Ok(())
    }
}
