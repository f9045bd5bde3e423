//! Compute units per instruction, the floor, and the ratio of the two.

use crate::{floor, report};
use anyhow::{bail, Result};
use comfy_table::{presets::UTF8_FULL_CONDENSED, CellAlignment, Table};
use joule_tests::{scenes, Kind};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Row {
    program: String,
    instruction: String,
    cu: u64,
    floor: u64,
    /// `cu / floor`, to two decimals.
    ratio: f64,
}

pub fn run(check: bool) -> Result<()> {
    let mut rows = Vec::new();
    for mut scene in scenes::all(Kind::Classic) {
        let before = scene.world.svm.clone();
        let instructions = scene.instructions();
        let signers: Vec<_> = scene.signers.iter().collect();
        let done = scene.world.send(&instructions, &signers);
        let floor = floor::measure(before, &scene, &done)?;
        rows.push(Row {
            program: scene.program.to_owned(),
            instruction: scene.name.to_owned(),
            cu: done.compute_units_consumed,
            floor,
            ratio: (done.compute_units_consumed as f64 / floor as f64 * 100.0).round() / 100.0,
        });
    }
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["program", "instruction", "CU", "floor", "ratio"]);
    for column in 2..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in &rows {
        let ratio = format!("{:.2}", row.ratio);
        table.add_row([&row.program, &row.instruction, &row.cu.to_string(), &row.floor.to_string(), &ratio]);
    }
    println!("{table}");
    if !check {
        return report::write("cu", &rows);
    }
    let snapshot: Vec<Row> = report::read("cu")?;
    let changed: Vec<String> = rows
        .iter()
        .filter(|row| !snapshot.contains(row))
        .map(|row| {
            let old = snapshot.iter().find(|old| (&old.program, &old.instruction) == (&row.program, &row.instruction));
            let old = old.map_or("nothing".into(), |old| format!("{} CU, floor {}", old.cu, old.floor));
            format!("{} {}: {old} -> {} CU, floor {}", row.program, row.instruction, row.cu, row.floor)
        })
        .collect();
    if changed.is_empty() && snapshot.len() == rows.len() {
        println!("as in benches/results/cu.json");
        return Ok(());
    }
    bail!(
        "compute units differ from benches/results/cu.json:\n  {}\nIf that is meant, run `make bench-cu`, commit the result and say why.",
        changed.join("\n  ")
    )
}
