//! Panels: who enrols, who is drawn, and who did not come, as the escrow tells of it.

use super::{
    disputes::{slash_late, trial_mut, tried},
    jobs::live,
    Called, Story,
};
use crate::{
    chain,
    check::Violation,
    model::{Model, Paper, Seat, Thing, Trial},
};
use joule_sdk::{
    escrow::{
        constants::{LATE, MAX_VOTE_WINDOW, PANEL_EPOCH},
        event::{AbsentPunished, AnyEvent as Escrow, PanelClosed, PanelDrawn, ResolverEnrolled},
        seat,
        state::{Dispute, Job},
    },
    Pubkey,
};
use std::collections::BTreeMap;

impl Story {
    pub(super) fn panel(&mut self, model: &mut Model, event: Escrow, called: &Called) -> Result<(), Violation> {
        match event {
            Escrow::PanelDrawn(e) => drawn(model, &e, called),
            Escrow::AbsentPunished(e) => self.punished(model, &e),
            Escrow::ResolverEnrolled(e) => self.enrolled(model, &e, called),
            Escrow::PanelClosed(e) => self.panel_closed(model, &e, called),
            _ => Err(Violation::new("an event that the fuzzer does not know")),
        }
    }

    fn enrolled(&mut self, model: &mut Model, e: &ResolverEnrolled, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.resolver)?;
        let locked = self.take_locked(&seat::subject(&e.panel, &e.resolver))?;
        Violation::unless(locked.amount == e.stake.get(), "enrolled with another stake than was locked")?;
        Violation::unless(called.now / PANEL_EPOCH + 1 == e.epoch.get() as i64, "enrolled too late")?;
        Violation::unless(
            locked.until >= needed_until(e.epoch.get()),
            "a seat's claim that ends before it can be needed",
        )?;
        if !model.panels.contains_key(&e.panel) {
            let payer = called.account("payer")?;
            let mint = model.bonds.get(&locked.bond).map(|bond| bond.mint).unwrap_or_default();
            self.rents.push((e.panel, payer));
            model.panels.insert(e.panel, Paper { of: mint, rent_payer: payer });
            model.name([e.panel], Thing::Panel(e.panel));
        }
        let seat = Seat { stake: e.stake.get(), left: e.stake.get(), engaged: 0 };
        let earlier = model.enrolled.insert((e.panel, e.resolver), seat);
        Violation::unless(earlier.is_none(), "a resolver is enrolled twice")
    }

    fn panel_closed(&mut self, model: &mut Model, e: &PanelClosed, called: &Called) -> Result<(), Violation> {
        let panel = model.panels.remove(&e.panel);
        let panel = panel.ok_or_else(|| Violation::new("a panel was closed that nobody has opened"))?;
        let mut seats = model.enrolled.iter().filter(|((panel, _), _)| *panel == e.panel);
        let is_over = called.now > needed_until(e.epoch.get()) && seats.all(|(_, seat)| seat.engaged == 0);
        Violation::unless(is_over, "a panel was closed while it may be needed")?;
        self.rents.push((e.panel, panel.rent_payer));
        model.forget([e.panel]);
        model.enrolled.retain(|(panel, _), _| *panel != e.panel);
        Ok(())
    }

    fn punished(&mut self, model: &mut Model, e: &AbsentPunished) -> Result<(), Violation> {
        let trial = trial_mut(model, &e.job)?;
        let (bit, member) = (1u32 << e.member, trial.dispute.members[e.member as usize]);
        let may = trial.verdict.is_some()
            && e.member < trial.dispute.drawn
            && (trial.committed | trial.punished) & bit == 0
            && member == e.resolver;
        Violation::unless(may, "punished for being absent, and was not")?;
        trial.punished |= bit;
        let (wanted, panel) = (trial.deposit, trial.panel);
        if let Some(seat) = model.enrolled.get_mut(&(panel, e.resolver)) {
            let rest = |of: u64| of.saturating_sub(wanted);
            *seat = Seat { left: rest(seat.left), engaged: rest(seat.engaged), ..*seat };
        }
        // What was slashed whole is no claim any more.
        let claim = self.hand.slashed.first().map(|slashed| slashed.claim);
        let claim = claim.or_else(|| seat_claim(model, &panel, &e.resolver));
        let vault = live(model, &e.job)?.job.vault;
        let slashed = match claim {
            Some(claim) => self.take_slashed(model, &claim, wanted, &vault)?,
            None => 0,
        };
        Violation::unless(slashed == e.slashed.get(), "a punishment that says something else was slashed")?;
        slash_late(model, &e.job, slashed)?;
        model.mark(if slashed > 0 { "absent member slashed" } else { "absent member, claim lapsed" });
        Ok(())
    }
}

/// Unix seconds until which an epoch's panel and its seats may be needed.
fn needed_until(epoch: u64) -> i64 {
    (epoch as i64 + 1) * PANEL_EPOCH + 8 * MAX_VOTE_WINDOW as i64 + LATE as i64
}

/// The claim behind somebody's seat in a panel.
pub(super) fn seat_claim(model: &Model, panel: &Pubkey, resolver: &Pubkey) -> Option<Pubkey> {
    let subject = seat::subject(panel, resolver);
    model.holds.iter().find(|(_, hold)| hold.subject == subject).map(|(claim, _)| *claim)
}

/// Those enrolled who have no part in a dispute.
fn others(model: &Model, of: &Job, trial: &Trial) -> BTreeMap<Pubkey, Seat> {
    let parties = [of.client, of.provider_authority, of.payout_owner, trial.challenger];
    let enrolled = model.enrolled.iter().filter(|((panel, _), _)| *panel == trial.panel);
    let others = enrolled.filter(|((_, who), _)| !parties.contains(who));
    others.map(|((_, who), seat)| (*who, *seat)).collect()
}

/// A panel is asked only if enough for an appeal, too, can answer for what is at risk, and are not the lesser part of all stakes.
pub(super) fn require_judges(model: &Model, of: &Job, trial: &Trial) -> Result<(), Violation> {
    let others = others(model, of, trial);
    let whole: u128 = others.values().map(|seat| seat.stake as u128).sum();
    let strong = others.values().filter(|seat| seat.stake >= trial.deposit && seat.answers(trial.deposit));
    let (count, stakes) = strong.fold((0, 0u128), |(count, sum), seat| (count + 1, sum + seat.stake as u128));
    let can = count > 3 * trial.jurors as usize && 2 * stakes >= whole;
    Violation::unless(can, "a panel was asked that cannot judge")
}

/// Members were drawn: those who could be, once each; whoever could be is, until the seats are taken. Nobody is who has lost what it would
/// answer with: its seat stays empty. While there is patience nobody is whose stake stands behind other seats.
fn drawn(model: &mut Model, e: &PanelDrawn, called: &Called) -> Result<(), Violation> {
    let (job, trial) = tried(model, &e.dispute)?;
    let is_time = trial.is_drawing && trial.verdict.is_none() && called.now <= trial.draw_by;
    Violation::unless(is_time && e.round == trial.round, "drawn out of time")?;
    let of = live(model, &job)?.job;
    let step = of.vote_window.get() as i64;
    let trial = trial_mut(model, &job)?.clone();
    let dispute: Dispute = chain::read(called.svm, &e.dispute).ok_or_else(|| Violation::new("a dispute is gone"))?;
    let earlier = trial.dispute.drawn as usize;
    let members = &dispute.members[..e.drawn as usize];
    let is_kept = members.get(..earlier) == Some(&trial.dispute.members[..earlier]);
    Violation::unless(is_kept, "a first panel that a second one has changed")?;
    let mut may = others(model, &of, &trial);
    may.retain(|who, seat| seat.stake >= trial.deposit && !members[..earlier].contains(who));
    let new = &members[earlier..];
    for (place, who) in new.iter().enumerate() {
        let seat = may.get(who).ok_or_else(|| Violation::new("a member that must not be drawn"))?;
        Violation::unless(!new[..place].contains(who), "a member that was drawn twice")?;
        Violation::unless(seat.answers(trial.deposit), "a member that has lost what its seat answers with")?;
        if seat.is_busy(trial.deposit) {
            Violation::unless(called.now > trial.patient_until, "a member whose stake stands behind other seats")?;
            model.mark("busy member seated when patience ended");
        }
    }
    let most = trial.seats(e.round as usize).min(may.len());
    let lost = may.values().filter(|seat| !seat.answers(trial.deposit)).count();
    let is_full = new.len() <= most && new.len() + lost >= most;
    Violation::unless(is_full, "seats left empty, or more members than seats")?;
    if new.len() < most {
        model.mark("seat left empty by who has lost its stake");
    }
    for who in new {
        if let Some(seat) = model.enrolled.get_mut(&(trial.panel, *who)) {
            seat.engaged += trial.deposit;
        }
    }
    let trial = trial_mut(model, &job)?;
    trial.is_drawing = false;
    trial.dispute.members = dispute.members;
    trial.dispute.drawn = e.drawn;
    if e.round == 0 {
        trial.first_drawn = e.drawn;
    }
    (trial.commit_by, trial.reveal_by) = (called.now + step, called.now + 2 * step);
    trial.final_at = called.now + 3 * step;
    model.mark(if e.round == 0 { "panel drawn" } else { "panel drawn after appeal" });
    Ok(())
}
