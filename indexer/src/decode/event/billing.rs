//! The billing program's events.

use super::{closed, created, Key, Life, Row};
use crate::decode::fields::{fields, Number};
use joule_billing::{
    constants::{CLUSTER_SEED, PLAN_SEED},
    event::AnyEvent as E,
    state::Verdict,
};
use serde_json::Value;
use std::sync::LazyLock;

static CLUSTER: LazyLock<Key> =
    LazyLock::new(|| anchor_lang::find_program_address(&[CLUSTER_SEED], &joule_billing::ID).0);

/// Where the plan on a channel is.
pub fn plan(channel: &Key) -> Key {
    anchor_lang::find_program_address(&[PLAN_SEED, channel.as_ref()], &joule_billing::ID).0
}

pub fn accounts(event: &E) -> Vec<Key> {
    match event {
        E::ClusterInitialized(_) => vec![*CLUSTER],
        E::PayerCreated(e) => vec![e.payer, e.owner, e.mint],
        E::Deposited(e) => vec![e.payer, e.from],
        E::Reclaimed(e) => vec![e.payer, e.destination],
        E::ChannelOpened(e) => vec![e.channel, e.payer, e.owner, e.provider, e.model],
        E::ChannelToppedUp(e) => vec![e.channel],
        E::SessionSet(e) => vec![e.channel],
        E::Backed(e) => vec![e.channel, e.provider],
        E::Distributed(e) => vec![e.channel],
        E::OwedClaimed(e) => vec![e.channel, e.owner],
        E::CloseRequested(e) => vec![e.channel, e.by],
        E::ChannelClosed(e) => vec![e.channel, e.payer],
        E::PlanStarted(e) => vec![e.plan, e.channel, e.payer],
        E::PlanPaused(e) => vec![e.plan, e.channel],
        E::PlanResumed(e) => vec![e.plan, e.channel],
        E::PlanTerminated(e) => vec![e.plan, e.channel, e.by],
        E::PlanSettled(e) => vec![e.plan, e.channel],
        E::BillDisputed(e) => vec![e.channel, e.payer, e.provider],
    }
}

/// The channel that it changes.
pub fn channel_of(event: &E) -> Option<&Key> {
    match event {
        E::ChannelOpened(e) => Some(&e.channel),
        E::ChannelToppedUp(e) => Some(&e.channel),
        E::SessionSet(e) => Some(&e.channel),
        E::Backed(e) => Some(&e.channel),
        E::Distributed(e) => Some(&e.channel),
        E::OwedClaimed(e) => Some(&e.channel),
        E::CloseRequested(e) => Some(&e.channel),
        E::ChannelClosed(e) => Some(&e.channel),
        E::PlanStarted(e) => Some(&e.channel),
        E::PlanPaused(e) => Some(&e.channel),
        E::PlanResumed(e) => Some(&e.channel),
        E::PlanTerminated(e) => Some(&e.channel),
        E::PlanSettled(e) => Some(&e.channel),
        E::BillDisputed(e) => Some(&e.channel),
        E::ClusterInitialized(_) | E::PayerCreated(_) | E::Deposited(_) | E::Reclaimed(_) => None,
    }
}

/// The plan that it changes.
pub fn plan_of(event: &E) -> Option<&Key> {
    match event {
        E::PlanStarted(e) => Some(&e.plan),
        E::PlanPaused(e) => Some(&e.plan),
        E::PlanResumed(e) => Some(&e.plan),
        E::PlanTerminated(e) => Some(&e.plan),
        E::PlanSettled(e) => Some(&e.plan),
        _ => None,
    }
}

pub fn rows(event: &E) -> Vec<Row> {
    let channel = channel_of(event).map(|channel| Row::Channel(channel.into()));
    let plan = plan_of(event).map(|plan| Row::Plan(plan.into()));
    channel.into_iter().chain(plan).collect()
}

pub fn repeats(event: &E) -> bool {
    !matches!(event, E::ChannelOpened(_) | E::CloseRequested(_) | E::ChannelClosed(_) | E::BillDisputed(_))
}

pub fn life(event: &E) -> Option<Life> {
    match event {
        E::PayerCreated(e) => created(&e.payer, "payer"),
        E::ChannelOpened(e) => created(&e.channel, "channel"),
        E::ChannelClosed(e) => closed(&e.channel, "channel", e.closed),
        E::PlanStarted(e) => created(&e.plan, "plan"),
        E::PlanTerminated(e) => closed(&e.plan, "plan", e.closed),
        E::PlanSettled(e) => closed(&e.plan, "plan", e.closed),
        _ => None,
    }
}

pub fn data(event: &E) -> Value {
    match event {
        E::ClusterInitialized(e) => fields!(e; genesis_hash: hash),
        E::PayerCreated(e) => fields!(e; payer: key, owner: key, mint: key, at: number),
        E::Deposited(e) => fields!(e; payer: key, from: key, amount: text, balance: text, reserved: text, at: number),
        E::Reclaimed(e) => {
            fields!(e; payer: key, destination: key, amount: text, balance: text, reserved: text, at: number)
        }
        E::ChannelOpened(e) => fields!(e; channel: key, payer: key, owner: key, provider: key, authority: key,
            model: key, prices: key, mint: key, signer: key, number: text, cap: text, limit: text,
            session_expires_at: number, at: number, grace: number, fee_bps: number, share_bps: number,
            backing_bps: number),
        E::ChannelToppedUp(e) => fields!(e; channel: key, added: text, cap: text, at: number),
        E::SessionSet(e) => {
            fields!(e; channel: key, signer: key, limit: text, expires_at: number, holds_at: number, at: number)
        }
        E::Backed(e) => {
            fields!(e; channel: key, provider: key, locked: text, backed: text, until: number, at: number)
        }
        E::Distributed(e) => fields!(e; channel: key, settled: text, accrued: text, collected: text, returned: text,
            paid: texts),
        E::OwedClaimed(e) => {
            fields!(e; channel: key, owner: key, destination: key, amount: text, at: number, party: number)
        }
        E::CloseRequested(e) => fields!(e; channel: key, by: key, closes_at: number, at: number),
        E::ChannelClosed(e) => fields!(e; channel: key, payer: key, released: text, settled: text, accrued: text,
            at: number, closed: flag),
        E::PlanStarted(e) => {
            fields!(e; plan: key, channel: key, payer: key, rate: text, lockup: text, at: number, period: number)
        }
        E::PlanPaused(e) => fields!(e; plan: key, channel: key, amount: text, at: number),
        E::PlanResumed(e) => fields!(e; plan: key, channel: key, at: number),
        E::PlanTerminated(e) => {
            fields!(e; plan: key, channel: key, by: key, amount: text, ends_at: number, at: number, closed: flag)
        }
        E::PlanSettled(e) => {
            fields!(e; plan: key, channel: key, amount: text, settled_until: number, at: number, closed: flag)
        }
        E::BillDisputed(e) => {
            let mut fields = fields!(e; channel: key, payer: key, provider: key, slashed: text, returned: text,
                forfeited: text, at: number);
            fields["against"] = match e.verdict {
                v if v == Verdict::AgainstProvider as u8 => "provider".into(),
                v if v == Verdict::AgainstPayer as u8 => "payer".into(),
                other => other.json(),
            };
            fields
        }
    }
}
