//! How the indexer is doing, for `/healthz`.

use joule_api::Health as Report;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Mutex, MutexGuard, PoisonError,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A server that says nothing for this long is taken for dead: a cluster always has slots.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the indexer is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has been received yet.
    Starting,
    /// A gap is being filled by RPC, or it is not known yet whether there is one.
    Snapshot,
    Live,
    Reconnecting,
    Stopping,
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Snapshot => "snapshot",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stopping => "stopping",
        }
    }
}

/// Shared by everything that can fail.
#[derive(Debug)]
pub struct Health {
    tip: AtomicU64,
    checkpoint: AtomicU64,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    connected: bool,
    ever_connected: bool,
    filling: bool,
    /// The checkpoint at the time of connecting, until one beyond it is stored: only then is it known that the stream
    /// follows on what is stored.
    behind: Option<u64>,
    stream: Option<String>,
    history: Option<String>,
    store: Option<String>,
    heard: Instant,
    /// The cluster's clock, and when it was read.
    block_time: Option<(i64, Instant)>,
}

impl Default for Health {
    fn default() -> Self {
        let state = State {
            connected: false,
            ever_connected: false,
            filling: false,
            behind: None,
            stream: None,
            history: None,
            store: None,
            heard: Instant::now(),
            block_time: None,
        };
        Self {
            tip: AtomicU64::default(),
            checkpoint: AtomicU64::default(),
            stopping: AtomicBool::default(),
            state: Mutex::new(state),
        }
    }
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn connected(&self) {
        let mut state = self.state();
        (state.connected, state.ever_connected, state.heard) = (true, true, Instant::now());
        state.behind = Some(self.checkpoint.load(Ordering::Relaxed));
        state.stream = None;
    }

    pub fn reconnecting(&self, reason: String) {
        let mut state = self.state();
        state.connected = false;
        state.stream = Some(reason);
    }

    /// Something was received; `tip` is the newest slot so far.
    pub fn heard(&self, tip: u64) {
        self.tip.fetch_max(tip, Ordering::Relaxed);
        self.state().heard = Instant::now();
    }

    /// Unix seconds, from a block.
    pub fn block_time(&self, time: i64) {
        self.state().block_time = Some((time, Instant::now()));
    }

    pub fn filling(&self, filling: bool) {
        let mut state = self.state();
        state.filling = filling;
        if !filling {
            state.history = None;
        }
    }

    pub fn history_failed(&self, reason: Option<String>) {
        self.state().history = reason;
    }

    pub fn store_failed(&self, reason: Option<String>) {
        self.state().store = reason;
    }

    pub fn checkpoint(&self, slot: u64) {
        self.checkpoint.fetch_max(slot, Ordering::Relaxed);
        let mut state = self.state();
        if state.behind.is_some_and(|at| slot > at) {
            state.behind = None;
        }
    }

    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The cluster's time in Unix seconds, as far as blocks tell; this machine's where none has.
    pub fn now(&self) -> i64 {
        if let Some((time, read)) = self.state().block_time {
            return time.saturating_add(i64::try_from(read.elapsed().as_secs()).unwrap_or(i64::MAX));
        }
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
    }

    pub fn report(&self) -> Report {
        let state = self.state();
        let phase = if self.stopping.load(Ordering::Relaxed) {
            Phase::Stopping
        } else if !state.ever_connected {
            Phase::Starting
        } else if !state.connected {
            Phase::Reconnecting
        } else if state.filling || state.behind.is_some() {
            Phase::Snapshot
        } else {
            Phase::Live
        };
        let checkpoint_slot = self.checkpoint.load(Ordering::Relaxed);
        let silent = state.connected && state.heard.elapsed() > SILENCE;
        let reason = [&state.store, &state.history, &state.stream]
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .or_else(|| silent.then(|| format!("the stream has been silent for {} s", state.heard.elapsed().as_secs())))
            .or_else(|| (phase == Phase::Stopping).then(|| "stopping".to_owned()))
            .or_else(|| (checkpoint_slot == 0).then(|| "nothing is stored yet".to_owned()));
        Report {
            ok: reason.is_none() && phase == Phase::Live,
            phase: phase.name().to_owned(),
            tip_slot: self.tip.load(Ordering::Relaxed),
            checkpoint_slot,
            reason: reason.or_else(|| {
                let why = match state.filling {
                    true => "a gap is being filled by RPC",
                    false => "nothing has been stored since the stream was joined",
                };
                (phase == Phase::Snapshot).then(|| why.to_owned())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_says_what_is_wrong_and_recovers() {
        let health = Health::default();
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "starting"));
        health.reconnecting("refused".to_owned());
        assert_eq!(health.report().reason.as_deref(), Some("refused"));
        health.connected();
        health.checkpoint(5);
        assert!(health.report().ok);
        // After a new connection, until it is known that nothing was missed.
        health.connected();
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "snapshot"));
        health.checkpoint(5);
        assert!(!health.report().ok);
        health.checkpoint(6);
        assert!(health.report().ok);
        health.store_failed(Some("disk full".to_owned()));
        assert_eq!(health.report().reason.as_deref(), Some("disk full"));
        health.store_failed(None);
        health.filling(true);
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "snapshot"));
        health.filling(false);
        health.stopping();
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "stopping"));
    }
}
