//! The resolvers of one epoch.

use crate::{
    constants::{LATE, MAX_RESOLVERS, MAX_VOTE_WINDOW, PANEL_EPOCH},
    error::EscrowError,
    state::Job,
};
use alloc::vec::Vec;
use anchor_lang::{address_eq, prelude::*};
use joule_units::{sum, UnixTime};

/// Somebody who has locked a stake to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
#[repr(C)]
pub struct Resolver {
    /// Owner of the bond; votes with this key.
    pub resolver: Address,
    /// Base units locked of the bond: the chance of being drawn, and what it answers with; less once a part was slashed, and 0
    /// once that was for not coming.
    pub stake: PodU64,
    /// What of it stands behind seats in disputes that are not wound up.
    pub engaged: PodU64,
}

impl Resolver {
    /// Whether it can answer for one more seat.
    #[inline(always)]
    pub fn covers(&self, at_risk: u64) -> bool {
        self.stake.get().saturating_sub(self.engaged.get()) >= at_risk
    }

    /// A part of its stake stands behind a seat from now on; `covers` comes before.
    #[inline(always)]
    pub fn engage(&mut self, at_risk: u64) {
        self.engaged = self.engaged.get().wrapping_add(at_risk).into();
    }

    #[inline(always)]
    fn disengage(&mut self, at_risk: u64) {
        self.engaged = self.engaged.get().saturating_sub(at_risk).into();
    }
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

    /// Unix seconds until which a dispute that began in its epoch's last second may need it and its seats.
    #[inline(always)]
    pub fn needed_until(&self) -> Result<i64> {
        let tail = 8 * MAX_VOTE_WINDOW as i64 + LATE as i64;
        self.ends_at().checked_add(tail).ok_or(EscrowError::Overflow.into())
    }

    pub fn enroll(&mut self, resolver: Address, stake: u64) -> Result<()> {
        require!(self.enrolled().iter().all(|r| !address_eq(&r.resolver, &resolver)), EscrowError::AlreadyEnrolled);
        let entry = Resolver { resolver, stake: stake.into(), engaged: PodU64::ZERO };
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

    #[inline(always)]
    fn entry(&mut self, resolver: &Address) -> Option<&mut Resolver> {
        let count = self.enrolled().len();
        self.resolvers[..count].iter_mut().find(|entry| address_eq(&entry.resolver, resolver))
    }

    /// A seat is wound up whose member did nothing wrong: what stood behind it can stand behind another.
    #[inline(always)]
    pub fn dismiss(&mut self, resolver: &Address, at_risk: u64) {
        if let Some(entry) = self.entry(resolver) {
            entry.disengage(at_risk);
        }
    }

    /// What stood behind a seat is gone.
    #[inline(always)]
    pub fn forfeit(&mut self, resolver: &Address, at_risk: u64) {
        if let Some(entry) = self.entry(resolver) {
            entry.disengage(at_risk);
            entry.stake = entry.stake.get().saturating_sub(at_risk).into();
        }
    }

    /// Whoever did not come loses what stood behind the seat and is not drawn again in this epoch.
    #[inline(always)]
    pub fn expel(&mut self, resolver: &Address, at_risk: u64) {
        if let Some(entry) = self.entry(resolver) {
            entry.disengage(at_risk);
            entry.stake = 0.into();
        }
    }

    /// Whether anything stands behind a seat of a dispute that is not wound up.
    #[inline(always)]
    pub fn is_engaged(&self) -> bool {
        self.enrolled().iter().any(|entry| !entry.engaged.is_zero())
    }

    /// Whether a job can be judged: enough of those who are no parties have staked what is at risk, and they are at least half of
    /// it by stake, so that nobody can choose a jury by putting more at risk than others have staked.
    #[inline(never)]
    pub fn can_judge(&self, job: &Job, challenger: &Address, at_risk: u64) -> bool {
        let (mut seats, mut eligible, mut all) = (0u8, 0u128, 0u128);
        for entry in self.enrolled() {
            let stake = entry.stake.get();
            if stake == 0 || job.is_party(&entry.resolver) || address_eq(challenger, &entry.resolver) {
                continue;
            }
            all += stake as u128;
            if stake >= at_risk {
                eligible += stake as u128;
                seats += 1;
            }
        }
        seats >= job.jurors && 2 * eligible >= all
    }
}

/// Draws resolvers without putting them back, each with a chance proportional to its stake. Splitting a stake over many
/// identities changes nothing.
pub struct Lottery {
    /// Base units; 0 for whoever may not sit, or was drawn.
    stakes: Vec<u64>,
    /// Of the stakes.
    total: u64,
}

impl Lottery {
    /// Among those for whom `may_sit` holds. `None` if their stakes are more than there can be.
    ///
    /// Called and not inlined, like `place`: a loop has all of the VM's few registers to itself then.
    #[inline(never)]
    pub fn among(panel: &Panel, may_sit: impl Fn(&Resolver) -> bool) -> Option<Self> {
        let resolvers = panel.enrolled();
        // As much room as there can be need for: a size that is known when this is compiled takes no arithmetic.
        let mut stakes = Vec::with_capacity(MAX_RESOLVERS);
        let (mut total, mut bits) = (0u64, 0);
        stakes.extend(resolvers.iter().map(|entry| {
            let stake = if may_sit(entry) { entry.stake.get() } else { 0 };
            total = total.wrapping_add(stake);
            bits |= stake;
            stake
        }));
        // As many stakes as there can be, none of which has more bits than this, make a sum that fits.
        const SMALL: u64 = u64::MAX / MAX_RESOLVERS as u64;
        if bits > SMALL {
            stakes.iter().try_fold(0, |total, stake| sum(total, *stake))?;
        }
        Some(Self { stakes, total })
    }

    /// The place of whom a throw falls on; `ticket` is random. `None` when nobody is left.
    #[inline(always)]
    pub fn draw(&mut self, ticket: u64) -> Option<usize> {
        // Off from uniform by less than total / 2^64.
        let place = place(&self.stakes, ticket.checked_rem(self.total)?);
        let stake = self.stakes.get_mut(place)?;
        self.total = self.total.checked_sub(core::mem::take(stake))?;
        Some(place)
    }
}

/// Whose stake the unit at `offset` belongs to, if they are laid end to end; their number if that is more than all of them.
#[inline(never)]
fn place(stakes: &[u64], mut offset: u64) -> usize {
    let mut rest = stakes;
    while let [stake, others @ ..] = rest {
        if offset < *stake {
            break;
        }
        offset -= *stake;
        rest = others;
    }
    stakes.len() - rest.len()
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
        const HEAVY: usize = 1;
        let step = u64::MAX / 4_000;
        let first = |ticket| Lottery::among(&panel, |_| true).unwrap().draw(ticket).unwrap();
        let drawn = (0..4_000u64).filter(|i| first(i * step) == HEAVY).count();
        assert!((2_990..=3_010).contains(&drawn), "{drawn}");
    }

    #[test]
    fn who_may_not_sit_or_was_drawn_is_never_drawn_and_nobody_is_nobody() {
        let panel = panel(&[5, 5, 1]);
        let first = Address::new_from_array([1; 32]);
        for ticket in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut lottery = Lottery::among(&panel, |r| r.resolver != first).unwrap();
            let (one, other) = (lottery.draw(ticket).unwrap(), lottery.draw(ticket).unwrap());
            assert!(one != other && one != 0 && other != 0);
            assert!(lottery.draw(ticket).is_none());
            assert!(Lottery::among(&panel, |_| false).unwrap().draw(ticket).is_none());
        }
    }

    #[test]
    fn stakes_beyond_any_supply_are_refused() {
        assert!(Lottery::among(&panel(&[u64::MAX, 1]), |_| true).is_none());
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
