//! The Yellowstone gRPC stream.
//!
//! The client crate's own `subscribe_with_reconnect` is not used, on purpose: it resumes from the last confirmed slot
//! that *it* saw, resumes at the live tip when it saw none, and gives up after its retries. A store has to resume from
//! its own checkpoint, must know whenever a replay is not possible, and keeps trying. So each connection here is one
//! plain subscription, always asked for from the frontier, and every way of losing it takes the same path back.

use super::{convert, Endpoint, Frontier, Source, SourceEvent};
use crate::{config::Settings, crash, decode::Program, telemetry};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{SinkExt, StreamExt};
use joule_settings::Url;
use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{timeout, Instant},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    metadata::{errors::InvalidMetadataValue, AsciiMetadataValue},
    transport::Certificate,
    Code, Status,
};
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
/// Why a connection is lost or comes to nothing, in metrics.
const REASONS: [&str; 8] = ["refused", "behind", "out_of_range", "broken", "ended", "silent", "again", "slow"];

/// One server to follow.
#[derive(Debug, Clone)]
pub struct Grpc {
    pub endpoint: Endpoint,
    /// What it is called in logs and metrics.
    pub name: String,
    /// A stream that tells nothing for this long is given up. A cluster always has slots.
    pub silence: Duration,
}

#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error("cannot use the gRPC endpoint {url}: {reason}; check --grpc and --x-token")]
    Endpoint { url: Url, reason: String },
    #[error("cannot read the certificates {}: {source}; check --grpc-ca", path.display())]
    Certificates { path: PathBuf, source: std::io::Error },
    #[error("cannot subscribe at {url}: {source}")]
    Subscribe { url: Url, source: GeyserGrpcClientError },
    #[error("the gRPC stream of {url} broke: {status}")]
    Broken { url: Url, status: Box<Status> },
    #[error("the gRPC server at {0} ended the stream")]
    Ended(Url),
    #[error("the gRPC stream of {url} has been silent for {} s, its connection being alive", silence.as_secs_f32())]
    Silent { url: Url, silence: Duration },
    #[error("a block has not come; asking {0} for it again")]
    Again(Url),
    #[error("the gRPC server at {0} has not answered within {wait} s", wait = CONNECT_TIMEOUT.as_secs())]
    Slow(Url),
}

impl ConnectionError {
    fn status(&self) -> Option<&Status> {
        match self {
            Self::Subscribe { source: GeyserGrpcClientError::TonicStatus(status), .. } => Some(status),
            Self::Broken { status, .. } => Some(status),
            _ => None,
        }
    }

    /// For metrics: one of [`REASONS`].
    fn label(&self) -> &'static str {
        if self.status().is_some_and(is_behind) {
            return "behind";
        }
        match self {
            Self::Endpoint { .. } | Self::Certificates { .. } | Self::Subscribe { .. } => "refused",
            Self::Broken { status, .. } if is_out_of_range(status) => "out_of_range",
            Self::Broken { .. } => "broken",
            Self::Ended(_) => "ended",
            Self::Silent { .. } => "silent",
            Self::Again(_) => "again",
            Self::Slow(_) => "slow",
        }
    }
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
    /// Why the last one that was made was lost.
    lost: Option<&'static str>,
    /// The newest one was made.
    connected: bool,
    /// It has brought something.
    progressed: bool,
}

impl Source for Grpc {
    async fn run(self, frontier: Arc<Frontier>, out: mpsc::Sender<SourceEvent>, stop: CancellationToken) {
        // There from the start, so that the first of each is seen as a rise.
        for reason in REASONS {
            self.count(telemetry::RECONNECTS, reason, 0);
            self.count(telemetry::REFUSALS, reason, 0);
        }
        let mut delays = delays();
        let (mut replay, mut past) = (true, Past::default());
        loop {
            (past.connected, past.progressed) = (false, false);
            let begun = Instant::now();
            let over = tokio::select! {
                () = stop.cancelled() => return,
                over = self.connection(&frontier, replay, &out, &mut past) => over,
            };
            // Nobody listens any more.
            let Err(error) = over else { return };
            if past.connected {
                past.lost = Some(error.label());
            } else {
                self.count(telemetry::REFUSALS, error.label(), 1);
            }
            // Some servers accept the subscription first and refuse the replay on the stream.
            replay = past.progressed || !error.status().is_some_and(is_out_of_range);
            // A server that says a word and breaks off, again and again, has to be left alone for longer and longer.
            if begun.elapsed() >= LASTING {
                delays = self::delays();
            }
            let delay = delays.next().unwrap_or(Duration::from_secs(10));
            tracing::warn!(endpoint = %self.name, %error, delay_ms = delay.as_millis(), "no gRPC stream; trying again");
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
    /// One for each endpoint.
    pub fn all(settings: &Settings) -> Vec<Self> {
        let Settings { grpc, silence, .. } = settings;
        let named = grpc.0.iter().zip(grpc.names());
        named.map(|(endpoint, name)| Self { endpoint: endpoint.clone(), name, silence: *silence }).collect()
    }

    fn url(&self) -> Url {
        self.endpoint.url.clone()
    }

    fn count(&self, metric: &'static str, reason: &'static str, more: u64) {
        metrics::counter!(metric, "endpoint" => self.name.clone(), "reason" => reason).increment(more);
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
            subscribed.map_err(|_| ConnectionError::Slow(self.url()))??;
        if out.send(SourceEvent::Connected { replay_from }).await.is_err() {
            return Ok(());
        }
        past.connected = true;
        if let Some(reason) = past.lost {
            self.count(telemetry::RECONNECTS, reason, 1);
        }
        tracing::info!(endpoint = %self.name, replay_from, "subscribed");
        crash::point(crash::Point::AfterSubscribe);
        // Pings are no news: a server that has lost its validator still sends them, and its connection answers ours.
        let mut heard = Instant::now();
        loop {
            let next = timeout(self.silence.saturating_sub(heard.elapsed()), updates.next());
            let next = tokio::select! {
                biased;
                () = frontier.asked_again() => return Err(ConnectionError::Again(self.url())),
                next = next => next,
            };
            let message = next
                .map_err(|_| ConnectionError::Silent { url: self.url(), silence: self.silence })?
                .ok_or_else(|| ConnectionError::Ended(self.url()))?;
            let message =
                message.map_err(|status| ConnectionError::Broken { url: self.url(), status: Box::new(status) })?;
            match message.update_oneof {
                Some(UpdateOneof::Ping(_)) => {
                    // Load balancers close streams on which the client never says anything.
                    let ping = SubscribeRequest { ping: Some(SubscribeRequestPing { id: 1 }), ..Default::default() };
                    if requests.send(ping).await.is_err() {
                        return Err(ConnectionError::Ended(self.url()));
                    }
                }
                None | Some(UpdateOneof::Pong(_)) => {}
                Some(message) => {
                    past.progressed = true;
                    let update = convert::update(message).unwrap_or_else(|error| {
                        // It names nothing under which it could be kept, and would come again with every replay.
                        tracing::error!(endpoint = %self.name, %error, "the gRPC server sent something unreadable; going on without it");
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
                tracing::warn!(endpoint = %self.name, %error, replay_from, "the server cannot replay that far; going live");
                replay_from = None;
                client.subscribe_with_request(Some(request(None))).await
            }
            subscribed => subscribed,
        }
        .map_err(|source| ConnectionError::Subscribe { url: self.url(), source })?;
        Ok(Subscription { _client: client, replay_from, requests, updates })
    }

    async fn connect(&self) -> Result<GeyserGrpcClient, ConnectionError> {
        let refused =
            |error: &dyn std::error::Error| ConnectionError::Endpoint { url: self.url(), reason: root_cause(error) };
        let built = |error: GeyserGrpcBuilderError| refused(&error);
        let mut builder = GeyserGrpcClient::build_from_shared(self.endpoint.url.expose().to_owned()).map_err(built)?;
        builder.x_token = self.token().map_err(|error| refused(&error))?;
        builder = builder
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .max_decoding_message_size(MAX_MESSAGE);
        if self.endpoint.url.scheme() == "https" {
            // The crates here bring two providers of cryptography, and rustls panics when nobody has chosen one. That it has
            // been chosen before is the only way this fails.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            builder = builder.tls_config(self.trusted().await?).map_err(built)?;
        }
        builder.connect().await.map_err(built)
    }

    /// Marked, so that nothing that logs headers shows it.
    fn token(&self) -> Result<Option<AsciiMetadataValue>, InvalidMetadataValue> {
        let token = self.endpoint.x_token.as_ref().map(|token| AsciiMetadataValue::try_from(token.expose()));
        let mut token = token.transpose()?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        Ok(token)
    }

    /// The file is read at each connection: certificates change.
    async fn trusted(&self) -> Result<ClientTlsConfig, ConnectionError> {
        let Some(path) = &self.endpoint.ca else { return Ok(ClientTlsConfig::new().with_native_roots()) };
        let failed = |source| ConnectionError::Certificates { path: path.clone(), source };
        let pem = tokio::fs::read(path).await.map_err(failed)?;
        Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
    }

    /// Where the server is: whether it can be used, and its newest slot.
    pub async fn slot(&self) -> anyhow::Result<u64> {
        let asked = async {
            let mut client = self.connect().await?;
            let failed = |source| ConnectionError::Subscribe { url: self.url(), source };
            client.get_slot(None).await.map(|answer| answer.slot).map_err(failed)
        };
        let answered = timeout(CONNECT_TIMEOUT, asked).await;
        Ok(answered.map_err(|_| ConnectionError::Slow(self.url()))??)
    }

    /// From where to ask for a replay: the frontier itself, so that the first new block finds its parent. `None` when
    /// there is no frontier yet, or the server says that it goes less far back.
    async fn replay_from(&self, client: &mut GeyserGrpcClient, frontier: Option<u64>) -> Option<u64> {
        let from = frontier?;
        match client.subscribe_replay_info().await {
            Ok(info) => match info.first_available {
                Some(first) if first <= from => Some(from),
                first => {
                    tracing::warn!(endpoint = %self.name, from, first, "the server cannot replay that far; going live");
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

fn is_behind(status: &Status) -> bool {
    status.message().contains(BEHIND)
}

/// Whether a refusal is about `from_slot`, as far as the codes that servers use for it tell.
fn is_out_of_range(status: &Status) -> bool {
    !is_behind(status)
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

    #[test]
    fn reasons_are_few_and_tell_what_to_look_at() {
        let broken = |status| ConnectionError::Broken { url: "http://a".into(), status: Box::new(status) };
        let refused = |status| ConnectionError::Subscribe {
            url: "http://a".into(),
            source: GeyserGrpcClientError::TonicStatus(status),
        };
        for (error, label) in [
            (broken(Status::internal("failed to get replay response")), "behind"),
            (refused(Status::internal("failed to get replay response")), "behind"),
            (broken(Status::out_of_range("broadcast from 5 is not available")), "out_of_range"),
            (broken(Status::unavailable("going down")), "broken"),
            (refused(Status::unauthenticated("No valid auth token")), "refused"),
            (ConnectionError::Slow("http://a".into()), "slow"),
        ] {
            assert_eq!(error.label(), label, "{error}");
            assert!(REASONS.contains(&label));
        }
    }

    #[tokio::test]
    async fn a_dead_endpoint_is_an_error_with_and_without_tls() {
        for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
            let grpc = Grpc { endpoint: url.into(), name: "it".to_owned(), silence: Duration::MAX };
            let error = grpc.connect().await.err().expect("nothing listens there").to_string();
            assert!(error.contains(url), "{error}");
        }
    }
}
