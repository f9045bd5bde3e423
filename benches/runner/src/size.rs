//! How large the programs are.

use crate::report;
use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Row {
    program: &'static str,
    bytes: u64,
}

pub fn run() -> Result<()> {
    let mut rows = Vec::new();
    for program in ["treasury", "registry", "escrow", "staking", "billing"] {
        let bytes = std::fs::metadata(joule_tests::deployed(&format!("joule_{program}")))?.len();
        println!("{program:<10} {bytes:>8} bytes");
        rows.push(Row { program, bytes });
    }
    report::write("size", &rows)
}
