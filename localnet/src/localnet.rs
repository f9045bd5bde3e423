//! A local network from start to stop.

use std::{collections::BTreeMap, sync::Arc};

use joule_geyser::{GrpcConfig, Plugin};
use joule_sdk::Pubkey;
use solana_client::{nonblocking::rpc_client::RpcClient, rpc_request::RpcRequest};
use solana_commitment_config::CommitmentConfig;

use crate::{
    bootstrap,
    chain::Chain,
    config::Config,
    deploy::{self, Program},
    feeder::FeederHandle,
    persona::{Persona, Personas},
    ports::Reserved,
    state::{NetworkFile, StateDir},
    store::Store,
    LocalnetError,
};

/// A running local network. Dropping it stops it; [`Localnet::stop`] also says whether that worked.
pub struct Localnet {
    network: NetworkFile,
    personas: Arc<Personas>,
    state: StateDir,
    // Dropped in this order: the chain first, then who listens to it.
    chain: Option<Chain>,
    feeder: Option<FeederHandle>,
    store: Option<Store>,
}

impl Localnet {
    /// Starts everything; on return all of it is ready to be used.
    pub async fn start(config: Config) -> Result<Self, LocalnetError> {
        Self::start_with(config, |_| {}).await
    }

    /// Like [`Localnet::start`], saying what it is doing.
    pub async fn start_with(config: Config, mut progress: impl FnMut(&str) + Send) -> Result<Self, LocalnetError> {
        if config.slot_ms == 0 {
            return Err(LocalnetError::SlotTime);
        }
        let programs = match &config.programs_dir {
            Some(dir) => deploy::read_all(dir)?,
            None => Vec::new(),
        };
        // Ports before files: a second network must not disturb the first one's state.
        let rpc_port = Reserved::take("RPC", config.rpc_port, "--rpc-port")?;
        let ws_port = Reserved::take("WebSocket", config.ws_port, "--ws-port")?;
        let grpc_port = Reserved::take("gRPC", config.grpc_port, "--grpc-port")?;
        let store_port = Reserved::take("artifact service's", config.store_port, "--store-port")?;
        let state = StateDir::open(&config.state_dir, config.reset)?;
        let personas = Personas::load_or_create(&state.keys())?;

        // A port that nobody has named is chosen by whoever binds it: no other process can come in between.
        let grpc_port = match config.grpc_port {
            0 => 0,
            _ => grpc_port.release(),
        };

        let store = Store::start(&state.artifacts(), config.store_port, store_port).await?;
        progress("starting the chain");
        let plugin = Plugin::start(GrpcConfig {
            address: ([127, 0, 0, 1], grpc_port).into(),
            replay_stored_slots: config.replay_slots,
            ..GrpcConfig::default()
        })?;
        let grpc = match plugin.address() {
            Some(address) => format!("http://{address}"),
            None => return Err(LocalnetError::Chain("the gRPC endpoint has no address".to_owned())),
        };
        let rpc = format!("http://127.0.0.1:{}", rpc_port.port());
        let ws = format!("ws://127.0.0.1:{}", ws_port.port());
        let (rpc_port, ws_port, slot_ms) = (rpc_port.release(), ws_port.release(), config.slot_ms);
        let (chain, events) = blocking(move || Chain::start(rpc_port, ws_port, slot_ms)).await?;
        let feeder = FeederHandle::spawn(plugin, chain.svm().clone(), events)?;

        let network = NetworkFile {
            rpc,
            ws,
            grpc,
            mint: personas.mint().to_string(),
            symbol: bootstrap::SYMBOL.to_owned(),
            decimals: bootstrap::MINT_DECIMALS,
            state_dir: state.root().to_owned(),
            artifacts: store.url(),
            programs: Program::all().into_iter().map(|p| (p.name.to_owned(), p.id.to_string())).collect(),
            personas: Persona::ALL
                .into_iter()
                .map(|persona| (persona.name().to_owned(), personas.address(persona).to_string()))
                .collect::<BTreeMap<_, _>>(),
        };
        let mut localnet = Self {
            network,
            personas: Arc::new(personas),
            state,
            chain: Some(chain),
            feeder: Some(feeder),
            store: Some(store),
        };
        let ready = localnet.bootstrap(programs, config.initialize, &mut progress).await;
        if let Err(error) = ready {
            // The reason matters more than whether stopping worked too.
            let _ = localnet.shut_down().await;
            return Err(error);
        }
        Ok(localnet)
    }

    async fn bootstrap(
        &mut self,
        programs: Vec<(Program, std::path::PathBuf, Vec<u8>)>,
        initialize: bool,
        progress: &mut (impl FnMut(&str) + Send),
    ) -> Result<(), LocalnetError> {
        let with_programs = !programs.is_empty();
        if let Some(chain) = self.chain.as_ref().filter(|_| with_programs) {
            progress("deploying the programs");
            let (svm, authority) = (chain.svm().clone(), self.personas.address(Persona::Authority));
            blocking(move || {
                programs
                    .iter()
                    .try_for_each(|(program, path, code)| deploy::deploy(&svm, program, path, code, authority))
            })
            .await?;
        }
        let rpc = self.rpc();
        progress("funding the personas");
        bootstrap::fund(&rpc, &self.personas).await?;
        progress("creating the token");
        bootstrap::create_token(&rpc, &self.personas).await?;
        if with_programs && initialize {
            progress("initialising the protocol");
            bootstrap::initialize_protocol(&rpc, &self.personas).await?;
        }
        self.state.publish(&self.network)
    }

    /// What `localnet.json` says.
    pub fn network(&self) -> &NetworkFile {
        &self.network
    }

    /// JSON-RPC over HTTP.
    pub fn rpc_url(&self) -> &str {
        &self.network.rpc
    }

    /// RPC subscriptions.
    pub fn ws_url(&self) -> &str {
        &self.network.ws
    }

    /// Yellowstone gRPC.
    pub fn grpc_url(&self) -> &str {
        &self.network.grpc
    }

    /// Artifacts over HTTP.
    pub fn artifacts_url(&self) -> &str {
        &self.network.artifacts
    }

    /// Who takes part, with their keys.
    pub fn personas(&self) -> &Personas {
        &self.personas
    }

    /// The token.
    pub fn mint(&self) -> Pubkey {
        self.personas.mint()
    }

    /// A client of this network at confirmed commitment.
    pub fn rpc(&self) -> RpcClient {
        RpcClient::new_with_commitment(self.network.rpc.clone(), CommitmentConfig::confirmed())
    }

    /// Moves the chain's clock forward to a Unix time in seconds, skipping the slots between.
    pub async fn time_travel(&self, unix_seconds: i64) -> Result<(), LocalnetError> {
        const WHAT: &str = "time travel";
        let rpc = self.rpc();
        let now = self.chain_time(&rpc).await?;
        let past = || LocalnetError::PastTime { to: unix_seconds, now };
        if unix_seconds <= now {
            return Err(past());
        }
        let milliseconds = u64::try_from(unix_seconds).map_err(|_| past())?.saturating_mul(1_000);
        let _: serde_json::Value = rpc
            .send(
                RpcRequest::Custom { method: "surfnet_timeTravel" },
                serde_json::json!([{ "absoluteTimestamp": milliseconds }]),
            )
            .await
            .map_err(LocalnetError::rpc(WHAT))?;
        Ok(())
    }

    /// The time programs see, Unix seconds.
    pub async fn chain_time(&self, rpc: &RpcClient) -> Result<i64, LocalnetError> {
        const WHAT: &str = "reading the chain's clock";
        const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
        let clock = rpc
            .get_account_with_commitment(&CLOCK, CommitmentConfig::processed())
            .await
            .map_err(LocalnetError::rpc(WHAT))?
            .value;
        // Clock: slot, epoch start, epoch, leader schedule epoch, then the time.
        let time = clock.as_ref().and_then(|account| account.data.get(32..40)?.try_into().ok());
        time.map(i64::from_le_bytes)
            .ok_or(LocalnetError::OnChain { what: WHAT, reason: "there is no clock sysvar".to_owned() })
    }

    /// Stops the chain and its endpoints; on return the ports are free.
    pub async fn stop(mut self) -> Result<(), LocalnetError> {
        self.shut_down().await
    }

    async fn shut_down(&mut self) -> Result<(), LocalnetError> {
        let (chain, feeder) = (self.chain.take(), self.feeder.take());
        let cleared = self.state.clear();
        if let Some(store) = self.store.take() {
            store.stop().await;
        }
        blocking(move || stop_parts(chain, feeder)).await?;
        cleared
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        if self.chain.is_none() && self.feeder.is_none() {
            return;
        }
        if let Err(error) = stop_parts(self.chain.take(), self.feeder.take()) {
            tracing::warn!(%error);
        }
        if let Err(error) = self.state.clear() {
            tracing::warn!(%error);
        }
    }
}

fn stop_parts(chain: Option<Chain>, feeder: Option<FeederHandle>) -> Result<(), LocalnetError> {
    let stopped = chain.map_or(Ok(()), |mut chain| chain.stop());
    if let Some(feeder) = feeder {
        feeder.stop();
    }
    stopped
}

/// Runs what waits for threads where waiting is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LocalnetError> + Send + 'static,
) -> Result<T, LocalnetError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LocalnetError::Chain(error.to_string()))?
}
