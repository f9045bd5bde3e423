//! The demo's work: handwritten digits to be recognised, and how many were.

use crate::failure::Failure;
use anyhow::{ensure, Context};
use joule_api::Job;
use joule_artifacts::{ArtifactStore, Hash};
use serde::Deserialize;
use std::path::Path;

const IMAGE: usize = 64;
/// Magic, version and count come before the images and before the labels.
const HEADER: usize = 12;

pub struct Digits {
    pub module: Vec<u8>,
    images: Vec<u8>,
    labels: Vec<u8>,
}

#[derive(Deserialize)]
struct Answer {
    predictions: Vec<Prediction>,
}

#[derive(Deserialize)]
struct Prediction {
    digit: u8,
}

impl Digits {
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
        };
        let digits = Self {
            module: read("digits.wasm")?,
            images: read("data/test_images.bin")?,
            labels: read("data/test_labels.bin")?,
        };
        (|| {
            ensure!(digits.images.len() > HEADER && digits.labels.len() > HEADER, "the digits' files are cut short");
            ensure!(
                (digits.images.len() - HEADER) == (digits.labels.len() - HEADER) * IMAGE,
                "images and labels do not match"
            );
            Ok(())
        })()?;
        Ok(digits)
    }

    fn count(&self) -> usize {
        self.labels.len() - HEADER
    }

    fn range(&self, part: usize, of: usize) -> std::ops::Range<usize> {
        let size = self.count() / of;
        part * size..if part + 1 == of { self.count() } else { (part + 1) * size }
    }

    /// One of several inputs that the images are divided into.
    pub fn input(&self, part: usize, of: usize) -> Vec<u8> {
        let range = self.range(part, of);
        let mut input = self.images[..HEADER - 4].to_vec();
        input.extend((range.len() as u32).to_le_bytes());
        input.extend(&self.images[HEADER + range.start * IMAGE..HEADER + range.end * IMAGE]);
        input
    }

    /// The images as questions to the model that sees them, one in each line: a drawing in characters.
    pub fn questions(&self) -> String {
        /// From this value on, of 16, a pixel is ink.
        const INK: u8 = 8;
        let drawing = |image: &[u8]| {
            let lines =
                image.chunks(8).map(|row| row.iter().map(|pixel| if *pixel < INK { '.' } else { '#' }).collect());
            lines.collect::<Vec<String>>().join("\n")
        };
        let question = |image: &[u8]| {
            let content = format!("Which digit is this?\n{}", drawing(image));
            serde_json::json!({ "messages": [{ "role": "user", "content": content }] }).to_string() + "\n"
        };
        self.images[HEADER..].chunks(IMAGE).map(question).collect()
    }

    /// Compares what the paid jobs answered with what the images show.
    pub async fn print_accuracy(&self, store: &ArtifactStore, jobs: &[Job]) -> Result<(), Failure> {
        let mut right = 0;
        for (part, job) in jobs.iter().enumerate() {
            let hash: Hash = job.result_hash.as_deref().unwrap_or_default().parse().context("a result hash")?;
            let answer: Answer =
                serde_json::from_slice(&store.get(hash, 16 << 20).await?).context("reading a result")?;
            let labels = &self.labels[HEADER..][self.range(part, jobs.len())];
            if answer.predictions.len() != labels.len() {
                return Err(Failure::Outcome(format!("job {} answered for another number of images", job.address)));
            }
            right += answer.predictions.iter().zip(labels).filter(|(p, label)| p.digit == **label).count();
        }
        let all = self.count();
        println!("{right} of {all} handwritten digits recognised ({:.2} %)", 100.0 * right as f64 / all as f64);
        Ok(())
    }
}
