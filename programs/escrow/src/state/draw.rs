//! Drawing a dispute's panel.

use crate::{
    constants::APPEAL_JURORS,
    error::EscrowError,
    state::{Dispute, DisputeStatus, Job, Lottery, Panel},
};
use anchor_lang::{address_eq, hash::sha256, prelude::*};
use joule_units::UnixTime;

impl Dispute {
    /// Seats this round's panel by lot; `ticket(i)` is the i-th random number, asked for in turn. Neither the parties nor members of the first
    /// panel are drawn, nor whoever has staked less than is at risk. What is at risk is set aside of each member's stake.
    ///
    /// A member on whom the lot falls while its stake stands behind other seats is waited for: then `false` comes back, and
    /// nobody is seated. It is never passed over in favour of others, or whoever keeps the others busy could choose the panel; and when
    /// patience ends it sits nevertheless, or whoever keeps it busy could have nothing decided. Who has lost more than half of what is at
    /// risk leaves its seat empty.
    ///
    /// Who is a party or was a member is asked only of those whom a throw falls on: whoever is leaves the lottery, and the
    /// next throw is for the same seat. A throw that counts has thus fallen on each of the others with a chance proportional
    /// to its stake, as if they had been alone from the beginning.
    #[inline(always)]
    pub fn draw(
        &mut self,
        job: &Job,
        panel: &mut Panel,
        now: UnixTime,
        mut ticket: impl FnMut(u8) -> u64,
    ) -> Result<bool> {
        self.require(DisputeStatus::Drawing)?;
        require!(now.get() <= self.draw_by.get(), EscrowError::DrawWindowClosed);
        let at_risk = self.deposit.get();
        let first = self.drawn as usize;
        let (mut places, mut count, mut is_busy) = ([0u8; APPEAL_JURORS], 0, false);
        let seats = self.seats(self.round).min(APPEAL_JURORS);
        let mut lottery = Lottery::among(panel, at_risk);
        for throw in 0.. {
            if count == seats {
                break;
            }
            let Some(place) = lottery.draw(ticket(throw)) else { break };
            let entry = &panel.resolvers[place];
            let who = &entry.resolver;
            if !self.is_party(job, who) && self.members[..first].iter().all(|member| !address_eq(member, who)) {
                is_busy |= entry.is_busy(at_risk);
                places[count] = place as u8;
                count += 1;
            }
        }
        if is_busy && now.get() <= self.patient_until.get() {
            return Ok(false);
        }
        for place in &places[..count] {
            let entry = &mut panel.resolvers[*place as usize];
            if entry.answers(at_risk) {
                entry.engage(at_risk);
                self.members[self.drawn as usize] = entry.resolver;
                self.drawn += 1;
            }
        }
        if self.round == 0 {
            self.first_drawn = self.drawn;
        }
        self.commit_by = self.after(now, 1)?;
        self.reveal_by = self.after(now, 2)?;
        self.final_at = self.after(now, 3)?;
        self.status = DisputeStatus::Voting as u8;
        Ok(true)
    }

    /// For whoever sees to the drawing: whether a lot that is kept could seat its members now. `address` is the dispute's.
    pub fn would_seat(&self, address: &Address, job: &Job, panel: &Panel, now: UnixTime) -> bool {
        let (mut dispute, mut panel) = (*self, *panel);
        dispute.draw(job, &mut panel, now, tickets(&self.lot, address, self.round)).unwrap_or(false)
    }
}

/// The throws of a lot, asked for in turn: `SHA-256(lot, dispute, round, i)` makes four of them.
#[inline(always)]
pub fn tickets(lot: &[u8; 32], dispute: &Address, round: u8) -> impl FnMut(u8) -> u64 {
    let mut seed = [0; 66];
    seed[..32].copy_from_slice(lot);
    seed[32..64].copy_from_slice(dispute.as_ref());
    seed[64] = round;
    let mut tickets = [PodU64::ZERO; 4];
    move |throw| {
        let (hash, place) = (throw / 4, throw % 4);
        if place == 0 {
            seed[65] = hash;
            tickets = bytemuck::cast(sha256(&seed));
        }
        tickets[place as usize].get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeMap, vec, vec::Vec};
    use bytemuck::Zeroable;

    const PARTY: u8 = 1;
    const MEMBER: u8 = 2;

    fn who(name: u8) -> Address {
        Address::new_from_array([name; 32])
    }

    /// A second round's dispute among resolvers 1, 2, ... with these stakes: the first of them is the client, the second was a
    /// member.
    fn dispute(jurors: u8, stakes: &[u64]) -> (Dispute, Job, Panel) {
        let (mut dispute, mut job, mut panel) = (Dispute::zeroed(), Job::zeroed(), Panel::zeroed());
        for (i, stake) in stakes.iter().enumerate() {
            panel.enroll(who(i as u8 + 1), *stake).unwrap();
        }
        job.client = who(PARTY);
        dispute.status = DisputeStatus::Drawing as u8;
        dispute.deposit = 10.into();
        dispute.jurors = jurors;
        dispute.round = 1;
        dispute.members[0] = who(MEMBER);
        (dispute.first_drawn, dispute.drawn) = (1, 1);
        (dispute, job, panel)
    }

    /// Tickets that look random.
    fn tickets(seed: u64) -> impl FnMut(u8) -> u64 {
        move |throw| {
            let mut x = seed.wrapping_mul(64).wrapping_add(throw as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        }
    }

    /// Who is drawn after the one member there was.
    fn drawn(of: &(Dispute, Job, Panel), seed: u64) -> Vec<u8> {
        let (mut dispute, job, mut panel) = (of.0, &of.1, of.2);
        assert!(dispute.draw(job, &mut panel, UnixTime::new(0), tickets(seed)).unwrap());
        dispute.members[1..dispute.drawn as usize].iter().map(|member| member.to_bytes()[0]).collect()
    }

    #[test]
    fn whoever_may_not_sit_changes_nobodys_chance_of_a_seat_or_of_the_next() {
        // The party and the member hold nearly all of the stake; the last one has less than is at risk.
        let of = dispute(1, &[9_000, 4_000, 10, 20, 30, 40, 9]);
        const TIMES: u64 = 40_000;
        let mut counts = BTreeMap::<(u8, u8), u64>::new();
        for seed in 0..TIMES {
            let seats = drawn(&of, seed);
            assert_eq!(seats.len(), 3);
            *counts.entry((seats[0], seats[1])).or_default() += 1;
        }
        let stake = |name: u8| 10 * (name as u64 - 2);
        assert_eq!(counts.len(), 12, "every pair of the four who may sit, and no other");
        for ((first, second), count) in counts {
            assert!(first != second);
            // First among 100 units, then among those that are left.
            let expected = TIMES * stake(first) * stake(second) / (100 * (100 - stake(first)));
            let off = count.abs_diff(expected);
            assert!(off * off < 25 * expected, "{first} and {second}: {count}, not {expected}");
        }
    }

    #[test]
    fn a_party_with_nearly_all_of_the_stake_keeps_no_seat_empty() {
        let mut stakes = vec![u64::MAX / 2, u64::MAX / 4];
        stakes.extend([10; 126]);
        let of = dispute(7, &stakes);
        for seed in 0..200 {
            let mut seats = drawn(&of, seed);
            assert_eq!(seats.len(), 15);
            seats.sort_unstable();
            seats.dedup();
            assert!(seats.len() == 15 && seats[0] > MEMBER);
        }
    }

    #[test]
    fn whoever_is_busy_is_waited_for_and_sits_in_the_end() {
        let (dispute, job, mut panel) = dispute(1, &[500, 500, 15, 20, 10]);
        let at = |panel: &Panel, name| panel.enrolled().iter().position(|r| r.resolver == who(name)).unwrap();
        let (third, fourth) = (at(&panel, 3), at(&panel, 4));
        // One has 5 left, another as much as is at risk.
        (panel.resolvers[third].engaged, panel.resolvers[fourth].engaged) = (10.into(), 10.into());
        for seed in 0..50 {
            let (mut early, mut kept) = (dispute, panel);
            (early.patient_until, early.vote_window, early.draw_by) = (700.into(), 9.into(), 709.into());
            assert!(!early.draw(&job, &mut kept, UnixTime::new(700), tickets(seed)).unwrap());
            assert_eq!((early.drawn, early.status), (1, DisputeStatus::Drawing as u8));
            assert_eq!(kept.resolvers, panel.resolvers);
            // Others may lose what they have meanwhile: the lot is the same.
            for lost in [None, Some(5)] {
                let (mut late, mut kept) = (early, kept);
                if let Some(lost) = lost {
                    kept.forfeit(&who(lost), 10, 10);
                }
                assert!(late.draw(&job, &mut kept, UnixTime::new(701), tickets(seed)).unwrap());
                let mut seated: Vec<u8> =
                    late.members[1..late.drawn as usize].iter().map(|m| m.to_bytes()[0]).collect();
                seated.sort_unstable();
                let wanted: Vec<u8> = [3, 4, 5].into_iter().filter(|name| Some(*name) != lost).collect();
                assert_eq!(seated, wanted);
                assert_eq!([third, fourth].map(|place| kept.resolvers[place].engaged.get()), [20, 20]);
            }
        }
    }

    #[test]
    fn fewer_who_may_sit_than_seats_are_all_drawn() {
        let mut seats = drawn(&dispute(7, &[500, 500, 10, 10, 9]), 1);
        seats.sort_unstable();
        assert_eq!(seats, [3, 4]);
        assert!(drawn(&dispute(7, &[500, 500, 9]), 1).is_empty());
    }
}
