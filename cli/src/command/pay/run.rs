//! Sending, and saying what came of it.

use super::request::Bodies;
use crate::{command::channel::Ended, context::Options, failure::Failure, output, token::Token};
use indicatif::{ProgressBar, ProgressStyle};
use joule_client::{Answered, Buyer, Failed, Stop, WalletError};
use joule_sdk::{voucher::Usage, Pubkey};
use serde_json::{json, Value};
use std::{
    borrow::Cow,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinSet};

/// So many answers are printed; of more only how many, and what they cost.
const PRINTED: u64 = 20;
/// How often progress is told where there is no terminal.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Ctrl-C from now on: the first says so here, the second ends the process at once. What was promised is on disk, and so is what
/// came.
pub fn interrupted() -> watch::Receiver<bool> {
    let (to, told) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!("stopping when what is under way has ended; Ctrl-C again stops at once");
            to.send_replace(true);
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        }
        // Without signals nobody is told, and nobody has to be.
        to.closed().await;
    });
    told
}

/// Why it has stopped, in tokens and on the reader's clock.
pub fn in_tokens(failure: Failure, token: &Token) -> Failure {
    let Failure::Bought(Failed::Wallet(WalletError::Stop(stop))) = &failure else { return failure };
    Failure::Outcome(match stop {
        Stop::Budget { billed, most, budget } => format!(
            "{} are spent, and the next request may cost {}: that is above the budget of {}",
            token.show(*billed),
            token.show(*most),
            token.show(*budget)
        ),
        Stop::Channel { billed, most, allowed } => format!(
            "{} are spent, and the next request may cost {}: that is above the {} of the channel and its session",
            token.show(*billed),
            token.show(*most),
            token.show(*allowed)
        ),
        Stop::SessionEnds(at) => {
            format!("the session ends {}, too soon for the provider to settle", joule_settings::moment(*at, now()))
        }
        _ => return failure,
    })
}

pub struct Job<'a> {
    pub buyer: &'a Buyer,
    pub bodies: &'a Bodies,
    pub requests: u64,
    pub concurrency: u64,
}

/// What came of it all.
#[derive(Default)]
pub struct Bought {
    answers: u64,
    /// Paid, but lost on their way.
    lost: u64,
    /// Paid, but broken off, or errors.
    broken: u64,
    /// Base units.
    spent: u64,
    used: Usage,
    took: Duration,
    printed: Vec<Value>,
    /// Why not all were sent.
    pub stopped: Option<Failure>,
}

impl Job<'_> {
    /// Until all are answered, something stops it, or Ctrl-C. What is under way is waited for.
    pub async fn run(&self, options: &Options, token: &Token, mut interrupted: watch::Receiver<bool>) -> Bought {
        let started = Instant::now();
        let (mut bought, mut tasks, mut sent) = (Bought::default(), JoinSet::new(), 0);
        let bar = self.bar();
        let live = self.requests == 1 && !options.json;
        let mut told = Instant::now();
        loop {
            while bought.stopped.is_none() && sent < self.requests && (tasks.len() as u64) < self.concurrency.max(1) {
                let (buyer, body) = (self.buyer.clone(), self.bodies.of(sent));
                tasks.spawn(async move {
                    buyer
                        .buy(body.into(), |event| {
                            if live {
                                show(event)
                            }
                        })
                        .await
                });
                sent += 1;
            }
            let ended = tokio::select! {
                ended = tasks.join_next() => ended,
                Ok(_) = interrupted.wait_for(|is_so| *is_so), if bought.stopped.is_none() => {
                    bought.stopped = Some(Failure::Outcome("interrupted".into()));
                    continue;
                }
            };
            match ended {
                None => break,
                Some(Ok(Ok(answered))) => bought.add(&answered, self.requests <= PRINTED),
                Some(Ok(Err(failed))) => bought.stop(failed),
                Some(Err(error)) => bought.stopped = Some(anyhow::Error::from(error).into()),
            }
            bar.set_position(bought.answers);
            bar.set_message(format!("{} spent", token.show(bought.spent)));
            if bar.is_hidden() && !options.json && self.requests > PRINTED && told.elapsed() > TOLD_EVERY {
                told = Instant::now();
                eprintln!("{} of {} answers, {} spent", bought.answers, self.requests, token.show(bought.spent));
            }
        }
        bar.finish_and_clear();
        bought.took = started.elapsed();
        bought
    }

    fn bar(&self) -> ProgressBar {
        if self.requests <= 1 {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(self.requests);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos} of {len} answers, {per_sec}, {msg}") {
            bar.set_style(style);
        }
        bar
    }
}

/// Prints the text of one event as it comes.
fn show(event: &str) {
    let json: Value = serde_json::from_str(event).unwrap_or_default();
    if let Some(text) = json["choices"][0]["delta"]["content"].as_str() {
        crate::output::say(format_args!("{}", for_whoever_reads(text)));
        let _ = std::io::stdout().flush();
    }
}

/// A terminal obeys what a file keeps as it is.
fn for_whoever_reads(text: &str) -> Cow<'_, str> {
    match std::io::stdout().is_terminal() {
        true => joule_client::shown::text(text),
        false => text.into(),
    }
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs().cast_signed())
}

impl Bought {
    fn add(&mut self, answered: &Answered, print: bool) {
        let receipt = &answered.receipt;
        self.answers += 1;
        self.lost += u64::from(answered.body.is_none());
        self.broken += u64::from(answered.body.is_some() && !answered.is_whole);
        self.spent = self.spent.saturating_add(receipt.amount.get().get());
        self.used = self.used.plus(&receipt.usage());
        if print {
            let body = answered.body.as_deref().unwrap_or_default();
            self.printed.push(json!({
                "receipt": receipt.sequence.get(),
                "amount": receipt.amount.get().get().to_string(),
                "input_tokens": receipt.input_tokens.get(),
                "output_tokens": receipt.output_tokens.get(),
                "images": receipt.images.get(),
                "milliseconds": receipt.milliseconds.get(),
                // A stream is no JSON; its text was its events'.
                "answer": serde_json::from_slice::<Value>(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into()),
            }));
        }
    }

    /// Stopped by something after which somebody may want to go on, or to prove something: not by having spent everything.
    pub fn is_cut_short(&self) -> bool {
        use Stop::{Budget, Channel, SessionEnds};
        match &self.stopped {
            Some(Failure::Bought(Failed::Wallet(WalletError::Stop(stop)))) => {
                !matches!(stop, Budget { .. } | Channel { .. } | SessionEnds(_))
            }
            stopped => stopped.is_some(),
        }
    }

    /// Paid for, and not got. A message in place of success.
    pub fn undelivered(&self) -> Option<Failure> {
        let Self { answers, lost, broken, .. } = self;
        let mut what = Vec::new();
        if *lost > 0 {
            what.push(format!("{lost} were lost on their way after they had been served"));
        }
        if *broken > 0 {
            what.push(format!("{broken} broke off or are errors"));
        }
        let what = (!what.is_empty()).then(|| what.join(", "))?;
        Some(Failure::Outcome(format!("of {answers} answers {what}: their receipts are paid")))
    }

    fn stop(&mut self, failed: Failed) {
        // The first reason is the one; the others follow from it.
        if self.stopped.is_none() {
            self.stopped = Some(failed.into());
        }
    }

    pub fn report(
        &self,
        options: &Options,
        token: &Token,
        channel: &Pubkey,
        missed: u64,
        ended: Option<&Ended>,
    ) -> Result<(), Failure> {
        if options.json {
            return output::json(&token.label(json!({
                "channel": channel.to_string(),
                "mint": token.mint.to_string(),
                "requests": self.answers,
                "lost": self.lost,
                "broken": self.broken,
                "missed_in_a_row": missed,
                "spent": self.spent.to_string(),
                "units": self.used.units(),
                "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
                "answers": self.printed,
                "closes_at": ended.map(|ended| ended.closes_at),
                "reclaimed": ended.and_then(|ended| ended.reclaimed).map(|amount| amount.to_string()),
            })));
        }
        for answer in &self.printed {
            let text = answer["answer"]["choices"][0]["message"]["content"].as_str().unwrap_or_default();
            let amount: u64 = answer["amount"].as_str().and_then(|amount| amount.parse().ok()).unwrap_or_default();
            let [input, output] =
                ["input_tokens", "output_tokens"].map(|field| answer[field].as_u64().unwrap_or_default());
            let text = for_whoever_reads(text);
            println!(
                "{text}\n  receipt {}: {input} tokens in, {output} out, {}",
                answer["receipt"],
                token.show(amount)
            );
        }
        let (rate, spent) = (self.answers as f64 / self.took.as_secs_f64().max(0.001), token.show(self.spent));
        println!("{} answers for {spent} through channel {channel}, {rate:.0} a second", self.answers);
        match ended {
            None => println!("the channel is still open: `joule channel close {channel}` ends it"),
            Some(Ended { reclaimed: Some(amount), .. }) => println!("{} came back", token.show(*amount)),
            Some(Ended { closes_at, reclaimed: None, .. }) => println!(
                "the provider has until {} to settle; then `joule channel close {channel}` brings the rest back",
                joule_settings::moment(*closes_at, now())
            ),
        }
        Ok(())
    }
}
