//! How the indexer is doing, for `/healthz` and for alerts.

use crate::telemetry;
use joule_api::Health as Report;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Mutex, MutexGuard, PoisonError,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A stream that says nothing for this long is not live, whatever its connection says: a cluster always has slots.
const SILENCE: Duration = Duration::from_secs(10);
/// Slots, about a minute of them, by which the store may be behind.
const LAG: u64 = 150;
/// As clusters have them: by the clock, not by the stream, which may be what stands still.
const SLOT: Duration = Duration::from_millis(400);

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
    const ALL: [Self; 5] = [Self::Starting, Self::Snapshot, Self::Live, Self::Reconnecting, Self::Stopping];

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
    /// How many slots are missing.
    gap: Option<u64>,
    /// The checkpoint at the time of connecting, until one beyond it is stored: only then is it known that the stream
    /// follows on what is stored.
    behind: Option<u64>,
    stream: Option<String>,
    history: Option<String>,
    store: Option<String>,
    /// When the last update came, or when the indexer was started.
    heard: Instant,
    /// The cluster's clock, and when it was read.
    block_time: Option<(i64, Instant)>,
}

impl Default for Health {
    fn default() -> Self {
        let state = State {
            connected: false,
            ever_connected: false,
            gap: None,
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
        (state.connected, state.ever_connected) = (true, true);
        state.behind = Some(self.checkpoint.load(Ordering::Relaxed));
        state.stream = None;
    }

    pub fn reconnecting(&self, reason: String) {
        let mut state = self.state();
        state.connected = false;
        state.stream = Some(reason);
    }

    /// An update was received; `tip` is the newest slot so far.
    pub fn heard(&self, tip: u64) {
        self.tip.fetch_max(tip, Ordering::Relaxed);
        self.state().heard = Instant::now();
    }

    /// Unix seconds, from a block.
    pub fn block_time(&self, time: i64) {
        self.state().block_time = Some((time, Instant::now()));
    }

    /// How many slots are missing and being read by RPC, if any are.
    pub fn gap(&self, slots: Option<u64>) {
        let mut state = self.state();
        state.gap = slots;
        if slots.is_none() {
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

    /// Whether the store has ever had everything up to some slot.
    pub fn is_synced(&self) -> bool {
        self.checkpoint.load(Ordering::Relaxed) > 0
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

    fn phase(&self, state: &State) -> Phase {
        if self.stopping.load(Ordering::Relaxed) {
            Phase::Stopping
        } else if !state.ever_connected {
            Phase::Starting
        } else if !state.connected {
            Phase::Reconnecting
        } else if state.gap.is_some() || state.behind.is_some() {
            Phase::Snapshot
        } else {
            Phase::Live
        }
    }

    /// Slots from the checkpoint to where the cluster must be by now.
    fn lag(&self, state: &State) -> u64 {
        let checkpoint = self.checkpoint.load(Ordering::Relaxed);
        let seen = self.tip.load(Ordering::Relaxed).max(checkpoint);
        let since = state.heard.elapsed().as_millis() / SLOT.as_millis();
        seen.saturating_add(u64::try_from(since).unwrap_or(u64::MAX)).saturating_sub(checkpoint)
    }

    pub fn report(&self) -> Report {
        let state = self.state();
        let phase = self.phase(&state);
        let (checkpoint_slot, lag_slots) = (self.checkpoint.load(Ordering::Relaxed), self.lag(&state));
        let silent = state.heard.elapsed();
        let reason = [&state.store, &state.history, &state.stream]
            .into_iter()
            .flatten()
            .next()
            .cloned()
            .or_else(|| (phase == Phase::Stopping).then(|| "stopping".to_owned()))
            .or_else(|| (silent > SILENCE).then(|| format!("the stream has been silent for {} s", silent.as_secs())))
            .or_else(|| state.gap.map(|_| "a gap is being filled by RPC".to_owned()))
            .or_else(|| (checkpoint_slot == 0).then(|| "nothing is stored yet".to_owned()))
            .or_else(|| {
                (phase == Phase::Snapshot).then(|| "nothing has been stored since the stream was joined".to_owned())
            })
            .or_else(|| (lag_slots > LAG).then(|| format!("the store is {lag_slots} slots behind the cluster")));
        Report {
            ok: reason.is_none() && phase == Phase::Live,
            phase: phase.name().to_owned(),
            tip_slot: self.tip.load(Ordering::Relaxed),
            checkpoint_slot,
            lag_slots,
            silent_seconds: silent.as_secs(),
            reason,
        }
    }

    /// Writes down what metrics say of it. Nobody else does while nothing happens, and that is when it matters.
    pub fn measure(&self) {
        let report = self.report();
        let state = self.state();
        let phase = self.phase(&state);
        for one in Phase::ALL {
            metrics::gauge!(telemetry::PHASE, "phase" => one.name()).set(f64::from(u8::from(one == phase)));
        }
        metrics::gauge!(telemetry::LIVE).set(f64::from(u8::from(report.ok)));
        metrics::gauge!(telemetry::LAST_UPDATE).set(state.heard.elapsed().as_secs_f64());
        metrics::gauge!(telemetry::OPEN_GAP).set(state.gap.unwrap_or_default() as f64);
        metrics::gauge!(telemetry::LAG).set(report.lag_slots as f64);
        metrics::gauge!(telemetry::CHECKPOINT).set(report.checkpoint_slot as f64);
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
        health.gap(Some(3));
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "snapshot"));
        health.gap(None);
        health.stopping();
        assert_eq!((health.report().ok, health.report().phase.as_str()), (false, "stopping"));
    }

    #[test]
    fn a_stream_that_is_down_or_silent_lags_by_the_clock() {
        let health = Health::default();
        health.connected();
        health.heard(1_000);
        health.checkpoint(998);
        let report = health.report();
        assert!(report.ok && (2..50).contains(&report.lag_slots), "{report:?}");
        health.state().heard = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        let report = health.report();
        assert!(!report.ok && report.lag_slots >= 52 && report.silent_seconds >= 20, "{report:?}");
        assert!(report.reason.unwrap().contains("silent for "));
        health.reconnecting("refused".to_owned());
        assert!(!health.report().ok && health.report().lag_slots >= 52);
        // A new connection alone is no news.
        health.connected();
        assert!(!health.report().ok);
    }

    #[test]
    fn a_store_that_falls_behind_a_live_stream_is_not_well() {
        let health = Health::default();
        health.connected();
        health.checkpoint(998);
        health.heard(998 + LAG / 2);
        assert!(health.report().ok);
        health.heard(999 + LAG);
        assert!(health.report().reason.unwrap().contains(" slots behind"));
    }
}
