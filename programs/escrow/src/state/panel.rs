//! The resolvers of one epoch.

use crate::{
    constants::{LATE, MAX_RESOLVERS, MAX_VOTE_WINDOW, PANEL_EPOCH},
    error::EscrowError,
    state::{dispute::MEMBERS, Job},
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::{sum, UnixTime};

/// Somebody who has locked a stake to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
#[repr(C)]
pub struct Resolver {
    /// Owner of the bond; votes with this key.
    pub resolver: Address,
    /// Base units locked of the bond when it enrolled: the chance of being drawn. Nothing changes it, so that a lot that is cast falls
    /// on the same members whenever it is read.
    pub stake: PodU64,
    /// This stake and all those before it.
    pub through: PodU64,
    /// What of the stake is left to answer with: less once a part was slashed.
    pub left: PodU64,
    /// What stands behind seats in disputes that are not wound up.
    pub engaged: PodU64,
}

impl Resolver {
    /// Whether half of what is at risk is left of its stake. Who has lost more takes no such seat any more; a smaller loss elsewhere keeps
    /// nobody from sitting, or a panel could be emptied for a penny.
    #[inline(always)]
    pub fn answers(&self, at_risk: u64) -> bool {
        self.left.get() >= at_risk.div_ceil(2)
    }

    /// Whether what it would answer with stands behind other seats.
    #[inline(always)]
    pub fn is_busy(&self, at_risk: u64) -> bool {
        let left = self.left.get();
        self.answers(at_risk) && left.saturating_sub(self.engaged.get()) < at_risk.min(left)
    }

    /// What is at risk in one more seat stands behind it from now on.
    #[inline(always)]
    pub fn engage(&mut self, at_risk: u64) {
        self.engaged = self.engaged.get().saturating_add(at_risk).into();
    }

    #[inline(always)]
    fn disengage(&mut self, at_risk: u64) {
        self.engaged = self.engaged.get().saturating_sub(at_risk).into();
    }
}

/// PDA `["panel", mint, epoch]`. Resolvers enrol in the epoch before, so that it is fixed when the first dispute draws from
/// it. Who stakes most comes first. Once it is full, whoever stakes more than the last takes its place: it cannot be filled with nobodies.
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

    /// Those who staked as much or more: they come first.
    #[inline(always)]
    pub fn who_staked(&self, at_least: u64) -> &[Resolver] {
        let enrolled = self.enrolled();
        &enrolled[..enrolled.partition_point(|r| r.stake.get() >= at_least)]
    }

    pub fn enroll(&mut self, resolver: Address, stake: u64) -> Result<()> {
        require!(self.enrolled().iter().all(|r| !address_eq(&r.resolver, &resolver)), EscrowError::AlreadyEnrolled);
        let (place, count) = (self.who_staked(stake).len(), self.enrolled().len());
        require!(place < MAX_RESOLVERS, EscrowError::PanelFull);
        // The last of a full panel is pushed out.
        let kept = count.min(MAX_RESOLVERS - 1);
        self.resolvers.copy_within(place..kept, place + 1);
        self.count = (kept as u16 + 1).into();
        let (stake, zero) = (stake.into(), PodU64::ZERO);
        self.resolvers[place] = Resolver { resolver, stake, through: zero, left: stake, engaged: zero };
        let mut through = if place == 0 { 0 } else { self.resolvers[place - 1].through.get() };
        for entry in &mut self.resolvers[place..=kept] {
            through = sum(through, entry.stake.get()).ok_or(EscrowError::Overflow)?;
            entry.through = through.into();
        }
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

    /// Of what stood behind a seat, some is gone.
    #[inline(always)]
    pub fn forfeit(&mut self, resolver: &Address, at_risk: u64, lost: u64) {
        if let Some(entry) = self.entry(resolver) {
            entry.disengage(at_risk);
            entry.left = entry.left.get().saturating_sub(lost).into();
        }
    }

    /// Whether anything stands behind a seat of a dispute that is not wound up.
    #[inline(always)]
    pub fn is_engaged(&self) -> bool {
        self.enrolled().iter().any(|entry| !entry.engaged.is_zero())
    }

    /// Whether a job can be judged: those who are no parties, and can answer for what is at risk, are so many that a panel and the appeal
    /// from it can be seated in full, and hold at least half of what was staked, so that nobody can choose a jury by putting
    /// more at risk than others have, nor a single vote stop an appeal that few could hear.
    #[inline(never)]
    pub fn can_judge(&self, job: &Job, challenger: &Address, at_risk: u64) -> bool {
        let (mut seats, mut eligible, mut all) = (0, 0u128, 0u128);
        for entry in self.enrolled() {
            if job.is_party(&entry.resolver) || address_eq(challenger, &entry.resolver) {
                continue;
            }
            let stake = entry.stake.get() as u128;
            all += stake;
            if entry.stake.get() >= at_risk && entry.answers(at_risk) {
                eligible += stake;
                seats += 1;
            }
        }
        seats > 3 * job.jurors as u32 && 2 * eligible >= all
    }
}

/// Draws resolvers without putting them back, each with a chance proportional to its stake. Splitting a stake over many
/// identities changes nothing.
pub struct Lottery<'a> {
    resolvers: &'a [Resolver],
    /// Places of those who were drawn, in ascending order.
    drawn: [u8; MOST_THROWS],
    count: usize,
    /// Stakes of all others.
    total: u64,
}

/// Every seat of a dispute taken, and every party drawn in vain.
const MOST_THROWS: usize = MEMBERS + 4;

impl<'a> Lottery<'a> {
    /// Among those who staked what is at risk.
    #[inline(always)]
    pub fn among(panel: &'a Panel, at_risk: u64) -> Self {
        let resolvers = panel.who_staked(at_risk);
        let total = resolvers.last().map_or(0, |last| last.through.get());
        Self { resolvers, drawn: [0; MOST_THROWS], count: 0, total }
    }

    /// The place of whom a throw falls on; `ticket` is random. `None` when nobody is left.
    ///
    /// Called and not inlined: its loops have all of the VM's few registers to themselves then. Sums of stakes fit: `enroll` has seen to it.
    #[inline(never)]
    pub fn draw(&mut self, ticket: u64) -> Option<usize> {
        // Off from uniform by less than total / 2^64.
        let mut offset = ticket.checked_rem(self.total)?;
        // The stakes lie end to end; those that were drawn are stepped over.
        let mut earlier = 0;
        for gap in &self.drawn[..self.count] {
            let gap = self.resolvers.get(*gap as usize)?;
            let stake = gap.stake.get();
            if offset < gap.through.get().wrapping_sub(stake) {
                break;
            }
            offset = offset.wrapping_add(stake);
            earlier += 1;
        }
        let place = self.resolvers.partition_point(|r| r.through.get() <= offset);
        self.total = self.total.wrapping_sub(self.resolvers.get(place)?.stake.get());
        let mut moved = place as u8;
        for kept in self.drawn.get_mut(earlier..=self.count)? {
            core::mem::swap(kept, &mut moved);
        }
        self.count += 1;
        Some(place)
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

    /// The names of the enrolled, in order.
    fn names(panel: &Panel) -> Vec<u8> {
        panel.enrolled().iter().map(|r| r.resolver.to_bytes()[0]).collect()
    }

    #[test]
    fn the_chance_is_proportional_to_the_stake() {
        let panel = panel(&[1_000, 3_000]);
        const HEAVY: usize = 0;
        let step = u64::MAX / 4_000;
        let first = |ticket| Lottery::among(&panel, 1).draw(ticket).unwrap();
        let drawn = (0..4_000u64).filter(|i| first(i * step) == HEAVY).count();
        assert!((2_990..=3_010).contains(&drawn), "{drawn}");
    }

    #[test]
    fn every_throw_falls_on_whom_its_unit_belongs_to_when_those_drawn_are_left_out() {
        let stakes = [9u64, 7, 7, 4, 2, 1, 1];
        let panel = panel(&stakes);
        let mut x = 1u64;
        for _ in 0..500 {
            let mut lottery = Lottery::among(&panel, 1);
            let mut left: Vec<(usize, u64)> = stakes.iter().copied().enumerate().collect();
            while !left.is_empty() {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let units: Vec<usize> = left.iter().flat_map(|(p, n)| core::iter::repeat_n(*p, *n as usize)).collect();
                let wanted = units[(x % units.len() as u64) as usize];
                assert_eq!(lottery.draw(x), Some(wanted));
                left.retain(|(place, _)| *place != wanted);
            }
            assert_eq!(lottery.draw(x), None);
        }
    }

    #[test]
    fn who_staked_less_or_was_drawn_is_never_drawn_and_nobody_is_nobody() {
        let panel = panel(&[5, 1, 5]);
        for ticket in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut lottery = Lottery::among(&panel, 5);
            let mut drawn = [lottery.draw(ticket).unwrap(), lottery.draw(ticket).unwrap()];
            drawn.sort_unstable();
            assert_eq!(drawn, [0, 1]);
            assert!(lottery.draw(ticket).is_none());
            assert!(Lottery::among(&panel, 6).draw(ticket).is_none());
        }
    }

    #[test]
    fn what_is_lost_or_engaged_changes_no_lot() {
        let mut panel = panel(&[9, 7, 4, 2]);
        let all = |panel: &Panel| -> Vec<usize> {
            (0..200u64).filter_map(|i| Lottery::among(panel, 3).draw(i * (u64::MAX / 200))).collect()
        };
        let before = all(&panel);
        let names: Vec<Address> = panel.enrolled().iter().map(|r| r.resolver).collect();
        panel.forfeit(&names[0], 6, 6);
        panel.forfeit(&names[1], 8, 8);
        panel.resolvers[2].engage(4);
        assert_eq!(all(&panel), before);
        let left: Vec<u64> = panel.enrolled().iter().map(|r| r.left.get()).collect();
        assert_eq!(left, [3, 0, 4, 2]);
    }

    #[test]
    fn stakes_beyond_any_supply_are_refused() {
        let mut panel = panel(&[u64::MAX]);
        assert!(panel.enroll(Address::new_from_array([2; 32]), 1).is_err());
    }

    #[test]
    fn who_stakes_most_comes_first_and_a_full_panel_takes_whoever_stakes_more_than_the_last() {
        assert_eq!(names(&panel(&[1, 3, 2, 3])), [2, 4, 3, 1]);
        let mut panel = panel(&[10; MAX_RESOLVERS]);
        let more = Address::new_from_array([200; 32]);
        assert!(panel.enroll(more, 10).is_err());
        panel.enroll(more, 11).unwrap();
        let mut wanted = vec![200];
        wanted.extend(1..MAX_RESOLVERS as u8);
        assert_eq!(names(&panel), wanted);
        let through: Vec<u64> = panel.enrolled().iter().map(|r| r.through.get()).collect();
        assert!(through.iter().enumerate().all(|(i, through)| *through == 11 + 10 * i as u64));
        assert!(panel.enroll(more, 12).is_err(), "twice");
    }

    #[test]
    fn a_panel_can_judge_with_enough_for_an_appeal_and_half_of_the_stakes() {
        let mut job = <Job as bytemuck::Zeroable>::zeroed();
        (job.jurors, job.client, job.payout_owner) =
            (1, Address::new_from_array([1; 32]), Address::new_from_array([2; 32]));
        let nobody = Address::default();
        let can = |panel: &Panel, job: &Job| panel.can_judge(job, &nobody, 10);
        // Client and payout owner are left out; one is drawn first, and three after an appeal.
        assert!(can(&panel(&[10, 10, 10, 10, 10, 10, 9]), &job));
        assert!(!can(&panel(&[10, 10, 10, 10, 10, 9]), &job));
        // Half of what others have staked, and less.
        assert!(can(&panel(&[1, 1, 10, 10, 10, 10, 9, 9, 9, 9, 4]), &job));
        assert!(!can(&panel(&[1, 1, 10, 10, 10, 10, 9, 9, 9, 9, 5]), &job));
        // Whoever has lost more than half counts for what it staked, and takes no seat.
        let mut poorer = panel(&[10; 6]);
        poorer.forfeit(&Address::new_from_array([3; 32]), 5, 5);
        assert!(can(&poorer, &job));
        poorer.forfeit(&Address::new_from_array([3; 32]), 1, 1);
        assert!(!can(&poorer, &job));
    }

    use alloc::{vec, vec::Vec};
}
