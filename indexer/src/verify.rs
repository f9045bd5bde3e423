//! Comparing the store with the chain.

use crate::{
    source::rpc::Rpc,
    store::Store,
    types::{Address, Snapshot},
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// One account that is not the same.
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
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Accounts on the chain.
    pub accounts: usize,
    /// Slot of the comparison.
    pub slot: u64,
    pub differences: Vec<Difference>,
}

/// Compares every live account of every program, looking again for as long as `wait` while they differ.
pub async fn run(store: &dyn Store, rpc: &Rpc, wait: Duration) -> anyhow::Result<Report> {
    let started = Instant::now();
    loop {
        let snapshots = rpc.snapshots(0).await?;
        let report = compare(store, &snapshots)?;
        if report.differences.is_empty() || started.elapsed() >= wait {
            return Ok(report);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares the store with what `getProgramAccounts` said.
pub fn compare(store: &dyn Store, snapshots: &[Snapshot]) -> anyhow::Result<Report> {
    let mut report = Report { accounts: 0, slot: 0, differences: Vec::new() };
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

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { address } => write!(f, "{address}: on the chain, not in the store"),
            Self::Gone { address } => write!(f, "{address}: alive in the store, not on the chain"),
            Self::Lamports { address, chain, store } => {
                write!(f, "{address}: {chain} lamports on the chain, {store} in the store")
            }
            Self::Data { address, offset } => write!(f, "{address}: data differs from byte {offset} on"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        match self.differences.len() {
            0 => write!(f, "the store equals the chain: {} accounts, slot {}", self.accounts, self.slot),
            count => write!(f, "{count} differences among {} accounts, slot {}", self.accounts, self.slot),
        }
    }
}
