//! The network, in its sandbox.

use super::picture::Picture;
use anyhow::Context as _;
use joule_artifacts::Hash;
use joule_node::runner::{JobModule, Limits, Runner};
use serde::Deserialize;
use std::{fmt, path::Path, time::Duration};

/// One picture takes about 108,000 units.
const LIMITS: Limits =
    Limits { fuel: 10_000_000, memory_bytes: 4 << 20, timeout: Duration::from_secs(2), output_bytes: 4_096 };

pub struct Digits {
    runner: Runner,
    module: JobModule,
}

/// What the network sees in a picture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Seen {
    pub digit: u8,
    pub runner_up: u8,
    /// How far the digit's score lies above the runner-up's.
    pub margin: u32,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The digit is {}. The next guess would be {}, by a margin of {}.",
            self.digit, self.runner_up, self.margin
        )
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    Predictions { predictions: Vec<Seen> },
    Error { error: String },
}

impl Digits {
    pub async fn load(module: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(module).with_context(|| {
            format!("cannot read {}; workloads/digits/digits.wasm is in the repository", module.display())
        })?;
        let runner = Runner::new()?;
        let module = runner.compile(Hash::of(&bytes), bytes.into()).await?;
        Ok(Self { runner, module })
    }

    pub async fn read(&self, picture: &Picture) -> anyhow::Result<Seen> {
        let mut input = b"JIMG\x01\0\0\0\x01\0\0\0".to_vec();
        input.extend_from_slice(picture.pixels());
        let outcome = self.runner.run(self.module.clone(), input.into(), LIMITS).await?;
        match serde_json::from_slice(&outcome.output).context("the network's output")? {
            Output::Predictions { mut predictions } => predictions.pop().context("the network saw nothing"),
            Output::Error { error } => anyhow::bail!(error),
        }
    }
}
