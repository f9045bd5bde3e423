//! Another Yellowstone server before the localnet's: its own numbers of banks and writes, as every server has, and failures at will.

use futures::StreamExt as _;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    transport::{server::TcpIncoming, Identity, Server, ServerTlsConfig},
    Request, Response, Status, Streaming,
};
use yellowstone_grpc_client::GeyserGrpcClient;
use yellowstone_grpc_proto::geyser::{
    geyser_server::{Geyser, GeyserServer},
    subscribe_update::UpdateOneof,
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest, GetLatestBlockhashResponse,
    GetSlotRequest, GetSlotResponse, GetVersionRequest, GetVersionResponse, IsBlockhashValidRequest,
    IsBlockhashValidResponse, PingRequest, PongResponse, SubscribeDeshredRequest, SubscribeGossipRequest,
    SubscribeReplayInfoRequest, SubscribeReplayInfoResponse, SubscribeRequest, SubscribeUpdate, SubscribeUpdateDeshred,
    SubscribeUpdateGossip,
};

/// See the module. Everything ends when it is dropped.
pub struct Relay {
    address: SocketAddr,
    tls: bool,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    upstream: String,
    /// Added to its numbers.
    number: u64,
    token: Option<String>,
    silent: watch::Sender<bool>,
    /// The newest slot that it has come to; what is newer is held back.
    newest: watch::Sender<u64>,
    replays: AtomicBool,
}

impl Relay {
    pub async fn start(upstream: &str, number: u64) -> Self {
        Self::serve(upstream, number, ([127, 0, 0, 1], 0).into(), None, None).await
    }

    /// With these certificates, for whoever has the token.
    pub async fn start_secret(upstream: &str, identity: Identity, token: &str) -> Self {
        Self::serve(upstream, 1, ([127, 0, 0, 1], 0).into(), Some(identity), Some(token.to_owned())).await
    }

    async fn serve(
        upstream: &str,
        number: u64,
        address: SocketAddr,
        identity: Option<Identity>,
        token: Option<String>,
    ) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            number,
            token,
            silent: watch::Sender::new(false),
            newest: watch::Sender::new(u64::MAX),
            replays: AtomicBool::new(true),
        });
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, stop, tls) = (listener.local_addr().unwrap(), CancellationToken::new(), identity.is_some());
        let mut server = Server::builder();
        if let Some(identity) = identity {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            server = server.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        }
        let service = GeyserServer::new(Service { shared: shared.clone(), stop: stop.clone() });
        let serving = server.add_service(service).serve_with_incoming(TcpIncoming::from(listener));
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                served = serving => served.unwrap(),
            }
        });
        Self { address, tls, shared, stop }
    }

    pub fn url(&self) -> String {
        format!("{}://localhost:{}", if self.tls { "https" } else { "http" }, self.address.port())
    }

    /// Its process is gone, in the midst of whatever it was saying.
    pub fn kill(&self) {
        self.stop.cancel();
    }

    /// Another process at its address.
    pub async fn again(&self) -> Self {
        Self::serve(&self.shared.upstream, self.shared.number + 2, self.address, None, None).await
    }

    /// It says nothing but pings any more.
    pub fn silence(&self) {
        self.shared.silent.send_replace(true);
    }

    /// It has come as far as this slot.
    pub fn reach(&self, slot: u64) {
        self.shared.newest.send_replace(slot);
    }

    pub fn replays(&self, replays: bool) {
        self.shared.replays.store(replays, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Service {
    shared: Arc<Shared>,
    stop: CancellationToken,
}

type Updates = tokio_stream::wrappers::ReceiverStream<Result<SubscribeUpdate, Status>>;
type Nothing<T> = futures::stream::Empty<Result<T, Status>>;

impl Service {
    fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let given = request.metadata().get("x-token").map(|token| token.as_bytes());
        match &self.shared.token {
            Some(token) if given != Some(token.as_bytes()) => Err(Status::unauthenticated("No valid auth token")),
            _ => Ok(()),
        }
    }
}

/// Of an update that is of a slot.
fn slot(update: &SubscribeUpdate) -> Option<u64> {
    match update.update_oneof.as_ref()? {
        UpdateOneof::Account(it) => Some(it.slot),
        UpdateOneof::Transaction(it) => Some(it.slot),
        UpdateOneof::Slot(it) => Some(it.slot),
        UpdateOneof::BlockMeta(it) => Some(it.slot),
        _ => None,
    }
}

fn renumber(update: &mut SubscribeUpdate, number: u64) {
    match &mut update.update_oneof {
        Some(UpdateOneof::Account(it)) => {
            it.bank_id = it.bank_id.map(|bank| bank + number);
            if let Some(account) = &mut it.account {
                account.write_version = account.write_version * 3 + number;
            }
        }
        Some(UpdateOneof::Transaction(it)) => it.bank_id += number,
        Some(UpdateOneof::Slot(it)) => it.bank_id = it.bank_id.map(|bank| bank + number),
        Some(UpdateOneof::BlockMeta(it)) => it.bank_id += number,
        _ => {}
    }
}

async fn relay(shared: Arc<Shared>, request: SubscribeRequest, out: mpsc::Sender<Result<SubscribeUpdate, Status>>) {
    let mut client = GeyserGrpcClient::build_from_shared(shared.upstream.clone()).unwrap().connect().await.unwrap();
    let (_requests, mut updates) = client.subscribe_with_request(Some(request)).await.unwrap();
    let (mut newest, silent) = (shared.newest.subscribe(), shared.silent.subscribe());
    let mut held = VecDeque::new();
    loop {
        tokio::select! {
            update = updates.next() => match update {
                Some(Ok(update)) => held.push_back(update),
                Some(Err(status)) => return drop(out.send(Err(status)).await),
                None => return,
            },
            _ = newest.changed() => {}
        }
        let reached = *newest.borrow();
        while let Some(mut update) = held.front().cloned().filter(|update| slot(update) <= Some(reached)) {
            held.pop_front();
            renumber(&mut update, shared.number);
            let is_heard = slot(&update).is_none() || !*silent.borrow();
            if is_heard && out.send(Ok(update)).await.is_err() {
                return;
            }
        }
    }
}

#[tonic::async_trait]
impl Geyser for Service {
    type SubscribeStream = Updates;
    type SubscribeDeshredStream = Nothing<SubscribeUpdateDeshred>;
    type SubscribeGossipStream = Nothing<SubscribeUpdateGossip>;

    async fn subscribe(&self, request: Request<Streaming<SubscribeRequest>>) -> Result<Response<Updates>, Status> {
        self.admit(&request)?;
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::invalid_argument("no request"))?;
        match first.from_slot {
            Some(from) if from > *self.shared.newest.borrow() => {
                return Err(Status::internal("failed to get replay response"));
            }
            Some(from) if !self.shared.replays.load(Ordering::Relaxed) => {
                return Err(Status::out_of_range(format!("broadcast from {from} is not available")));
            }
            _ => {}
        }
        let (out, updates) = mpsc::channel(64);
        let (shared, stop) = (self.shared.clone(), self.stop.clone());
        tokio::spawn(async move {
            let pings = async { while requests.message().await.is_ok_and(|message| message.is_some()) {} };
            tokio::select! {
                () = stop.cancelled() => {}
                () = relay(shared, first, out) => {}
                () = pings => {}
            }
        });
        Ok(Response::new(Updates::new(updates)))
    }

    async fn subscribe_deshred(
        &self,
        _: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    /// As servers do that are older than the question.
    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Ok(Response::new(PongResponse { count: request.into_inner().count }))
    }

    async fn get_latest_blockhash(
        &self,
        _: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_block_height(
        &self,
        _: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_slot(&self, request: Request<GetSlotRequest>) -> Result<Response<GetSlotResponse>, Status> {
        self.admit(&request)?;
        let client = GeyserGrpcClient::build_from_shared(self.shared.upstream.clone()).unwrap().connect().await;
        let slot = client.unwrap().get_slot(None).await.unwrap().slot;
        Ok(Response::new(GetSlotResponse { slot }))
    }

    async fn is_blockhash_valid(
        &self,
        _: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        Ok(Response::new(GetVersionResponse { version: "{}".to_owned() }))
    }
}
