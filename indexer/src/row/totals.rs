//! Sums over jobs, channels and payers, kept up to date by what each row's change adds.
//!
//! A total is by definition the sum of [`contribution`] over the rows of `jobs`, and of [`of_channel`] over those of `channels`. Since a row is rebuilt from events that
//! are stored once each, an event that is delivered twice changes no row, and so no total.

use super::{
    cell::{kind, names, BadCell, Field as _},
    record::{kept, record, Cells, Kept as _},
    revenue::{positive, Days, Sums},
};
use crate::types::Address;
use joule_api::{Channel, ChannelStatus, Job, JobStatus, MintTotals, Provider, ProviderStatus, Totals};
use std::{collections::BTreeMap, sync::LazyLock};

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Of everything, under the system program's address.
    All,
    Mint,
    Provider,
}

names!(Scope; All = "all", Mint = "mint", Provider = "provider");

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    Providers,
    ProvidersActive,
    Prepaid,
    JobsOpen,
    JobsAccepted,
    JobsDelivered,
    JobsChallenged,
    JobsSettled,
    JobsRefunded,
    Escrowed,
    PaidToProviders,
    PaidInFees,
    PaidToChallengers,
    PaidToJurors,
    Slashed,
    Deposited,
    Refunded,
    JobsRunning,
    JobsFailed,
    Earned,
    ChannelsOpen,
    ChannelsClosing,
    ChannelsClosed,
    Billed,
    BilledToShares,
    BilledInFees,
    BilledToProviders,
    BilledReturned,
    Requests,
    Units,
}

names!(Figure;
    Providers = "providers",
    ProvidersActive = "providers_active",
    Prepaid = "prepaid",
    JobsOpen = "jobs_open",
    JobsAccepted = "jobs_accepted",
    JobsDelivered = "jobs_delivered",
    JobsChallenged = "jobs_challenged",
    JobsSettled = "jobs_settled",
    JobsRefunded = "jobs_refunded",
    Escrowed = "escrowed",
    PaidToProviders = "paid_to_providers",
    PaidInFees = "paid_in_fees",
    PaidToChallengers = "paid_to_challengers",
    PaidToJurors = "paid_to_jurors",
    Slashed = "slashed",
    Deposited = "deposited",
    Refunded = "refunded",
    JobsRunning = "jobs_running",
    JobsFailed = "jobs_failed",
    Earned = "earned",
    ChannelsOpen = "channels_open",
    ChannelsClosing = "channels_closing",
    ChannelsClosed = "channels_closed",
    Billed = "billed",
    BilledToShares = "billed_to_shares",
    BilledInFees = "billed_in_fees",
    BilledToProviders = "billed_to_providers",
    BilledReturned = "billed_returned",
    Requests = "requests",
    Units = "units",
);

/// Which sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotalKey {
    pub scope: Scope,
    pub key: Address,
    pub name: Figure,
}

record! {
    TotalKey { scope: Name<Scope>, key: Key, name: Name<Figure> }
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub key: TotalKey,
    pub value: i128,
}

record! {
    Total key key: TotalKey { value: Sum }
}

kept!(Total in "aggregates" by TotalKey);

const fn key(scope: Scope, key: Address, name: Figure) -> TotalKey {
    TotalKey { scope, key, name }
}

/// Additions that are not written yet.
#[derive(Debug, Default)]
pub struct Deltas(pub BTreeMap<TotalKey, i128>);

impl Deltas {
    /// Counts a job's change from `before` to `after`.
    pub fn changed(&mut self, before: Option<&Cells>, after: &Cells) -> Result<(), BadCell> {
        if let Some(before) = before {
            self.job_gone(before)?;
        }
        contribution(after, |key, value| *self.0.entry(key).or_default() += value)
    }

    /// The same for a channel and its days.
    pub fn channel_changed(&mut self, before: Option<(&Channel, &Days)>, after: (&Channel, &Days)) {
        if let Some((channel, days)) = before {
            of_channel(channel, &days.total(), |key, value| *self.0.entry(key).or_default() -= value);
        }
        of_channel(after.0, &after.1.total(), |key, value| *self.0.entry(key).or_default() += value);
    }

    /// There is no such job any more.
    pub fn job_gone(&mut self, before: &Cells) -> Result<(), BadCell> {
        contribution(before, |key, value| *self.0.entry(key).or_default() -= value)
    }

    /// Nor such a channel.
    pub fn channel_gone(&mut self, (channel, days): (&Channel, &Days)) {
        of_channel(channel, &days.total(), |key, value| *self.0.entry(key).or_default() -= value);
    }

    /// Nor such a provider.
    pub fn provider_gone(&mut self, before: &Provider) {
        let active = i128::from(u8::from(before.status == ProviderStatus::Active));
        for (name, count) in [(Figure::Providers, 1), (Figure::ProvidersActive, active)] {
            *self.0.entry(key(Scope::All, Address::SYSTEM, name)).or_default() -= count;
        }
    }

    /// Counts a provider's change from `before` to `after`.
    pub fn provider_changed(&mut self, before: Option<&Provider>, after: &Provider) {
        let active = |provider: &Provider| i128::from(u8::from(provider.status == ProviderStatus::Active));
        let add = [
            (Figure::Providers, i128::from(u8::from(before.is_none()))),
            (Figure::ProvidersActive, active(after) - before.map_or(0, active)),
        ];
        for (name, delta) in add {
            *self.0.entry(key(Scope::All, Address::SYSTEM, name)).or_default() += delta;
        }
    }

    /// A payer's balance changed, in base units.
    pub fn prepaid(&mut self, mint: Address, before: u64, after: u64) {
        *self.0.entry(key(Scope::Mint, mint, Figure::Prepaid)).or_default() += i128::from(after) - i128::from(before);
    }
}

/// What a provider did, as far as it is confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub jobs_running: u64,
    pub jobs_settled: u64,
    pub jobs_failed: u64,
    /// Base units.
    pub earned: u128,
}

impl Counters {
    /// From sums, of which each is asked for by its key.
    pub fn read<E>(provider: &Address, mut sum: impl FnMut(TotalKey) -> Result<i128, E>) -> Result<Self, E> {
        let mut read = |name| sum(key(Scope::Provider, *provider, name));
        Ok(Self {
            jobs_running: read(Figure::JobsRunning).map(count)?,
            jobs_settled: read(Figure::JobsSettled).map(count)?,
            jobs_failed: read(Figure::JobsFailed).map(count)?,
            earned: read(Figure::Earned).map(positive)?,
        })
    }

    pub fn fill(&self, provider: &mut Provider) {
        provider.jobs_running = self.jobs_running;
        provider.jobs_settled = self.jobs_settled;
        provider.jobs_failed = self.jobs_failed;
        provider.earned = self.earned;
    }
}

/// How many there are.
fn count(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

/// What the API answers, from every sum of all and of mints.
pub fn report(slot: u64, totals: impl IntoIterator<Item = Total>) -> Totals {
    let mut all = Totals { slot, providers_active: 0, providers_total: 0, mints: Vec::new() };
    let mut mints = BTreeMap::<Address, MintTotals>::new();
    for Total { key: TotalKey { scope, key, name }, value } in totals {
        match scope {
            Scope::All if name == Figure::Providers => all.providers_total = count(value),
            Scope::All if name == Figure::ProvidersActive => all.providers_active = count(value),
            Scope::Mint => {
                let new = || MintTotals { mint: key.to_string(), ..MintTotals::default() };
                let totals = mints.entry(key).or_insert_with(new);
                if let Some(figure) = number(totals, name) {
                    *figure = count(value);
                } else if let Some(figure) = sum(totals, name) {
                    *figure = positive(value);
                }
            }
            Scope::All | Scope::Provider => {}
        }
    }
    all.mints = mints.into_values().collect();
    all
}

/// Where a mint has how many there are of something.
fn number(totals: &mut MintTotals, name: Figure) -> Option<&mut u64> {
    Some(match name {
        Figure::JobsOpen => &mut totals.jobs_open,
        Figure::JobsAccepted => &mut totals.jobs_accepted,
        Figure::JobsDelivered => &mut totals.jobs_delivered,
        Figure::JobsChallenged => &mut totals.jobs_challenged,
        Figure::JobsSettled => &mut totals.jobs_settled,
        Figure::JobsRefunded => &mut totals.jobs_refunded,
        Figure::ChannelsOpen => &mut totals.channels_open,
        Figure::ChannelsClosing => &mut totals.channels_closing,
        Figure::ChannelsClosed => &mut totals.channels_closed,
        _ => return None,
    })
}

/// Where it has a sum.
fn sum(totals: &mut MintTotals, name: Figure) -> Option<&mut u128> {
    Some(match name {
        Figure::Escrowed => &mut totals.escrowed,
        Figure::PaidToProviders => &mut totals.paid_to_providers,
        Figure::PaidInFees => &mut totals.paid_in_fees,
        Figure::PaidToChallengers => &mut totals.paid_to_challengers,
        Figure::PaidToJurors => &mut totals.paid_to_jurors,
        Figure::Slashed => &mut totals.slashed,
        Figure::Deposited => &mut totals.deposited,
        Figure::Refunded => &mut totals.refunded,
        Figure::Prepaid => &mut totals.prepaid,
        Figure::Billed => &mut totals.billed,
        Figure::BilledToShares => &mut totals.billed_paid.shares,
        Figure::BilledInFees => &mut totals.billed_paid.fee,
        Figure::BilledToProviders => &mut totals.billed_paid.provider,
        Figure::BilledReturned => &mut totals.billed_returned,
        Figure::Requests => &mut totals.requests,
        Figure::Units => &mut totals.units,
        _ => return None,
    })
}

/// Where a row of `jobs` has what is summed.
struct Places {
    mint: usize,
    provider: usize,
    status: usize,
    owed: usize,
    /// Amounts of the mint, and which.
    amounts: [(usize, Figure); 8],
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let place = |name: &str| Job::table().columns.iter().position(|column| column.name == name).unwrap_or_default();
    Places {
        mint: place("mint"),
        provider: place("provider"),
        status: place("status"),
        owed: place("owed_provider"),
        amounts: [
            (place("escrowed"), Figure::Escrowed),
            (place("paid_provider"), Figure::PaidToProviders),
            (place("paid_fee"), Figure::PaidInFees),
            (place("paid_challenger"), Figure::PaidToChallengers),
            (place("paid_jurors"), Figure::PaidToJurors),
            (place("slashed"), Figure::Slashed),
            (place("deposited"), Figure::Deposited),
            (place("paid_client"), Figure::Refunded),
        ],
    }
});

/// What one job adds to the totals of its mint and of its provider. It is read from cells: as the API's type it would be words.
fn contribution(Cells { row, .. }: &Cells, mut add: impl FnMut(TotalKey, i128)) -> Result<(), BadCell> {
    let places = &*PLACES;
    let mint = kind::Key::of_cell(&row[places.mint])?;
    let status = kind::Name::<JobStatus>::of_cell(&row[places.status])?;
    let count = match status {
        JobStatus::Open => Figure::JobsOpen,
        JobStatus::Accepted => Figure::JobsAccepted,
        JobStatus::Delivered => Figure::JobsDelivered,
        JobStatus::Challenged => Figure::JobsChallenged,
        JobStatus::Settled => Figure::JobsSettled,
        JobStatus::Refunded => Figure::JobsRefunded,
    };
    add(key(Scope::Mint, mint, count), 1);
    let amount = |place: usize| kind::Amount::of_cell(&row[place]).map(i128::from);
    let (mut paid, owed) = (0, amount(places.owed)?);
    for (place, figure) in places.amounts {
        let amount = amount(place)?;
        add(key(Scope::Mint, mint, figure), amount);
        if figure == Figure::PaidToProviders {
            paid = amount;
        }
    }
    let Some(provider) = kind::Maybe::<kind::Key>::of_cell(&row[places.provider])? else { return Ok(()) };
    match status {
        JobStatus::Accepted => add(key(Scope::Provider, provider, Figure::JobsRunning), 1),
        JobStatus::Settled => add(key(Scope::Provider, provider, Figure::JobsSettled), 1),
        JobStatus::Refunded => add(key(Scope::Provider, provider, Figure::JobsFailed), 1),
        JobStatus::Open | JobStatus::Delivered | JobStatus::Challenged => {}
    }
    // What it has earned, paid out or not.
    add(key(Scope::Provider, provider, Figure::Earned), paid + owed);
    Ok(())
}

/// What one channel adds to the totals of its mint.
fn of_channel(channel: &Channel, sums: &Sums, mut add: impl FnMut(TotalKey, i128)) {
    let Ok(mint) = channel.mint.parse::<Address>() else { return };
    let count = match channel.status {
        ChannelStatus::Open => Figure::ChannelsOpen,
        ChannelStatus::Closing => Figure::ChannelsClosing,
        ChannelStatus::Closed => Figure::ChannelsClosed,
    };
    add(key(Scope::Mint, mint, count), 1);
    add(key(Scope::Mint, mint, Figure::Billed), sums.amount);
    add(key(Scope::Mint, mint, Figure::BilledToShares), sums.paid_shares);
    add(key(Scope::Mint, mint, Figure::BilledInFees), sums.paid_fee);
    add(key(Scope::Mint, mint, Figure::BilledToProviders), sums.paid_provider);
    add(key(Scope::Mint, mint, Figure::BilledReturned), sums.returned);
    add(key(Scope::Mint, mint, Figure::Requests), sums.requests);
    add(key(Scope::Mint, mint, Figure::Units), sums.units);
}
