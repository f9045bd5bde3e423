//! What events add to a channel.

use super::time;
use crate::types::Address;
use joule_api::{Against, BillDispute, Channel, ChannelStatus, Commitment, PaidOut, Session, StagedSession};
use joule_billing::{constants::PROVIDER, event as billing, state::Verdict};

/// As the owner opened it.
pub fn from_opening(address: &Address, e: &billing::ChannelOpened) -> Channel {
    let text = |key| Address::from(key).to_string();
    Channel {
        address: address.to_string(),
        payer: text(&e.payer),
        owner: text(&e.owner),
        number: e.number.get(),
        status: ChannelStatus::Open,
        provider: text(&e.provider),
        authority: text(&e.authority),
        payout: None,
        model: text(&e.model),
        prices: text(&e.prices),
        mint: text(&e.mint),
        session: Session { signer: text(&e.signer), limit: e.limit.get(), expires_at: e.session_expires_at.get() },
        staged: None,
        cap: e.cap.get(),
        settled: 0,
        accrued: 0,
        requests: 0,
        units: 0,
        backed: 0,
        paid: 0,
        collected: 0,
        owed: Vec::new(),
        held: e.cap.get(),
        paid_out: PaidOut::default(),
        returned: 0,
        opened_at: e.at.get(),
        closes_at: None,
        grace: e.grace.get(),
        fee_bps: e.fee_bps.get(),
        share_bps: e.share_bps.get(),
        backing_bps: e.backing_bps.get(),
        claim: None,
        has_plan: false,
        dispute: None,
        slot: 0,
        commitment: Commitment::Confirmed,
    }
}

/// Adds what an event says and the channel does not know yet. Facts come in the order in which they happened; what only
/// grows may be known from a later moment already.
pub fn happened(channel: &mut Channel, fact: &billing::AnyEvent) {
    use billing::AnyEvent as E;
    match fact {
        E::ChannelToppedUp(e) => channel.cap = channel.cap.max(e.cap.get()),
        E::SessionSet(e) => {
            let session = Session {
                signer: Address::from(&e.signer).to_string(),
                limit: e.limit.get(),
                expires_at: e.expires_at.get(),
            };
            if e.holds_at.get() > e.at.get() {
                channel.staged = Some(StagedSession { session, holds_at: e.holds_at.get() });
            } else {
                channel.session = session;
                channel.staged = None;
            }
        }
        E::Backed(e) => channel.backed = channel.backed.max(e.backed.get()),
        E::Distributed(e) => {
            channel.settled = channel.settled.max(e.settled.get());
            channel.accrued = channel.accrued.max(e.accrued.get());
            channel.paid = channel.paid.max(e.settled.get().saturating_add(e.accrued.get()));
            channel.collected = channel.collected.max(e.collected.get());
            // Whoever was paid was paid all.
            channel.owed.retain(|owed| e.paid[usize::from(owed.party)].get() == 0);
        }
        E::OwedClaimed(e) => channel.owed.retain(|owed| owed.party != e.party),
        E::CloseRequested(e) => closes(channel, e.closes_at.get()),
        E::ChannelClosed(e) => {
            channel.settled = channel.settled.max(e.settled.get());
            channel.accrued = channel.accrued.max(e.accrued.get());
            // What came back is no longer reserved: the cap is what was spent.
            channel.cap = channel.cap.saturating_sub(e.released.get());
            channel.held = channel.held.saturating_sub(e.released.get());
        }
        E::PlanStarted(_) => channel.has_plan = true,
        E::PlanTerminated(e) => channel.has_plan &= e.closed == 0,
        E::PlanSettled(e) => channel.has_plan &= e.closed == 0,
        E::BillDisputed(e) => {
            closes(channel, e.at.get());
            channel.settled = channel.settled.saturating_add(e.forfeited.get());
            if e.verdict == Verdict::AgainstProvider as u8 {
                channel.collected = channel.settled.saturating_add(channel.accrued);
                channel.owed.retain(|owed| usize::from(owed.party) != PROVIDER);
            }
        }
        // Where it began; and what belongs to a plan or a payer.
        E::ChannelOpened(_) | E::PlanPaused(_) | E::PlanResumed(_) => {}
        E::ClusterInitialized(_) | E::PayerCreated(_) | E::Deposited(_) | E::Reclaimed(_) => {}
    }
}

/// Its account is gone, for everybody is paid.
pub fn closed(channel: &mut Channel) {
    let earned = channel.settled.saturating_add(channel.accrued);
    channel.status = ChannelStatus::Closed;
    channel.staged = None;
    channel.cap = channel.settled;
    channel.paid = earned;
    channel.collected = earned;
    channel.owed = Vec::new();
    channel.held = 0;
    channel.has_plan = false;
}

fn closes(channel: &mut Channel, at: i64) {
    channel.status = ChannelStatus::Closing;
    let before = channel.closes_at.unwrap_or(i64::MAX);
    channel.closes_at = time(at.min(before));
}

/// Adds what a dispute came to. Its event says who was proven wrong now, and what that cost.
pub fn disputed(known: &mut Option<BillDispute>, e: &billing::BillDisputed) {
    let against = match e.verdict {
        v if v == Verdict::AgainstProvider as u8 => Against::Provider,
        v if v == Verdict::AgainstPayer as u8 => Against::Payer,
        _ => return,
    };
    let first = BillDispute { against, slashed: 0, returned: 0, forfeited: 0, at: 0 };
    let dispute = known.get_or_insert(first);
    dispute.against = if dispute.against == against { against } else { Against::Both };
    dispute.slashed = dispute.slashed.saturating_add(e.slashed.get());
    dispute.returned = dispute.returned.saturating_add(e.returned.get());
    dispute.forfeited = dispute.forfeited.saturating_add(e.forfeited.get());
    dispute.at = dispute.at.max(e.at.get());
}
