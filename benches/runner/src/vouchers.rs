//! How many vouchers one thread checks in a second, beside bare signatures of the same messages in the same run.

use crate::report;
use anyhow::{ensure, Result};
use ed25519_dalek::Verifier as _;
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Context, Format, Limits, Signature, SigningKey, Verifier, Voucher};
use serde::Serialize;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// A full check may take this much of a bare signature's time.
const MOST: f64 = 1.2;

#[derive(Serialize)]
struct Row {
    vouchers_per_s: u64,
    /// `verify` of ed25519-dalek.
    signatures_per_s: u64,
    /// `verify_strict`, which is what the chain asks for.
    strict_signatures_per_s: u64,
    /// Time of a full check over that of `verify`.
    ratio: f64,
    ratio_to_strict: f64,
    vouchers: usize,
    rounds: usize,
    cores: usize,
    commit: String,
    against: String,
}

/// As it reaches a gateway.
struct Request {
    voucher: Vec<u8>,
    signature: Signature,
}

pub fn run(vouchers: usize, rounds: usize) -> Result<()> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let (verifier, bare) = (Verifier::new(key.verifying_key().as_bytes()), key.verifying_key());
    let verifier = verifier.expect("a key made from a seed");
    let now = UnixTime::new(1_800_000_000);
    let mut limits = Limits {
        context: Context::new([1; 32]),
        settled: Amount::ZERO,
        most: Amount::new(u64::MAX),
        session_expires_at: now,
    };
    let requests: Vec<Request> = (1..=vouchers as u64)
        .map(|sequence| {
            let voucher = Voucher {
                context: limits.context,
                sequence: sequence.into(),
                cumulative: Amount::new(sequence * 1_000).into(),
                expires_at: now.into(),
                ..Voucher::default()
            };
            let voucher = voucher.as_bytes().to_vec();
            Request { signature: sign(&key, &voucher), voucher }
        })
        .collect();

    let (mut full, mut plain, mut strict) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        plain = plain.min(bare_round(&requests, |message, signature| bare.verify(message, signature).is_ok())?);
        strict =
            strict.min(bare_round(&requests, |message, signature| bare.verify_strict(message, signature).is_ok())?);
        full = full.min(full_round(&requests, &verifier, &mut limits, now)?);
    }
    let per_s = |round: Duration| (vouchers as f64 / round.as_secs_f64()) as u64;
    let ratio = |to: Duration| (full.as_secs_f64() / to.as_secs_f64() * 1_000.0).round() / 1_000.0;
    let row = Row {
        vouchers_per_s: per_s(full),
        signatures_per_s: per_s(plain),
        strict_signatures_per_s: per_s(strict),
        ratio: ratio(plain),
        ratio_to_strict: ratio(strict),
        vouchers,
        rounds,
        cores: std::thread::available_parallelism()?.get(),
        commit: report::commit(),
        against: "ed25519-dalek 2.2 on the same messages with a prepared key, one thread, dev profile (curves at opt-level 3)"
            .into(),
    };
    println!(
        "{} vouchers/s beside {} signatures/s (strict: {}): {:.3} of their time, {:.3} of the strict ones'",
        row.vouchers_per_s, row.signatures_per_s, row.strict_signatures_per_s, row.ratio, row.ratio_to_strict
    );
    ensure!(row.ratio <= MOST, "a voucher's check takes more than {MOST} times a signature's");
    report::write("vouchers", &[row])
}

fn bare_round(requests: &[Request], good: impl Fn(&[u8], &ed25519_dalek::Signature) -> bool) -> Result<Duration> {
    let started = Instant::now();
    for Request { voucher, signature } in requests {
        ensure!(good(black_box(voucher), &ed25519_dalek::Signature::from_bytes(signature)), "a signature is not good");
    }
    Ok(started.elapsed())
}

/// Each voucher in its turn: what it says is what the next must exceed.
fn full_round(requests: &[Request], verifier: &Verifier, limits: &mut Limits, now: UnixTime) -> Result<Duration> {
    limits.settled = Amount::ZERO;
    let started = Instant::now();
    for Request { voucher, signature } in requests {
        let admitted = verifier.voucher(limits, black_box(voucher), signature, now);
        let Ok(voucher) = admitted else { anyhow::bail!("refused: {admitted:?}") };
        limits.settled = voucher.cumulative.get();
    }
    Ok(started.elapsed())
}
