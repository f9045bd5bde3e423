//! Accounts that are not known yet, read from the chain: many with one question, so that a thousand made-up ones a second keep
//! nobody waiting for a real one.

use crate::reply::Failure;
use futures::future::BoxFuture;
use joule_sdk::{Pubkey, SdkError};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, Semaphore};

/// Accounts that one question is about.
pub const AT_ONCE: usize = 100;
/// Questions that may wait for their answer.
const QUESTIONS: usize = 8;
/// Accounts that may wait for a question; whoever comes then has to come again.
const WAITING: usize = 20 * AT_ONCE;
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Asks about at most `AT_ONCE` accounts, and has the answers in their order.
type Ask<T> = Box<dyn Fn(Vec<Pubkey>) -> BoxFuture<'static, Result<Vec<Option<T>>, SdkError>> + Send + Sync>;

struct Asked<T> {
    address: Pubkey,
    answer: oneshot::Sender<Result<Option<T>, Failure>>,
}

/// Ends when it is dropped.
pub struct Lookups<T> {
    queue: mpsc::Sender<Asked<T>>,
}

impl<T: Send + 'static> Lookups<T> {
    /// Asks `per_second` questions.
    pub fn start(ask: Ask<T>, per_second: u32) -> Self {
        let (queue, asked) = mpsc::channel(WAITING);
        tokio::spawn(run(ask, asked, Duration::from_secs(1) / per_second.max(1)));
        Self { queue }
    }

    /// `None` where there is none.
    pub async fn find(&self, address: &Pubkey) -> Result<Option<T>, Failure> {
        let (answer, found) = oneshot::channel();
        let asked = Asked { address: *address, answer };
        self.queue.try_send(asked).map_err(|_| Failure::TooFast(COME_AGAIN))?;
        found.await.unwrap_or(Err(Failure::Stopping))
    }
}

async fn run<T: Send + 'static>(ask: Ask<T>, mut asked: mpsc::Receiver<Asked<T>>, every: Duration) {
    let questions = Arc::new(Semaphore::new(QUESTIONS));
    while let Ok(question) = questions.clone().acquire_owned().await {
        let mut some = Vec::new();
        if asked.recv_many(&mut some, AT_ONCE).await == 0 {
            return;
        }
        let answer = ask(some.iter().map(|asked| asked.address).collect());
        tokio::spawn(async move {
            let found = answer.await.inspect_err(|error| tracing::warn!(%error, "the chain cannot be asked"));
            let mut found = found.ok().map(Vec::into_iter);
            for Asked { answer, .. } in some {
                // Whoever asked may have gone away.
                let _ = answer.send(found.as_mut().and_then(Iterator::next).ok_or(Failure::Chain));
            }
            drop(question);
        });
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// About a chain that has nothing, and counts.
    fn nothing(asked: &Arc<Mutex<Vec<usize>>>) -> Ask<()> {
        let asked = asked.clone();
        Box::new(move |of| {
            asked.lock().unwrap().push(of.len());
            Box::pin(std::future::ready(Ok(vec![None; of.len()])))
        })
    }

    #[tokio::test]
    async fn whoever_asks_at_once_is_answered_with_few_questions() {
        let asked = Arc::default();
        let lookups = Lookups::start(nothing(&asked), 50);
        let addresses: Vec<_> = (0..WAITING).map(|n| Pubkey::new_from_array([n as u8; 32])).collect();
        let answers = futures::future::join_all(addresses.iter().map(|address| lookups.find(address))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(None)));
        let questions = asked.lock().unwrap().clone();
        assert_eq!((questions.iter().sum::<usize>(), questions.len()), (WAITING, WAITING / AT_ONCE));
    }

    #[tokio::test]
    async fn whoever_finds_no_place_to_wait_is_told_to_come_again() {
        let lookups = Lookups::start(nothing(&Arc::default()), 1);
        let address = Pubkey::default();
        let answers = futures::future::join_all((0..=WAITING).map(|_| async {
            // Only whether it may wait.
            tokio::time::timeout(Duration::from_millis(1), lookups.find(&address)).await
        }));
        let answers = answers.await;
        assert!(answers.iter().any(|answer| *answer == Ok(Err(Failure::TooFast(COME_AGAIN)))));
    }
}
