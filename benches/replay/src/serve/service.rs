//! The `geyser.Geyser` service over a chain.

use super::{
    chain::Chain,
    codec::{Encoded, Raw},
    faults::Opening,
    session::{self, Answers},
};
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tokio_stream::Empty;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    codegen::{http, BoxFuture, Service},
    server::{Grpc, NamedService, StreamingService},
    transport::{server::TcpIncoming, Server},
    Request, Response, Status, Streaming,
};
use yellowstone_grpc_proto::geyser::{
    geyser_server::{Geyser, GeyserServer},
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest, GetLatestBlockhashResponse,
    GetSlotRequest, GetSlotResponse, GetVersionRequest, GetVersionResponse, IsBlockhashValidRequest,
    IsBlockhashValidResponse, PingRequest, PongResponse, SubscribeDeshredRequest, SubscribeGossipRequest,
    SubscribeReplayInfoRequest, SubscribeReplayInfoResponse, SubscribeRequest, SubscribeUpdate, SubscribeUpdateDeshred,
    SubscribeUpdateGossip,
};

pub(super) async fn serve(
    listener: TcpListener,
    chain: Arc<Chain>,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let service = Fast { rest: GeyserServer::new(Plain(chain.clone())), chain };
    Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop.cancelled_owned())
        .await
}

/// `Subscribe` with encoded answers, and everything else as it is generated.
#[derive(Clone)]
struct Fast {
    chain: Arc<Chain>,
    rest: GeyserServer<Plain>,
}

impl NamedService for Fast {
    const NAME: &'static str = <GeyserServer<Plain> as NamedService>::NAME;
}

impl Service<http::Request<Body>> for Fast {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != "/geyser.Geyser/Subscribe" {
            return self.rest.call(request);
        }
        let chain = self.chain.clone();
        Box::pin(async move { Ok(Grpc::new(Raw).streaming(Subscribe(chain), request).await) })
    }
}

struct Subscribe(Arc<Chain>);

impl StreamingService<SubscribeRequest> for Subscribe {
    type Response = Encoded;
    type ResponseStream = Answers;
    type Future = BoxFuture<Response<Answers>, Status>;

    fn call(&mut self, request: Request<Streaming<SubscribeRequest>>) -> Self::Future {
        let chain = self.0.clone();
        Box::pin(async move {
            let opening = chain.faults.as_ref().map(|faults| faults.opening());
            match &opening {
                Some(Opening::Hangs) => {
                    chain.fault("silent");
                    std::future::pending::<()>().await;
                }
                Some(Opening::Refused { status, at_once: true }) => {
                    chain.fault("refused");
                    return Err(status.clone());
                }
                _ => {}
            }
            Ok(Response::new(session::open(chain, request.into_inner(), opening)))
        })
    }
}

/// What is asked once.
struct Plain(Arc<Chain>);

fn unserved<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("a replayed file does not tell this"))
}

#[tonic::async_trait]
impl Geyser for Plain {
    type SubscribeStream = Empty<Result<SubscribeUpdate, Status>>;
    type SubscribeDeshredStream = Empty<Result<SubscribeUpdateDeshred, Status>>;
    type SubscribeGossipStream = Empty<Result<SubscribeUpdateGossip, Status>>;

    async fn subscribe(
        &self,
        _: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        unserved()
    }

    async fn subscribe_deshred(
        &self,
        _: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        unserved()
    }

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        unserved()
    }

    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        match &self.0.faults {
            None => Ok(Response::new(SubscribeReplayInfoResponse { first_available: Some(self.0.ledger.base().slot) })),
            Some(faults) if faults.tells_kept() => {
                Ok(Response::new(SubscribeReplayInfoResponse { first_available: Some(self.0.first_available()) }))
            }
            Some(_) => unserved(),
        }
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Ok(Response::new(PongResponse { count: request.get_ref().count }))
    }

    async fn get_latest_blockhash(
        &self,
        _: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        unserved()
    }

    async fn get_block_height(
        &self,
        _: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        unserved()
    }

    async fn get_slot(&self, _: Request<GetSlotRequest>) -> Result<Response<GetSlotResponse>, Status> {
        Ok(Response::new(GetSlotResponse { slot: self.0.tip() }))
    }

    async fn is_blockhash_valid(
        &self,
        _: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        unserved()
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        let version = serde_json::json!({
            "version": { "package": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
            "extra": { "hostname": null },
        });
        Ok(Response::new(GetVersionResponse { version: version.to_string() }))
    }
}
