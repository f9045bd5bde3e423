//! Dividing a payment so that no unit is lost or made, however many times it is paid in parts.

use crate::{Amount, Bps};

/// What a fee taker and the party that keeps the rest receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    pub fee: Amount,
    pub rest: Amount,
}

/// The shares of the part of a payment that lies between `before` and `after`, both counted from its beginning.
///
/// `fee = floor(after * bps / 10_000) - floor(before * bps / 10_000)`, the telescoping split: the fees of any sequence
/// of parts add up to the fee of the whole. The rest takes the dust. `None` when `after < before`.
#[inline(always)]
pub fn part(before: Amount, after: Amount, fee: Bps) -> Option<Shares> {
    let moved = after.checked_sub(before)?;
    let fee = fee.of(after).checked_sub(fee.of(before))?;
    Some(Shares { fee, rest: moved.checked_sub(fee)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(before: u64, after: u64, bps: u16) -> Option<Shares> {
        part(Amount::new(before), Amount::new(after), Bps::new(bps)?)
    }

    #[test]
    fn a_part_is_divided_without_loss_at_every_extreme() {
        for total in [0, 1, 9_999, 10_000, 10_001, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            for bps in [0, 1, 333, 9_999, 10_000] {
                let Shares { fee, rest } = shares(0, total, bps).unwrap();
                assert_eq!(fee.checked_add(rest), Some(Amount::new(total)));
                assert_eq!(fee.get() as u128, total as u128 * bps as u128 / 10_000);
            }
        }
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut state = 88172645463325252u64;
        for _ in 0..2_000 {
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let (total, bps) = (next(), (next() % 10_001) as u16);
            let mut cuts = [next() % total.max(1), next() % total.max(1), next() % total.max(1)];
            cuts.sort_unstable();
            let whole = shares(0, total, bps).unwrap();
            let (mut before, mut fee, mut rest) = (0, 0u64, 0u64);
            for after in cuts.into_iter().chain([total]) {
                let part = shares(before, after, bps).unwrap();
                fee += part.fee.get();
                rest += part.rest.get();
                before = after;
            }
            assert_eq!((fee, rest), (whole.fee.get(), whole.rest.get()));
        }
    }

    #[test]
    fn a_part_that_runs_backwards_is_refused() {
        assert_eq!(shares(2, 1, 100), None);
    }

    #[test]
    fn more_than_the_whole_is_not_a_share() {
        assert_eq!(Bps::new(10_001), None);
    }
}
