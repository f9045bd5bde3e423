//! How the indexer is doing, for `/healthz` and for alerts.

use crate::telemetry;
use joule_api::{Endpoint as EndpointReport, Health as Report};
use std::{
    collections::VecDeque,
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
/// Blocks on their way to the store whose time is taken.
const TIMED: usize = 4_096;

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
    /// Not, while accounts may be other than they are at the checkpoint.
    listed: AtomicBool,
    stopping: AtomicBool,
    state: Mutex<State>,
}

/// One server, as it is doing.
#[derive(Debug)]
struct Endpoint {
    name: String,
    connected: bool,
    /// Why it is not.
    reason: Option<String>,
    tip: u64,
    /// When its last update came, or it was connected.
    heard: Instant,
    /// Messages that wait.
    waiting: usize,
}

impl Endpoint {
    fn named(name: String) -> Self {
        Self { name, connected: false, reason: None, tip: 0, heard: Instant::now(), waiting: 0 }
    }

    fn is_live(&self) -> bool {
        self.connected && self.heard.elapsed() <= SILENCE
    }

    fn report(&self) -> EndpointReport {
        let silent = || format!("silent for {} s", self.heard.elapsed().as_secs());
        let reason = if self.connected { (!self.is_live()).then(silent) } else { self.reason.clone() };
        EndpointReport { endpoint: self.name.clone(), live: self.is_live(), tip_slot: self.tip, reason }
    }
}

#[derive(Debug)]
struct State {
    endpoints: Vec<Endpoint>,
    ever_connected: bool,
    /// How many slots are missing.
    gap: Option<u64>,
    /// The checkpoint at the time of connecting, until one beyond it is stored: only then is it known that the stream
    /// follows on what is stored.
    behind: Option<u64>,
    history: Option<String>,
    store: Option<String>,
    /// When the last update came, or when the indexer was started.
    heard: Instant,
    /// The cluster's clock, and when it was read.
    block_time: Option<(i64, Instant)>,
    /// Blocks that are ordered and not stored, and since when.
    ordered: VecDeque<(u64, Instant)>,
}

/// Of one endpoint.
impl Default for Health {
    fn default() -> Self {
        Self::of(["grpc".to_owned()])
    }
}

impl State {
    fn is_connected(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.connected)
    }

    /// Why no endpoint is connected; `None` where one is.
    fn stream(&self) -> Option<String> {
        if self.is_connected() {
            return None;
        }
        let reasons = self.endpoints.iter().filter_map(|endpoint| endpoint.reason.clone());
        Some(reasons.collect::<Vec<_>>().join("; ")).filter(|reasons| !reasons.is_empty())
    }
}

impl Health {
    /// Of endpoints with these names, in the order in which sources are numbered.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let state = State {
            endpoints: names.into_iter().map(Endpoint::named).collect(),
            ever_connected: false,
            gap: None,
            behind: None,
            history: None,
            store: None,
            heard: Instant::now(),
            block_time: None,
            ordered: VecDeque::new(),
        };
        Self {
            tip: AtomicU64::default(),
            checkpoint: AtomicU64::default(),
            listed: AtomicBool::new(true),
            stopping: AtomicBool::default(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an endpoint is called, in metrics and reports.
    pub fn name(&self, source: usize) -> String {
        self.state().endpoints[source].name.clone()
    }

    pub fn connected(&self, source: usize) {
        let mut state = self.state();
        let others = state.endpoints.iter().enumerate().filter(|(other, _)| *other != source);
        if !others.map(|(_, endpoint)| endpoint).any(|endpoint| endpoint.connected) {
            state.behind = Some(self.checkpoint.load(Ordering::Relaxed));
        }
        state.ever_connected = true;
        let endpoint = &mut state.endpoints[source];
        (endpoint.connected, endpoint.reason, endpoint.heard) = (true, None, Instant::now());
    }

    pub fn reconnecting(&self, source: usize, reason: String) {
        let endpoint = &mut self.state().endpoints[source];
        (endpoint.connected, endpoint.reason) = (false, Some(reason));
    }

    /// An update was received; `tip` is the newest slot that this source has told of.
    pub fn heard(&self, source: usize, tip: u64) {
        self.tip.fetch_max(tip, Ordering::Relaxed);
        let (mut state, now) = (self.state(), Instant::now());
        state.heard = now;
        let endpoint = &mut state.endpoints[source];
        (endpoint.heard, endpoint.tip) = (now, tip);
    }

    /// How many messages of each source wait.
    pub fn waiting(&self, waiting: impl Iterator<Item = usize>) {
        let mut state = self.state();
        for (endpoint, waiting) in state.endpoints.iter_mut().zip(waiting) {
            endpoint.waiting = waiting;
        }
    }

    /// A block is on its way to the store.
    pub fn ordered(&self, slot: u64) {
        let mut state = self.state();
        if state.ordered.len() == TIMED {
            state.ordered.pop_front();
        }
        state.ordered.push_back((slot, Instant::now()));
    }

    /// Unix seconds, from a block.
    pub fn block_time(&self, time: i64) {
        let mut state = self.state();
        // A server that is behind does not turn the clock back.
        if state.block_time.is_none_or(|(known, _)| time >= known) {
            state.block_time = Some((time, Instant::now()));
        }
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
        while let Some((_, since)) = state.ordered.front().copied().filter(|(ordered, _)| *ordered <= slot) {
            telemetry::stage("stored", since);
            state.ordered.pop_front();
        }
    }

    /// Whether every account is known as of the checkpoint.
    pub fn listed(&self, is_so: bool) {
        self.listed.store(is_so, Ordering::Relaxed);
    }

    /// Whether the store has everything up to some slot.
    pub fn is_synced(&self) -> bool {
        self.checkpoint.load(Ordering::Relaxed) > 0 && self.listed.load(Ordering::Relaxed)
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
        } else if !state.is_connected() {
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
        let reason = [state.store.clone(), state.history.clone(), state.stream()]
            .into_iter()
            .flatten()
            .next()
            .or_else(|| (phase == Phase::Stopping).then(|| "stopping".to_owned()))
            .or_else(|| (silent > SILENCE).then(|| format!("the stream has been silent for {} s", silent.as_secs())))
            .or_else(|| state.gap.map(|_| "a gap is being filled by RPC".to_owned()))
            .or_else(|| (checkpoint_slot == 0).then(|| "nothing is stored yet".to_owned()))
            .or_else(|| {
                let unlisted = !self.listed.load(Ordering::Relaxed);
                unlisted
                    .then(|| "accounts are not known yet: they are listed when the chain is caught up with".to_owned())
            })
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
            endpoints: state.endpoints.iter().map(Endpoint::report).collect(),
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
        for endpoint in &state.endpoints {
            let name = endpoint.name.clone();
            let live = f64::from(u8::from(endpoint.is_live()));
            metrics::gauge!(telemetry::ENDPOINT_LIVE, "endpoint" => name.clone()).set(live);
            metrics::gauge!(telemetry::ENDPOINT_SLOT, "endpoint" => name.clone()).set(endpoint.tip as f64);
            metrics::gauge!(telemetry::QUEUE, "endpoint" => name).set(endpoint.waiting as f64);
        }
        let live = state.endpoints.iter().filter(|endpoint| endpoint.is_live()).count();
        metrics::gauge!(telemetry::ENDPOINTS_LIVE).set(live as f64);
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
        health.reconnecting(0, "refused".to_owned());
        assert_eq!(health.report().reason.as_deref(), Some("refused"));
        health.connected(0);
        health.checkpoint(5);
        assert!(health.report().ok);
        // After a new connection, until it is known that nothing was missed.
        health.connected(0);
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
        health.connected(0);
        health.heard(0, 1_000);
        health.checkpoint(998);
        let report = health.report();
        assert!(report.ok && (2..50).contains(&report.lag_slots), "{report:?}");
        health.state().heard = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        let report = health.report();
        assert!(!report.ok && report.lag_slots >= 52 && report.silent_seconds >= 20, "{report:?}");
        assert!(report.reason.unwrap().contains("silent for "));
        health.reconnecting(0, "refused".to_owned());
        assert!(!health.report().ok && health.report().lag_slots >= 52);
        // A new connection alone is no news.
        health.connected(0);
        assert!(!health.report().ok);
    }

    #[test]
    fn a_store_that_falls_behind_a_live_stream_is_not_well() {
        let health = Health::default();
        health.connected(0);
        health.checkpoint(998);
        health.heard(0, 998 + LAG / 2);
        assert!(health.report().ok);
        health.heard(0, 999 + LAG);
        assert!(health.report().reason.unwrap().contains(" slots behind"));
    }

    #[test]
    fn one_endpoint_that_lives_is_enough_and_the_others_are_named() {
        let health = Health::of(["a".to_owned(), "b".to_owned()]);
        health.reconnecting(0, "a refuses".to_owned());
        health.reconnecting(1, "b refuses".to_owned());
        assert_eq!(health.report().reason.as_deref(), Some("a refuses; b refuses"));
        health.connected(1);
        health.checkpoint(5);
        health.heard(1, 7);
        let report = health.report();
        assert!(report.ok && report.reason.is_none(), "{report:?}");
        let shown: Vec<_> = report.endpoints.iter().map(|it| (it.endpoint.as_str(), it.live, it.tip_slot)).collect();
        assert_eq!(shown, [("a", false, 0), ("b", true, 7)]);
        assert_eq!(report.endpoints[0].reason.as_deref(), Some("a refuses"));
        // Another that comes or goes is no new beginning.
        health.connected(0);
        assert!(health.report().ok);
        health.reconnecting(1, "b is gone".to_owned());
        assert!(health.report().ok);
        health.state().endpoints[0].heard = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        let report = health.report();
        assert!(!report.endpoints[0].live && report.endpoints[0].reason.as_deref() == Some("silent for 20 s"));
    }

    #[test]
    fn the_clusters_clock_is_not_turned_back_by_a_server_that_is_behind() {
        let health = Health::default();
        health.block_time(1_000);
        health.block_time(10);
        assert!(health.now() >= 1_000);
    }
}
