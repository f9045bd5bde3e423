//! A large chain, made of a recording: the same seed makes the same file.

mod blob;
mod books;
mod engine;
pub mod mix;
pub mod random;
mod recording;
mod slots;
mod updates;
mod version;

use crate::{
    file::{Header, Reader, Writer},
    truth,
};
use anyhow::Result;
use engine::Engine;
use mix::Mix;
use recording::Recording;
use slots::{Content, Disorder, Place, Sink, Slots};
use std::{path::PathBuf, time::Instant};

/// Blocks in which nothing happens, before all others.
const LEAD: u64 = 8;
/// Slots in a second, as clusters have them.
const SLOTS: f64 = 2.5;
/// Updates of an attempt that comes to nothing, in a block's.
const IN_VAIN: u64 = 4;

#[derive(clap::Args)]
pub struct Args {
    /// A recording
    #[arg(long)]
    pub from: PathBuf,
    /// Updates of all kinds, about
    #[arg(long, value_parser = count)]
    pub updates: u64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Shares, such as new=0.5,bare=0.4,legacy=0.3,v0=0.4,forks=0.02,skipped=0.02,late=0.005,duplicates=0.01,reorder=8; `plain` is jobs alone
    #[arg(long, default_value = "")]
    pub mix: Mix,
    /// Updates in a block, about
    #[arg(long, default_value_t = 400)]
    pub per_block: u64,
    /// Blocks in which nothing happens, after all others: for tests in which the chain goes on
    #[arg(long, default_value_t = 0)]
    pub tail: u64,
    /// The file; its truth is written beside it
    #[arg(long)]
    pub out: PathBuf,
}

fn count(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.replace('_', "").parse()
}

pub fn run(args: &Args) -> Result<()> {
    let begun = Instant::now();
    let summary = make(args)?;
    println!("{} in {:.1} s", serde_json::to_string(&summary)?, begun.elapsed().as_secs_f64());
    Ok(())
}

/// Writes the file and its truth.
pub fn make(args: &Args) -> Result<truth::Summary> {
    let reader = Reader::open(&args.from)?;
    let made = format!(
        "scale --updates {} --seed {} --per-block {}{} --mix {}",
        args.updates,
        args.seed,
        args.per_block,
        if args.tail > 0 { format!(" --tail {}", args.tail) } else { String::new() },
        serde_json::to_string(&args.mix)?.replace(['{', '}', '"'], "").replace(':', "=")
    );
    let header = Header { made: Some(made), lead: LEAD * slots::EMPTY, ..reader.header.clone() };
    let recording = Recording::read(reader)?;
    let mut file = Writer::create(&args.out, &header, 1)?;
    let truth = truth::Writer::create(truth::beside(&args.out))?;
    let updates = std::cell::Cell::new(0u64);
    let mut out = |update: &[u8]| {
        updates.set(updates.get() + 1);
        file.push(update)
    };
    let mut chain = Chain::new(args, &header, Engine::new(&recording, args.mix, args.seed, truth));
    while chain.made < args.updates {
        chain.block(&mut out)?;
    }
    let (last, body) = (chain.next.parent, updates.get());
    for _ in 0..args.tail {
        chain.empty(&mut out)?;
    }
    chain.slots.end(&mut out)?;
    file.finish()?;
    let mut engine = chain.engine;
    engine.summary.repeated = chain.slots.repeated;
    engine.summary.body = body;
    engine.finish(updates.get(), last)
}

/// Blocks, one after another.
struct Chain<'a> {
    mix: Mix,
    per_block: u64,
    first_slot: u64,
    recorded_at: i64,
    engine: Engine<'a>,
    slots: Slots,
    content: Content,
    /// Where the next block comes.
    next: Place,
    blocks: u64,
    /// Updates so far.
    made: u64,
}

impl<'a> Chain<'a> {
    fn new(args: &Args, header: &Header, engine: Engine<'a>) -> Self {
        let Mix { reorder, duplicates, .. } = args.mix;
        let disorder = Disorder { reorder: reorder as u64, duplicates };
        let slot = header.first_slot;
        Self {
            mix: args.mix,
            per_block: args.per_block,
            first_slot: slot,
            recorded_at: header.recorded_at,
            engine,
            slots: Slots::new(args.seed, disorder),
            content: Content::default(),
            next: Place { slot, parent: slot - 1, bank: 1, time: header.recorded_at },
            blocks: 0,
            made: 0,
        }
    }

    fn block(&mut self, out: &mut Sink) -> Result<()> {
        let is_lead = self.blocks < LEAD;
        // Before there is anybody, nothing can happen in vain.
        if self.blocks > LEAD {
            self.attempts(out)?;
        }
        let place = self.next;
        self.slots.begin(&place, out)?;
        self.content.clear();
        if self.blocks == LEAD {
            self.engine.first(&place, &mut self.content)?;
        }
        while !is_lead && (self.content.len() as u64) < self.per_block {
            self.engine.next(&place, &mut self.content)?;
        }
        self.slots.content(&self.content, &mut self.engine.random, out)?;
        // Nothing of the beginning is late: who listens needs a block to start from.
        let late = if is_lead { 0.0 } else { self.mix.late };
        self.slots.sealed(place, &self.content, late, &mut self.engine.random, out)?;
        self.made += self.content.len() as u64 + slots::EMPTY;
        self.blocks += 1;
        self.engine.summary.slots += 1;
        self.next = Place { slot: place.slot + 1, parent: place.slot, bank: place.bank + 1, time: 0 };
        self.tick();
        Ok(())
    }

    /// A block in which nothing happens, told in time.
    fn empty(&mut self, out: &mut Sink) -> Result<()> {
        let place = self.next;
        self.slots.begin(&place, out)?;
        self.content.clear();
        self.slots.sealed(place, &self.content, 0.0, &mut self.engine.random, out)?;
        self.next = Place { slot: place.slot + 1, parent: place.slot, bank: place.bank + 1, time: 0 };
        self.tick();
        Ok(())
    }

    /// Banks that come to nothing, before the next block.
    fn attempts(&mut self, out: &mut Sink) -> Result<()> {
        if self.engine.random.chance(self.mix.skipped) {
            self.next.slot += 1;
        }
        if !self.engine.random.chance(self.mix.forks) {
            self.tick();
            return Ok(());
        }
        // Dead and tried again in the same slot, dead and left out, or left behind by up to three blocks of a fork.
        let kind = self.engine.random.below(3);
        let depth = if kind == 2 { 1 + self.engine.random.below(3) } else { 1 };
        let mut attempt = self.next;
        for _ in 0..depth {
            self.slots.begin(&attempt, out)?;
            self.content.clear();
            while (self.content.len() as u64) < self.per_block / IN_VAIN {
                self.engine.in_vain(&attempt, &mut self.content)?;
            }
            self.slots.content(&self.content, &mut self.engine.random, out)?;
            self.slots.abandoned(&attempt, &self.content, kind < 2, out)?;
            self.engine.summary.dead += self.content.len() as u64;
            self.made += self.content.len() as u64;
            attempt = Place { slot: attempt.slot + 1, parent: attempt.slot, bank: attempt.bank + 1, ..attempt };
        }
        self.next.bank = attempt.bank;
        if kind > 0 {
            self.next.slot = attempt.slot;
        }
        self.tick();
        Ok(())
    }

    /// The time of the next block.
    fn tick(&mut self) {
        self.next.time = self.recorded_at + ((self.next.slot - self.first_slot) as f64 / SLOTS) as i64;
    }
}
