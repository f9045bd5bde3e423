//! How a slashed amount is shared: the one table of it.

use joule_units::{Amount, Bps};

const HARMED: u16 = 9_000;
const HARMED_WHEN_CHALLENGED: u16 = 5_000;
const CHALLENGER: u16 = 4_000;

/// What each party receives of a slashed amount; together all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Whoever was to get the work.
    pub harmed: Amount,
    /// Whoever proved the failure; nobody when nothing was challenged.
    pub challenger: Amount,
    /// The protocol; keeps the dust, and at least one unit, so that slashing oneself always costs.
    pub treasury: Amount,
}

/// Divides `amount`. Challenged: half to the harmed, 40 % to the challenger. Not challenged: 90 % to the harmed. The treasury
/// gets the rest: a challenger who is the owner's friend gets back less than half, and the three together less than all.
#[inline(always)]
pub const fn shares(amount: Amount, challenged: bool) -> Shares {
    let (harmed, challenger) = if challenged { (HARMED_WHEN_CHALLENGED, CHALLENGER) } else { (HARMED, 0) };
    let (harmed, challenger) = (part(amount, harmed), part(amount, challenger));
    // Both are rounded down from parts that sum up to at most nine tenths.
    let treasury = Amount::new(amount.get() - harmed.get() - challenger.get());
    Shares { harmed, challenger, treasury }
}

/// What a juror loses that voted wrong, or did not keep its word to vote, is the treasury's: nobody who can stage a dispute may
/// gain by jurors losing it.
#[inline(always)]
pub const fn jurors(amount: Amount) -> Shares {
    Shares { harmed: Amount::ZERO, challenger: Amount::ZERO, treasury: amount }
}

#[inline(always)]
const fn part(amount: Amount, bps: u16) -> Amount {
    match Bps::new(bps) {
        Some(bps) => bps.of(amount),
        None => Amount::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNTS: [u64; 12] = [1, 2, 3, 9, 10, 11, 99, 10_001, 1_000_000_007, u64::MAX / 2, u64::MAX - 1, u64::MAX];

    #[test]
    fn nothing_is_lost_or_made() {
        for amount in AMOUNTS.into_iter().chain([0]) {
            for challenged in [false, true] {
                let s = shares(Amount::new(amount), challenged);
                let sum = s.harmed.checked_add(s.challenger).and_then(|sum| sum.checked_add(s.treasury));
                assert_eq!(sum, Some(Amount::new(amount)));
            }
        }
    }

    #[test]
    fn slashing_oneself_always_costs() {
        for amount in AMOUNTS {
            for challenged in [false, true] {
                let s = shares(Amount::new(amount), challenged);
                assert!(s.treasury.get() >= 1);
                assert!(s.harmed.get() + s.challenger.get() < amount);
            }
        }
    }

    #[test]
    fn a_challenger_gets_less_than_half_and_nothing_when_there_was_none() {
        for amount in AMOUNTS {
            assert!((shares(Amount::new(amount), true).challenger.get() as u128) * 2 < amount as u128);
            assert_eq!(shares(Amount::new(amount), false).challenger, Amount::ZERO);
        }
    }

    #[test]
    fn the_table_says_what_it_says() {
        let of = |amount, challenged| {
            let s = shares(Amount::new(amount), challenged);
            (s.harmed.get(), s.challenger.get(), s.treasury.get())
        };
        assert_eq!(of(1_000, true), (500, 400, 100));
        assert_eq!(of(1_000, false), (900, 0, 100));
        assert_eq!(of(1, true), (0, 0, 1));
        assert_eq!(of(1, false), (0, 0, 1));
    }
}
