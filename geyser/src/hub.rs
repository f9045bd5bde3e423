//! From one feed to many subscribers: the ring and the tip behind one lock, a broadcast per level.
//!
//! Everything is published in the order the validator called, and a subscriber joins under the
//! same lock: between what is replayed to it and what it then hears, nothing is missing or doubled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use crate::{
    message::{Level, Message},
    ring::{Audience, ReplayError, Ring},
    tip::Tip,
};

/// Updates that were published together.
pub type Batch = Arc<Vec<Message>>;

/// See the module.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    senders: [broadcast::Sender<Batch>; 3],
    stopped: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    tip: Tip,
}

impl Hub {
    /// `channel_capacity`: batches a subscriber may lag behind. `replay_slots`: slots kept for `from_slot`.
    pub fn new(channel_capacity: usize, replay_slots: usize) -> Self {
        let channel = || broadcast::channel(channel_capacity.max(1)).0;
        Self {
            state: Mutex::new(State { ring: Ring::new(replay_slots), tip: Tip::default() }),
            senders: [channel(), channel(), channel()],
            stopped: watch::channel(false).0,
        }
    }

    /// Takes one message from the validator.
    pub fn publish(&self, message: Message) {
        let mut state = self.lock();
        for delivery in state.ring.push(message) {
            match delivery.to {
                Audience::All => {
                    for level in Level::ALL {
                        self.send(level, &delivery.messages);
                    }
                }
                Audience::Level(level) => {
                    for message in delivery.messages.iter() {
                        if let Message::BlockMeta(meta) = message {
                            state.tip.reached(level, meta);
                        }
                    }
                    self.send(level, &delivery.messages);
                }
            }
        }
    }

    /// Joins the feed at `level`.
    pub fn subscribe(&self, level: Level) -> broadcast::Receiver<Batch> {
        self.senders[level as usize].subscribe()
    }

    /// Joins the feed at `level`, and what is kept from `from_slot` on.
    pub fn subscribe_from(
        &self,
        level: Level,
        from_slot: u64,
    ) -> Result<(Vec<Batch>, broadcast::Receiver<Batch>), ReplayError> {
        let state = self.lock();
        let replay = state.ring.replay(from_slot, level)?;
        Ok((replay, self.subscribe(level)))
    }

    /// The oldest slot `from_slot` may name.
    pub fn first_available(&self) -> Option<u64> {
        self.lock().ring.first_available()
    }

    /// Answers a question about the newest blocks.
    pub fn with_tip<T>(&self, answer: impl FnOnce(&Tip) -> T) -> T {
        answer(&self.lock().tip)
    }

    /// Ends every stream and the server.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Changes to `true` when the server ends.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    fn send(&self, level: Level, batch: &Batch) {
        // An error only says that nobody listens at this level.
        let _ = self.senders[level as usize].send(Arc::clone(batch));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A validator must not fall with one of our threads; the state is consistent between calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves when the hub stops, or is gone.
pub async fn wait_stopped(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
