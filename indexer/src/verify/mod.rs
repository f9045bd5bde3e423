//! Comparing the store with the chain: every account byte for byte, every reputation with the events that made it, every
//! channel with what was counted of it, every vault with what must be in it.

mod books;
mod revenue;
#[cfg(test)]
mod tests;

pub use books::{audit, Books, Vault};

use crate::{
    row::revenue::Sums,
    source::{rpc::Rpc, History as _},
    store::Store,
    types::{Address, Snapshot},
};
use joule_api::Reputation;
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// Something that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// On the chain, not (alive) in the store.
    Missing {
        address: Address,
    },
    /// Alive in the store, not on the chain.
    Gone {
        address: Address,
    },
    Lamports {
        address: Address,
        chain: u64,
        store: u64,
    },
    /// The first byte that differs.
    Data {
        address: Address,
        offset: usize,
    },
    /// A bond's account has another reputation than its claims make.
    Reputation {
        address: Address,
        account: Reputation,
        events: Reputation,
    },
    /// A bond has locked something else than its claims hold together.
    Claims {
        address: Address,
        locked: u64,
        claims: u32,
        total: u128,
        count: u32,
    },
    /// A job that is over paid out less than came in.
    Lost {
        address: Address,
        came_in: u128,
        paid: u128,
    },
    /// A payer has reserved something else than its channels and plans hold together.
    Reserved {
        address: Address,
        reserved: u64,
        channels: u32,
        held: i128,
        count: u32,
    },
    /// Of a channel something else was counted than it says.
    Counted {
        address: Address,
        says: Box<Sums>,
        counted: Box<Sums>,
    },
    /// The days of all channels come to something else than the revenue.
    Revenue {
        mint: Address,
        channels: Box<Sums>,
        days: Box<Sums>,
    },
    /// A vault holds less than it must; `None` where there is none.
    Vault {
        vault: Vault,
        holds: Option<u64>,
    },
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts on the chain.
    pub accounts: usize,
    /// Slot of the comparison.
    pub slot: u64,
    /// Reputations that were recomputed from events.
    pub reputations: usize,
    /// Bonds whose opening the store never saw.
    pub unknown_reputations: usize,
    /// Channels of which was counted again what they have earned.
    pub channels: usize,
    /// Channels whose opening the store never saw.
    pub unknown_channels: usize,
    /// Vaults that were looked into.
    pub vaults: usize,
    pub differences: Vec<Difference>,
}

/// Compares everything, looking again for as long as `wait` while they differ.
pub async fn run(store: &dyn Store, rpc: &Rpc, wait: Duration) -> anyhow::Result<Report> {
    store.check_chain(&rpc.genesis().await?)?;
    let started = Instant::now();
    loop {
        let snapshots = rpc.snapshots(0, || ()).await?;
        let mut report = compare(store, &snapshots)?;
        let books = audit(store)?;
        let balances = rpc.balances(&books.vaults.iter().map(|vault| vault.vault).collect::<Vec<_>>()).await?;
        report.add(books, &balances);
        if report.differences.is_empty() || started.elapsed() >= wait {
            return Ok(report);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares the store with what `getProgramAccounts` said.
pub fn compare(store: &dyn Store, snapshots: &[Snapshot]) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for snapshot in snapshots {
        report.accounts += snapshot.accounts.len();
        report.slot = report.slot.max(snapshot.slot);
        let mut stored: BTreeMap<Address, _> =
            store.live_accounts(&snapshot.program)?.into_iter().map(|row| (row.address, row)).collect();
        for account in &snapshot.accounts {
            let address = account.address;
            let Some(row) = stored.remove(&address) else {
                report.differences.push(Difference::Missing { address });
                continue;
            };
            if row.lamports != account.lamports {
                let (chain, store) = (account.lamports, row.lamports);
                report.differences.push(Difference::Lamports { address, chain, store });
            }
            if row.data != account.data {
                let offset = row.data.iter().zip(&account.data).take_while(|(a, b)| a == b).count();
                report.differences.push(Difference::Data { address, offset });
            }
        }
        report.differences.extend(stored.into_keys().map(|address| Difference::Gone { address }));
    }
    Ok(report)
}

impl Report {
    /// Takes in what the store's own books say, and what their vaults hold.
    pub fn add(&mut self, books: Books, balances: &[Option<u64>]) {
        self.reputations = books.reputations;
        self.unknown_reputations = books.unknown;
        self.channels = books.channels;
        self.unknown_channels = books.unknown_channels;
        self.vaults = books.vaults.len();
        self.differences.extend(books.differences);
        let short = books.vaults.into_iter().zip(balances).filter(|(vault, holds)| **holds < Some(vault.least));
        self.differences.extend(short.map(|(vault, holds)| Difference::Vault { vault, holds: *holds }));
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { address } => write!(f, "{address}: on the chain, not in the store"),
            Self::Gone { address } => write!(f, "{address}: alive in the store, not on the chain"),
            Self::Lamports { address, chain, store } => {
                write!(f, "{address}: {chain} lamports on the chain, {store} in the store")
            }
            Self::Data { address, offset } => write!(f, "{address}: data differs from byte {offset} on"),
            Self::Reputation { address, account: a, events: e } => write!(
                f,
                "bond {address}: kept {} and failed {} at {} by its account, kept {} and failed {} at {} by its events",
                a.kept, a.failed, a.scored_at, e.kept, e.failed, e.scored_at
            ),
            Self::Claims { address, locked, claims, total, count } => write!(
                f,
                "bond {address}: {locked} locked by {claims} claims, and the {count} claims there are hold {total}"
            ),
            Self::Lost { address, came_in, paid } => {
                write!(f, "job {address}: {came_in} came in and {paid} went out, and it is closed")
            }
            Self::Reserved { address, reserved, channels, held, count } => write!(
                f,
                "payer {address}: {reserved} reserved for {channels} channels, and the {count} channels there are hold {held} with their plans"
            ),
            Self::Counted { address, says, counted } => {
                write!(f, "channel {address}: it says {}, and counted was {}", figures(says), figures(counted))
            }
            Self::Revenue { mint, channels, days } => {
                write!(f, "revenue in {mint}: its days have {}, and its channels {}", figures(days), figures(channels))
            }
            Self::Vault { vault, holds } => {
                let holds = holds.map_or("nothing, for it does not exist".to_owned(), |holds| holds.to_string());
                write!(f, "{}: its vault {} must hold {} and holds {holds}", vault.owner, vault.vault, vault.least)
            }
        }
    }
}

fn figures(sums: &Sums) -> String {
    format!(
        "{} requests of {} units, {} earned, {} collected, {} paid to sharers, {} in fees and {} to providers, {} returned",
        sums.requests,
        sums.units,
        sums.amount,
        sums.collected,
        sums.paid_shares,
        sums.paid_fee,
        sums.paid_provider,
        sums.returned
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        match self.differences.len() {
            0 => {
                write!(f, "the store equals the chain: {} accounts, slot {}", self.accounts, self.slot)?;
                write!(f, "; {} vaults hold what they must", self.vaults)?;
                write!(f, "; {} reputations are what their claims make", self.reputations)?;
                if self.unknown_reputations > 0 {
                    write!(f, ", and of {} the beginning is not known", self.unknown_reputations)?;
                }
                write!(f, "; the revenue is what {} channels have earned", self.channels)?;
                if self.unknown_channels > 0 {
                    write!(f, ", and of {} the beginning is not known", self.unknown_channels)?;
                }
                Ok(())
            }
            count => write!(f, "{count} differences among {} accounts, slot {}", self.accounts, self.slot),
        }
    }
}
