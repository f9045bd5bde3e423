//! An answer that is passed on while it comes, event by event, and counted as it passes.
//!
//! `data: [DONE]` is held back until the receipt is on disk; the receipt goes before it, as a comment.

use crate::{
    crash,
    forward::Answer,
    gateway::Gateway,
    hold::Hold,
    meter::{Meter, Piece},
    reply::Failure,
    telemetry,
};
use axum::body::Bytes;
use joule_x402::{
    encode,
    sse::{self, Splitter},
    RECEIPT_COMMENT,
};
use sha2::{Digest as _, Sha256};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, OwnedSemaphorePermit},
    time::timeout,
};

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The upstream said all it had to say.
    Done,
    /// Without what ends an OpenAI stream.
    Silent,
    Broke(Failure),
    /// The client went away, or stopped reading.
    ClientGone,
}

/// One stream on its way.
pub struct Passing {
    pub gateway: Arc<Gateway>,
    pub hold: Hold,
    pub answer: Answer,
    pub meter: Meter,
    /// Whether the client asked for the usage at the end.
    pub include_usage: bool,
    /// A place at the upstream.
    pub place: OwnedSemaphorePermit,
}

/// What is sent to the client; the channel holds one event, so that a slow client slows the upstream down.
pub type Events = mpsc::Receiver<Result<Bytes, Infallible>>;

impl Passing {
    /// Passes the answer on, on a task of its own: what was sent is billed even if the client goes away.
    pub fn start(self) -> Events {
        let (to_client, events) = mpsc::channel(1);
        let answers = self.gateway.answers.clone();
        let patience = self.gateway.config.timeouts.idle();
        answers.spawn(self.run(Client { to: to_client, hash: Sha256::new(), sent: 0, patience }));
        events
    }

    async fn run(mut self, mut client: Client) {
        let end = self.pass(&mut client).await;
        let took = self.answer.sent_at.elapsed();
        metrics::histogram!(telemetry::UPSTREAM).record(took.as_secs_f64());
        drop(self.place);
        if let End::Broke(failure) = &end {
            tracing::warn!(%failure, "a stream broke off");
            let error = format!("data: {}\n\n", failure.body());
            let _ = client.send(error.into()).await;
        }
        if client.sent == 0 && !self.hold.is_paid() {
            // Nothing was given, so nothing is owed.
            return;
        }
        let hash = client.hash.clone().finalize().into();
        match self.hold.bill(hash, self.meter.usage(took)).await {
            Ok(settlement) => {
                crash::point(crash::Point::BeforeReceiptSent);
                let mut last = format!("{RECEIPT_COMMENT}{}\n\n", encode(&settlement));
                if end == End::Done {
                    last += &format!("data: {}\n\n", sse::DONE);
                }
                let _ = client.send(last.into()).await;
            }
            Err(error) => {
                tracing::error!(%error, "a receipt could not be written; its request costs nothing");
                let _ = client.send(format!("data: {}\n\n", Failure::Ledger.body()).into()).await;
            }
        }
    }

    async fn pass(&mut self, client: &mut Client) -> End {
        let mut splitter = Splitter::default();
        loop {
            while let Some(event) = splitter.next_event() {
                let data = sse::data(&event);
                if data == sse::DONE {
                    return End::Done;
                }
                let piece = serde_json::from_str(&data).map_or_else(|_| Piece::default(), |json| Piece::weigh(&json));
                if piece.is_usage_alone() && !self.include_usage {
                    self.meter.heard(&piece);
                    continue;
                }
                self.hold.begun();
                if client.send(event.into()).await.is_err() {
                    return End::ClientGone;
                }
                client.sent += 1;
                self.meter.sent(&piece);
                crash::point(crash::Point::MidStream);
            }
            if splitter.waiting() > self.gateway.config.limits.answer_bytes {
                return End::Broke(Failure::UpstreamTooLarge(self.gateway.config.limits.answer_bytes));
            }
            let piece = tokio::select! {
                piece = self.answer.piece() => piece,
                () = client.to.closed() => return End::ClientGone,
            };
            match piece {
                Ok(Some(bytes)) => splitter.push(&bytes),
                Ok(None) if splitter.waiting() > 0 => return End::Broke(Failure::UpstreamBroke),
                Ok(None) => return End::Silent,
                Err(failure) => return End::Broke(failure),
            }
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
