//! A model that answers nobody before it is let to: what is to happen at the same time does, on however slow a machine.

use super::{upstream, Fault, Reply, Upstream, World};
use futures::future::join_all;
use joule_gateway::config::Config;
use serde_json::Value;
use std::{cell::Cell, future::Future, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

pub struct Held {
    pub upstream: Upstream,
    gate: Arc<Semaphore>,
}

impl Held {
    pub async fn start() -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let closed = gate.clone();
        let upstream = Upstream::serving(Arc::new(move |request: Value| {
            let closed = closed.clone();
            Box::pin(async move {
                closed.acquire().await.expect("nobody closes it").forget();
                upstream::answer(Fault::None, request).await
            })
        }));
        Self { upstream: upstream.await, gate }
    }

    /// A gateway that waits for it.
    pub async fn world(&self, change: impl FnOnce(&mut Config)) -> World {
        let patient = |config: &mut Config| {
            (config.timeouts.first_byte, config.timeouts.drain) = (Duration::from_secs(60), Duration::from_secs(60));
            change(config);
        };
        World::with(&self.upstream.url, patient).await
    }

    /// Has so many requests answered.
    pub fn answer(&self, requests: usize) {
        self.gate.add_permits(requests);
    }

    /// All of these at once: those that are let in are answered when all others are refused.
    pub async fn at_once(&self, calls: impl IntoIterator<Item = impl Future<Output = Reply>>) -> Vec<Reply> {
        let (before, refused) = (self.upstream.times_asked(), &Cell::new(0));
        let calls = calls.into_iter().map(|call| async move {
            let reply = call.await;
            refused.set(refused.get() + usize::from(reply.status != 200));
            reply
        });
        let calls: Vec<_> = calls.collect();
        let all = calls.len();
        let let_in = || self.upstream.times_asked() - before;
        let open = async {
            wait_until("all are let in or refused", || let_in() + refused.get() == all).await;
            self.answer(let_in());
        };
        tokio::join!(join_all(calls), open).0
    }
}

pub async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}
