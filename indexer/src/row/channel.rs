//! Channels: what an account and its events say together.

mod history;

use super::{
    cell::names,
    job::{known, time},
    record::{noun, record},
    AccountRow, EventRow,
};
use crate::{
    decode::{event::channel_of, Fact, State},
    types::Address,
};
use joule_api::{Against, BillDispute, Channel, ChannelStatus, Commitment, Owed, PaidOut, Session, StagedSession};
use joule_billing::{event as billing, state};

/// The channel, from its account and its events, in whatever order they came to be known. `None` when neither says whose
/// it is. What was paid out is not in it: that is summed beside it, by day.
///
/// The account is the truth while it lives, but for the figures of a dispute, which its event alone has. It is closed by
/// the instruction that finds everybody paid: what was earned to the last, and how it ended, the events say.
pub fn rebuild(address: &Address, account: Option<&AccountRow>, events: &[EventRow]) -> Option<Channel> {
    let mut facts: Vec<(&EventRow, billing::AnyEvent)> = events
        .iter()
        .filter_map(|event| match event.fact() {
            Ok(Fact::Billing(fact)) if channel_of(&fact).is_some_and(|named| Address::from(named) == *address) => {
                Some((event, fact))
            }
            _ => None,
        })
        .collect();
    facts.sort_by_key(|(event, _)| event.order());
    let decoded = account.and_then(AccountRow::state);
    let (mut channel, spoken_until) = match &decoded {
        Some(State::Channel(state)) => (
            from_account(address, state),
            account.filter(|account| !account.closed).map(|account| account.version.slot),
        ),
        _ => {
            let opened = facts.iter().find_map(|(_, fact)| match fact {
                billing::AnyEvent::ChannelOpened(opened) => Some(opened),
                _ => None,
            })?;
            (history::from_opening(address, opened), None)
        }
    };
    for (event, fact) in &facts {
        if spoken_until.is_none_or(|slot| event.slot > slot) {
            history::happened(&mut channel, fact);
            channel.slot = channel.slot.max(event.slot);
        }
        if let billing::AnyEvent::BillDisputed(e) = fact {
            history::disputed(&mut channel.dispute, e);
        }
    }
    if let Some(account) = account {
        channel.slot = channel.slot.max(account.since);
        if account.closed {
            history::closed(&mut channel);
        }
    }
    Some(channel)
}

fn session(state: &state::Session) -> Session {
    Session {
        signer: Address::from(&state.signer).to_string(),
        limit: state.limit.get(),
        expires_at: state.expires_at.get(),
    }
}

/// What is owed, by party.
fn owed(amounts: &[anchor_lang::prelude::PodU64]) -> Vec<Owed> {
    let parties = (0u8..).zip(amounts).map(|(party, amount)| Owed { party, amount: amount.get() });
    parties.filter(|owed| owed.amount > 0).collect()
}

fn from_account(address: &Address, state: &state::Channel) -> Channel {
    let text = |key| Address::from(key).to_string();
    let holds_at = time(state.staged_at.get());
    let closes_at = time(state.closes_at.get());
    Channel {
        address: address.to_string(),
        payer: text(&state.payer),
        owner: text(&state.owner),
        number: state.number.get(),
        status: if closes_at.is_some() { ChannelStatus::Closing } else { ChannelStatus::Open },
        provider: text(&state.provider),
        authority: text(&state.authority),
        payout: known(&state.payout),
        model: text(&state.model),
        prices: text(&state.prices),
        mint: text(&state.mint),
        session: session(&state.session),
        staged: holds_at.map(|holds_at| StagedSession { session: session(&state.staged), holds_at }),
        cap: state.cap.get(),
        settled: state.settled.get(),
        accrued: state.accrued.get(),
        requests: state.sequence.get(),
        units: state.units.get(),
        backed: state.backed.get(),
        paid: state.paid.get(),
        collected: state.collected.get(),
        owed: owed(&state.owed),
        held: state.held.get(),
        paid_out: PaidOut::default(),
        returned: 0,
        opened_at: state.opened_at.get(),
        closes_at,
        grace: state.grace.get(),
        fee_bps: state.fee_bps.get(),
        share_bps: state.share_bps.get(),
        backing_bps: state.backing_bps.get(),
        claim: known(&state.claim),
        has_plan: state.has_plan == 1,
        dispute: None,
        slot: 0,
        commitment: Commitment::Confirmed,
    }
}

names!(ChannelStatus; Open = "open", Closing = "closing", Closed = "closed");
names!(Against; Provider = "provider", Payer = "payer", Both = "both");

record! {
    Session { signer: Address, limit: Amount, expires_at: Time }
}

record! {
    StagedSession { holds_at: Time } parts { session: Session }
}

record! {
    PaidOut { shares: Amount, fee: Amount, provider: Amount }
}

record! {
    BillDispute { against: Name<Against>, slashed: Amount, returned: Amount, forfeited: Amount, at: Time }
}

record! {
    Owed { party: Number<u8>, amount: Amount }
}

record! {
    Channel {
        address: Address,
        payer: Address,
        owner: Address,
        number: Count,
        status: Name<ChannelStatus>,
        provider: Address,
        authority: Address,
        payout: Maybe<Address>,
        model: Address,
        prices: Address,
        mint: Address,
        cap: Amount,
        settled: Amount,
        accrued: Amount,
        requests: Count,
        units: Count,
        backed: Amount,
        paid: Amount,
        collected: Amount,
        held: Amount,
        returned: Amount,
        opened_at: Time,
        closes_at: Maybe<Time>,
        grace: Number<u32>,
        fee_bps: Number<u16>,
        share_bps: Number<u16>,
        backing_bps: Number<u16>,
        claim: Maybe<Address>,
        has_plan: Flag,
        slot: Count,
    }
    parts { session: Session, paid_out: PaidOut }
    optional { staged: StagedSession, dispute: BillDispute }
    lists { owed: Owed }
    rest { commitment: Commitment::Confirmed }
}

noun!(Channel in "channels", opened_at, Newest, of ChannelStatus);
