//! The Yellowstone gRPC stream.
//!
//! The client crate's own `subscribe_with_reconnect` is not used, on purpose: it resumes from the last confirmed slot
//! that *it* saw, resumes at the live tip when it saw none, and gives up after its retries. A store has to resume from
//! its own checkpoint, must know whenever a replay is not possible, and keeps trying. So each connection here is one
//! plain subscription, always asked for from the frontier, and every way of losing it takes the same path back.

use super::{convert, Frontier, Source, SourceEvent};
use crate::{config::Settings, crash, decode::Program, health::Health, telemetry};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{SinkExt, StreamExt};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{timeout, Instant},
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use yellowstone_grpc_client::{
    ClientTlsConfig, GeyserGrpcBuilderError, GeyserGrpcClient, GeyserGrpcClientError, GeyserStream,
    SubscribeRequestSink,
};
use yellowstone_grpc_proto::prelude::{
    subscribe_update::UpdateOneof, CommitmentLevel, SubscribeRequest, SubscribeRequestFilterAccounts,
    SubscribeRequestFilterBlocksMeta, SubscribeRequestFilterSlots, SubscribeRequestFilterTransactions,
    SubscribeRequestPing,
};

/// Largest message taken: a transaction's update is far below, an account's data is at most 10 MiB.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// A connection that lived for this long was a good one: the next is tried at once.
const LASTING: Duration = Duration::from_secs(10);
const FILTER: &str = "joule";

/// Where to subscribe.
#[derive(Debug, Clone)]
pub struct Grpc {
    /// Such as `http://127.0.0.1:10000`, or `https://…` for TLS.
    pub url: String,
    pub x_token: Option<String>,
    /// A stream that tells nothing for this long is given up. A cluster always has slots.
    pub silence: Duration,
    pub health: Arc<Health>,
}

#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("cannot use the gRPC endpoint {url}: {reason}; check --grpc and --x-token")]
    Endpoint { url: String, reason: String },
    #[error("cannot subscribe at {url}: {source}")]
    Subscribe { url: String, source: GeyserGrpcClientError },
    #[error("the gRPC stream broke: {0}")]
    Broken(Box<Status>),
    #[error("the gRPC server ended the stream")]
    Ended,
    #[error("the gRPC stream has been silent for {} s, its connection being alive", .0.as_secs_f32())]
    Silent(Duration),
    #[error("a block has not come; asking for it again")]
    Again,
    #[error("the gRPC server at {url} has not answered within {} s", CONNECT_TIMEOUT.as_secs())]
    Slow { url: String },
}

struct Subscription {
    /// The connection.
    _client: GeyserGrpcClient,
    replay_from: Option<u64>,
    requests: SubscribeRequestSink,
    updates: GeyserStream,
}

/// What connections have come to.
#[derive(Default)]
struct Past {
    /// One was made.
    connected: bool,
    /// The newest one has brought something.
    progressed: bool,
}

impl Source for Grpc {
    async fn run(self, frontier: Arc<Frontier>, out: mpsc::Sender<SourceEvent>, stop: CancellationToken) {
        let mut delays = delays();
        let (mut replay, mut past) = (true, Past::default());
        loop {
            past.progressed = false;
            let begun = Instant::now();
            let over = tokio::select! {
                () = stop.cancelled() => return,
                over = self.connection(&frontier, replay, &out, &mut past) => over,
            };
            // Nobody listens any more.
            let Err(error) = over else { return };
            // Some servers accept the subscription first and refuse the replay on the stream.
            replay = past.progressed || !matches!(&error, ConnectionError::Broken(status) if is_out_of_range(status));
            // A server that says a word and breaks off, again and again, has to be left alone for longer and longer.
            if begun.elapsed() >= LASTING {
                delays = self::delays();
            }
            let delay = delays.next().unwrap_or(Duration::from_secs(10));
            tracing::warn!(%error, delay_ms = delay.as_millis(), "no gRPC stream; trying again");
            self.health.reconnecting(error.to_string());
            if out.send(SourceEvent::Disconnected { reason: error.to_string() }).await.is_err() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }
}

/// Between connections that come to nothing.
fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(10))
        .with_jitter()
        .without_max_times()
        .build()
}

impl Grpc {
    pub fn new(settings: &Settings, health: Arc<Health>) -> Self {
        let Settings { grpc, x_token, silence, .. } = settings.clone();
        Self { url: grpc, x_token, silence, health }
    }

    /// One connection, from subscribing to its end. `Ok` when nobody listens any more.
    async fn connection(
        &self,
        frontier: &Frontier,
        replay: bool,
        out: &mpsc::Sender<SourceEvent>,
        past: &mut Past,
    ) -> Result<(), ConnectionError> {
        let subscribing = self.subscribe(frontier.get().filter(|_| replay));
        let subscribed = timeout(CONNECT_TIMEOUT, subscribing).await;
        let Subscription { _client, replay_from, mut requests, mut updates } =
            subscribed.map_err(|_| ConnectionError::Slow { url: self.url.clone() })??;
        if out.send(SourceEvent::Connected { replay_from }).await.is_err() {
            return Ok(());
        }
        if std::mem::replace(&mut past.connected, true) {
            metrics::counter!(telemetry::RECONNECTS).increment(1);
        }
        tracing::info!(url = %self.url, replay_from, "subscribed");
        crash::point(crash::Point::AfterSubscribe);
        // Pings are no news: a server that has lost its validator still sends them, and its connection answers ours.
        let mut heard = Instant::now();
        loop {
            let next = timeout(self.silence.saturating_sub(heard.elapsed()), updates.next());
            let next = tokio::select! {
                biased;
                () = frontier.asked_again() => return Err(ConnectionError::Again),
                next = next => next,
            };
            let message = next.map_err(|_| ConnectionError::Silent(self.silence))?.ok_or(ConnectionError::Ended)?;
            let message = message.map_err(|status| ConnectionError::Broken(Box::new(status)))?;
            match message.update_oneof {
                Some(UpdateOneof::Ping(_)) => {
                    // Load balancers close streams on which the client never says anything.
                    let ping = SubscribeRequest { ping: Some(SubscribeRequestPing { id: 1 }), ..Default::default() };
                    if requests.send(ping).await.is_err() {
                        return Err(ConnectionError::Ended);
                    }
                }
                None | Some(UpdateOneof::Pong(_)) => {}
                Some(message) => {
                    past.progressed = true;
                    let update = convert::update(message).unwrap_or_else(|error| {
                        // It names nothing under which it could be kept, and would come again with every replay.
                        tracing::error!(%error, "the gRPC server sent something unreadable; going on without it");
                        metrics::counter!(telemetry::UNREADABLE).increment(1);
                        None
                    });
                    if let Some(update) = update {
                        if out.send(SourceEvent::Update(update)).await.is_err() {
                            return Ok(());
                        }
                    }
                    // Not before it was taken: the silence may have been ours.
                    heard = Instant::now();
                }
            }
        }
    }

    async fn subscribe(&self, from: Option<u64>) -> Result<Subscription, ConnectionError> {
        let mut client = self.connect().await?;
        let mut replay_from = self.replay_from(&mut client, from).await;
        let (requests, updates) = match client.subscribe_with_request(Some(request(replay_from))).await {
            Err(GeyserGrpcClientError::TonicStatus(error)) if replay_from.is_some() && is_out_of_range(&error) => {
                tracing::warn!(%error, replay_from, "the server cannot replay that far; going live, the gap is filled by RPC");
                replay_from = None;
                client.subscribe_with_request(Some(request(None))).await
            }
            subscribed => subscribed,
        }
        .map_err(|source| ConnectionError::Subscribe { url: self.url.clone(), source })?;
        Ok(Subscription { _client: client, replay_from, requests, updates })
    }

    async fn connect(&self) -> Result<GeyserGrpcClient, ConnectionError> {
        let refused = |error: GeyserGrpcBuilderError| ConnectionError::Endpoint {
            url: self.url.clone(),
            reason: root_cause(&error),
        };
        let mut builder = GeyserGrpcClient::build_from_shared(self.url.clone())
            .map_err(refused)?
            .x_token(self.x_token.clone())
            .map_err(refused)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .max_decoding_message_size(MAX_MESSAGE);
        if self.url.starts_with("https://") {
            // The crates here bring two providers of cryptography, and rustls panics when nobody has chosen one. That it has
            // been chosen before is the only way this fails.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            builder = builder.tls_config(ClientTlsConfig::new().with_native_roots()).map_err(refused)?;
        }
        builder.connect().await.map_err(refused)
    }

    /// Where the server is: whether it can be used, and its newest slot.
    pub async fn slot(&self) -> anyhow::Result<u64> {
        let asked = async {
            let mut client = self.connect().await?;
            let failed = |source| ConnectionError::Subscribe { url: self.url.clone(), source };
            client.get_slot(None).await.map(|answer| answer.slot).map_err(failed)
        };
        let answered = timeout(CONNECT_TIMEOUT, asked).await;
        Ok(answered.map_err(|_| ConnectionError::Slow { url: self.url.clone() })??)
    }

    /// From where to ask for a replay: the frontier itself, so that the first new block finds its parent. `None` when
    /// there is no frontier yet, or the server says that it goes less far back.
    async fn replay_from(&self, client: &mut GeyserGrpcClient, frontier: Option<u64>) -> Option<u64> {
        let from = frontier?;
        match client.subscribe_replay_info().await {
            Ok(info) => match info.first_available {
                Some(first) if first <= from => Some(from),
                first => {
                    tracing::warn!(from, first, "the server cannot replay that far; the gap is filled by RPC");
                    None
                }
            },
            // Older servers do not say. Ask, and let the order of blocks show what came.
            Err(error) => {
                tracing::debug!(%error, "no replay info");
                Some(from)
            }
        }
    }
}

/// Transport errors say "transport error" and keep what happened, such as "connection refused", for those who ask.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What Yellowstone's plugin says, with the code `Internal`, of a `from_slot` that it has not come to yet: such a server is behind, and
/// is waited for.
const BEHIND: &str = "failed to get replay response";

/// Whether a refusal is about `from_slot`, as far as the codes that servers use for it tell.
fn is_out_of_range(status: &Status) -> bool {
    !status.message().contains(BEHIND)
        && matches!(
            status.code(),
            Code::OutOfRange | Code::InvalidArgument | Code::Internal | Code::FailedPrecondition | Code::NotFound
        )
}

/// Everything of our programs, at the earliest commitment, with the fate of every slot.
fn request(from_slot: Option<u64>) -> SubscribeRequest {
    let programs: Vec<String> = Program::ALL.iter().map(|program| program.address().to_string()).collect();
    let accounts = SubscribeRequestFilterAccounts { owner: programs.clone(), ..Default::default() };
    let transactions = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: programs,
        ..Default::default()
    };
    let slots = SubscribeRequestFilterSlots { filter_by_commitment: Some(false), interslot_updates: Some(true) };
    SubscribeRequest {
        accounts: HashMap::from([(FILTER.to_owned(), accounts)]),
        transactions: HashMap::from([(FILTER.to_owned(), transactions)]),
        slots: HashMap::from([(FILTER.to_owned(), slots)]),
        blocks_meta: HashMap::from([(FILTER.to_owned(), SubscribeRequestFilterBlocksMeta {})]),
        commitment: Some(CommitmentLevel::Processed as i32),
        from_slot,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_refuses_for_ever_is_asked_seldom() {
        let hour: Duration = delays().take(400).sum();
        assert!(hour > Duration::from_secs(3_600), "{hour:?}");
        assert!(delays().next().unwrap() < Duration::from_millis(200));
    }

    #[test]
    fn a_server_that_is_behind_is_not_one_that_has_forgotten() {
        assert!(!is_out_of_range(&Status::internal("failed to get replay response")));
        assert!(is_out_of_range(&Status::internal("from_slot is not supported")));
        assert!(is_out_of_range(&Status::out_of_range("broadcast from 5 is not available")));
    }

    #[tokio::test]
    async fn a_dead_endpoint_is_an_error_with_and_without_tls() {
        for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
            let grpc = Grpc { url: url.to_owned(), x_token: None, silence: Duration::MAX, health: Default::default() };
            let error = grpc.connect().await.err().expect("nothing listens there").to_string();
            assert!(error.contains(url), "{error}");
        }
    }
}
