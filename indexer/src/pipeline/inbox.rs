//! What the sources have sent: each has a bounded channel of its own and its turn, so that one that replays hours keeps none that is
//! live waiting.

use crate::source::SourceEvent;
use std::{future::poll_fn, task::Poll};
use tokio::sync::mpsc::Receiver;

/// Most messages that are taken of one source at a time; what they change becomes visible together.
const AT_ONCE: usize = 1_024;

pub(super) struct Inbox {
    /// `None` for sources that have ended.
    open: Vec<Option<Receiver<SourceEvent>>>,
    taken: Vec<SourceEvent>,
}

impl Inbox {
    pub fn new(receivers: Vec<Receiver<SourceEvent>>) -> Self {
        Self { open: receivers.into_iter().map(Some).collect(), taken: Vec::with_capacity(AT_ONCE) }
    }

    /// Waits until there is something, and takes some of everybody's, with its source. False when all sources have ended.
    pub async fn take(&mut self, events: &mut Vec<(usize, SourceEvent)>) -> bool {
        poll_fn(|context| {
            let mut is_any_open = false;
            for (source, place) in self.open.iter_mut().enumerate() {
                let Some(receiver) = place else { continue };
                match receiver.poll_recv_many(context, &mut self.taken, AT_ONCE) {
                    Poll::Ready(0) => *place = None,
                    Poll::Ready(_) => events.extend(self.taken.drain(..).map(|event| (source, event))),
                    Poll::Pending => is_any_open = true,
                }
            }
            match (events.is_empty(), is_any_open) {
                (false, _) => Poll::Ready(true),
                (true, true) => Poll::Pending,
                (true, false) => Poll::Ready(false),
            }
        })
        .await
    }

    /// Messages that wait, by source.
    pub fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        self.open.iter().map(|receiver| receiver.as_ref().map_or(0, Receiver::len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_source_that_floods_leaves_the_others_their_turn_and_its_end_ends_nobody_else() {
        let (flood, flooded) = mpsc::channel(10_000);
        let (live, lived) = mpsc::channel(10);
        let event = || SourceEvent::Connected { replay_from: None };
        for _ in 0..10_000 {
            flood.try_send(event()).unwrap();
        }
        live.try_send(event()).unwrap();
        let mut inbox = Inbox::new(vec![flooded, lived]);
        let mut events = Vec::new();
        assert!(inbox.take(&mut events).await);
        assert_eq!(events.iter().filter(|(source, _)| *source == 1).count(), 1);
        assert_eq!((events.len(), inbox.waiting().sum::<usize>()), (AT_ONCE + 1, 10_000 - AT_ONCE));
        drop(flood);
        let mut all = events.len();
        while all < 10_001 {
            events.clear();
            assert!(inbox.take(&mut events).await);
            all += events.len();
        }
        live.try_send(event()).unwrap();
        events.clear();
        assert!(inbox.take(&mut events).await && events.len() == 1);
        drop(live);
        events.clear();
        assert!(!inbox.take(&mut events).await);
    }
}
