//! Bytes that may go through within an hour, and the part of one address.

use joule_listen::{Peer, Share};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// A request counts for no less, whatever it moves: it costs a look at the disk, and an address that is remembered.
pub const LEAST: u64 = 64 << 10;

#[derive(Debug)]
pub struct Traffic {
    most: u64,
    share: Share,
    hour: Mutex<Hour>,
}

#[derive(Debug)]
struct Hour {
    began: Instant,
    all: u64,
    of: HashMap<Peer, u64>,
}

/// When there is room again.
#[derive(Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Traffic {
    /// `most` bytes by all in an hour, and `share` of them by one.
    pub fn new(most: u64, share: Share) -> Self {
        Self { most, share, hour: Mutex::new(Hour { began: Instant::now(), all: 0, of: HashMap::new() }) }
    }

    pub fn take(&self, peer: Peer, bytes: u64) -> Result<(), Wait> {
        self.take_at(Instant::now(), peer, bytes)
    }

    fn take_at(&self, now: Instant, peer: Peer, bytes: u64) -> Result<(), Wait> {
        let mut hour = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(hour.began) >= HOUR {
            *hour = Hour { began: now, all: 0, of: HashMap::new() };
        }
        let its = hour.of.get(&peer).copied().unwrap_or(0).saturating_add(bytes);
        let all = hour.all.saturating_add(bytes);
        let share = self.share.of(usize::try_from(self.most).unwrap_or(usize::MAX), peer) as u64;
        if all > self.most || its > share {
            return Err(Wait(HOUR.saturating_sub(now.duration_since(hour.began))));
        }
        hour.all = all;
        hour.of.insert(peer, its);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn one_address_has_its_share_of_an_hour_and_the_next_hour_begins_anew() {
        let traffic = Traffic::new(1_000, Share::Usual);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|at| Peer::from(at.parse::<IpAddr>().unwrap()));
        let now = Instant::now();
        assert_eq!(traffic.take_at(now, one, 250), Ok(()));
        let Wait(wait) = traffic.take_at(now + HOUR / 4, one, 1).unwrap_err();
        assert!(wait > HOUR / 2 && wait <= HOUR);
        assert_eq!(traffic.take_at(now, other, 250), Ok(()));
        assert_eq!(traffic.take_at(now + 2 * HOUR, one, 250), Ok(()));
    }

    #[test]
    fn all_addresses_together_have_no_more_than_there_is() {
        let traffic = Traffic::new(1_000, Share::Percent(100));
        let [one, other] = ["192.0.2.1", "127.0.0.1"].map(|at| Peer::from(at.parse::<IpAddr>().unwrap()));
        assert_eq!(traffic.take(one, 600), Ok(()));
        assert!(traffic.take(other, 401).is_err());
        assert_eq!(traffic.take(other, 400), Ok(()));
        assert!(traffic.take(one, u64::MAX).is_err());
    }
}
