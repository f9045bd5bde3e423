//! Who gets what: shares of a price, and of what the loser of a dispute forfeits. Pure, the same on chain and off.

use crate::{
    constants::{DISSENT_BPS, JUROR_BPS, MIN_BOND_BPS, SECOND_LOT_BPS, STAGED_BPS},
    state::Verdict,
};
use joule_staking::penalty;
use joule_units::{split, Amount, Bps};

/// `ceil(amount * bps / 10_000)`. `None` beyond 64 bits.
#[inline(always)]
fn exposure(price: Amount, bond_bps: u16) -> Option<Amount> {
    // In parts that fit, since 128-bit division is dear on chain.
    let (whole, bps) = (Bps::WHOLE as u64, bond_bps as u64);
    let part = (price.get() % whole * bps).div_ceil(whole);
    (price.get() / whole).checked_mul(bps)?.checked_add(part).map(Amount::new)
}

/// What a provider that asks for `price` must lock: a share of its price, or of the whole budget where it is paid by the second;
/// and always a tenth of the budget, or asking for next to nothing would freeze a budget for next to nothing. `None` beyond
/// 64 bits.
#[inline(always)]
pub fn bond_for(price: Amount, budget: Amount, bond_bps: u16, is_per_second: bool) -> Option<Amount> {
    let asked = exposure(if is_per_second { budget } else { price }, bond_bps)?;
    Some(asked.max(exposure(budget, MIN_BOND_BPS)?))
}

/// `min(rate * seconds, cap)`.
#[inline(always)]
pub fn metered(rate: Amount, seconds: u32, cap: Amount) -> Amount {
    Amount::new(rate.get().saturating_mul(seconds as u64).min(cap.get()))
}

/// Who asked for a second panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Side {
    Provider = 1,
    Challenger = 2,
    /// Against the result, like the challenger, who may be the provider's friend.
    Client = 3,
}

/// What lies on the table when a dispute ends, in base units.
#[derive(Clone, Copy, Debug)]
pub struct Stakes {
    pub price: Amount,
    pub fee: Bps,
    /// The challenger's deposit.
    pub deposit: Amount,
    /// What was really slashed off the provider's bond; zero unless the verdict is against it.
    pub slashed: Amount,
    /// Who appealed, and its deposit.
    pub appeal: Option<(Side, Amount)>,
    /// Whether a second panel was seated that could decide; if not, the appeal's deposit comes back whatever the verdict.
    pub is_heard: bool,
    /// Whether the appeal was from a round that had decided nothing.
    pub is_second_lot: bool,
    /// Whether anybody voted for the verdict, by round.
    pub has_winners: [bool; 2],
}

/// What each party is to receive; the client gets whatever else is in the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awards {
    pub provider: Amount,
    pub fee: Amount,
    pub challenger: Amount,
    /// By round.
    pub jurors: [Amount; 2],
}

/// Divides the stakes by the verdict.
///
/// | verdict | forfeited | the jurors' part aside, it goes to |
/// |---|---|---|
/// | `Stands` | the challenger's deposit, and an appeal against it | the provider, with its price, and the treasury, half each |
/// | `Counter` | the slashed bond, and the provider's appeal | client, challenger and treasury by [`penalty`] |
/// | `Neither` | all of it, but for the client's appeal | client and treasury by [`penalty`] |
/// | `Undecided` | a tenth of an appeal from a round that had decided nothing either | the treasury; everybody gets its own back, and the provider its price |
///
/// An appeal's deposit comes back with a verdict for whoever appealed, with none but for that tenth, or if nobody could hear it. Two rounds
/// share the jurors' part equally if both have winners. `None` on overflow.
#[inline(never)]
pub fn awards(verdict: Verdict, s: &Stakes) -> Option<Awards> {
    let by = |side| match s.appeal {
        Some((who, deposit)) if who == side => deposit,
        _ => Amount::ZERO,
    };
    let decided = |side| if s.is_heard { by(side) } else { Amount::ZERO };
    let (by_provider, by_challenger) = (decided(Side::Provider), decided(Side::Challenger));
    // Comes back by itself, as a part of the rest.
    let by_client = decided(Side::Client);
    let price = split::part(Amount::ZERO, s.price, s.fee)?;
    let awards = match verdict {
        Verdict::Stands => {
            let forfeited = s.deposit.checked_add(by_challenger)?.checked_add(by_client)?;
            let (jurors, rest) = jurors(forfeited, s.has_winners)?;
            // The dust too, and one unit at least.
            let kept = rest.checked_sub(Bps::new(STAGED_BPS)?.of(rest))?;
            let provider = price.rest.checked_add(rest.checked_sub(kept)?)?.checked_add(by_provider)?;
            Awards { provider, fee: price.fee.checked_add(kept)?, challenger: Amount::ZERO, jurors }
        }
        Verdict::Counter => {
            let (jurors, rest) = jurors(s.slashed.checked_add(by_provider)?, s.has_winners)?;
            let shares = penalty::shares(rest, true);
            let challenger = s.deposit.checked_add(shares.challenger)?.checked_add(by_challenger)?;
            Awards { provider: Amount::ZERO, fee: shares.treasury, challenger, jurors }
        }
        Verdict::Neither => {
            let forfeited = s.slashed.checked_add(s.deposit)?.checked_add(by_provider)?.checked_add(by_challenger)?;
            let (jurors, rest) = jurors(forfeited, s.has_winners)?;
            let fee = penalty::shares(rest, false).treasury;
            Awards { provider: Amount::ZERO, fee, challenger: Amount::ZERO, jurors }
        }
        Verdict::Undecided => {
            let lost = |by: Amount| Some(if s.is_second_lot { Bps::new(SECOND_LOT_BPS)?.of(by) } else { Amount::ZERO });
            let (provider_lost, challenger_lost) = (lost(by_provider)?, lost(by_challenger)?);
            let provider = price.rest.checked_add(by_provider)?.checked_sub(provider_lost)?;
            let challenger = s.deposit.checked_add(by_challenger)?.checked_sub(challenger_lost)?;
            let kept = provider_lost.checked_add(challenger_lost)?.checked_add(lost(by_client)?)?;
            Awards { provider, fee: price.fee.checked_add(kept)?, challenger, jurors: [Amount::ZERO; 2] }
        }
    };
    if s.is_heard {
        return Some(awards);
    }
    let provider = awards.provider.checked_add(by(Side::Provider))?;
    let challenger = awards.challenger.checked_add(by(Side::Challenger))?;
    Some(Awards { provider, challenger, ..awards })
}

/// The jurors' part of what is forfeited, by round, and the rest.
#[inline(always)]
fn jurors(forfeited: Amount, has_winners: [bool; 2]) -> Option<([Amount; 2], Amount)> {
    let part = Bps::new(JUROR_BPS)?.of(forfeited);
    let by_round = match has_winners {
        [true, true] => [Amount::new(part.get() / 2), Amount::new(part.get() - part.get() / 2)],
        [true, false] => [part, Amount::ZERO],
        [false, true] => [Amount::ZERO, part],
        [false, false] => return Some(([Amount::ZERO; 2], forfeited)),
    };
    Some((by_round, forfeited.checked_sub(part)?))
}

/// A juror's reward: `floor(pot * weight / winners)`; the dust stays in the vault, and so goes to the client.
#[inline(always)]
pub fn reward(pot: Amount, weight: u64, winners: u64) -> Amount {
    match winners {
        0 => Amount::ZERO,
        // The weight is part of the winners', so that the result fits.
        _ => Amount::new((pot.get() as u128 * weight as u128 / winners as u128) as u64),
    }
}

/// What a vote loses that was opened and was not right, of what stood behind it; rounded up.
#[inline(always)]
pub fn dissent(stake: Amount) -> Amount {
    // A whole share of a whole amount fits.
    exposure(stake, DISSENT_BPS).unwrap_or(stake)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERDICTS: [Verdict; 4] = [Verdict::Stands, Verdict::Counter, Verdict::Neither, Verdict::Undecided];

    fn every_case(check: impl Fn(Verdict, &Stakes, Awards)) {
        let sizes = [0u64, 1, 2, 3, 9, 10, 99, 12_345_677, u64::MAX / 16];
        let sides = [None, Some(Side::Provider), Some(Side::Challenger), Some(Side::Client)];
        for verdict in VERDICTS {
            for price in sizes {
                for stake in sizes {
                    for side in sides {
                        for has_winners in [[true, true], [true, false], [false, true], [false, false]] {
                            let against = matches!(verdict, Verdict::Counter | Verdict::Neither);
                            for (is_heard, is_second_lot) in
                                [(true, true), (true, false), (false, true), (false, false)]
                            {
                                let stakes = Stakes {
                                    price: Amount::new(price),
                                    fee: Bps::new(250).unwrap(),
                                    deposit: Amount::new(stake),
                                    slashed: Amount::new(if against { stake } else { 0 }),
                                    appeal: side.map(|side| (side, Amount::new(stake.saturating_mul(2)))),
                                    is_heard,
                                    is_second_lot,
                                    has_winners,
                                };
                                check(verdict, &stakes, awards(verdict, &stakes).unwrap());
                            }
                        }
                    }
                }
            }
        }
    }

    fn total(a: &Awards) -> u128 {
        [a.provider, a.fee, a.challenger, a.jurors[0], a.jurors[1]].iter().map(|a| a.get() as u128).sum()
    }

    #[test]
    fn nobody_is_awarded_more_than_is_on_the_table() {
        every_case(|verdict, s, awards| {
            let appeal = s.appeal.map_or(0, |(_, deposit)| deposit.get() as u128);
            let stakes = s.deposit.get() as u128 + s.slashed.get() as u128 + appeal;
            let table = stakes + s.price.get() as u128;
            assert!(total(&awards) <= table, "{verdict:?} {s:?} {awards:?}");
            // The provider is paid its price or nothing of it; then the client keeps it.
            let is_clients = !s.is_heard && matches!(s.appeal, Some((Side::Client, _)));
            if verdict == Verdict::Stands && !is_clients {
                assert_eq!(total(&awards), table);
            }
        });
    }

    #[test]
    fn challenging_oneself_always_costs() {
        every_case(|verdict, s, awards| {
            if verdict == Verdict::Counter && s.slashed.get() > 0 {
                // One person is client, provider, challenger and every juror.
                let rest = s.slashed.get() + s.deposit.get() + s.price.get();
                let appeal = s.appeal.map_or(0, |(_, deposit)| deposit.get());
                assert!(awards.fee.get() > 0, "{s:?} {awards:?} of {}", rest + appeal);
            }
        });
    }

    #[test]
    fn whoever_stages_a_challenge_against_itself_loses_more_than_a_third_of_the_deposit() {
        every_case(|verdict, s, awards| {
            if verdict == Verdict::Stands && s.appeal.is_none() {
                // One person is client, provider, challenger and every juror.
                let fee = split::part(Amount::ZERO, s.price, s.fee).unwrap().fee.get();
                assert!(awards.fee.get() - fee >= s.deposit.get() * 4 / 10, "{s:?} {awards:?}");
            }
        });
    }

    #[test]
    fn a_vote_that_was_not_right_loses_a_fifth_and_never_nothing() {
        for (stake, lost) in [(1, 1), (5, 1), (6, 2), (10, 2), (1_000_000, 200_000), (u64::MAX, u64::MAX / 5)] {
            assert_eq!(dissent(Amount::new(stake)), Amount::new(lost));
        }
    }

    #[test]
    fn the_challengers_gain_is_below_half_of_the_slashed_bond() {
        every_case(|verdict, s, awards| {
            if verdict == Verdict::Counter && s.slashed.get() > 1 && s.appeal.is_none() {
                assert!((awards.challenger.get() - s.deposit.get()) * 2 < s.slashed.get(), "{s:?} {awards:?}");
            }
        });
    }

    #[test]
    fn whoever_was_not_proved_wrong_gets_its_own_back() {
        every_case(|verdict, s, awards| {
            let of = |side| s.appeal.filter(|(who, _)| *who == side).map_or(0, |(_, deposit)| deposit.get());
            if verdict == Verdict::Undecided {
                let fee = split::part(Amount::ZERO, s.price, s.fee).unwrap().fee.get();
                let bet = |side| if s.is_second_lot && s.is_heard { of(side) / 10 } else { 0 };
                assert_eq!(awards.challenger.get(), s.deposit.get() + of(Side::Challenger) - bet(Side::Challenger));
                assert_eq!(awards.provider.get(), s.price.get() - fee + of(Side::Provider) - bet(Side::Provider));
                let bets: u64 = [Side::Provider, Side::Challenger, Side::Client].map(bet).iter().sum();
                assert_eq!(awards.fee.get(), fee + bets);
            }
            if !s.is_heard {
                assert!(awards.provider.get() >= of(Side::Provider), "{s:?} {awards:?}");
                assert!(awards.challenger.get() >= of(Side::Challenger), "{s:?} {awards:?}");
            }
        });
    }

    #[test]
    fn rewards_add_up_to_the_pot_at_most() {
        let weights = [1u64, 7, 1_000_003, u64::MAX / 8];
        let winners: u64 = weights.iter().sum();
        for pot in [0u64, 1, 5, 1_000_000_007, u64::MAX] {
            let paid: u128 = weights.iter().map(|w| reward(Amount::new(pot), *w, winners).get() as u128).sum();
            assert!(paid <= pot as u128);
        }
    }

    #[test]
    fn an_exposure_is_what_wide_arithmetic_says() {
        for price in [0u64, 1, 9_999, 10_000, 10_001, 123_456_789, u64::MAX / 5, u64::MAX / 5 + 1, u64::MAX] {
            for bps in [1u16, 999, 1_000, 9_999, 10_000, 10_001, 50_000] {
                let wide = (price as u128 * bps as u128).div_ceil(10_000);
                assert_eq!(exposure(Amount::new(price), bps), u64::try_from(wide).ok().map(Amount::new));
            }
        }
    }

    #[test]
    fn an_exposure_is_rounded_up_and_a_metered_price_is_capped() {
        assert_eq!(exposure(Amount::new(1), 1_000), Some(Amount::new(1)));
        assert_eq!(exposure(Amount::new(20), 15_000), Some(Amount::new(30)));
        assert_eq!(exposure(Amount::new(u64::MAX), 50_000), None);
        assert_eq!(metered(Amount::new(3), 4, Amount::new(100)), Amount::new(12));
        assert_eq!(metered(Amount::new(u64::MAX), u32::MAX, Amount::new(100)), Amount::new(100));
    }
}
