//! When a voucher, or a channel, is worth a transaction: from what it says and the chain has.

use crate::{chain::State, config, ledger::Due};
use joule_units::UnixTime;

/// A voucher, and the channel as the chain has it.
pub struct Claim {
    pub due: Due,
    pub state: State,
}

/// Base units that the chain has and nobody was paid yet.
pub fn undivided(state: &State) -> u64 {
    let earned = state.settled.get().saturating_add(state.accrued.get());
    earned.saturating_sub(state.paid.get().min(state.collected.get()))
}

/// Whether everybody is paid, and the channel evidence for nothing any more.
pub fn is_over(state: &State, now: UnixTime) -> bool {
    state.is_closed(now) && state.is_final().is_ok_and(|is_final| is_final) && !state.is_evidence(now)
}

impl Claim {
    /// Whether it is worth a transaction, has waited long enough, or would soon be worth nothing; and in any case worth its fees,
    /// or whoever pays little and ends early would burn them.
    pub fn is_due(&self, settings: &config::Settle, margin: i64, now: UnixTime) -> bool {
        let (voucher, state) = (&self.due.voucher.message, &self.state);
        let ends = [state.closes_at.get(), state.staged_at.get()].into_iter().filter(|at| *at != 0);
        let ends = ends.chain([voucher.expires_at.get().get()]).min().unwrap_or(i64::MAX);
        // Notice was given: there is nothing to wait for. Else it is time when the margin begins; a session that is to follow
        // is no reason to hurry, or staging one would have every request settled by itself.
        let urgent = state.closes_at.get() != 0 || ends - now.get() < margin;
        let old = now.get() - self.due.since.get() >= settings.age;
        self.worth() > settings.fee && (urgent || old || self.worth() >= settings.amount)
    }

    /// Base units that the chain does not have yet.
    pub fn worth(&self) -> u64 {
        self.due.voucher.message.cumulative.get().get().saturating_sub(self.state.settled.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joule_sdk::Pubkey;
    use joule_units::Amount;
    use joule_voucher::Voucher;
    use joule_x402::Signed;

    const NOW: i64 = 1_000_000;
    const MARGIN: i64 = 600;

    fn is_due(change: impl Fn(&mut Claim)) -> bool {
        let message = Voucher {
            cumulative: Amount::new(50).into(),
            expires_at: UnixTime::new(NOW + 86_400).into(),
            ..Voucher::default()
        };
        let voucher = Signed { message, signature: [0; 64] };
        let due = Due { channel: Pubkey::default(), voucher, since: UnixTime::new(NOW) };
        let mut claim = Claim { due, state: bytemuck::Zeroable::zeroed() };
        change(&mut claim);
        let settings = config::Settle {
            enabled: true,
            every: std::time::Duration::from_secs(5),
            amount: 100,
            age: 3_600,
            fee: 20,
            per_transaction: 15,
            distribute: true,
        };
        claim.is_due(&settings, MARGIN, UnixTime::new(NOW))
    }

    #[test]
    fn a_voucher_waits_until_it_is_worth_a_transaction() {
        assert!(!is_due(|_| {}));
        assert!(is_due(|claim| claim.due.voucher.message.cumulative = Amount::new(100).into()));
        assert!(is_due(|claim| claim.due.since = UnixTime::new(NOW - 3_600)));
        assert!(is_due(|claim| claim.state.closes_at = (NOW + 86_400).into()));
        assert!(is_due(|claim| claim.due.voucher.message.expires_at = UnixTime::new(NOW + MARGIN - 1).into()));
    }

    /// A client that signs vouchers which end soon, closes, or stages a session for each request.
    #[test]
    fn what_is_not_worth_its_fees_is_never_urgent() {
        let small = |claim: &mut Claim| claim.due.voucher.message.cumulative = Amount::new(20).into();
        type Change = fn(&mut Claim);
        let urgent: [Change; 4] = [
            |claim| claim.due.since = UnixTime::new(NOW - 3_600),
            |claim| claim.state.closes_at = (NOW + 86_400).into(),
            |claim| claim.state.staged_at = (NOW + MARGIN - 1).into(),
            |claim| claim.due.voucher.message.expires_at = UnixTime::new(NOW + MARGIN - 1).into(),
        ];
        for change in urgent {
            assert!(is_due(change), "worth more than its fees");
            assert!(!is_due(|claim| {
                change(claim);
                small(claim);
            }));
        }
    }

    #[test]
    fn an_account_is_kept_until_nobody_is_due_anything_and_nobody_can_dispute() {
        let is_over = |change: fn(&mut State)| {
            let mut state: State = bytemuck::Zeroable::zeroed();
            (state.closes_at, state.claimed_until) = (NOW.into(), NOW.into());
            change(&mut state);
            is_over(&state, UnixTime::new(NOW))
        };
        assert!(is_over(|_| {}));
        assert!(!is_over(|state| state.closes_at = 0.into()));
        assert!(!is_over(|state| state.closes_at = (NOW + 1).into()));
        assert!(!is_over(|state| state.settled = 1.into()));
        assert!(!is_over(|state| state.owed[0] = 1.into()));
        assert!(!is_over(|state| state.claimed_until = (NOW + 1).into()));
        assert!(is_over(|state| (state.claimed_until, state.disputed) = ((NOW + 1).into(), 1)));
    }

    #[test]
    fn staging_a_session_does_not_burn_the_providers_fees() {
        assert!(!is_due(|claim| claim.state.staged_at = (NOW + 30 * 86_400).into()));
        assert!(is_due(|claim| claim.state.staged_at = (NOW + MARGIN - 1).into()));
    }
}
