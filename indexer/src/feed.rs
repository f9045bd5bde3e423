//! The live feed: the newest changes, numbered, for as many readers as there are.

use crate::query::Changes;
use joule_api::Commitment;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// How long the feed goes on when its last reader has gone: whoever comes back by then has missed nothing.
const LINGER: Duration = Duration::from_secs(60);

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Rises by one. A later run of the indexer starts above every number of the runs before it.
    pub id: u64,
    /// `job`, `dispute`, `provider`, `channel`, `plan`, `event` or `slot`.
    pub name: &'static str,
    /// JSON.
    pub data: String,
}

/// What a reader gets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Items(Vec<Arc<Item>>),
    /// What the reader has not seen is no longer all there: it has to read the lists again. Items go on after `newest`.
    Reset {
        oldest: u64,
        newest: u64,
    },
}

/// Holds the newest items; writers never wait for readers.
#[derive(Debug)]
pub struct Feed {
    items: RwLock<VecDeque<Arc<Item>>>,
    capacity: usize,
    newest: watch::Sender<u64>,
    /// When it was last read; `None` while it rests.
    read: Mutex<Option<Instant>>,
}

impl Feed {
    pub fn new(capacity: usize) -> Self {
        // Microseconds: no run publishes a million items a second for as long as it runs.
        let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        Self {
            items: RwLock::default(),
            capacity: capacity.max(1),
            newest: watch::Sender::new(start),
            read: Mutex::default(),
        }
    }

    /// Whether anybody wants to know. While nobody does, nothing has to be published; whoever has read before that is sent back to
    /// the lists.
    pub fn is_read(&self) -> bool {
        self.is_read_at(Instant::now())
    }

    fn is_read_at(&self, now: Instant) -> bool {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if self.newest.receiver_count() > 0 {
            *read = Some(now);
        } else if read.is_some_and(|last| now.saturating_duration_since(last) > LINGER) {
            *read = None;
            let mut items = self.items.write().unwrap_or_else(PoisonError::into_inner);
            items.clear();
            // Nobody has seen this number: whatever follows is not all that came after the one before.
            self.newest.send_modify(|newest| *newest += 1);
            drop(items);
        }
        read.is_some()
    }

    /// The number of the newest item.
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// Everything that was changed, events first.
    pub fn changes(&self, changes: &Changes, commitment: Commitment) {
        let Changes { jobs, providers, disputes, channels, plans, events } = changes;
        self.publish(events.iter().map(|event| ("event", json(&event.to_api(commitment)))));
        self.publish(jobs.iter().map(|job| ("job", json(job))));
        self.publish(disputes.iter().map(|dispute| ("dispute", json(dispute))));
        self.publish(channels.iter().map(|channel| ("channel", json(channel))));
        self.publish(plans.iter().map(|plan| ("plan", json(plan))));
        self.publish(providers.iter().map(|provider| ("provider", json(provider))));
    }

    pub fn slot(&self, slot: u64, commitment: Commitment, block_time: Option<i64>) {
        let data = json(&serde_json::json!({"slot": slot, "commitment": commitment, "block_time": block_time}));
        self.publish([("slot", data)].into_iter());
    }

    fn publish(&self, new: impl Iterator<Item = (&'static str, String)>) {
        let mut items = self.items.write().unwrap_or_else(PoisonError::into_inner);
        let before = *self.newest.borrow();
        let mut id = before;
        for (name, data) in new {
            id += 1;
            if items.len() == self.capacity {
                items.pop_front();
            }
            items.push_back(Arc::new(Item { id, name, data }));
        }
        // Before the lock is released, so that no two publishers number from the same item.
        if id > before {
            self.newest.send_replace(id);
        }
        drop(items);
    }

    /// What comes after `seen`; empty when there is nothing yet.
    pub fn after(&self, seen: u64) -> Next {
        let items = self.items.read().unwrap_or_else(PoisonError::into_inner);
        let newest = items.back().map_or_else(|| self.newest(), |item| item.id);
        let oldest = items.front().map_or(newest + 1, |item| item.id);
        if seen + 1 < oldest || seen > newest {
            return Next::Reset { oldest, newest };
        }
        let from = (seen + 1 - oldest) as usize;
        Next::Items(items.range(from.min(items.len())..).cloned().collect())
    }

    /// Changes whenever something was published.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

fn json(value: &impl Serialize) -> String {
    // The API's types have string keys only, and so always serialize.
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(feed: &Feed, count: usize) {
        feed.publish((0..count).map(|n| ("slot", n.to_string())));
    }

    #[test]
    fn a_reader_gets_every_item_once_and_in_order() {
        let feed = Feed::new(10);
        let start = feed.newest();
        assert_eq!(feed.after(start), Next::Items(vec![]));
        publish(&feed, 3);
        let Next::Items(items) = feed.after(start) else { panic!("reset") };
        assert_eq!(items.iter().map(|item| item.id - start).collect::<Vec<_>>(), [1, 2, 3]);
        let Next::Items(items) = feed.after(start + 2) else { panic!("reset") };
        assert_eq!(items.len(), 1);
        assert_eq!(feed.after(start + 3), Next::Items(vec![]));
    }

    #[test]
    fn a_reader_that_is_too_far_behind_is_told_so() {
        let feed = Feed::new(4);
        let start = feed.newest();
        publish(&feed, 10);
        assert_eq!(feed.after(start), Next::Reset { oldest: start + 7, newest: start + 10 });
        assert!(matches!(feed.after(start + 6), Next::Items(items) if items.len() == 4));
    }

    #[test]
    fn a_feed_that_nobody_reads_rests_and_whoever_comes_back_later_is_told_so() {
        let (feed, now) = (Feed::new(10), Instant::now());
        assert!(!feed.is_read_at(now));
        let reader = feed.watch();
        assert!(feed.is_read_at(now));
        publish(&feed, 3);
        let seen = feed.newest();
        drop(reader);
        assert!(feed.is_read_at(now + LINGER));
        assert_eq!(feed.after(seen), Next::Items(vec![]));
        assert!(!feed.is_read_at(now + LINGER * 2));
        assert!(matches!(feed.after(seen), Next::Reset { .. }));
        assert_eq!(feed.after(feed.newest()), Next::Items(vec![]));
    }

    #[test]
    fn a_number_of_another_run_is_told_so() {
        let feed = Feed::new(4);
        publish(&feed, 1);
        assert!(matches!(feed.after(7), Next::Reset { .. }));
        assert!(matches!(feed.after(feed.newest() + 5), Next::Reset { .. }));
    }
}
