//! Channels that are not known yet, read from the chain: many with one question, so that a thousand made-up ones a second keep
//! nobody waiting for a real one.

use crate::{
    channel::Channel,
    gateway::{Channels, AT_ONCE},
    reply::Failure,
};
use joule_sdk::Pubkey;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, Semaphore};

/// Questions that may wait for their answer.
const QUESTIONS: usize = 8;
/// Channels that may wait for a question; whoever comes then has to come again.
const WAITING: usize = 20 * AT_ONCE;
const COME_AGAIN: Duration = Duration::from_secs(1);

struct Asked {
    address: Pubkey,
    answer: oneshot::Sender<Result<Option<Channel>, Failure>>,
}

/// Ends when it is dropped.
pub struct Lookups {
    queue: mpsc::Sender<Asked>,
}

impl Lookups {
    /// Asks `per_second` questions, each about `AT_ONCE` channels.
    pub fn start(chain: Arc<dyn Channels>, per_second: u32) -> Self {
        let (queue, asked) = mpsc::channel(WAITING);
        tokio::spawn(ask(chain, asked, Duration::from_secs(1) / per_second.max(1)));
        Self { queue }
    }

    /// `None` where there is none.
    pub async fn channel(&self, address: &Pubkey) -> Result<Option<Channel>, Failure> {
        let (answer, found) = oneshot::channel();
        let asked = Asked { address: *address, answer };
        self.queue.try_send(asked).map_err(|_| Failure::TooFast(COME_AGAIN))?;
        found.await.unwrap_or(Err(Failure::Stopping))
    }
}

async fn ask(chain: Arc<dyn Channels>, mut asked: mpsc::Receiver<Asked>, every: Duration) {
    let questions = Arc::new(Semaphore::new(QUESTIONS));
    while let Ok(question) = questions.clone().acquire_owned().await {
        let mut some = Vec::new();
        if asked.recv_many(&mut some, AT_ONCE).await == 0 {
            return;
        }
        let chain = chain.clone();
        tokio::spawn(async move {
            let addresses: Vec<_> = some.iter().map(|asked| asked.address).collect();
            let found = chain.channels(&addresses).await;
            let found = found.map_err(|error| tracing::warn!(%error, "the chain cannot be asked for channels"));
            let mut found = found.map_or(None, |found| Some(found.into_iter()));
            for Asked { answer, .. } in some {
                let channel = found.as_mut().and_then(Iterator::next).ok_or(Failure::Chain);
                // Whoever asked may have gone away.
                let _ = answer.send(channel);
            }
            drop(question);
        });
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::BoxFuture;
    use joule_sdk::SdkError;
    use std::sync::Mutex;

    /// A chain without channels, which counts.
    #[derive(Default)]
    struct Empty(Mutex<Vec<usize>>);

    impl Channels for Empty {
        fn channels<'a>(&'a self, of: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Channel>>, SdkError>> {
            self.0.lock().unwrap().push(of.len());
            Box::pin(std::future::ready(Ok(vec![None; of.len()])))
        }
    }

    #[tokio::test]
    async fn whoever_asks_at_once_is_answered_with_few_questions() {
        let chain = Arc::<Empty>::default();
        let lookups = Lookups::start(chain.clone(), 50);
        let addresses: Vec<_> = (0..WAITING).map(|n| Pubkey::new_from_array([n as u8; 32])).collect();
        let answers = futures::future::join_all(addresses.iter().map(|address| lookups.channel(address))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(None)));
        let questions = chain.0.lock().unwrap().clone();
        assert_eq!((questions.iter().sum::<usize>(), questions.len()), (WAITING, WAITING / AT_ONCE));
    }

    #[tokio::test]
    async fn whoever_finds_no_place_to_wait_is_told_to_come_again() {
        let lookups = Lookups::start(Arc::<Empty>::default(), 1);
        let address = Pubkey::default();
        let answers = futures::future::join_all((0..=WAITING).map(|_| async {
            // Only whether it may wait.
            tokio::time::timeout(Duration::from_millis(1), lookups.channel(&address)).await
        }));
        let answers = answers.await;
        assert!(answers.iter().any(|answer| *answer == Ok(Err(Failure::TooFast(COME_AGAIN)))));
    }
}
