//! Disputes, as the escrow tells of them.

use super::{
    jobs::{live, require_backed, Payment},
    panels::{require_judges, seat_claim},
    Called, Story,
};
use crate::{
    check::Violation,
    model::{awards, Ballot, Model, Table, Thing, Trial},
};
use bytemuck::Zeroable;
use joule_sdk::{
    escrow::{
        constants::{LATE, PATIENCE},
        event::{
            AnyEvent as Escrow, DisputeAppealed, DisputeResolved, JobChallenged, VoteClosed, VoteCommitted,
            VoteRevealed,
        },
        math::Side,
        state::{commitment, Dispute, JobStatus, Verdict},
    },
    pda, Pubkey,
};

impl Story {
    pub(super) fn dispute(&mut self, model: &mut Model, event: Escrow, called: &Called) -> Result<(), Violation> {
        match event {
            Escrow::JobChallenged(e) => self.challenged(model, &e, called),
            Escrow::VoteCommitted(e) => self.committed(model, &e, called),
            Escrow::VoteRevealed(e) => revealed(model, &e, called),
            Escrow::DisputeAppealed(e) => self.appealed(model, &e, called),
            Escrow::DisputeResolved(e) => self.resolved(model, &e, called),
            Escrow::VoteClosed(e) => self.vote_closed(model, &e, called),
            Escrow::DisputeClosed(e) => {
                let (_, trial) = tried(model, &e.dispute)?;
                let seats = (1u32 << trial.dispute.drawn) - 1;
                let is_settled = (trial.committed | trial.punished) & seats == seats;
                let is_over = trial.verdict.is_some() && trial.ballots.is_empty() && is_settled;
                Violation::unless(is_over, "a dispute was closed before it was wound up")?;
                self.rents.push((trial.address, trial.rent_payer));
                model.forget([e.dispute]);
                model.trials.remove(&e.job);
                let entry = live(model, &e.job)?;
                entry.late += entry.job.owed_jurors.get() as u128;
                entry.job.owed_jurors = 0.into();
                entry.job.disputed = 0;
                Ok(())
            }
            event => self.panel(model, event, called),
        }
    }

    fn challenged(&mut self, model: &mut Model, e: &JobChallenged, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.challenger)?;
        let (source, account, payer) =
            (called.account("source")?, called.account("account")?, called.account("payer")?);
        let entry = live(model, &e.job)?;
        let is_time = entry.job.status == JobStatus::Delivered as u8 && called.now < entry.job.settle_after.get();
        Violation::unless(is_time && entry.job.verification != 0, "challenged out of time, or with no judge")?;
        let is_other = e.counter_result != entry.job.result_hash;
        Violation::unless(is_other && e.deposit == entry.job.exposure, "challenged for nothing")?;
        entry.deposits += e.deposit.get() as u128;
        entry.job.challenger = e.challenger;
        entry.job.challenger_account = account;
        entry.job.disputed = 1;
        entry.job.status = JobStatus::Challenged as u8;
        let (vault, step) = (entry.job.vault, entry.job.vote_window.get() as i64);
        let is_panel = entry.job.verification == 2;
        let (of, settle_after) = (entry.job, entry.job.settle_after.get());
        // A quorum commits until the review window would have ended.
        let commit_by = (called.now + step).max(entry.job.settle_after.get());
        let trial = Trial {
            address: e.dispute,
            dispute: Dispute::zeroed(),
            rent_payer: payer,
            challenger: e.challenger,
            counter_result: e.counter_result,
            deposit: e.deposit.get(),
            appeal: None,
            panel: e.panel,
            jurors: entry.job.jurors,
            round: 0,
            is_drawing: is_panel,
            draw_by: if is_panel { called.now + step } else { 0 },
            commit_by: if is_panel { 0 } else { commit_by },
            reveal_by: if is_panel { 0 } else { commit_by + step },
            final_at: if is_panel { 0 } else { commit_by + step },
            resolved_at: 0,
            tally: Default::default(),
            revealed: Default::default(),
            cast: Default::default(),
            verdict: None,
            pots: Default::default(),
            ballots: Default::default(),
            punished: 0,
            committed: 0,
            first_drawn: 0,
            thirds: Default::default(),
            leads: [None; 2],
            weight: [0; 2],
            third: [0; 32],
            opened_at: called.now,
            patient_until: called.now + PATIENCE as i64,
            settle_after,
        };
        if is_panel {
            require_judges(model, &of, &trial)?;
        }
        self.gain(source, -(e.deposit.get() as i128));
        self.gain(vault, e.deposit.get() as i128);
        self.rents.push((e.dispute, payer));
        model.name([e.dispute], Thing::Trial(e.job));
        model.trials.insert(e.job, trial);
        model.mark(if is_panel { "challenged, panel" } else { "challenged, quorum" });
        Ok(())
    }

    fn committed(&mut self, model: &mut Model, e: &VoteCommitted, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.juror)?;
        let (payer, payout) = (called.account("payer")?, called.account("payout")?);
        let (job, trial) = tried(model, &e.dispute)?;
        let is_time = !trial.is_drawing && trial.verdict.is_none() && called.now <= trial.commit_by;
        Violation::unless(job == e.job, "a vote about another job")?;
        Violation::unless(is_time && e.round == trial.round, "a vote out of time")?;
        let (deposit, is_panel, challenger) = (trial.deposit, trial.is_panel(), trial.challenger);
        let (final_at, round, panel) = (trial.final_at, trial.round, trial.panel);
        let opened_at = trial.opened_at;
        Violation::unless((called.name == "commit_seat") == is_panel, "a vote of somebody who was not asked")?;
        let of = live(model, &job)?.job;
        let parties = [of.client, of.provider_authority, of.payout_owner, challenger];
        Violation::unless(!parties.contains(&e.juror), "a party that judges itself")?;
        let claim = if is_panel {
            Violation::unless(e.stake.get() == deposit, "a seat that weighs more or less than the others")?;
            let [place] = called.argument::<1>(0)?;
            let trial = trial_mut(model, &job)?;
            let is_its = trial.dispute.members.get(place as usize) == Some(&e.juror);
            Violation::unless(is_its && trial.committed & (1 << place) == 0, "a vote in somebody else's seat")?;
            trial.committed |= 1 << place;
            seat_claim(model, &panel, &e.juror).ok_or_else(|| Violation::new("a seat that nothing stands behind"))?
        } else {
            let locked = self.take_locked(&e.vote)?;
            let weighs = locked.amount == e.stake.get() && locked.amount >= deposit;
            Violation::unless(weighs, "a vote that weighs what is not locked")?;
            let is_long = locked.until >= final_at + LATE as i64;
            Violation::unless(is_long, "a vote's claim that ends before it can be needed")?;
            require_backed(model, &of.requirements, &locked)?;
            let provider = model.providers.get(&pda::provider(&e.juror));
            let has_stood = provider.is_some_and(|provider| provider.stated_at < opened_at);
            Violation::unless(has_stood, "a juror that came to be what it is after the dispute")?;
            locked.claim
        };
        let ballot = Ballot {
            juror: e.juror,
            round: e.round,
            stake: e.stake.get(),
            commitment: e.commitment,
            choice: None,
            output: [0; 32],
            payout,
            claim,
            rent_payer: payer,
        };
        self.rents.push((e.vote, payer));
        model.name([e.vote], Thing::Trial(job));
        let trial = trial_mut(model, &job)?;
        trial.cast[round as usize] += 1;
        trial.ballots.insert(e.vote, ballot);
        Ok(())
    }

    fn appealed(&mut self, model: &mut Model, e: &DisputeAppealed, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.appellant)?;
        let (job, trial) = tried(model, &e.dispute)?;
        let side = match e.side {
            1 => Side::Provider,
            2 => Side::Challenger,
            _ => Side::Client,
        };
        let is_time = called.now > trial.reveal_by && called.now <= trial.final_at && !trial.is_drawing;
        let may = is_time && trial.verdict.is_none() && trial.is_panel() && trial.round == 0 && !trial.has_won(side);
        Violation::unless(may, "an appeal out of time, or of whoever has won")?;
        Violation::unless(e.deposit.get() == 2 * trial.deposit, "an appeal that costs something else")?;
        trial.appeal = Some((side, e.deposit.get()));
        trial.round = 1;
        trial.is_drawing = true;
        trial.patient_until = called.now + PATIENCE as i64;
        let challenger = trial.challenger;
        let entry = live(model, &job)?;
        let own = match side {
            Side::Challenger => e.appellant == challenger,
            Side::Client => e.appellant == entry.job.client,
            Side::Provider => [entry.job.provider_authority, entry.job.payout_owner].contains(&e.appellant),
        };
        Violation::unless(own, "an appeal of a stranger")?;
        entry.deposits += e.deposit.get() as u128;
        let (vault, step) = (entry.job.vault, entry.job.vote_window.get() as i64);
        trial_mut(model, &job)?.draw_by = called.now + step;
        self.gain(called.account("source")?, -(e.deposit.get() as i128));
        self.gain(vault, e.deposit.get() as i128);
        model.mark(match side {
            Side::Provider => "appeal by provider",
            Side::Challenger => "appeal by challenger",
            Side::Client => "appeal by client",
        });
        Ok(())
    }

    fn resolved(&mut self, model: &mut Model, e: &DisputeResolved, called: &Called) -> Result<(), Violation> {
        let (job, trial) = tried(model, &e.dispute)?;
        let may = job == e.job && trial.verdict.is_none() && called.now > trial.decided_after();
        Violation::unless(may, "resolved while the verdict can change")?;
        let verdict = trial.decided();
        Violation::unless(verdict as u8 == e.verdict, "a verdict that the votes do not support")?;
        trial.name_third(verdict);
        let trial = trial.clone();
        let of = live(model, &job)?.job;
        let mut slashed = 0;
        if verdict.pays_provider() {
            let price = if verdict == Verdict::Stands { of.price.get() } else { 0 };
            self.expect_released(model, &of.claim, price)?;
        } else {
            slashed = self.take_slashed(model, &of.claim, of.exposure.get(), &of.vault)? as u128;
        }
        let table = Table {
            price: of.price.get() as u128,
            fee_bps: of.fee_bps.get() as u128,
            deposit: trial.deposit as u128,
            slashed,
            appeal: trial.appeal.map(|(side, deposit)| (side, deposit as u128)),
            is_heard: trial.is_heard(),
            is_second_lot: trial.verdict_of(0).is_none(),
            has_winners: [0, 1].map(|round| trial.winners(round, verdict) > 0),
        };
        let ([provider, fee, challenger], pots) = awards(verdict, &table);
        let says = (e.slashed.get() as u128, e.jurors.get() as u128);
        Violation::unless(says == (slashed, pots[0] + pots[1]), "a verdict that slashes or sets aside something else")?;
        let entry = live(model, &job)?;
        entry.slashed += slashed;
        (entry.due.provider, entry.due.fee, entry.due.challenger) = (provider, fee, challenger);
        entry.job.owed_jurors = e.jurors;
        let status = if verdict.pays_provider() { JobStatus::Settled } else { JobStatus::Refunded };
        entry.job.status = status as u8;
        let trial = trial_mut(model, &job)?;
        trial.verdict = Some(verdict);
        trial.resolved_at = called.now;
        trial.pots = pots.map(|pot| pot as u64);
        let is_second = trial.round == 1 && trial.verdict_of(1).is_some();
        model.mark(match (verdict, is_second) {
            (Verdict::Stands, false) => "verdict: stands",
            (Verdict::Counter, false) => "verdict: counter",
            (Verdict::Neither, false) => "verdict: neither",
            (Verdict::Undecided, _) => "verdict: undecided",
            (Verdict::Stands, true) => "verdict after appeal: stands",
            (Verdict::Counter, true) => "verdict after appeal: counter",
            (Verdict::Neither, true) => "verdict after appeal: neither",
        });
        if !verdict.pays_provider() && slashed == 0 {
            model.mark("verdict, claim lapsed");
        }
        let paid = [e.paid_provider, e.paid_fee, e.paid_challenger, e.paid_client].map(|part| part.get());
        let owed = [e.owed_provider, e.owed_fee, e.owed_challenger, e.owed_client].map(|part| part.get());
        self.pay(model, &job, Payment::new(paid, owed, false), called)
    }

    fn vote_closed(&mut self, model: &mut Model, e: &VoteClosed, called: &Called) -> Result<(), Violation> {
        let trial = trial_mut(model, &e.job)?;
        let verdict = trial.verdict.ok_or_else(|| Violation::new("a vote was closed before the verdict"))?;
        let ballot = trial.ballots.remove(&e.vote);
        let ballot = ballot.ok_or_else(|| Violation::new("a vote was closed that nobody has cast"))?;
        Violation::unless(e.dispute == trial.address, "a vote in another dispute")?;
        let (reward, is_late) = (trial.reward(&ballot, verdict), called.now > trial.resolved_at + LATE as i64);
        let (is_right, is_spared) = (trial.is_right(&ballot), trial.is_spared(&ballot));
        let lost = trial.lost(&ballot);
        let reward = if is_right { reward } else { 0 };
        let panel = trial.is_panel().then_some(trial.panel);
        self.rents.push((e.vote, ballot.rent_payer));
        model.forget([e.vote]);
        let vault = live(model, &e.job)?.job.vault;
        if let Some(seat) = panel.and_then(|panel| model.enrolled.get_mut(&(panel, ballot.juror))) {
            seat.engaged = seat.engaged.saturating_sub(ballot.stake);
            if !is_right && !is_spared {
                seat.left = seat.left.saturating_sub(lost);
            }
        }
        if !is_right && !is_spared {
            Violation::unless(e.paid.get() == 0, "a vote that was wrong or silent was paid for")?;
            let slashed = self.take_slashed(model, &ballot.claim, lost, &vault)?;
            Violation::unless(slashed == e.slashed.get(), "a vote that says something else was slashed")?;
            slash_late(model, &e.job, slashed)?;
            model.mark(if ballot.choice.is_some() { "wrong vote slashed" } else { "silent vote slashed" });
            return Ok(());
        }
        // A seat's claim stays, for other disputes.
        if panel.is_none() {
            self.expect_released(model, &ballot.claim, 0)?;
        }
        if is_spared && verdict != Verdict::Undecided {
            model.mark("juror that could not run the job spared");
        }
        Violation::unless(e.slashed.get() == 0, "a vote that was right was slashed")?;
        let entry = live(model, &e.job)?;
        let left = entry.job.owed_jurors.get().checked_sub(reward);
        let left = left.ok_or_else(|| Violation::new("more for the jurors than was set aside"))?;
        entry.job.owed_jurors = left.into();
        if e.paid.get() == 0 {
            Violation::unless(reward == 0 || is_late, "a juror was not paid")?;
            entry.late += reward as u128;
            model.mark(if reward > 0 { "juror's reward forfeited" } else { "vote without reward" });
            return Ok(());
        }
        Violation::unless(e.paid.get() == reward, "a juror was paid something else than its reward")?;
        entry.paid.jurors += reward as u128;
        Violation::unless(called.account("payout")? == ballot.payout, "somebody else was paid for a vote")?;
        self.gain(vault, -(reward as i128));
        self.give(model, ballot.payout, reward);
        model.mark("juror rewarded");
        Ok(())
    }
}

fn revealed(model: &mut Model, e: &VoteRevealed, called: &Called) -> Result<(), Violation> {
    let result = live(model, &e.job)?.job.result_hash;
    let trial = trial_mut(model, &e.job)?;
    let is_time = called.now > trial.commit_by && called.now <= trial.reveal_by && !trial.is_drawing;
    Violation::unless(is_time && trial.verdict.is_none(), "revealed out of time")?;
    let (round, counter) = (trial.round, trial.counter_result);
    let ballot = trial.ballots.get_mut(&e.vote);
    let ballot = ballot.ok_or_else(|| Violation::new("a vote was revealed that nobody has cast"))?;
    let is_sealed = commitment(&e.job, &e.output, &called.argument::<32>(32)?, &ballot.juror) == ballot.commitment;
    let is_its = is_sealed && ballot.choice.is_none() && ballot.round == round;
    Violation::unless(is_its, "a vote was opened with somebody else's seal, or twice")?;
    let choice = match e.output {
        output if output == result => Verdict::Stands,
        output if output == counter => Verdict::Counter,
        [0, ..] if e.output == [0; 32] => Verdict::Undecided,
        _ => Verdict::Neither,
    };
    Violation::unless(choice as u8 == e.choice, "a vote counts for what it does not say")?;
    ballot.choice = Some(choice);
    ballot.output = e.output;
    let stake = ballot.stake;
    let may = choice != Verdict::Undecided || trial.is_panel();
    Violation::unless(may, "somebody came to a quorum and has run nothing")?;
    trial.count(round as usize, choice, e.output, stake);
    Ok(())
}

/// What a juror has lost is the treasury's.
pub(super) fn slash_late(model: &mut Model, job: &Pubkey, slashed: u64) -> Result<(), Violation> {
    let entry = live(model, job)?;
    entry.slashed += slashed as u128;
    entry.due.fee += slashed as u128;
    entry.job.owed_fee = (entry.job.owed_fee.get() + slashed).into();
    Ok(())
}

pub(super) fn trial_mut<'a>(model: &'a mut Model, job: &Pubkey) -> Result<&'a mut Trial, Violation> {
    model.trials.get_mut(job).ok_or_else(|| Violation::new("an event about a dispute that is not open"))
}

/// The dispute at an address, and its job.
pub(super) fn tried<'a>(model: &'a mut Model, dispute: &Pubkey) -> Result<(Pubkey, &'a mut Trial), Violation> {
    match model.thing(dispute) {
        Some(Thing::Trial(job)) => trial_mut(model, &job).map(|trial| (job, trial)),
        _ => Err(Violation::new("an event about a dispute that is not open")),
    }
}
