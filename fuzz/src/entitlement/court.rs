//! Who could have judged, what they would have said, and what a verdict must then be: by the documents, not by the programs.

use super::{
    finding::Kind,
    honest::{self, Duty},
    notes::{Case, Vote, TRUTH},
    play::Play,
};
use joule_sdk::{
    escrow::state::{Dispute, DisputeStatus, Job as State, Verdict, Verification},
    pda,
    registry::state::{Attestations, Criteria, Provider},
    Pubkey,
};
use std::collections::{BTreeMap, BTreeSet};

const NOBODY: Pubkey = Pubkey::new_from_array([0; 32]);

/// Honest workers that meet a job's requirements now.
pub fn eligible(play: &Play, address: &Pubkey, state: &State) -> BTreeSet<Pubkey> {
    let wanted = play.jobs.get(address).and_then(|job| job.wanted);
    let demands = state.requirements != NOBODY;
    let workers = play.cast.people.iter().filter(|person| person.is_provider() && !person.is_rogue);
    let meets = |key: &Pubkey| match (demands, &wanted) {
        (false, _) => true,
        (true, Some(criteria)) => meets(play, key, criteria),
        // Nobody knows what it was.
        (true, None) => false,
    };
    let is_active = |key: &Pubkey| play.read::<Provider>(&pda::provider(key)).is_some_and(|p| p.status == 1);
    workers.map(|person| person.key).filter(|key| is_active(key) && meets(key)).collect()
}

fn meets(play: &Play, key: &Pubkey, criteria: &Criteria) -> bool {
    let (provider, attestations) = (pda::provider(key), play.read::<Attestations>(&pda::attestations(key)));
    let Some(state) = play.read::<Provider>(&provider) else { return false };
    let allowed: Vec<&Pubkey> = criteria.allowed.iter().filter(|address| **address != NOBODY).collect();
    let is_strong = state.gpu_count.get() >= criteria.gpu_count.get()
        && state.vram_mib.get() >= criteria.vram_mib.get()
        && (criteria.regions[0].get() == 0 || criteria.regions.contains(&state.region));
    let holds = |attestor: &Pubkey, schema: u32| {
        let places = attestations.iter().flat_map(|all| all.places.iter());
        places
            .filter(|place| place.attestor == *attestor && (schema == 0 || place.schema.get() == schema))
            .any(|place| place.expires_at.get() > play.now)
    };
    let rules = |list: &[joule_sdk::registry::state::CredentialRule]| -> Vec<bool> {
        let used = list.iter().filter(|rule| rule.attestor != NOBODY);
        used.map(|rule| holds(&rule.attestor, rule.schema.get())).collect()
    };
    let (all_of, any_of) = (rules(&criteria.all_of), rules(&criteria.any_of));
    let is_allowed = allowed.is_empty() || allowed.contains(&&provider);
    is_allowed && is_strong && all_of.iter().all(|has| *has) && (any_of.is_empty() || any_of.contains(&true))
}

/// A result was challenged.
pub fn open(play: &mut Play, address: &Pubkey, state: &State, dispute: &Dispute, eligible: BTreeSet<Pubkey>) {
    let truth = match (state.result_hash == TRUTH, dispute.counter_result == TRUTH) {
        (true, _) => Verdict::Stands,
        (_, true) => Verdict::Counter,
        _ => Verdict::Neither,
    };
    let parties = [state.client, state.provider_authority, state.payout_owner, dispute.challenger];
    let eligible: BTreeSet<Pubkey> = eligible.into_iter().filter(|key| !parties.contains(key)).collect();
    let case = Case { truth, seated: 0, rounds: 0, votes: BTreeMap::new(), verdict: None };
    let Some(job) = play.jobs.get_mut(address) else { return };
    job.case = Some(case);
    if dispute.mode == Verification::Quorum as u8 {
        for juror in eligible {
            if play.chance(88) {
                let at = play.moment(play.now, dispute.commit_by.get());
                intend(play, address, 0, juror);
                play.plan(at, Duty::Vote { job: *address, juror });
            }
        }
    } else {
        honest::draw_soon(play, address, dispute);
    }
}

fn intend(play: &mut Play, address: &Pubkey, round: u8, juror: Pubkey) {
    if let Some(case) = play.jobs.get_mut(address).and_then(|job| job.case.as_mut()) {
        case.votes.insert((round, juror), (0, Vote::Planned));
    }
}

/// Members of a panel hear that they were drawn, and parties that they can appeal soon.
pub fn follow(play: &mut Play, address: &Pubkey) {
    let Some(dispute) = play.read::<Dispute>(&pda::dispute(address)) else { return };
    let Some(case) = play.jobs.get_mut(address).and_then(|job| job.case.as_mut()) else { return };
    if dispute.mode != Verification::Panel as u8 || dispute.status != DisputeStatus::Voting as u8 {
        return;
    }
    let (from, to) = (case.seated, dispute.drawn);
    if to <= from && case.rounds > dispute.round {
        return;
    }
    case.seated = to;
    let is_new_round = case.rounds <= dispute.round;
    case.rounds = dispute.round + 1;
    for seat in from..to {
        let juror = dispute.members[seat as usize];
        if !play.cast.is_honest(&juror) {
            continue;
        }
        if play.chance(90) {
            let at = play.moment(play.now, dispute.commit_by.get());
            intend(play, address, dispute.round, juror);
            play.plan(at, Duty::Seat { job: *address, juror, seat, round: dispute.round });
        } else if let Some(job) = play.jobs.get_mut(address) {
            job.asleep.insert(juror);
        }
    }
    if is_new_round && dispute.round == 0 {
        honest::appeal_later(play, address, &dispute);
    }
}

/// Whether those who were honest, awake and allowed to judge were more than the others.
fn has_honest_majority(case: &Case, dispute: &Dispute) -> bool {
    let counts = |vote: &Vote| matches!(vote, Vote::Open | Vote::Refused(_));
    if dispute.mode == Verification::Quorum as u8 {
        let sum = |counts: fn(&Vote) -> bool| -> u128 {
            case.votes.values().filter(|(_, vote)| counts(vote)).map(|(stake, _)| *stake as u128).sum()
        };
        let mine = sum(|vote| matches!(vote, Vote::Open | Vote::Refused(_)));
        let open = sum(|vote| matches!(vote, Vote::Open));
        let total = dispute.rounds[0].weight.get() as u128;
        let refused = case.votes.values().filter(|(_, vote)| matches!(vote, Vote::Refused(_))).count() as u32;
        let enough = dispute.rounds[0].committed.get() + refused >= dispute.jurors as u32;
        return enough && mine > total.saturating_sub(open);
    }
    let round = u8::from(dispute.round == 1 && dispute.drawn > dispute.first_drawn);
    let seats = if round == 0 { dispute.jurors as usize } else { 2 * dispute.jurors as usize + 1 };
    let says = |((of, _), (weight, vote)): &(&(u8, Pubkey), &(u64, Vote))| *of == round && *weight > 0 && counts(vote);
    let mine = case.votes.iter().filter(says).count();
    let is_second_lot = round == 1 && dispute.verdict_of(0).is_none();
    if is_second_lot {
        3 * mine > 2 * seats
    } else {
        2 * mine > seats
    }
}

/// Nothing is decided against the truth while most of those who could judge were honest.
pub fn judge(play: &mut Play, address: &Pubkey, state: &State, dispute: &Dispute, verdict: Verdict) {
    let robbed = play.robbed.clone();
    let Some(case) = play.jobs.get_mut(address).and_then(|job| job.case.as_mut()) else { return };
    case.verdict = Some(verdict);
    let is_lumped = verdict == Verdict::Neither && !has_one_output(play, state, dispute, address);
    if is_lumped {
        play.find(Kind::Lumped, "outputs that differ were counted as one against the result".to_owned());
    }
    let Some(case) = play.jobs.get_mut(address).and_then(|job| job.case.as_mut()) else { return };
    case.votes.retain(|(_, juror), (_, vote)| !matches!(vote, Vote::Refused(_)) || !robbed.contains(juror));
    let (is_sound, is_true) = (has_honest_majority(case, dispute), verdict == case.truth);
    let is_quorum = dispute.mode == Verification::Quorum as u8;
    if !is_sound || is_true {
        play.mark(match (is_sound, is_quorum, dispute.round) {
            (true, true, _) => "honest majority of a quorum heard",
            (true, false, 0) => "honest majority of a panel heard",
            (true, false, _) => "honest majority heard after an appeal",
            (false, ..) if is_true => "truth without an honest majority",
            _ => "judged without an honest majority",
        });
        return;
    }
    let (reasons, truth) = (case.reasons(), case.truth);
    let kind = kind_of(&reasons, dispute.mode == Verification::Panel as u8);
    let kind = kind.unwrap_or(Kind::Misjudged);
    let said = if play.cast.is_honest(&state.provider_authority) { "an honest provider" } else { "a liar" };
    let mode = if dispute.mode == Verification::Quorum as u8 { "a quorum" } else { "a panel" };
    play.find(
        kind,
        format!("{mode} with an honest majority: {verdict:?}, not {truth:?}, for {said}; refused: {reasons:?}"),
    );
}

/// Whether more than half of what was opened in a round is for one output that neither party has named.
fn has_one_output(play: &Play, state: &State, dispute: &Dispute, address: &Pubkey) -> bool {
    (0..2).any(|round| {
        let votes = play.opened.get(&(pda::dispute(address), round));
        let mut weights = BTreeMap::<[u8; 32], u128>::new();
        for (weight, output) in votes.into_iter().flatten().map(|(_, vote)| vote) {
            *weights.entry(*output).or_default() += *weight as u128;
        }
        let total: u128 = weights.values().sum();
        let is_third = |output: &[u8; 32]| *output != state.result_hash && *output != dispute.counter_result;
        weights.iter().any(|(output, weight)| is_third(output) && weight * 2 > total)
    })
}

/// What keeping jurors out for these reasons is called.
fn kind_of(reasons: &BTreeSet<String>, is_panel: bool) -> Option<Kind> {
    let has = |name: &str| reasons.contains(name);
    if has("UninitializedAccount") || has("WrongRequirements") || has("AccountNotInitialized") {
        Some(Kind::Picked)
    } else if is_panel && has("BondTooSmall") {
        Some(Kind::Uncovered)
    } else if !reasons.is_empty() {
        Some(Kind::Excluded)
    } else {
        None
    }
}

/// What everybody may expect at least of a verdict: the table in programs/escrow/README.md.
pub fn share(play: &mut Play, address: &Pubkey, state: &State, dispute: &Dispute, verdict: Verdict, slashed: u64) {
    let Some(job) = play.jobs.get(address) else { return };
    let (price, net) = (state.price.get() as i128, job.net() as i128);
    let (client, provider, payee) = (state.client, state.provider_authority, state.payout_owner);
    let (challenger, deposit) = (dispute.challenger, dispute.deposit.get());
    // An appeal that nobody could hear costs nothing.
    let seated = 2 * (dispute.drawn - dispute.first_drawn) > 2 * dispute.jurors + 1;
    let is_heard = dispute.round == 1 && seated;
    let appeal = if is_heard { dispute.appeal_deposit.get() } else { 0 };
    let [by_provider, by_challenger, by_client] =
        [1, 2, 3].map(|side| if dispute.appellant == side { appeal } else { 0 });
    let rest = |forfeited: u64| forfeited - forfeited / 5;
    let part = |amount: u64, bps: u64| (amount as u128 * bps as u128 / 10_000) as i128;
    match verdict {
        Verdict::Stands => {
            let forfeited = deposit + by_challenger + by_client;
            play.owe(&client, -price - by_client as i128);
            play.owe(&challenger, -((deposit + by_challenger) as i128));
            play.owe(&payee, net + rest(forfeited) as i128 / 2);
        }
        Verdict::Counter => {
            let rest = rest(slashed + by_provider);
            play.owe(&provider, -((slashed + by_provider) as i128));
            play.owe(&client, part(rest, 5_000));
            play.owe(&challenger, part(rest, 4_000));
        }
        Verdict::Neither => {
            let rest = rest(slashed + deposit + by_provider + by_challenger);
            play.owe(&provider, -((slashed + by_provider) as i128));
            play.owe(&challenger, -((deposit + by_challenger) as i128));
            play.owe(&client, part(rest, 9_000));
        }
        Verdict::Undecided => {
            // A second lot costs a tenth of what it is worth.
            let bet = |by: u64| if dispute.verdict_of(0).is_none() { by as i128 / 10 } else { 0 };
            play.owe(&client, -price - bet(by_client));
            play.owe(&payee, net);
            play.owe(&challenger, -bet(by_challenger));
            play.owe(&provider, -bet(by_provider));
        }
    }
}

/// A vote was slashed.
pub fn juror_slashed(play: &mut Play, address: &Pubkey, round: u8, juror: &Pubkey, choice: u8, slashed: u64) {
    play.owe(juror, -(slashed as i128));
    if !play.cast.is_honest(juror) {
        return;
    }
    let Some(case) = play.jobs.get(address).and_then(|job| job.case.as_ref()) else { return };
    let is_open = matches!(case.votes.get(&(round, *juror)), Some((_, Vote::Open)));
    let has_said_nothing = choice == Verdict::Undecided as u8;
    if is_open && (choice == 0 || has_said_nothing || case.verdict == Some(case.truth)) {
        let what = format!("{} said the truth, or that it could not, and was slashed for it", play.cast.name(juror));
        play.find(Kind::Slashed, what);
    }
}

/// A member of a panel was slashed for not coming.
pub fn absent_slashed(play: &mut Play, address: &Pubkey, seat: u8, juror: &Pubkey, slashed: u64) {
    play.owe(juror, -(slashed as i128));
    let Some(job) = play.jobs.get(address) else { return };
    if !play.cast.is_honest(juror) || job.asleep.contains(juror) || play.robbed.contains(juror) {
        return;
    }
    let Some(case) = &job.case else { return };
    let vote = case.votes.iter().find(|((_, who), _)| who == juror).map(|(_, (_, vote))| vote.clone());
    let (kind, why) = match vote {
        Some(Vote::Refused(why)) => {
            let kind = kind_of(&BTreeSet::from([why.clone()]), true);
            (kind.unwrap_or(Kind::Slashed), why)
        }
        vote => (Kind::Slashed, format!("{vote:?}")),
    };
    let what =
        format!("{} was drawn for seat {seat}, could not come ({why}), and lost {slashed}", play.cast.name(juror));
    play.find(kind, what);
}
