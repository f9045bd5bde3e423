//! The `geyser.Geyser` gRPC service over a hub.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{wrappers::ReceiverStream, Empty};
use tonic::{
    codec::CompressionEncoding,
    service::interceptor::InterceptedService,
    transport::{server::TcpIncoming, Server},
    Request, Response, Status, Streaming,
};
use yellowstone_grpc_proto::geyser::{
    geyser_server::{Geyser, GeyserServer},
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest, GetLatestBlockhashResponse,
    GetSlotRequest, GetSlotResponse, GetVersionRequest, GetVersionResponse, IsBlockhashValidRequest,
    IsBlockhashValidResponse, PingRequest, PongResponse, SubscribeDeshredRequest, SubscribeGossipRequest,
    SubscribeReplayInfoRequest, SubscribeReplayInfoResponse, SubscribeRequest, SubscribeUpdateDeshred,
    SubscribeUpdateGossip,
};

use crate::{
    config::GrpcConfig,
    hub::{wait_stopped, Hub},
    message::Level,
    session::{Outgoing, Session, SessionConfig},
    tip::{Tip, TipError},
};

/// Updates on their way to one client. Small: what a slow client has not read waits in the shared
/// feed, where its bound is `channel_capacity`.
const OUTGOING: usize = 64;
/// The wire contract served, `yellowstone-grpc-proto`.
const PROTO_VERSION: &str = "14.0.1";
/// The Geyser interface it is fed through.
const SOLANA_VERSION: &str = "4.3.2";
/// A dead peer is noticed after this long without an answer.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// See the module.
pub struct Service {
    hub: Arc<Hub>,
    session: SessionConfig,
}

/// Serves until the hub stops.
pub async fn serve(listener: TcpListener, hub: Arc<Hub>, config: GrpcConfig) -> Result<(), tonic::transport::Error> {
    let service = Service {
        hub: Arc::clone(&hub),
        session: SessionConfig { name_limit: config.filter_name_size_limit, ping_interval: config.ping_interval() },
    };
    let geyser = GeyserServer::new(service)
        .max_decoding_message_size(config.max_decoding_message_size)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .send_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Zstd);
    let token = config.x_token;
    let check_token = move |request: Request<()>| match &token {
        Some(token) if request.metadata().get("x-token").map(|t| t.as_bytes()) != Some(token.as_bytes()) => {
            Err(Status::unauthenticated("No valid auth token"))
        }
        _ => Ok(request),
    };
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<GeyserServer<Service>>().await;
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health_service)
        .add_service(InterceptedService::new(geyser, check_token))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stopping(&hub))
        .await
}

fn stopping(hub: &Hub) -> impl Future<Output = ()> {
    wait_stopped(hub.stopped())
}

impl Service {
    fn tip<T>(
        &self,
        commitment: Option<i32>,
        answer: impl FnOnce(&Tip, Level) -> Result<T, TipError>,
    ) -> Result<Response<T>, Status> {
        let level = Level::from_request(commitment).ok_or_else(|| {
            Status::unknown(format!("failed to create CommitmentLevel from {}", commitment.unwrap_or_default()))
        })?;
        self.hub
            .with_tip(|tip| answer(tip, level))
            .map(Response::new)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

#[tonic::async_trait]
impl Geyser for Service {
    type SubscribeStream = ReceiverStream<Outgoing>;
    type SubscribeDeshredStream = Empty<Result<SubscribeUpdateDeshred, Status>>;
    type SubscribeGossipStream = Empty<Result<SubscribeUpdateGossip, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (out, updates) = mpsc::channel(OUTGOING);
        let session = Session::new(Arc::clone(&self.hub), self.session, out);
        tokio::spawn(session.run(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(updates)))
    }

    async fn subscribe_deshred(
        &self,
        _request: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        Err(Status::unimplemented("deshred subscriptions are not served here"))
    }

    async fn subscribe_gossip(
        &self,
        _request: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        Err(Status::unimplemented("gossip subscriptions are not served here"))
    }

    async fn subscribe_replay_info(
        &self,
        _request: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        Ok(Response::new(SubscribeReplayInfoResponse { first_available: self.hub.first_available() }))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Ok(Response::new(PongResponse { count: request.get_ref().count }))
    }

    async fn get_latest_blockhash(
        &self,
        request: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        self.tip(request.get_ref().commitment, |tip, level| {
            let latest = tip.latest(level)?;
            Ok(GetLatestBlockhashResponse {
                slot: latest.slot,
                blockhash: latest.blockhash,
                last_valid_block_height: latest.last_valid_block_height,
            })
        })
    }

    async fn get_block_height(
        &self,
        request: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        self.tip(request.get_ref().commitment, |tip, level| {
            Ok(GetBlockHeightResponse { block_height: tip.height(level)? })
        })
    }

    async fn get_slot(&self, request: Request<GetSlotRequest>) -> Result<Response<GetSlotResponse>, Status> {
        self.tip(request.get_ref().commitment, |tip, level| Ok(GetSlotResponse { slot: tip.slot(level)? }))
    }

    async fn is_blockhash_valid(
        &self,
        request: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        let request = request.into_inner();
        self.tip(request.commitment, |tip, level| {
            let (slot, valid) = tip.is_valid(&request.blockhash, level)?;
            Ok(IsBlockhashValidResponse { slot, valid })
        })
    }

    async fn get_version(&self, _request: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        let version = serde_json::json!({
            "version": {
                "package": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "proto": PROTO_VERSION,
                "solana": SOLANA_VERSION,
            },
            "extra": { "hostname": null },
        });
        Ok(Response::new(GetVersionResponse { version: version.to_string() }))
    }
}
