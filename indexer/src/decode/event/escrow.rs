//! The escrow's events.

use super::{closed, created, Key, Life, Row};
use crate::decode::fields::{fields, Number};
use joule_escrow::{
    constants::DISPUTE_SEED,
    event::AnyEvent as E,
    state::{RefundReason, Verdict, Verification},
};
use serde_json::{json, Value};

/// Where the dispute about a job is.
pub fn dispute(job: &Key) -> Key {
    anchor_lang::find_program_address(&[DISPUTE_SEED, job.as_ref()], &joule_escrow::ID).0
}

pub fn accounts(event: &E) -> Vec<Key> {
    match event {
        E::JobOpened(e) => vec![e.job, e.client, e.mint, e.requirements],
        E::BidPlaced(e) => vec![e.job, e.bid, e.provider],
        E::BidWithdrawn(e) => vec![e.job, e.bid, e.provider],
        E::JobAccepted(e) => vec![e.job, e.client, e.provider, e.bid],
        E::WorkReported(e) => vec![e.job, e.provider],
        E::JobDelivered(e) => vec![e.job, e.provider],
        E::JobSettled(e) => vec![e.job, e.client, e.provider, e.mint],
        E::JobRefunded(e) => vec![e.job, e.client, e.provider, e.mint],
        E::JobPaid(e) => vec![e.job],
        E::JobRedirected(e) => vec![e.job, e.by],
        E::JobChallenged(e) => vec![e.job, e.dispute, e.challenger, e.provider, e.panel],
        E::PanelDrawn(e) => vec![e.dispute, e.job],
        E::VoteCommitted(e) => vec![e.dispute, e.job, e.vote, e.juror],
        E::VoteRevealed(e) => vec![e.dispute, e.job, e.vote, e.juror],
        E::DisputeAppealed(e) => vec![e.dispute, e.job, e.appellant],
        E::DisputeResolved(e) => vec![e.job, e.dispute, e.client, e.provider, e.challenger, e.mint],
        E::VoteClosed(e) => vec![e.job, e.dispute, e.vote, e.juror],
        E::AbsentPunished(e) => vec![e.job, e.dispute, e.resolver],
        E::DisputeClosed(e) => vec![e.job, e.dispute],
        E::ResolverEnrolled(e) => vec![e.panel, e.resolver],
        E::PanelClosed(e) => vec![e.panel],
    }
}

/// The job that it changes.
pub fn job_of(event: &E) -> Option<&Key> {
    match event {
        E::JobOpened(e) => Some(&e.job),
        E::BidPlaced(e) => Some(&e.job),
        E::JobAccepted(e) => Some(&e.job),
        E::WorkReported(e) => Some(&e.job),
        E::JobDelivered(e) => Some(&e.job),
        E::JobSettled(e) => Some(&e.job),
        E::JobRefunded(e) => Some(&e.job),
        E::JobPaid(e) => Some(&e.job),
        E::JobRedirected(e) => Some(&e.job),
        E::JobChallenged(e) => Some(&e.job),
        E::DisputeAppealed(e) => Some(&e.job),
        E::DisputeResolved(e) => Some(&e.job),
        E::VoteClosed(e) => Some(&e.job),
        E::AbsentPunished(e) => Some(&e.job),
        E::DisputeClosed(e) => Some(&e.job),
        E::PanelDrawn(_) | E::VoteCommitted(_) | E::VoteRevealed(_) => None,
        E::BidWithdrawn(_) | E::ResolverEnrolled(_) | E::PanelClosed(_) => None,
    }
}

/// The dispute that it changes.
pub fn dispute_of(event: &E) -> Option<&Key> {
    match event {
        E::JobChallenged(e) => Some(&e.dispute),
        E::PanelDrawn(e) => Some(&e.dispute),
        E::VoteCommitted(e) => Some(&e.dispute),
        E::VoteRevealed(e) => Some(&e.dispute),
        E::DisputeAppealed(e) => Some(&e.dispute),
        E::DisputeResolved(e) => Some(&e.dispute),
        E::VoteClosed(e) => Some(&e.dispute),
        E::AbsentPunished(e) => Some(&e.dispute),
        E::DisputeClosed(e) => Some(&e.dispute),
        _ => None,
    }
}

pub fn rows(event: &E) -> Vec<Row> {
    let job = job_of(event).map(|job| Row::Job(job.into()));
    job.into_iter().chain(dispute_of(event).map(|dispute| Row::Dispute(dispute.into()))).collect()
}

pub fn repeats(event: &E) -> bool {
    matches!(event, E::BidPlaced(_) | E::BidWithdrawn(_) | E::WorkReported(_) | E::JobRedirected(_))
}

pub fn life(event: &E) -> Option<Life> {
    match event {
        E::JobOpened(e) => created(&e.job, "job"),
        E::JobSettled(e) => closed(&e.job, "job", e.closed),
        E::JobRefunded(e) => closed(&e.job, "job", e.closed),
        E::JobPaid(e) => closed(&e.job, "job", e.closed),
        E::BidPlaced(e) => created(&e.bid, "bid"),
        E::BidWithdrawn(e) => closed(&e.bid, "bid", 1),
        E::JobAccepted(e) => closed(&e.bid, "bid", (e.bid != Key::default()) as u8),
        E::JobChallenged(e) => created(&e.dispute, "dispute"),
        E::DisputeClosed(e) => closed(&e.dispute, "dispute", 1),
        E::VoteCommitted(e) => created(&e.vote, "vote"),
        E::VoteClosed(e) => closed(&e.vote, "vote", 1),
        E::PanelClosed(e) => closed(&e.panel, "panel", 1),
        _ => None,
    }
}

pub fn data(event: &E) -> Value {
    match event {
        E::JobOpened(e) => with(
            fields!(e; job: key, client: key, mint: key, spec_hash: hash, input_hash: hash, id: text, budget: text,
                max_rate: text, opened_at: number, accept_by: number, bid_until: number, requirements: known, work_window: number,
                review_window: number, vote_window: number, fee_bps: number, bond_bps: number, jurors: number),
            json!({
                "verification": mode(e.verification),
                "pricing": if e.pricing == 0 { "fixed" } else { "per_second" },
            }),
        ),
        E::BidPlaced(e) => {
            fields!(e; job: key, bid: key, provider: key, price: text, exposure: text, placed_at: number)
        }
        E::BidWithdrawn(e) => fields!(e; job: key, bid: key, provider: key),
        E::JobAccepted(e) => fields!(e; job: key, client: key, provider: key, bid: known, price: text, exposure: text,
            accepted_at: number, deliver_by: number),
        E::WorkReported(e) => {
            fields!(e; job: key, provider: key, progress_hash: hash, seconds: number, reported_at: number)
        }
        E::JobDelivered(e) => {
            fields!(e; job: key, provider: key, result_hash: hash, settle_after: number)
        }
        E::JobSettled(e) => {
            fields!(e; job: key, client: key, provider: key, mint: key, result_hash: hash, budget: text,
            price: text, paid_provider: text, paid_fee: text, paid_client: text, owed_provider: text, owed_fee: text,
            owed_client: text, settled_at: number, approved: flag, closed: flag)
        }
        E::JobRefunded(e) => with(
            fields!(e; job: key, client: key, provider: known, mint: key, budget: text, slashed: text, paid_fee: text,
                paid_client: text, owed_fee: text, owed_client: text, refunded_at: number, closed: flag),
            json!({"reason": reason(e.reason)}),
        ),
        E::JobPaid(e) => fields!(e; job: key, paid_provider: text, paid_fee: text, paid_challenger: text,
            paid_client: text, owed_provider: text, owed_fee: text, owed_challenger: text, owed_client: text,
            closed: flag),
        E::JobRedirected(e) => fields!(e; job: key, by: key, account: key),
        E::JobChallenged(e) => with(
            fields!(e; job: key, dispute: key, challenger: key, provider: key, panel: known, result_hash: hash,
                counter_result: hash, deposit: text, opened_at: number, draw_by: number, commit_by: number,
                reveal_by: number),
            json!({"mode": mode(e.mode), "draw_slot": e.draw_slot.get()}),
        ),
        E::PanelDrawn(e) => fields!(e; job: key, dispute: key, hash: hash, commit_by: number, reveal_by: number,
            final_at: number, round: number, drawn: number),
        E::VoteCommitted(e) => fields!(e; job: key, dispute: key, vote: key, juror: key, commitment: hash, stake: text,
            round: number),
        E::VoteRevealed(e) => with(
            fields!(e; job: key, dispute: key, vote: key, juror: key, output: hash, stake: text, revealed_at: number,
                round: number),
            json!({"choice": verdict(e.choice)}),
        ),
        E::DisputeAppealed(e) => with(
            fields!(e; job: key, dispute: key, appellant: key, deposit: text, draw_by: number),
            json!({
                "draw_slot": e.draw_slot.get(),
                "side": match e.side {
                    1 => "provider",
                    2 => "challenger",
                    _ => "client",
                },
            }),
        ),
        E::DisputeResolved(e) => with(
            fields!(e; job: key, dispute: key, client: key, provider: key, challenger: key, mint: key, budget: text,
                price: text, slashed: text, jurors: text, paid_provider: text, paid_fee: text, paid_challenger: text,
                paid_client: text, owed_provider: text, owed_fee: text, owed_challenger: text, owed_client: text,
                resolved_at: number),
            json!({"verdict": verdict(e.verdict)}),
        ),
        E::VoteClosed(e) => with(
            fields!(e; job: key, dispute: key, vote: key, juror: key, paid: text, slashed: text, round: number),
            json!({"choice": verdict(e.choice)}),
        ),
        E::AbsentPunished(e) => fields!(e; job: key, dispute: key, resolver: key, slashed: text, member: number),
        E::DisputeClosed(e) => fields!(e; job: key, dispute: key),
        E::ResolverEnrolled(e) => {
            with(fields!(e; panel: key, resolver: key, stake: text), json!({"epoch": e.epoch.get()}))
        }
        E::PanelClosed(e) => with(fields!(e; panel: key), json!({"epoch": e.epoch.get()})),
    }
}

/// Both objects as one.
fn with(mut fields: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

fn mode(number: u8) -> Value {
    match Verification::from_number(number) {
        Ok(Verification::Review) => "review".into(),
        Ok(Verification::Quorum) => "quorum".into(),
        Ok(Verification::Panel) => "panel".into(),
        Err(_) => number.json(),
    }
}

/// `null` where there is none.
fn verdict(number: u8) -> Value {
    match Verdict::from_number(number) {
        Ok(Verdict::Stands) => "stands".into(),
        Ok(Verdict::Counter) => "counter".into(),
        Ok(Verdict::Neither) => "neither".into(),
        Ok(Verdict::Undecided) => "undecided".into(),
        Err(_) => Value::Null,
    }
}

fn reason(number: u8) -> Value {
    let reasons = [
        (RefundReason::Cancelled, "cancelled"),
        (RefundReason::NotAccepted, "not_accepted"),
        (RefundReason::NotDelivered, "not_delivered"),
    ];
    reasons.into_iter().find(|(reason, _)| *reason as u8 == number).map_or(number.json(), |(_, name)| name.into())
}
