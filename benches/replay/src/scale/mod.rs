//! A large chain, made of a recording: the same seed makes the same file.

mod plain;
pub mod random;
mod slots;

use crate::{
    file::{Header, Reader, Writer},
    truth::{self, Summary},
};
use anyhow::Result;
use plain::Plain;
use random::Random;
use slots::{Content, Disorder, Place, Slots};
use std::{path::PathBuf, time::Instant};

/// Blocks in which nothing happens, before all others.
const LEAD: u64 = 8;
/// Slots in a second, as clusters have them.
const SLOTS: f64 = 2.5;

#[derive(clap::Args)]
pub struct Args {
    /// A recording
    #[arg(long)]
    from: PathBuf,
    /// Updates of all kinds, about
    #[arg(long, value_parser = count)]
    updates: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Updates in a block, about
    #[arg(long, default_value_t = 400)]
    per_block: u64,
    /// The file; its truth is written beside it
    #[arg(long)]
    out: PathBuf,
}

fn count(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.replace('_', "").parse()
}

pub fn run(args: &Args) -> Result<()> {
    let begun = Instant::now();
    let recording = Reader::open(&args.from)?;
    let header = Header { lead: LEAD * 5 + 5, ..recording.header };
    let mut file = Writer::create(&args.out, &header, 1)?;
    let mut truth = truth::Writer::create(truth::beside(&args.out))?;
    let mut updates = 0u64;
    let mut random = Random::new(args.seed);
    let disorder = Disorder { reorder: 0, duplicates: 0.0, late: 0.0 };
    let mut slots = Slots::new(args.seed, disorder);
    let mut content = Content::default();
    let mut plain = Plain::new(args.seed);
    let mut out = |update: &[u8]| {
        updates += 1;
        file.push(update)
    };
    let mut place = Place { slot: header.first_slot, parent: header.first_slot - 1, bank: 1, time: header.recorded_at };
    let mut blocks = 0;
    let mut made = 0;
    while made < args.updates {
        slots.begin(&place, &mut out)?;
        content.clear();
        if blocks >= LEAD {
            for _ in 0..args.per_block {
                plain.write(&place, &mut content, &mut random);
            }
        }
        made += content.len() as u64 + 7;
        slots.content(&content, &mut random, &mut out)?;
        slots.sealed(place, &content, &mut random, &mut out)?;
        blocks += 1;
        let time = header.recorded_at + (blocks as f64 / SLOTS) as i64;
        place = Place { slot: place.slot + 1, parent: place.slot, bank: place.bank + 1, time };
    }
    slots.end(&mut out)?;
    file.finish()?;
    let (account_updates, new) = plain.finish(&mut truth)?;
    let summary = Summary {
        last_confirmed_slot: place.parent,
        updates,
        account_updates,
        slots: blocks,
        new: new as f64 / account_updates as f64,
        ..Summary::default()
    };
    let summary = truth.finish(summary)?;
    println!("{} in {:.1} s", serde_json::to_string(&summary)?, begun.elapsed().as_secs_f64());
    Ok(())
}
