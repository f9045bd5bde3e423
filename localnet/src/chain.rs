//! surfpool in this process: started on given ports, watched, stopped.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{unbounded, Receiver, Sender};
use surfpool_core::surfnet::{
    locker::SurfnetSvmLocker,
    svm::{SurfnetSvm, SurfnetSvmConfig},
    GeyserEvent,
};
use surfpool_types::{BlockProductionMode, RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};

use crate::LocalnetError;

/// How long the chain may take to come up, and to go down.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// The HTTP and the WebSocket server each report that they are down.
const SERVERS: usize = 2;

/// A running chain.
pub struct Chain {
    svm: SurfnetSvmLocker,
    commands: Sender<SimnetCommand>,
    lifecycle: mpsc::Receiver<Lifecycle>,
    /// surfpool's own plugin thread ends with an error when this closes.
    _unused_geyser: Sender<GeyserEvent>,
    stopped: bool,
}

enum Lifecycle {
    Ready,
    Failed(String),
    ServerDown,
}

impl Chain {
    /// Starts producing a block every `slot_ms`. The receiver gets every Geyser event.
    pub fn start(rpc_port: u16, ws_port: u16, slot_ms: u64) -> Result<(Self, Receiver<GeyserEvent>), LocalnetError> {
        let simnet = SimnetConfig {
            offline_mode: true,
            remote_rpc_url: None,
            slot_time: slot_ms,
            block_production_mode: BlockProductionMode::Clock,
            // Runs every transaction a second time, instruction by instruction.
            instruction_profiling_enabled: false,
            ..Default::default()
        };
        let svm_config = SurfnetSvmConfig {
            surfnet_id: simnet.surfnet_id.clone(),
            slot_time: slot_ms,
            instruction_profiling_enabled: false,
            max_profiles: simnet.max_profiles,
            log_bytes_limit: simnet.log_bytes_limit,
            ..Default::default()
        };
        let config = SurfpoolConfig {
            simnets: vec![simnet],
            rpc: RpcConfig { bind_host: "127.0.0.1".to_owned(), bind_port: rpc_port, ws_port, ..Default::default() },
            ..Default::default()
        };
        let failed = |reason: &dyn std::fmt::Display| LocalnetError::Chain(reason.to_string());

        let (svm, events, geyser) = SurfnetSvm::new(svm_config).map_err(|e| failed(&e))?;
        let svm = SurfnetSvmLocker::new(svm);
        let (commands, commands_rx) = unbounded();
        let (unused_geyser, unused_geyser_rx) = unbounded();
        let (tell, lifecycle) = mpsc::channel();

        let watcher = tell.clone();
        thread::Builder::new()
            .name("localnet-events".to_owned())
            .spawn(move || watch(&events, &watcher))
            .map_err(|e| failed(&e))?;

        let (loop_svm, loop_commands) = (svm.clone(), commands.clone());
        thread::Builder::new()
            .name("localnet-chain".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .thread_name("localnet-chain")
                    .enable_all()
                    .build()
                {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(tell.send(Lifecycle::Failed(error.to_string()))),
                };
                let run = surfpool_core::runloops::start_local_surfnet_runloop(
                    loop_svm,
                    config,
                    loop_commands,
                    commands_rx,
                    unused_geyser_rx,
                );
                if let Err(error) = runtime.block_on(run) {
                    tracing::error!(%error, "the local chain failed");
                    let _ = tell.send(Lifecycle::Failed(error.to_string()));
                }
                runtime.shutdown_background();
            })
            .map_err(|e| failed(&e))?;

        let chain = Self { svm, commands, lifecycle, _unused_geyser: unused_geyser, stopped: false };
        match chain.lifecycle.recv_timeout(START_TIMEOUT) {
            Ok(Lifecycle::Ready) => Ok((chain, geyser)),
            Ok(Lifecycle::Failed(reason)) => Err(failed(&reason)),
            Ok(Lifecycle::ServerDown) => Err(failed(&"a server went down at once")),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The chain's state, to read accounts from and to write programs to.
    pub fn svm(&self) -> &SurfnetSvmLocker {
        &self.svm
    }

    /// Stops block production and frees the ports. Blocks; does nothing the second time.
    pub fn stop(&mut self) -> Result<(), LocalnetError> {
        if std::mem::replace(&mut self.stopped, true) {
            return Ok(());
        }
        if self.commands.send(SimnetCommand::Terminate(None)).is_err() {
            // The chain's thread is gone already, and its servers with it.
            return Ok(());
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        let mut down = 0;
        while down < SERVERS {
            match self.lifecycle.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Lifecycle::ServerDown) => down += 1,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => return Err(LocalnetError::Stop(STOP_TIMEOUT.as_secs())),
            }
        }
        Ok(())
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error);
        }
    }
}

/// Drains surfpool's events, which are bounded, and passes on what matters.
fn watch(events: &Receiver<SimnetEvent>, tell: &mpsc::Sender<Lifecycle>) {
    while let Ok(event) = events.recv() {
        let told = match event {
            SimnetEvent::CoreStarted(_) => tell.send(Lifecycle::Ready),
            SimnetEvent::Aborted(reason) => tell.send(Lifecycle::Failed(reason)),
            SimnetEvent::Shutdown => tell.send(Lifecycle::ServerDown),
            SimnetEvent::ErrorLog(_, message) => {
                // Mostly transactions that failed: their sender is told, this is for the curious.
                tracing::debug!(target: "surfpool", "{message}");
                Ok(())
            }
            SimnetEvent::WarnLog(_, message) => {
                tracing::debug!(target: "surfpool", "{message}");
                Ok(())
            }
            _ => Ok(()),
        };
        if told.is_err() {
            // Nobody listens, but the events must still be drained.
            continue;
        }
    }
}
