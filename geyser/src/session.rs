//! One open `Subscribe` stream: requests come in, filtered updates go out.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{interval, MissedTickBehavior},
};
use tonic::{Status, Streaming};
use yellowstone_grpc_proto::geyser::{
    subscribe_update::UpdateOneof, SubscribeRequest, SubscribeUpdate, SubscribeUpdatePing, SubscribeUpdatePong,
};

use crate::{
    convert::now,
    filter::Filter,
    hub::{wait_stopped, Batch, Hub},
    message::{Level, Message},
    ring::ReplayError,
};

/// What travels to the client.
pub type Outgoing = Result<SubscribeUpdate, Status>;

/// Settings of every session.
#[derive(Debug, Clone, Copy)]
pub struct SessionConfig {
    /// Longest filter name, in bytes.
    pub name_limit: usize,
    /// Time between pings.
    pub ping_interval: Duration,
}

/// Why a session ended.
enum End {
    /// The client left, or was never there.
    Gone,
    /// The server is going down.
    Stopping,
    /// To be told to the client.
    Failed(Status),
}

/// The accepted request and the feed it reads.
struct Live {
    filter: Filter,
    level: Level,
    feed: broadcast::Receiver<Batch>,
}

/// One subscriber.
pub struct Session {
    hub: Arc<Hub>,
    config: SessionConfig,
    out: mpsc::Sender<Outgoing>,
    stopped: watch::Receiver<bool>,
    live: Option<Live>,
}

impl Session {
    /// `out` leads to the client.
    pub fn new(hub: Arc<Hub>, config: SessionConfig, out: mpsc::Sender<Outgoing>) -> Self {
        let stopped = hub.stopped();
        Self { hub, config, out, stopped, live: None }
    }

    /// Runs until the client leaves, falls too far behind, or the server stops.
    pub async fn run(mut self, mut requests: Streaming<SubscribeRequest>) {
        match self.serve(&mut requests).await {
            Err(End::Failed(status)) => {
                tracing::info!(code = %status.code(), reason = %status.message(), "subscription ended");
                // A slow client reads what it was sent first, then this.
                tokio::select! {
                    _ = self.out.send(Err(status)) => {}
                    _ = wait_stopped(self.stopped) => {}
                }
            }
            Err(End::Stopping) => {
                let _ = self.out.try_send(Err(Status::unavailable("server is shutting down try again later")));
            }
            Err(End::Gone) | Ok(()) => {}
        }
    }

    async fn serve(&mut self, requests: &mut Streaming<SubscribeRequest>) -> Result<(), End> {
        let mut pings = interval(self.config.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        loop {
            tokio::select! {
                _ = wait_stopped(self.stopped.clone()) => return Err(End::Stopping),
                _ = self.out.closed() => return Err(End::Gone),
                request = requests.message(), if open => match request {
                    Ok(Some(request)) => self.request(request).await?,
                    // Half-closed: the client only listens from here on.
                    Ok(None) => open = false,
                    Err(_) => return Err(End::Gone),
                },
                _ = pings.tick() => {
                    self.send(bare(UpdateOneof::Ping(SubscribeUpdatePing {}))).await?;
                }
                batch = next_batch(&mut self.live) => self.deliver(&batch?).await?,
            }
        }
    }

    /// A new request replaces the filters; a ping is answered and changes nothing.
    async fn request(&mut self, request: SubscribeRequest) -> Result<(), End> {
        if let Some(ping) = request.ping {
            return self.send(bare(UpdateOneof::Pong(SubscribeUpdatePong { id: ping.id }))).await;
        }
        let filter = Filter::new(&request, self.config.name_limit)
            .map_err(|error| End::Failed(Status::invalid_argument(format!("failed to create filter: {error}"))))?;
        let level = filter.level();
        let kept = self.live.take().filter(|live| live.level == level).map(|live| live.feed);
        let (replay, feed) = match request.from_slot {
            None => (Vec::new(), kept.unwrap_or_else(|| self.hub.subscribe(level))),
            Some(from_slot) => {
                let (replay, fresh) = self.hub.subscribe_from(level, from_slot).map_err(|error| match error {
                    ReplayError::Disabled | ReplayError::Ahead => End::Failed(Status::internal(error.to_string())),
                    ReplayError::TooOld { .. } => End::Failed(Status::out_of_range(error.to_string())),
                })?;
                (replay, kept.unwrap_or(fresh))
            }
        };
        self.live = Some(Live { filter, level, feed });
        for batch in replay {
            self.deliver(&batch).await?;
        }
        Ok(())
    }

    async fn deliver(&mut self, batch: &Batch) -> Result<(), End> {
        for message in batch.iter() {
            if let Message::Lost(slot) = message {
                return Err(End::Failed(Status::data_loss(format!(
                    "slot {slot} had to be forgotten before it was final; fill the gap from the ledger"
                ))));
            }
            let updates = self.live.as_ref().map(|live| live.filter.apply(message)).unwrap_or_default();
            for update in updates {
                self.send(update).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, update: SubscribeUpdate) -> Result<(), End> {
        tokio::select! {
            biased;
            sent = self.out.send(Ok(update)) => sent.map_err(|_| End::Gone),
            _ = wait_stopped(self.stopped.clone()) => Err(End::Stopping),
        }
    }
}

/// The next batch; without an accepted request there is none, ever.
async fn next_batch(live: &mut Option<Live>) -> Result<Batch, End> {
    let Some(live) = live else {
        return std::future::pending().await;
    };
    live.feed.recv().await.map_err(|error| match error {
        broadcast::error::RecvError::Closed => End::Stopping,
        broadcast::error::RecvError::Lagged(missed) => End::Failed(Status::internal(format!(
            "lagged to receive geyser messages: {missed} batches were not read in time"
        ))),
    })
}

/// An update that belongs to no filter.
fn bare(body: UpdateOneof) -> SubscribeUpdate {
    SubscribeUpdate { filters: Vec::new(), update_oneof: Some(body), created_at: Some(now()) }
}
