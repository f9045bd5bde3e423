//! What a dispute needs now, by its account and the chain's clock alone.

use crate::chain::Address;
use joule_sdk::{
    escrow::{
        math::Side,
        state::{Dispute, DisputeStatus, Job, Verdict, Vote},
    },
    units::UnixTime,
};

/// What a dispute needs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Members of the panel are to be drawn.
    Draw,
    /// This node votes: in a panel, from this seat.
    Commit(Option<u8>),
    /// This node says from its seat that it cannot run the job, having tried.
    Excuse(u8),
    /// This node opens its vote.
    Reveal,
    /// This node may have lost wrongly, and can ask for a second panel.
    Appeal,
    /// The verdict is there.
    Resolve,
    /// Votes are to be closed one by one, then the dispute.
    WindUp,
    Nothing,
}

/// What this node is and wants in a dispute.
#[derive(Clone, Copy, Default)]
pub struct Stand<'a> {
    /// It votes where a quorum decides.
    pub wants_vote: bool,
    /// Its place among the members of this round's panel.
    pub seat: Option<u8>,
    /// Has nothing to say about this job, or cannot run it.
    pub abstains: bool,
    /// Its vote in this round, if it is on the chain.
    pub vote: Option<&'a Vote>,
    /// Whether it knows what opens it.
    pub can_open: bool,
    /// The side that it would appeal for.
    pub side: Option<Side>,
    /// When the job's review is over, in Unix seconds.
    pub settle_after: i64,
}

/// `now` is the chain's time.
pub fn motion(dispute: &Dispute, stand: Stand, now: i64) -> Motion {
    let is = |status: DisputeStatus| dispute.status == status as u8;
    if is(DisputeStatus::Resolved) {
        return Motion::WindUp;
    }
    if is(DisputeStatus::Drawing) {
        return match now > dispute.draw_by.get() {
            true => resolution(dispute, stand, now),
            false => Motion::Draw,
        };
    }
    if now > dispute.final_at.get() {
        return resolution(dispute, stand, now);
    }
    let (commit_by, reveal_by) = (dispute.commit_by.get(), dispute.reveal_by.get());
    let may_vote = !dispute.is_panel() && stand.wants_vote;
    match (stand.vote, stand.seat) {
        // Whoever was drawn must say something, or is slashed for keeping silent.
        (None, Some(seat)) if stand.abstains && is_late(dispute, now) => Motion::Excuse(seat),
        (None, seat) if !stand.abstains && now <= commit_by && (seat.is_some() || may_vote) => Motion::Commit(seat),
        (Some(vote), _) if vote.choice == 0 && stand.can_open && now > commit_by && now <= reveal_by => Motion::Reveal,
        _ if now > reveal_by && stand.side.is_some_and(|side| has_lost(dispute, side)) => Motion::Appeal,
        _ => Motion::Nothing,
    }
}

/// Without a verdict nobody is paid before the review of the result is over.
fn resolution(dispute: &Dispute, stand: Stand, now: i64) -> Motion {
    match dispute.decide(stand.settle_after, UnixTime::new(now)) {
        Ok(_) => Motion::Resolve,
        Err(_) => Motion::Nothing,
    }
}

/// Whether so little is left of the time to commit that a member which cannot run the job says so: the last quarter of it.
pub fn is_late(dispute: &Dispute, now: i64) -> bool {
    let commit_by = dispute.commit_by.get();
    now >= commit_by - i64::from(dispute.vote_window.get()) / 4 && now <= commit_by
}

/// Until when a member tries to run the job, in Unix seconds: what is left then is for saying that it cannot.
pub fn tries_until(dispute: &Dispute) -> i64 {
    dispute.commit_by.get() - i64::from(dispute.vote_window.get()) / 8
}

/// Whether `side` loses money by what a first panel has decided, and a second one may see it otherwise.
fn has_lost(dispute: &Dispute, side: Side) -> bool {
    let loses = match dispute.verdict_of(0) {
        Some(Verdict::Counter) => side == Side::Provider,
        Some(Verdict::Neither) => side != Side::Client,
        // Without a verdict the provider is paid too.
        _ => side != Side::Provider,
    };
    dispute.is_panel() && dispute.round == 0 && loses
}

/// The side that `who` can appeal for.
pub fn side_of(job: &Job, dispute: &Dispute, who: &Address) -> Option<Side> {
    match who {
        who if *who == dispute.challenger => Some(Side::Challenger),
        who if *who == job.client => Some(Side::Client),
        who if [job.provider_authority, job.payout_owner].contains(who) => Some(Side::Provider),
        _ => None,
    }
}

/// The place of `who` among the members of the present round.
pub fn seat_of(dispute: &Dispute, who: &Address) -> Option<u8> {
    let first = if dispute.round == 0 { 0 } else { dispute.first_drawn };
    (first..dispute.drawn).find(|seat| dispute.members[usize::from(*seat)] == *who)
}

/// Whether the lot has fallen on `who` in any round.
pub fn was_drawn(dispute: &Dispute, who: &Address) -> bool {
    dispute.members[..usize::from(dispute.drawn).min(dispute.members.len())].contains(who)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Committed until 10, revealed until 20; in a panel final at 30.
    fn voting() -> Dispute {
        let mut dispute = <Dispute as bytemuck::Zeroable>::zeroed();
        dispute.status = DisputeStatus::Voting as u8;
        (dispute.commit_by, dispute.reveal_by, dispute.final_at) = (10.into(), 20.into(), 20.into());
        dispute
    }

    /// Three members, of whom two have revealed for this verdict.
    fn panel(verdict: Verdict) -> Dispute {
        let mut dispute = voting();
        dispute.mode = joule_sdk::escrow::state::Verification::Panel as u8;
        (dispute.final_at, dispute.jurors, dispute.drawn, dispute.first_drawn) = (30.into(), 3, 3, 3);
        for (member, byte) in dispute.members.iter_mut().zip(1..4) {
            *member = who(byte);
        }
        dispute.rounds[0].committed = 2.into();
        if verdict != Verdict::Undecided {
            dispute.rounds[0].tally[verdict as usize - 1] = 2.into();
        }
        dispute
    }

    fn who(byte: u8) -> Address {
        Address::new_from_array([byte; 32])
    }

    fn vote(choice: u8) -> Vote {
        Vote { choice, ..<Vote as bytemuck::Zeroable>::zeroed() }
    }

    const JUROR: Stand = Stand {
        wants_vote: true,
        seat: None,
        abstains: false,
        vote: None,
        can_open: false,
        side: None,
        settle_after: 0,
    };

    #[test]
    fn a_vote_is_committed_and_opened_in_its_time() {
        let dispute = voting();
        let (sealed, open) = (vote(0), vote(2));
        let at = |stand: Stand, now| motion(&dispute, stand, now);
        assert_eq!(at(JUROR, 10), Motion::Commit(None));
        assert_eq!(
            at(Stand { can_open: true, ..JUROR }, 10),
            Motion::Commit(None),
            "written down, and lost on its way"
        );
        assert_eq!(at(Stand { wants_vote: false, ..JUROR }, 10), Motion::Nothing);
        assert_eq!(at(Stand { abstains: true, ..JUROR }, 10), Motion::Nothing);
        assert_eq!(at(Stand { can_open: true, ..JUROR }, 11), Motion::Nothing, "too late");
        let committed = Stand { vote: Some(&sealed), can_open: true, ..JUROR };
        assert_eq!(at(committed, 10), Motion::Nothing, "never twice");
        assert_eq!(at(committed, 11), Motion::Reveal);
        assert_eq!(
            at(Stand { wants_vote: false, abstains: true, ..committed }, 20),
            Motion::Reveal,
            "whatever it wants now"
        );
        assert_eq!(at(Stand { can_open: false, ..committed }, 15), Motion::Nothing);
        assert_eq!(at(Stand { vote: Some(&open), ..committed }, 15), Motion::Nothing, "open already");
    }

    #[test]
    fn a_verdict_is_carried_out_as_soon_as_nobody_can_change_it() {
        let (mut dispute, open) = (voting(), vote(2));
        let stand = Stand { vote: Some(&open), can_open: true, ..JUROR };
        assert_eq!(motion(&dispute, stand, 20), Motion::Nothing);
        assert_eq!(motion(&dispute, stand, 21), Motion::Resolve);
        dispute.status = DisputeStatus::Resolved as u8;
        assert_eq!(motion(&dispute, Stand::default(), 0), Motion::WindUp);
    }

    #[test]
    fn a_panel_is_drawn_in_time_or_done_without() {
        let mut dispute = voting();
        dispute.status = DisputeStatus::Drawing as u8;
        dispute.draw_by = 5.into();
        assert_eq!(motion(&dispute, JUROR, 5), Motion::Draw);
        assert_eq!(motion(&dispute, JUROR, 6), Motion::Resolve);
        let reviewed = Stand { settle_after: 9, ..JUROR };
        assert_eq!([8, 9].map(|now| motion(&dispute, reviewed, now)), [Motion::Nothing, Motion::Resolve]);
    }

    #[test]
    fn a_member_that_cannot_run_the_job_says_so_late_and_a_quorum_needs_not_hear_it() {
        let mut dispute = panel(Verdict::Undecided);
        (dispute.commit_by, dispute.vote_window) = (100.into(), 40.into());
        (dispute.reveal_by, dispute.final_at) = (140.into(), 180.into());
        let member = Stand { seat: Some(1), abstains: true, ..JUROR };
        let at = |now| motion(&dispute, member, now);
        assert_eq!(
            [89, 90, 100, 101].map(at),
            [Motion::Nothing, Motion::Excuse(1), Motion::Excuse(1), Motion::Nothing]
        );
        assert_eq!(
            motion(&dispute, Stand { abstains: false, ..member }, 95),
            Motion::Commit(Some(1)),
            "it tries again"
        );
        let sealed = vote(0);
        assert_eq!(motion(&dispute, Stand { vote: Some(&sealed), ..member }, 95), Motion::Nothing, "never twice");
        assert_eq!(tries_until(&dispute), 95);
        let quorum = Dispute { mode: 1, ..dispute };
        assert_eq!(motion(&quorum, Stand { seat: None, ..member }, 95), Motion::Nothing);
    }

    #[test]
    fn in_a_panel_only_its_members_vote_and_only_in_their_round() {
        let mut dispute = panel(Verdict::Undecided);
        assert_eq!(motion(&dispute, JUROR, 10), Motion::Nothing, "it was not drawn");
        let member = Stand { seat: seat_of(&dispute, &who(2)), ..Stand::default() };
        assert_eq!(motion(&dispute, member, 10), Motion::Commit(Some(1)), "whether it votes in quorums or not");
        (dispute.round, dispute.drawn) = (1, 4);
        dispute.members[3] = who(7);
        assert_eq!((seat_of(&dispute, &who(2)), seat_of(&dispute, &who(7))), (None, Some(3)));
        assert_eq!([2, 7, 8].map(|byte| was_drawn(&dispute, &who(byte))), [true, true, false]);
    }

    #[test]
    fn whoever_a_first_panel_takes_money_from_may_appeal_and_nobody_else() {
        let appeals = |verdict, side| {
            motion(&panel(verdict), Stand { side: Some(side), ..Stand::default() }, 21) == Motion::Appeal
        };
        for side in [Side::Challenger, Side::Client] {
            assert!(appeals(Verdict::Stands, side) && !appeals(Verdict::Counter, side));
            assert!(appeals(Verdict::Undecided, side), "the result would stand");
        }
        assert!(appeals(Verdict::Neither, Side::Challenger) && !appeals(Verdict::Neither, Side::Client));
        assert!(appeals(Verdict::Counter, Side::Provider) && appeals(Verdict::Neither, Side::Provider));
        assert!(!appeals(Verdict::Stands, Side::Provider) && !appeals(Verdict::Undecided, Side::Provider));
        let provider = Stand { side: Some(Side::Provider), ..Stand::default() };
        assert_eq!(motion(&panel(Verdict::Counter), provider, 20), Motion::Nothing, "votes are still being opened");
        assert_eq!(motion(&panel(Verdict::Counter), provider, 31), Motion::Resolve, "too late");
        let second = Dispute { round: 1, ..panel(Verdict::Counter) };
        assert_eq!(motion(&second, provider, 21), Motion::Nothing, "once");
        let quorum = Dispute { mode: 1, ..panel(Verdict::Counter) };
        assert_eq!(motion(&quorum, provider, 21), Motion::Nothing, "from a quorum nobody can");
    }

    #[test]
    fn a_party_is_known_by_its_key() {
        let mut job = <Job as bytemuck::Zeroable>::zeroed();
        (job.client, job.provider_authority, job.payout_owner) = (who(1), who(2), who(3));
        let dispute = Dispute { challenger: who(4), ..voting() };
        let sides = [Some(Side::Client), Some(Side::Provider), Some(Side::Provider), Some(Side::Challenger), None];
        for (byte, side) in (1..).zip(sides) {
            assert_eq!(side_of(&job, &dispute, &who(byte)), side);
        }
    }
}
