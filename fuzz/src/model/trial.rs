//! Disputes: who says what, what is decided, and who gets what by it. The rules and the table that everybody was told,
//! worked out once more.

use joule_sdk::{
    escrow::{
        math::Side,
        state::{Dispute, Verdict},
    },
    Pubkey,
};
use std::collections::{BTreeMap, BTreeSet};

/// A dispute that has not been closed.
#[derive(Clone)]
pub struct Trial {
    pub address: Pubkey,
    /// The account as it was when it was last touched; what decides about money is kept apart from it.
    pub dispute: Dispute,
    pub rent_payer: Pubkey,
    pub challenger: Pubkey,
    pub counter_result: [u8; 32],
    /// Base units that the challenger put into the job's vault.
    pub deposit: u64,
    /// Who appealed, and how many base units it put there.
    pub appeal: Option<(Side, u64)>,
    /// All zero in a quorum.
    pub panel: Pubkey,
    pub jurors: u8,
    pub round: u8,
    pub is_drawing: bool,
    /// Unix seconds, all of them.
    pub draw_by: i64,
    pub commit_by: i64,
    pub reveal_by: i64,
    pub final_at: i64,
    pub resolved_at: i64,
    /// Weight revealed, by round and verdict.
    pub tally: [[u128; 3]; 2],
    pub revealed: [u32; 2],
    /// Votes committed, by round.
    pub cast: [u32; 2],
    pub verdict: Option<Verdict>,
    /// Base units for the jurors of each round.
    pub pots: [u64; 2],
    /// Votes that have not been closed.
    pub ballots: BTreeMap<Pubkey, Ballot>,
    /// Members that were slashed because they never came.
    pub punished: u32,
    pub committed: u32,
    /// Who could be drawn for the round when it was, until it has been checked who was.
    pub eligible: Option<BTreeSet<Pubkey>>,
}

/// A vote.
#[derive(Clone, Copy)]
pub struct Ballot {
    pub juror: Pubkey,
    pub round: u8,
    /// Base units: what it weighs, and what it loses.
    pub stake: u64,
    pub commitment: [u8; 32],
    /// What it speaks for, once revealed.
    pub choice: Option<Verdict>,
    pub payout: Pubkey,
    pub claim: Pubkey,
    pub rent_payer: Pubkey,
}

impl Trial {
    pub fn is_panel(&self) -> bool {
        self.panel != Pubkey::default()
    }

    /// More than half of the revealed weight, if enough have committed.
    pub fn verdict_of(&self, round: usize) -> Option<Verdict> {
        let seats = if round == 0 { self.jurors as u32 } else { 2 * self.jurors as u32 + 1 };
        let needed = if self.is_panel() { seats / 2 + 1 } else { seats };
        let total: u128 = self.tally[round].iter().sum();
        let verdicts = [Verdict::Stands, Verdict::Counter, Verdict::Neither];
        let mut found = verdicts.into_iter().zip(self.tally[round]).filter(|(_, weight)| weight * 2 > total);
        (self.cast[round] >= needed).then(|| found.next())?.map(|(verdict, _)| verdict)
    }

    /// The last round that has a verdict decides.
    pub fn decided(&self) -> Verdict {
        let second = if self.round == 1 { self.verdict_of(1) } else { None };
        second.or_else(|| self.verdict_of(0)).unwrap_or(Verdict::Undecided)
    }

    /// Unix seconds after which nobody can change the verdict any more.
    pub fn decided_after(&self) -> i64 {
        if self.is_drawing {
            self.draw_by
        } else {
            self.final_at
        }
    }

    /// Weight that was revealed for the verdict.
    pub fn winners(&self, round: u8, verdict: Verdict) -> u128 {
        match verdict {
            Verdict::Undecided => 0,
            _ => self.tally[round as usize][verdict as usize - 1],
        }
    }

    /// Whether this side has nothing to appeal.
    pub fn has_won(&self, side: Side) -> bool {
        match self.verdict_of(0) {
            Some(Verdict::Stands) => side == Side::Provider,
            Some(Verdict::Counter) => side != Side::Provider,
            _ => false,
        }
    }

    /// Base units for a vote with the verdict.
    pub fn reward(&self, ballot: &Ballot, verdict: Verdict) -> u64 {
        match self.winners(ballot.round, verdict) {
            0 => 0,
            winners => (self.pots[ballot.round as usize] as u128 * ballot.stake as u128 / winners) as u64,
        }
    }
}

/// The treasury's part of what a provider has lost, in base units. What a juror has lost is all the treasury's.
pub fn penalty(slashed: u128) -> u128 {
    slashed - slashed * 9_000 / 10_000
}

/// What lies on the table, in base units.
pub struct Table {
    pub price: u128,
    pub fee_bps: u128,
    pub deposit: u128,
    pub slashed: u128,
    pub appeal: Option<(Side, u128)>,
    /// Whether anybody voted for the verdict, by round.
    pub has_winners: [bool; 2],
}

/// What provider, treasury and challenger are due, and the jurors of each round. The client gets the rest: its own appeal's
/// deposit, unless that is forfeited, and what it is paid for waiting.
pub fn awards(verdict: Verdict, t: &Table) -> ([u128; 3], [u128; 2]) {
    let of = |side| t.appeal.filter(|(who, _)| *who == side).map_or(0, |(_, deposit)| deposit);
    let (by_provider, by_challenger) = (of(Side::Provider), of(Side::Challenger));
    let fee = t.price * t.fee_bps / 10_000;
    let forfeited = match verdict {
        Verdict::Stands => t.deposit + by_challenger + of(Side::Client),
        Verdict::Counter => t.slashed + by_provider,
        Verdict::Neither => t.slashed + t.deposit + by_provider + by_challenger,
        Verdict::Undecided => 0,
    };
    let fifth = forfeited * 2_000 / 10_000;
    let jurors = match t.has_winners {
        [true, true] => [fifth / 2, fifth - fifth / 2],
        [true, false] => [fifth, 0],
        [false, true] => [0, fifth],
        [false, false] => [0, 0],
    };
    let rest = forfeited - jurors[0] - jurors[1];
    let parties = match verdict {
        Verdict::Stands => [t.price - fee + rest + by_provider, fee, 0],
        Verdict::Counter => {
            let (harmed, challenger) = (rest * 5_000 / 10_000, rest * 4_000 / 10_000);
            [0, rest - harmed - challenger, t.deposit + challenger + by_challenger]
        }
        Verdict::Neither => [0, penalty(rest), 0],
        Verdict::Undecided => {
            let waiting = t.deposit * 1_000 / 10_000;
            [t.price - fee + by_provider, fee, t.deposit - waiting + by_challenger]
        }
    };
    (parties, jurors)
}
