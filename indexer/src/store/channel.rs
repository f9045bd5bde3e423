//! Channels: what an account and its events say together.

mod history;

use super::{
    job::{known, time},
    listing::{body, column, parse, First, Listing},
    page::PageRequest,
    AccountRow, EventRow, Result,
};
use crate::{
    decode::{event::channel_of, Fact, State},
    types::Address,
};
use joule_api::{Against, Channel, ChannelStatus, Commitment, Owed, PaidOut, Session, StagedSession};
use joule_billing::{event as billing, state};
use rusqlite::{params, Connection, OptionalExtension};

/// Which channels to list. Empty fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFilter {
    pub payer: Option<Address>,
    pub provider: Option<Address>,
    pub model: Option<Address>,
    pub status: Option<ChannelStatus>,
    pub lost_by: Option<Against>,
}

impl ChannelFilter {
    pub fn matches(&self, channel: &Channel) -> bool {
        let same = |wanted: &Option<Address>, is: &String| wanted.is_none_or(|wanted| *is == wanted.to_string());
        self.status.is_none_or(|status| status == channel.status)
            && self
                .lost_by
                .is_none_or(|who| channel.dispute.as_ref().is_some_and(|dispute| dispute.against.includes(who)))
            && same(&self.payer, &channel.payer)
            && same(&self.provider, &channel.provider)
            && same(&self.model, &channel.model)
    }
}

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

fn status_name(status: ChannelStatus) -> &'static str {
    match status {
        ChannelStatus::Open => "open",
        ChannelStatus::Closing => "closing",
        ChannelStatus::Closed => "closed",
    }
}

/// The rows that somebody has lost, alone or not, as the indexes of them are written.
fn lost_by(who: Against) -> &'static str {
    match who {
        Against::Provider => "lost_by in ('provider', 'both')",
        Against::Payer => "lost_by in ('payer', 'both')",
        Against::Both => "lost_by in ('both')",
    }
}

/// The row as it was stored, with commitment `confirmed` and nothing paid out.
pub fn get(conn: &Connection, address: &Address) -> Result<Option<Channel>> {
    let mut statement = conn.prepare_cached("select body from channels where address = ?1")?;
    statement.query_row([address.0], |row| row.get::<_, String>(0)).optional()?.map(|body| parse(&body)).transpose()
}

pub fn put(conn: &Connection, address: &Address, channel: &Channel) -> Result<()> {
    let blob = |text: &str| column(address, text);
    let body = body(address, channel)?;
    conn.prepare_cached(
        "insert or replace into channels (address, payer, provider, model, status, opened_at, slot, body)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        address.0,
        blob(&channel.payer)?,
        blob(&channel.provider)?,
        blob(&channel.model)?,
        status_name(channel.status),
        channel.opened_at,
        channel.slot as i64,
        body,
    ])?;
    Ok(())
}

/// Newest first: by opening time, then by address.
pub fn list(
    conn: &Connection,
    filter: &ChannelFilter,
    page: &PageRequest,
    without: &[Address],
) -> Result<Vec<Channel>> {
    Listing::of("channels")
        .text("status", filter.status.map(status_name))
        .that(filter.lost_by.map(lost_by))
        .address("payer", filter.payer)
        .address("provider", filter.provider)
        .address("model", filter.model)
        .read(conn, "opened_at", First::Newest, page, without)
}
