//! Bodies of requests, read within size and time; those that nobody is known to pay for, within one budget for all.

use crate::{config::Config, reply::Failure};
use axum::body::{Body, Bytes, HttpBody as _};
use futures::StreamExt as _;
use joule_listen::{Peer, Shares, Taken};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Bytes of each that are read whatever the others take, as far as there are connections: questions are hardly ever longer.
const FREE: usize = 32 << 10;

pub struct Bodies {
    /// Bytes.
    budget: Arc<Semaphore>,
    shares: Arc<Shares>,
    most: usize,
    patience: Duration,
}

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Whoever has signed for it, with a key that the chain knows, and has paid here before.
    APayers,
    Anybodys(Peer),
}

/// A part of the budget, and of what one address may have of it.
#[derive(Default)]
struct Part {
    of_all: Option<OwnedSemaphorePermit>,
    of_its_share: Option<Taken>,
}

/// A whole one, and its part of the budget until it is dropped.
pub struct Held {
    pub bytes: Bytes,
    part: Part,
}

impl Held {
    /// Somebody pays for it.
    pub fn is_paid(&mut self) {
        self.part = Part::default();
    }
}

impl Bodies {
    pub fn new(config: &Config) -> Self {
        Self {
            budget: Arc::new(Semaphore::new(config.limits.unpaid_bodies)),
            shares: Shares::new(config.limits.unpaid_bodies, config.limits.address_share.into()),
            most: config.limits.body,
            patience: config.timeouts.request,
        }
    }

    pub async fn read(&self, body: Body, whose: Whose) -> Result<Held, Failure> {
        if body.size_hint().lower() > self.most as u64 {
            return Err(Failure::TooLarge(self.most));
        }
        timeout(self.patience, self.whole(body, whose)).await.unwrap_or(Err(Failure::TooSlow))
    }

    async fn whole(&self, body: Body, whose: Whose) -> Result<Held, Failure> {
        let mut pieces = body.into_data_stream();
        let (mut whole, mut part) = (Vec::new(), Part::default());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| Failure::BadRequest(format!("the body broke off: {error}")))?;
            if whole.len() + piece.len() > self.most {
                return Err(Failure::TooLarge(self.most));
            }
            if let Whose::Anybodys(peer) = whose {
                let beyond = |length: usize| length.saturating_sub(FREE);
                self.take(&mut part, peer, beyond(whole.len() + piece.len()) - beyond(whole.len()))?;
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Held { bytes: whole.into(), part })
    }

    fn take(&self, part: &mut Part, peer: Peer, bytes: usize) -> Result<(), Failure> {
        if bytes == 0 {
            return Ok(());
        }
        let its = self.shares.take(peer, bytes).ok_or(Failure::Crowded)?;
        let bytes = u32::try_from(bytes).map_err(|_| Failure::Crowded)?;
        let more = self.budget.clone().try_acquire_many_owned(bytes).map_err(|_| Failure::Crowded)?;
        match &mut part.of_all {
            Some(all) => all.merge(more),
            None => part.of_all = Some(more),
        }
        match &mut part.of_its_share {
            Some(share) => share.merge(its),
            None => part.of_its_share = Some(its),
        }
        Ok(())
    }
}
