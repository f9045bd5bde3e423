//! The resolvers of one epoch.

use crate::{
    constants::{MAX_RESOLVERS, PANEL_EPOCH},
    error::EscrowError,
};
use anchor_lang::prelude::*;
use joule_units::UnixTime;

/// Somebody who has locked a stake to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
#[repr(C)]
pub struct Resolver {
    /// Owner of the bond; votes with this key.
    pub resolver: Address,
    /// Base units locked of the bond: the chance of being drawn, and the weight of the vote.
    pub stake: PodU64,
}

/// PDA `["panel", mint, epoch]`. Resolvers enrol in the epoch before, so that it is fixed when the first dispute draws from
/// it. Once it is full, whoever stakes more takes the place of whoever stakes least: it cannot be filled with nobodies.
#[account]
pub struct Panel {
    pub mint: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// Unix time over `PANEL_EPOCH`.
    pub epoch: PodU64,
    pub count: PodU16,
    pub bump: u8,
    pub reserved: [u8; 29],
    pub resolvers: [Resolver; MAX_RESOLVERS],
}

/// The epoch that a moment lies in.
#[inline(always)]
pub fn epoch_at(now: UnixTime) -> u64 {
    // The cluster's clock is past 1970.
    (now.get().max(0) / PANEL_EPOCH) as u64
}

impl Panel {
    #[inline(always)]
    pub fn enrolled(&self) -> &[Resolver] {
        &self.resolvers[..(self.count.get() as usize).min(MAX_RESOLVERS)]
    }

    /// Unix seconds at which its epoch ends.
    #[inline(always)]
    pub fn ends_at(&self) -> i64 {
        (self.epoch.get() as i64).saturating_add(1).saturating_mul(PANEL_EPOCH)
    }

    pub fn enroll(&mut self, resolver: Address, stake: u64) -> Result<()> {
        require!(self.enrolled().iter().all(|r| r.resolver != resolver), EscrowError::AlreadyEnrolled);
        let entry = Resolver { resolver, stake: stake.into() };
        let count = self.enrolled().len();
        if count < MAX_RESOLVERS {
            self.resolvers[count] = entry;
            self.count = (count as u16 + 1).into();
            return Ok(());
        }
        let least = self.resolvers.iter_mut().min_by_key(|r| r.stake.get()).ok_or(EscrowError::PanelFull)?;
        require!(stake > least.stake.get(), EscrowError::PanelFull);
        *least = entry;
        Ok(())
    }

    /// Draws one resolver for whom `may_sit` holds, with a chance proportional to its stake; `ticket` is random. `None`
    /// when there is nobody. Splitting a stake over many identities changes nothing.
    #[inline(always)]
    pub fn draw(&self, ticket: u64, may_sit: impl Fn(&Address) -> bool) -> Option<&Resolver> {
        let total: u128 =
            self.enrolled().iter().filter(|r| may_sit(&r.resolver)).map(|r| r.stake.get() as u128).sum();
        // `floor(ticket * total / 2^64)`: off from uniform by less than total / 2^64.
        let mut left = (ticket as u128).checked_mul(total)? >> 64;
        self.enrolled().iter().filter(|r| may_sit(&r.resolver)).find(|r| {
            let stake = r.stake.get() as u128;
            let found = left < stake;
            left = left.saturating_sub(stake);
            found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(stakes: &[u64]) -> Panel {
        let mut panel = <Panel as bytemuck::Zeroable>::zeroed();
        for (i, stake) in stakes.iter().enumerate() {
            panel.enroll(Address::new_from_array([i as u8 + 1; 32]), *stake).unwrap();
        }
        panel
    }

    #[test]
    fn the_chance_is_proportional_to_the_stake() {
        let panel = panel(&[1_000, 3_000]);
        let heavy = Address::new_from_array([2; 32]);
        let step = u64::MAX / 4_000;
        let drawn = (0..4_000u64).filter(|i| panel.draw(i * step, |_| true).unwrap().resolver == heavy).count();
        assert!((2_990..=3_010).contains(&drawn), "{drawn}");
    }

    #[test]
    fn who_may_not_sit_is_never_drawn_and_nobody_is_nobody() {
        let panel = panel(&[5, 5]);
        let first = Address::new_from_array([1; 32]);
        for ticket in [0, 1, u64::MAX / 2, u64::MAX] {
            assert_ne!(panel.draw(ticket, |r| *r != first).unwrap().resolver, first);
            assert!(panel.draw(ticket, |_| false).is_none());
        }
    }

    #[test]
    fn a_full_panel_takes_whoever_stakes_more_than_the_least() {
        let mut panel = panel(&[10; MAX_RESOLVERS]);
        let more = Address::new_from_array([200; 32]);
        assert!(panel.enroll(more, 10).is_err());
        panel.enroll(more, 11).unwrap();
        assert!(panel.enrolled().iter().any(|r| r.resolver == more));
        assert_eq!(panel.enrolled().len(), MAX_RESOLVERS);
        assert!(panel.enroll(more, 12).is_err(), "twice");
    }
}
