//! The `GeyserPlugin` callbacks: each converts what it got and publishes it.

use std::{
    net::SocketAddr,
    sync::{mpsc, Arc, Mutex, PoisonError},
    time::Duration,
};

use agave_geyser_plugin_interface::geyser_plugin_interface::{
    GeyserPlugin, GeyserPluginError, ReplicaAccountInfoVersions, ReplicaBlockInfoVersions, ReplicaEntryInfoVersions,
    ReplicaTransactionInfoVersions, Result as GeyserResult, SlotStatus,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    config::{ConfigError, GrpcConfig, PluginConfig},
    convert,
    hub::Hub,
    message::Message,
    service,
};

/// How long open streams get to end when the plugin stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the endpoint could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "cannot listen on {address}: {source}; another program may be using the port, choose another grpc.address"
    )]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot start the threads that serve gRPC: {0}")]
    Runtime(std::io::Error),
}

/// The plugin. Empty until it is loaded by a validator or started in process.
#[derive(Debug, Default)]
pub struct Plugin {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    hub: Arc<Hub>,
    address: SocketAddr,
    runtime: Runtime,
    /// Hears when the server has ended.
    served: Mutex<mpsc::Receiver<()>>,
}

impl Plugin {
    /// Starts the endpoint in this process. The port is taken, or the error names it, on return.
    pub fn start(config: GrpcConfig) -> Result<Self, PluginError> {
        config.validate()?;
        let address = config.address;
        let listen = |source| PluginError::Listen { address, source };
        // Before there is a runtime, which must not be dropped inside another one.
        let listener = std::net::TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.worker_threads.max(1))
            .thread_name("joule-geyser")
            .enable_all()
            .build()
            .map_err(PluginError::Runtime)?;
        let entered = runtime.enter();
        let registered = tokio::net::TcpListener::from_std(listener);
        drop(entered);
        let listener = match registered {
            Ok(listener) => listener,
            Err(source) => {
                runtime.shutdown_background();
                return Err(PluginError::Listen { address, source });
            }
        };
        let hub = Arc::new(Hub::new(config.channel_capacity, config.replay_stored_slots));
        let (done, served) = mpsc::channel();
        let server_hub = Arc::clone(&hub);
        runtime.spawn(async move {
            if let Err(error) = service::serve(listener, server_hub, config).await {
                tracing::error!(%error, "the gRPC server failed");
            }
            let _ = done.send(());
        });
        tracing::info!(%address, "serving Yellowstone gRPC");
        Ok(Self { running: Some(Running { hub, address, runtime, served: Mutex::new(served) }) })
    }

    /// Where the endpoint listens, once it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.running.as_ref().map(|running| running.address)
    }

    /// Ends open streams and frees the port. Does nothing if it is not running.
    pub fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.hub.stop();
        let served = running.served.into_inner().unwrap_or_else(PoisonError::into_inner);
        if served.recv_timeout(STOP_TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("some streams did not end in time and were cut");
        }
        // Not `drop`: that would wait, which is not allowed inside another runtime.
        running.runtime.shutdown_background();
    }

    fn publish(&self, message: Message) -> GeyserResult<()> {
        match &self.running {
            Some(running) => {
                running.hub.publish(message);
                Ok(())
            }
            None => Err(GeyserPluginError::Custom("the plugin was called before it was loaded".into())),
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.stop();
    }
}

fn transaction_error(error: convert::ConvertError) -> GeyserPluginError {
    GeyserPluginError::TransactionUpdateError { msg: error.to_string() }
}

#[allow(deprecated)] // Validators before 4.3 call the methods that do not name the bank.
impl GeyserPlugin for Plugin {
    fn setup_logger(&self, logger: &'static dyn log::Log, level: log::LevelFilter) -> GeyserResult<()> {
        log::set_max_level(level);
        // An error says that a logger is in place already, as when we run in process.
        let _ = log::set_logger(logger);
        Ok(())
    }

    fn name(&self) -> &'static str {
        concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"))
    }

    fn on_load(&mut self, config_file: &str, _is_reload: bool) -> GeyserResult<()> {
        let custom = |error: PluginError| GeyserPluginError::Custom(Box::new(error));
        let config = PluginConfig::load(config_file).map_err(|error| custom(error.into()))?;
        self.stop();
        self.running = Self::start(config.grpc).map_err(custom)?.running.take();
        Ok(())
    }

    fn on_unload(&mut self) {
        self.stop();
    }

    fn update_account(&self, account: ReplicaAccountInfoVersions, slot: u64, is_startup: bool) -> GeyserResult<()> {
        if is_startup {
            return Ok(());
        }
        self.publish(convert::account(account, slot, None))
    }

    fn update_account_for_bank(
        &self,
        account: ReplicaAccountInfoVersions,
        slot: u64,
        bank_id: u64,
    ) -> GeyserResult<()> {
        self.publish(convert::account(account, slot, Some(bank_id)))
    }

    fn update_slot_status(&self, slot: u64, parent: Option<u64>, status: &SlotStatus) -> GeyserResult<()> {
        self.publish(convert::slot_status(slot, parent, status, None))
    }

    fn update_bank_status(
        &self,
        slot: u64,
        parent: Option<u64>,
        status: &SlotStatus,
        bank_id: u64,
    ) -> GeyserResult<()> {
        self.publish(convert::slot_status(slot, parent, status, Some(bank_id)))
    }

    fn notify_transaction(&self, transaction: ReplicaTransactionInfoVersions, slot: u64) -> GeyserResult<()> {
        self.publish(convert::transaction(transaction, slot, None).map_err(transaction_error)?)
    }

    fn notify_transaction_for_bank(
        &self,
        transaction: ReplicaTransactionInfoVersions,
        slot: u64,
        bank_id: u64,
    ) -> GeyserResult<()> {
        self.publish(convert::transaction(transaction, slot, Some(bank_id)).map_err(transaction_error)?)
    }

    fn notify_entry(&self, entry: ReplicaEntryInfoVersions) -> GeyserResult<()> {
        self.publish(convert::entry(entry, None))
    }

    fn notify_entry_for_bank(&self, entry: ReplicaEntryInfoVersions, bank_id: u64) -> GeyserResult<()> {
        self.publish(convert::entry(entry, Some(bank_id)))
    }

    fn notify_block_metadata(&self, block: ReplicaBlockInfoVersions) -> GeyserResult<()> {
        let message = convert::block_meta(block, None).map_err(|error| GeyserPluginError::Custom(Box::new(error)))?;
        self.publish(message)
    }

    fn notify_block_metadata_for_bank(&self, block: ReplicaBlockInfoVersions, bank_id: u64) -> GeyserResult<()> {
        let message =
            convert::block_meta(block, Some(bank_id)).map_err(|error| GeyserPluginError::Custom(Box::new(error)))?;
        self.publish(message)
    }

    fn account_data_notifications_enabled(&self) -> bool {
        true
    }

    /// Subscribers start from RPC, not from the validator's snapshot.
    fn account_data_snapshot_notifications_enabled(&self) -> bool {
        false
    }

    fn transaction_notifications_enabled(&self) -> bool {
        true
    }

    fn entry_notifications_enabled(&self) -> bool {
        true
    }
}
