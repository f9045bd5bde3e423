//! Being a resolver: enrolled for every coming epoch. And having a bond back when nobody can need it any more.

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

impl Court {
    /// Sees to it that this node is enrolled for the next epoch in a token, if it is to be; and `releases` what has come to its end.
    pub async fn keep_seat(self, mint: Address, releases: bool) -> Ended {
        if let Err(obstacle) = self.release(&mint, releases).await {
            return Ended::Later(obstacle.to_string());
        }
        let Some(stake) = self.duty.panel_stake else { return Ended::Over };
        match self.keep_seat_once(mint, stake).await {
            Ok(ended) => ended,
            Err(obstacle) => Ended::Later(obstacle.to_string()),
        }
    }

    async fn release(&self, mint: &Address, releases: bool) -> Result<(), Obstacle> {
        match releases {
            true => self.let_go(mint, self.chain.now().await?).await,
            false => Ok(()),
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
        self.let_go(&mint, now).await?;
        // It can lose the seat to a higher stake; enrolling again would lock a second one for the same seat.
        if chain.find::<Claim>(&pda::seat_claim(&next, &me)).await?.is_some() {
            return Ok(Ended::Refused(format!(
                "epoch {}'s panel is full of higher stakes than {}: it is not in it",
                epoch + 1,
                self.chain.show(&mint, stake)
            )));
        }
        let lockable = self.chain.lockable(&mint).await?;
        if lockable < stake {
            return Ok(Ended::Refused(format!(
                "a seat takes {} of its bond, which has {} left: `joule provider bond deposit`",
                self.chain.show(&mint, stake),
                self.chain.show(&mint, lockable)
            )));
        }
        let sent = self.chain.send(&[escrow::enroll(me, me, mint, epoch + 1, stake)]).await;
        if !self.is_enrolled(&next).await? {
            sent?;
        }
        let begins = (epoch as i64 + 1) * PANEL_EPOCH;
        let stake = self.chain.show(&mint, stake);
        info!(%mint, stake, epoch = epoch + 1, begins, "enrolled as a resolver");
        Ok(Ended::Over)
    }

    async fn is_enrolled(&self, panel: &Address) -> Result<bool, Obstacle> {
        let panel = self.chain.chain().find::<Panel>(panel).await?;
        Ok(panel.is_some_and(|panel| panel.enrolled().iter().any(|entry| entry.resolver == self.chain.authority())))
    }

    /// Gives back to the bond what no service can need any more: past seats' stakes, and whatever else has come to its end. Anyone may,
    /// and nobody else has a reason to.
    async fn let_go(&self, mint: &Address, now: i64) -> Result<(), Obstacle> {
        let chain = self.chain.chain();
        for (address, claim) in chain.claims_on(&pda::bond(&self.chain.authority(), mint)).await? {
            let used = claim.tranches.iter().take(claim.count.into());
            let ended: u64 =
                used.filter(|tranche| tranche.until.get() <= now).map(|tranche| tranche.amount.get()).sum();
            if ended == 0 {
                continue;
            }
            match self.chain.send(&[staking::release_expired(address, &claim)]).await {
                Ok(()) => {
                    let amount = self.chain.show(mint, ended);
                    info!(%mint, claim = %address, amount, "free again: the claim has come to its end");
                }
                // Nothing waits for it.
                Err(error) => {
                    warn!(%mint, claim = %address, %error, "cannot release a claim that has come to its end yet")
                }
            }
        }
        Ok(())
    }
}
