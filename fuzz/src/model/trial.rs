//! Disputes: who says what, what is decided, and who gets what by it. The rules and the table that everybody was told,
//! worked out once more.

use joule_sdk::{
    escrow::{
        math::Side,
        state::{Dispute, Verdict},
    },
    Pubkey,
};
use std::collections::BTreeMap;

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
    /// Weight revealed, by round and verdict; for `Neither` that of the third output that leads or, once it is decided, of the one
    /// that won.
    pub tally: [[u128; 3]; 2],
    pub revealed: [u32; 2],
    /// Votes committed, by round.
    pub cast: [u32; 2],
    pub verdict: Option<Verdict>,
    /// Base units for the jurors of each round.
    pub pots: [u64; 2],
    /// Third outputs and their weight, by round, in the order they were first revealed.
    pub thirds: [Vec<([u8; 32], u128)>; 2],
    /// The third output that leads, by round.
    pub leads: [Option<[u8; 32]>; 2],
    /// Weight revealed for any output, by round.
    pub weight: [u128; 2],
    /// What `Neither` was decided for; all zero without such a verdict.
    pub third: [u8; 32],
    /// Votes that have not been closed.
    pub ballots: BTreeMap<Pubkey, Ballot>,
    /// Members that were slashed because they never came.
    pub punished: u32,
    pub committed: u32,
    /// Members drawn for the first round.
    pub first_drawn: u8,
    /// Unix seconds: when it was opened, until when its drawing waits for members that are busy, and before which nobody is paid
    /// without a verdict.
    pub opened_at: i64,
    pub patient_until: i64,
    pub settle_after: i64,
}

/// A vote.
#[derive(Clone, Copy)]
pub struct Ballot {
    pub juror: Pubkey,
    pub round: u8,
    /// Base units that it weighs.
    pub stake: u64,
    pub commitment: [u8; 32],
    /// What it speaks for, once revealed.
    pub choice: Option<Verdict>,
    /// All zero until then, and for whoever could not run the job.
    pub output: [u8; 32],
    pub payout: Pubkey,
    pub claim: Pubkey,
    pub rent_payer: Pubkey,
}

impl Trial {
    pub fn is_panel(&self) -> bool {
        self.panel != Pubkey::default()
    }

    /// How many members a round's panel has.
    pub fn seats(&self, round: usize) -> usize {
        if round == 0 {
            self.jurors as usize
        } else {
            2 * self.jurors as usize + 1
        }
    }

    /// One and the same output with more than half: in a panel of all seats, in a quorum of what was revealed, if enough have
    /// committed. With more than two thirds, where an earlier round has decided nothing.
    pub fn verdict_of(&self, round: usize) -> Option<Verdict> {
        let whole = match self.is_panel() {
            true => self.seats(round) as u128 * self.deposit as u128,
            false => self.weight[round],
        };
        let enough = self.is_panel() || self.cast[round] >= self.jurors as u32;
        let verdicts = [Verdict::Stands, Verdict::Counter, Verdict::Neither];
        let is_second_lot = round == 1 && self.verdict_of(0).is_none();
        let is_enough = |weight: u128| if is_second_lot { weight * 3 > whole * 2 } else { weight * 2 > whole };
        let mut found = verdicts.into_iter().zip(self.tally[round]).filter(|(_, weight)| is_enough(*weight));
        enough.then(|| found.next())?.map(|(verdict, _)| verdict)
    }

    /// Counts a vote that was opened.
    pub fn count(&mut self, round: usize, choice: Verdict, output: [u8; 32], stake: u64) {
        self.revealed[round] += 1;
        let stake = stake as u128;
        match choice {
            // Who could not run the job weighs nothing.
            Verdict::Undecided => return,
            Verdict::Neither => {
                let thirds = &mut self.thirds[round];
                let place = thirds.iter().position(|(third, _)| *third == output);
                let place = place.unwrap_or_else(|| {
                    thirds.push((output, 0));
                    thirds.len() - 1
                });
                thirds[place].1 += stake;
                if thirds[place].1 > self.tally[round][2] {
                    self.tally[round][2] = thirds[place].1;
                    self.leads[round] = Some(output);
                }
            }
            _ => self.tally[round][choice as usize - 1] += stake,
        }
        self.weight[round] += stake;
    }

    /// `Neither` is for one output; both rounds share what is set aside among those who said that.
    pub fn name_third(&mut self, verdict: Verdict) {
        if verdict != Verdict::Neither {
            return;
        }
        let round = if self.verdict_of(1) == Some(verdict) { 1 } else { 0 };
        let third = self.leads[round].unwrap_or_default();
        self.third = third;
        for (tally, thirds) in self.tally.iter_mut().zip(&self.thirds) {
            tally[2] = thirds.iter().find(|(output, _)| *output == third).map_or(0, |(_, weight)| *weight);
        }
    }

    /// Whether a vote said what was decided.
    pub fn is_right(&self, ballot: &Ballot) -> bool {
        let is_other = self.verdict == Some(Verdict::Neither) && ballot.output != self.third;
        ballot.choice.is_some() && ballot.choice == self.verdict && !is_other
    }

    /// Whether a vote loses nothing though it was not right: nothing was decided, also by the appeal that it was cast in, or its juror
    /// could not run the job.
    pub fn is_spared(&self, ballot: &Ballot) -> bool {
        let is_open = ballot.choice.is_some();
        let is_in_vain = ballot.round == 1 && self.verdict_of(1).is_none();
        let undecided = Some(Verdict::Undecided);
        is_open && (self.verdict == undecided || ballot.choice == undecided || is_in_vain)
    }

    /// Base units that a vote loses which is neither right nor spared: a fifth, rounded up, if it was opened.
    pub fn lost(&self, ballot: &Ballot) -> u64 {
        if ballot.choice.is_some() {
            ballot.stake.div_ceil(5)
        } else {
            ballot.stake
        }
    }

    /// Whether enough of an appeal's panel were seated to decide.
    pub fn is_heard(&self) -> bool {
        self.round == 1 && 2 * (self.dispute.drawn - self.first_drawn) as usize > self.seats(1)
    }

    /// The last round that has a verdict decides.
    pub fn decided(&self) -> Verdict {
        let second = if self.round == 1 { self.verdict_of(1) } else { None };
        let first = || self.verdict_of(0).filter(|first| !self.is_doubted(*first));
        second.or_else(first).unwrap_or(Verdict::Undecided)
    }

    /// Whether most of an appeal's seats have not said what the first panel did.
    fn is_doubted(&self, first: Verdict) -> bool {
        let agree = match first {
            Verdict::Neither => {
                let third = self.leads[0].unwrap_or_default();
                self.thirds[1].iter().find(|(output, _)| *output == third).map_or(0, |(_, weight)| *weight)
            }
            _ => self.tally[1][first as usize - 1],
        };
        let (one, seats) = (self.deposit as u128, self.seats(1) as u128);
        self.round == 1 && 2 * (self.revealed[1] as u128 * one - agree) > seats * one
    }

    /// Unix seconds after which nobody can change the verdict any more.
    pub fn decided_after(&self) -> i64 {
        let over = if self.is_drawing { self.draw_by } else { self.final_at };
        match self.decided() {
            // The provider is paid no earlier than if nobody had challenged.
            Verdict::Undecided => over.max(self.settle_after - 1),
            _ => over,
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
    /// Whether that appeal could be decided; its deposit comes back if not.
    pub is_heard: bool,
    /// Whether it was from a round without a verdict.
    pub is_second_lot: bool,
    /// Whether anybody voted for the verdict, by round.
    pub has_winners: [bool; 2],
}

/// What provider, treasury and challenger are due, and the jurors of each round. The client gets the rest: its own appeal's
/// deposit, unless that is forfeited.
pub fn awards(verdict: Verdict, t: &Table) -> ([u128; 3], [u128; 2]) {
    let made = |side| t.appeal.filter(|(who, _)| *who == side).map_or(0, |(_, deposit)| deposit);
    let of = |side| if t.is_heard { made(side) } else { 0 };
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
        Verdict::Stands => [t.price - fee + rest / 2 + by_provider, fee + rest - rest / 2, 0],
        Verdict::Counter => {
            let (harmed, challenger) = (rest * 5_000 / 10_000, rest * 4_000 / 10_000);
            [0, rest - harmed - challenger, t.deposit + challenger + by_challenger]
        }
        Verdict::Neither => [0, penalty(rest), 0],
        Verdict::Undecided => {
            let bet = |by: u128| if t.is_second_lot { by / 10 } else { 0 };
            let bets = [by_provider, by_challenger, of(Side::Client)].map(bet);
            let provider = t.price - fee + by_provider - bets[0];
            [provider, fee + bets.iter().sum::<u128>(), t.deposit + by_challenger - bets[1]]
        }
    };
    let unheard = |side| if t.is_heard { 0 } else { made(side) };
    let [provider, fee, challenger] = parties;
    ([provider + unheard(Side::Provider), fee, challenger + unheard(Side::Challenger)], jurors)
}
