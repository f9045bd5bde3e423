//! What a round of votes says.

use crate::{constants::MAX_THIRDS, error::EscrowError, state::Verdict};
use anchor_lang::prelude::*;

/// An output that is neither the delivered one nor the challenger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
#[repr(C)]
pub struct Third {
    pub output: [u8; 32],
    /// Revealed for it; 0 in a place that is not used.
    pub weight: PodU64,
}

/// A first vote, or the one after an appeal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
#[repr(C)]
pub struct Round {
    /// Weight revealed for `Stands`, for `Counter`, and for whichever third output has most.
    pub tally: [PodU64; 3],
    /// Weight revealed for any output.
    pub weight: PodU64,
    /// Base units for those who voted for the verdict, once resolved.
    pub pot: PodU64,
    /// Votes committed. They make the quorum, or whoever is about to lose could break it by keeping silent.
    pub committed: PodU32,
    /// Votes revealed.
    pub revealed: PodU32,
    /// In the order they were first revealed; the place of the one that has most is `leading`. A quorum that says more different
    /// things than there are places counts the later ones for none of them.
    pub thirds: [Third; 15],
    pub leading: u8,
}
const _: () = assert!(MAX_THIRDS == 15);

impl Round {
    /// Counts a vote. One whose juror could not run the job weighs nothing.
    #[inline(always)]
    pub fn count(&mut self, choice: Verdict, output: &[u8; 32], weight: u64) -> Result<()> {
        self.revealed = self.revealed.get().checked_add(1).ok_or(EscrowError::Overflow)?.into();
        if choice == Verdict::Undecided {
            return Ok(());
        }
        self.weight = self.weight.get().checked_add(weight).ok_or(EscrowError::Overflow)?.into();
        if choice == Verdict::Neither {
            self.count_third(output, weight);
        } else {
            // No more than the weight of all, which fits.
            let tally = &mut self.tally[choice as usize - 1];
            *tally = tally.get().wrapping_add(weight).into();
        }
        Ok(())
    }

    fn count_third(&mut self, output: &[u8; 32], weight: u64) {
        let found = self.thirds.iter_mut().enumerate().find(|(_, t)| t.weight.is_zero() || t.output == *output);
        let Some((place, third)) = found else { return };
        third.output = *output;
        third.weight = third.weight.get().wrapping_add(weight).into();
        if third.weight.get() > self.tally[2].get() {
            self.tally[2] = third.weight;
            self.leading = place as u8;
        }
    }

    /// What more than half of `whole` speaks for.
    #[inline(always)]
    pub fn majority(&self, whole: u128) -> Option<Verdict> {
        self.above(whole / 2)
    }

    /// What more than two thirds of `whole` speak for.
    #[inline(always)]
    pub fn two_thirds(&self, whole: u128) -> Option<Verdict> {
        self.above(2 * whole / 3)
    }

    #[inline(always)]
    fn above(&self, bound: u128) -> Option<Verdict> {
        let verdicts = [Verdict::Stands, Verdict::Counter, Verdict::Neither];
        verdicts.into_iter().zip(&self.tally).find(|(_, t)| t.get() as u128 > bound).map(|(verdict, _)| verdict)
    }

    /// The third output that has most.
    pub fn leading_third(&self) -> [u8; 32] {
        self.thirds.get(self.leading as usize).map_or([0; 32], |third| third.output)
    }

    /// What was revealed for a third output.
    pub fn weight_of(&self, output: &[u8; 32]) -> u64 {
        self.thirds.iter().find(|third| third.output == *output).map_or(0, |third| third.weight.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    fn round(votes: &[(Verdict, u8, u64)]) -> Round {
        let mut round = Round::zeroed();
        for (choice, output, weight) in votes {
            round.count(*choice, &[*output; 32], *weight).unwrap();
        }
        round
    }

    #[test]
    fn outputs_that_agree_on_nothing_convict_nobody() {
        use Verdict::{Neither, Stands};
        let split = round(&[(Stands, 1, 1), (Stands, 1, 1), (Neither, 7, 1), (Neither, 8, 1), (Neither, 9, 1)]);
        assert_eq!(split.majority(split.weight.get() as u128), None);
        let agreed = round(&[(Stands, 1, 1), (Stands, 1, 1), (Neither, 7, 1), (Neither, 7, 1), (Neither, 7, 1)]);
        assert_eq!(agreed.majority(5), Some(Neither));
        assert_eq!((agreed.leading_third(), agreed.weight_of(&[7; 32])), ([7; 32], 3));
    }

    #[test]
    fn whoever_could_not_run_it_weighs_nothing() {
        let votes = [(Verdict::Undecided, 0, 5), (Verdict::Counter, 2, 1)];
        let round = round(&votes);
        assert_eq!((round.weight.get(), round.revealed.get()), (1, 2));
        assert_eq!(round.majority(1), Some(Verdict::Counter));
        assert_eq!(round.majority(6), None);
    }

    #[test]
    fn two_thirds_are_not_enough_and_more_are() {
        let votes = |n| vec![(Verdict::Counter, 2, 1); n];
        for (seats, enough) in [(3, 3), (5, 4), (7, 5), (15, 11)] {
            assert_eq!(round(&votes(enough)).two_thirds(seats), Some(Verdict::Counter), "{enough} of {seats}");
            assert_eq!(round(&votes(enough - 1)).two_thirds(seats), None, "{} of {seats}", enough - 1);
        }
        for (seats, enough) in [(1, 1), (3, 2), (7, 4)] {
            assert_eq!(round(&votes(enough)).majority(seats), Some(Verdict::Counter));
            assert_eq!(round(&votes(enough - 1)).majority(seats), None);
        }
    }

    #[test]
    fn a_later_third_may_lead_and_one_too_many_is_counted_for_none() {
        use Verdict::Neither;
        let mut votes: Vec<_> = (0..MAX_THIRDS as u8).map(|output| (Neither, output + 1, 1)).collect();
        votes.push((Neither, 4, 1));
        votes.push((Neither, 99, 100));
        let round = round(&votes);
        assert_eq!((round.leading_third(), round.weight_of(&[4; 32])), ([4; 32], 2));
        assert_eq!((round.weight_of(&[99; 32]), round.tally[2].get()), (0, 2));
        assert_eq!(round.weight.get(), MAX_THIRDS as u64 + 101);
    }

    use alloc::{vec, vec::Vec};
}
