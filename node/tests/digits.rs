//! The committed digits module under the real runner, over every held-out image.

use joule_artifacts::{Bytes, Hash};
use joule_node::runner::{Limits, Runner};
use serde::Deserialize;
use std::{path::Path, time::Duration};

/// The share of held-out images below which the job is not what it says it is, in percent.
const THRESHOLD: f64 = 97.5;

const LIMITS: Limits =
    Limits { fuel: 100_000_000, memory_bytes: 16 << 20, timeout: Duration::from_secs(60), output_bytes: 1 << 20 };

#[derive(Deserialize)]
struct Answer {
    images: usize,
    predictions: Vec<Prediction>,
}

#[derive(Deserialize)]
struct Prediction {
    digit: u8,
}

fn file(name: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/digits").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

async fn run(input: Bytes, limits: Limits) -> joule_node::runner::Outcome {
    let module = file("digits.wasm");
    let runner = Runner::new().unwrap();
    let module = runner.compile(Hash::of(&module), module).await.unwrap();
    runner.run(module, input, limits).await.unwrap()
}

#[tokio::test]
async fn accuracy_on_held_out_images_is_as_stated() {
    let outcome = run(file("data/test_images.bin"), LIMITS).await;
    assert_eq!(outcome.output, file("data/expected.json"), "the module and train.py disagree");

    let answer: Answer = serde_json::from_slice(&outcome.output).unwrap();
    let labels = file("data/test_labels.bin").slice(12..);
    assert_eq!((answer.images, answer.predictions.len()), (labels.len(), labels.len()));
    let correct = answer.predictions.iter().zip(&labels).filter(|(found, label)| found.digit == **label).count();
    let accuracy = 100.0 * correct as f64 / labels.len() as f64;
    println!(
        "digits.wasm: {correct} of {} held-out images right = {accuracy:.2} % (at least {THRESHOLD} % wanted); \
         {} units of fuel, {} KiB of memory, {:.1} ms",
        labels.len(),
        outcome.fuel_used,
        outcome.peak_memory_bytes / 1024,
        outcome.elapsed.as_secs_f64() * 1e3,
    );
    assert!(accuracy >= THRESHOLD);
}

#[tokio::test]
async fn an_unreadable_input_is_answered_not_trapped() {
    let outcome = run(Bytes::from_static(b"JIMG\x01\0\0\0\0\0\0\0"), LIMITS).await;
    assert_eq!(outcome.output, b"{\"error\":\"the input holds no images\"}\n");
}

#[tokio::test]
async fn the_largest_input_gives_an_output_that_may_be_stored() {
    const IMAGES: u32 = 100_000;
    let mut input = b"JIMG\x01\0\0\0".to_vec();
    input.extend(IMAGES.to_le_bytes());
    input.resize(12 + IMAGES as usize * 64, 3);
    let limits = Limits { fuel: u64::MAX, output_bytes: joule_artifacts::MAX_OUTPUT_BYTES, ..LIMITS };
    let answer: Answer = serde_json::from_slice(&run(input.into(), limits).await.output).unwrap();
    assert_eq!(answer.predictions.len(), IMAGES as usize);
}
