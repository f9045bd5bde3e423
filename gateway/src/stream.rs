//! An answer that is passed on while it comes, event by event, and counted as it passes.
//!
//! Nothing is sent, and nothing owed, before its first word. `data: [DONE]` is held back until the receipt is on disk; the receipt
//! goes before it, as a comment.

use crate::{
    bought::Bought,
    crash,
    events::{self, Events},
    forward::Answer,
    gateway::Gateway,
    hold::Hold,
    meter::Meter,
    reply::Failure,
    said::{Part, Said},
    telemetry,
};
use axum::body::Bytes;
use joule_x402::{encode, sse, RECEIPT_COMMENT};
use sha2::{Digest as _, Sha256};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, OwnedSemaphorePermit},
    time::{timeout, timeout_at},
};

/// How a stream ended.
#[derive(Debug)]
enum End {
    /// The upstream said all it had to say.
    Done,
    /// It went on beyond what was bought.
    Full,
    Broke(Failure),
    /// The client went away, or stopped reading.
    ClientGone,
}

/// What an upstream says, read as it comes.
pub struct Reader {
    pub answer: Answer,
    events: Events,
    bought: Bought,
    /// Whether the client asked for the usage at the end.
    include_usage: bool,
    /// Bytes of one event, and of all that come before the first word.
    most: usize,
    over: bool,
}

impl Reader {
    pub fn new(answer: Answer, bought: Bought, include_usage: bool, most: usize) -> Self {
        Self { answer, events: Events::default(), bought, include_usage, most, over: false }
    }

    /// `None` at its end. Dropped while it waits, it loses nothing.
    async fn next(&mut self) -> Result<Option<Said>, Failure> {
        loop {
            if let Some(event) = self.events.next_event() {
                let said = Said::read(event, &mut self.bought, self.include_usage);
                // The last of a stream that was cut off is no nonsense.
                return said.map(Some).map_err(|failure| match failure {
                    Failure::UpstreamNonsense if self.over => Failure::UpstreamBroke,
                    other => other,
                });
            }
            if self.over {
                return Ok(None);
            }
            if self.events.waiting() > self.most {
                return Err(Failure::UpstreamTooLarge(self.most));
            }
            match self.answer.piece().await? {
                Some(bytes) => self.events.push(&bytes),
                None => {
                    self.over = true;
                    self.events.finish();
                }
            }
        }
    }
}

/// A stream whose first word has come.
pub struct Opening {
    reader: Reader,
    /// What came until then, that word included.
    held: VecDeque<Part>,
}

impl Opening {
    /// Waits for the first word. Comments, roles and empty events are no answer, however many there are.
    pub async fn wait(mut reader: Reader) -> Result<Self, Failure> {
        let (mut held, mut bytes) = (VecDeque::new(), 0);
        while let Some(said) = reader.next().await? {
            let Said::Part(part) = said else {
                match said {
                    Said::Done => break,
                    _ => continue,
                }
            };
            // What is not sent on is held too.
            bytes += size_of::<Part>() + part.frame.as_ref().map_or(0, String::len);
            if bytes > reader.most {
                return Err(Failure::UpstreamTooLarge(reader.most));
            }
            let has_begun = part.piece.says_something();
            held.push_back(part);
            if has_begun {
                return Ok(Self { reader, held });
            }
        }
        Err(Failure::UpstreamEmpty)
    }

    async fn next(&mut self) -> Result<Option<Said>, Failure> {
        match self.held.pop_front() {
            Some(part) => Ok(Some(Said::Part(part))),
            None => self.reader.next().await,
        }
    }
}

/// One stream on its way.
pub struct Passing {
    pub gateway: Arc<Gateway>,
    pub hold: Hold,
    pub opening: Opening,
    pub meter: Meter,
    /// A place at the upstream.
    pub place: OwnedSemaphorePermit,
}

/// What is sent to the client; the channel holds one event, so that a slow client slows the upstream down.
pub type ToClient = mpsc::Receiver<Result<Bytes, Infallible>>;

impl Passing {
    /// Passes the answer on, on a task of its own: what was sent is billed even if the client goes away.
    pub fn start(self) -> ToClient {
        let (to_client, events) = mpsc::channel(1);
        let answers = self.gateway.answers.clone();
        let patience = self.gateway.config.timeouts.idle;
        answers.spawn(self.run(Client { to: to_client, hash: Sha256::new(), sent: 0, patience }));
        events
    }

    async fn run(self, mut client: Client) {
        let Self { mut hold, mut opening, mut meter, place, .. } = self;
        let end = pass(&mut opening, &mut meter, &mut hold, &mut client).await;
        let took = opening.reader.answer.sent_at.elapsed();
        metrics::histogram!(telemetry::UPSTREAM).record(took.as_secs_f64());
        // Whatever it still wants to say, nobody listens.
        drop((opening, place));
        if let End::Broke(failure) = &end {
            tracing::warn!(%failure, "a stream broke off");
            let error = format!("data: {}\n\n", failure.body());
            let _ = client.send(error.into()).await;
        }
        if client.sent == 0 && !hold.is_paid() {
            // Nothing was given, so nothing is owed.
            return;
        }
        let hash = client.hash.clone().finalize().into();
        match hold.bill(hash, meter.usage(took)).await {
            Ok(settlement) => {
                crash::point(crash::Point::BeforeReceiptSent);
                let mut last = format!("{RECEIPT_COMMENT}{}\n\n", encode(&settlement));
                if matches!(end, End::Done | End::Full) {
                    last += &events::frame(sse::DONE);
                }
                let _ = client.send(last.into()).await;
            }
            Err(error) => {
                tracing::error!(%error, "a receipt could not be written; its request costs nothing");
                let _ = client.send(format!("data: {}\n\n", Failure::Ledger.body()).into()).await;
            }
        }
    }
}

/// Until the time for one answer is over, whoever is slow: it is for the client too, which holds a place at the upstream.
async fn pass(opening: &mut Opening, meter: &mut Meter, hold: &mut Hold, client: &mut Client) -> End {
    let deadline = opening.reader.answer.deadline;
    timeout_at(deadline, relay(opening, meter, hold, client)).await.unwrap_or(End::Broke(Failure::UpstreamTimeout))
}

async fn relay(opening: &mut Opening, meter: &mut Meter, hold: &mut Hold, client: &mut Client) -> End {
    loop {
        let said = tokio::select! {
            said = opening.next() => said,
            () = client.to.closed() => return End::ClientGone,
        };
        let part = match said {
            Ok(Some(Said::Part(part))) => part,
            Ok(Some(Said::Done)) => return End::Done,
            Ok(Some(Said::Alive)) => match client.send(events::ALIVE.into()).await {
                Ok(()) => continue,
                Err(Gone) => return End::ClientGone,
            },
            // Some servers just stop when everything is said.
            Ok(None) if meter.has_finished() => return End::Done,
            Ok(None) => return End::Broke(Failure::UpstreamBroke),
            Err(failure) => return End::Broke(failure),
        };
        let Some(frame) = part.frame else {
            meter.heard(&part.piece);
            continue;
        };
        hold.begun();
        if client.send(frame.into()).await.is_err() {
            return End::ClientGone;
        }
        client.sent += 1;
        meter.sent(&part.piece);
        crash::point(crash::Point::MidStream);
        if part.is_cut {
            tracing::warn!("the upstream went on beyond what it was asked for, and was cut off");
            return End::Full;
        }
    }
}

/// Whom it is sent to, and the hash of all that was.
struct Client {
    to: mpsc::Sender<Result<Bytes, Infallible>>,
    hash: Sha256,
    /// Events of the answer.
    sent: u64,
    patience: Duration,
}

/// It went away, or read nothing for too long.
struct Gone;

impl Client {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Gone> {
        match timeout(self.patience, self.to.send(Ok(bytes.clone()))).await {
            Ok(Ok(())) => {
                self.hash.update(&bytes);
                Ok(())
            }
            _ => Err(Gone),
        }
    }
}
