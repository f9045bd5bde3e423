//! What a run is made of, and what goes wrong in it, as a seed has it.

use crate::{
    scale::{mix::Mix, random::Random},
    serve::{faults, Rate},
};
use std::time::Duration;

/// What happens to the indexer, or to its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blow {
    /// `kill -9`, and a while until it is started again.
    Kill(Duration),
    /// SIGTERM, and the same.
    Stop(Duration),
    /// It stands still, and goes on.
    Freeze(Duration),
    /// Its store takes nothing.
    Stall(Duration),
    /// Its store's server ends, at once or not, and is started again after so long.
    Restart { away: Duration, at_once: bool },
    /// It is stopped, and its store is put back by so many slots.
    Rewind(u64),
}

/// Another server of the same chain, which the indexer follows too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Second {
    pub faults: faults::Plan,
    /// When so much of the file was told, it is gone for good.
    pub dies: Option<f64>,
    /// How fast it tells, of the first's rate.
    pub pace: f64,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub updates: u64,
    pub per_block: u64,
    pub mix: Mix,
    pub rate: Rate,
    pub server: faults::Plan,
    pub second: Option<Second>,
    /// When so much of the file was told, as a share.
    pub blows: Vec<(f64, Blow)>,
    /// Where the indexer dies by itself, one for each start.
    pub crashes: Vec<Option<String>>,
}

/// Starts that may end at a point.
const CRASHES: usize = 12;

impl Plan {
    pub fn new(seed: u64, updates: u64) -> Self {
        // Neighbouring seeds make other plans.
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x7121a1);
        let random = &mut random;
        let share = |random: &mut Random, most: f64| random.below(1_000) as f64 / 1_000.0 * most;
        let millis =
            |random: &mut Random, least: u64, most: u64| Duration::from_millis(least + random.below(most - least));
        let mix = Mix {
            new: 0.1 + share(random, 0.3),
            // On a chain, nothing is written without a transaction.
            bare: 0.0,
            forks: 0.05 + share(random, 0.25),
            skipped: share(random, 0.2),
            late: share(random, 0.08),
            duplicates: share(random, 0.1),
            strangers: 0.02 + share(random, 0.15),
            unnamed: 0.3,
            reorder: random.below(40) as f64,
            ..Mix::default()
        };
        let rate = match random.below(4) {
            0 => Rate::Max,
            // So that a moment away is a few blocks of a small file.
            _ => Rate::Of((updates as f64 / (2.0 + share(random, 4.0))).min(3_500.0).round()),
        };
        let server = faults::Plan {
            kept_slots: match random.below(4) {
                0 => None,
                1 => Some(20 + random.below(200)),
                _ => Some(2 + random.below(12)),
            },
            tells_kept: random.chance(0.5),
            connections: 2 + random.below(8) as u32,
            lives: 50 + random.below(updates),
            repeated: share(random, 0.05),
            held: share(random, 0.2),
            rpc: share(random, 0.1),
            rpc_errors: random.below(10) as u32,
        };
        let mut blows: Vec<(f64, Blow)> = (0..1 + random.below(6))
            .map(|_| {
                let blow = match random.below(10) {
                    0..5 => Blow::Kill(millis(random, 0, 1_500)),
                    5 => Blow::Stop(millis(random, 0, 1_000)),
                    6 | 7 => Blow::Freeze(millis(random, 100, 2_500)),
                    _ => Blow::Stall(millis(random, 300, 4_000)),
                };
                (share(random, 1.1), blow)
            })
            .collect();
        blows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let crashes = (0..CRASHES).map(|_| random.chance(0.4).then(|| point(random))).collect();
        // Gaps are of a few blocks or of many: they are filled in two ways.
        let per_block = (updates / [25, 50, 100, 200][random.below(4) as usize]).max(10);
        for _ in 0..random.below(3) {
            let blow = match random.chance(0.6) {
                true => Blow::Restart { away: millis(random, 0, 1_500), at_once: random.chance(0.5) },
                false => Blow::Rewind(1 + random.below(60)),
            };
            blows.push((share(random, 1.1), blow));
        }
        blows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let second = random.chance(0.4).then(|| {
            let faults =
                faults::Plan { connections: random.below(6) as u32, lives: 50 + random.below(updates), ..server };
            let dies = random.chance(0.5).then(|| share(random, 1.0));
            Second { faults, dies, pace: if dies.is_some() { 1.0 } else { 0.6 + share(random, 0.4) } }
        });
        // Where whoever listens sets the pace, one that nobody follows stands still.
        let second = second.filter(|_| rate != Rate::Max);
        Self { seed, updates, per_block, mix, rate, server, second, blows, crashes }
    }
}

impl Plan {
    /// With other shares, as `--mix` has them.
    pub fn with(mut self, mix: &str) -> anyhow::Result<Self> {
        self.mix = self.mix.with(mix).map_err(anyhow::Error::msg)?;
        Ok(self)
    }
}

fn point(random: &mut Random) -> String {
    let (name, most) = [
        ("after-subscribe", 3),
        ("after-snapshot", 2),
        ("mid-batch-before-commit", 20),
        ("after-commit", 20),
        ("while-draining", 2),
    ][random.below(5) as usize];
    format!("{name}:{}", 1 + random.below(most))
}
