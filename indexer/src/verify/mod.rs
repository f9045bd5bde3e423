//! Comparing the store with the chain: every account byte for byte, every reputation with the events that made it, every
//! vault with what must be in it.

mod books;
#[cfg(test)]
mod tests;

pub use books::{audit, Books, Vault};

use crate::{
    source::rpc::Rpc,
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
    /// Vaults that were looked into.
    pub vaults: usize,
    pub differences: Vec<Difference>,
}

/// Compares everything, looking again for as long as `wait` while they differ.
pub async fn run(store: &dyn Store, rpc: &Rpc, wait: Duration) -> anyhow::Result<Report> {
    let started = Instant::now();
    loop {
        let snapshots = rpc.snapshots(0).await?;
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
            Self::Vault { vault, holds } => {
                let holds = holds.map_or("nothing, for it does not exist".to_owned(), |holds| holds.to_string());
                write!(f, "{}: its vault {} must hold {} and holds {holds}", vault.owner, vault.vault, vault.least)
            }
        }
    }
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
                match self.unknown_reputations {
                    0 => Ok(()),
                    unknown => write!(f, ", and of {unknown} the beginning is not known"),
                }
            }
            count => write!(f, "{count} differences among {} accounts, slot {}", self.accounts, self.slot),
        }
    }
}
