//! What one transaction holds: of version 0 with a lookup table, and of version 1, which needs none.

use crate::report;
use anyhow::{Context, Result};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use joule_tests::together::{Together, Version};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    what: String,
    version: u8,
    bytes: usize,
    /// Programs and looked up ones included.
    addresses: usize,
    cu: u64,
    /// Hashes of the proof, vouchers, or channels: the most that fit, but for the hashes of version 1, of which there are never
    /// more.
    count: usize,
    commit: String,
    cores: usize,
}

type Case = (&'static str, fn(usize) -> Together, [usize; 2]);

/// With the counts for version 0 and version 1.
const CASES: [Case; 3] = [
    ("dispute_receipt, hashes of the proof", |levels| Together::overcharge(levels as u8), [21, 63]),
    ("settle, vouchers of different payers", Together::vouchers, [4, 15]),
    ("settle_batch, channels of one payer", Together::batch, [42, 60]),
];

pub fn run(check: bool) -> Result<()> {
    let (commit, cores) = (report::commit(), std::thread::available_parallelism()?.get());
    let mut rows = Vec::new();
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["what", "version", "count", "bytes", "addresses", "CU"]);
    for (what, make, counts) in CASES {
        for (version, (kind, count)) in (0..).zip([Version::Zero, Version::One].into_iter().zip(counts)) {
            let fitted = make(count).fit(kind).with_context(|| format!("{count} do not fit: {what}"))?;
            let (bytes, addresses, cu) = (fitted.bytes, fitted.addresses, fitted.cu);
            let figures = [u64::from(version), count as u64, bytes as u64, addresses as u64, cu].map(|n| n.to_string());
            table.add_row([vec![what.to_owned()], figures.into()].concat());
            let (what, commit) = (what.to_owned(), commit.clone());
            rows.push(Row { what, version, bytes, addresses, cu, count, commit, cores });
        }
    }
    println!("{table}");
    match check {
        true => report::check("v1", &rows),
        false => report::write("v1", &rows),
    }
}
