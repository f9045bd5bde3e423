//! How much of what there is one address may take: connections, or whatever else strangers can hold.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// Percent, where nobody says otherwise.
const USUAL: usize = 25;

/// Whoever is at the other end of a connection, as far as addresses tell: of IPv6 the first 64 bits, since whoever has one of these
/// has all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            other => other,
        })
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(to)
    }
}

/// The part of everything that one address may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Share {
    /// A quarter; all, for whoever is on this machine, such as a proxy that all others come through.
    #[default]
    Usual,
    Percent(u8),
}

impl Share {
    /// Of `all`, at least 1.
    pub fn of(self, all: usize, peer: Peer) -> usize {
        let percent = match self {
            Self::Usual if peer.0.is_loopback() => return all,
            Self::Usual => USUAL,
            Self::Percent(percent) => percent.into(),
        };
        (all.saturating_mul(percent) / 100).clamp(1, all.max(1))
    }
}

impl From<Option<u8>> for Share {
    fn from(percent: Option<u8>) -> Self {
        percent.map_or(Self::Usual, Self::Percent)
    }
}

/// What each address has taken of `all`.
#[derive(Debug)]
pub struct Shares {
    all: usize,
    share: Share,
    taken: Mutex<HashMap<Peer, usize>>,
}

impl Shares {
    pub fn new(all: usize, share: Share) -> Arc<Self> {
        Arc::new(Self { all, share, taken: Mutex::default() })
    }

    /// `None` when the peer would have more than its share.
    pub fn take(self: &Arc<Self>, peer: Peer, amount: usize) -> Option<Taken> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let before = taken.get(&peer).copied().unwrap_or(0);
        let after = before.checked_add(amount).filter(|after| *after <= self.share.of(self.all, peer))?;
        taken.insert(peer, after);
        Some(Taken { from: self.clone(), peer, amount })
    }
}

/// A part of a share, until it is dropped.
#[derive(Debug)]
pub struct Taken {
    from: Arc<Shares>,
    peer: Peer,
    amount: usize,
}

impl Taken {
    /// Adds what the same peer has taken beside it.
    pub fn merge(&mut self, mut other: Self) {
        debug_assert!(self.peer == other.peer && Arc::ptr_eq(&self.from, &other.from));
        self.amount += std::mem::take(&mut other.amount);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.from.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = taken.get_mut(&self.peer) {
            *has = has.saturating_sub(self.amount);
            if *has == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_address_takes_its_share_and_others_theirs() {
        let shares = Shares::new(16, Share::Usual);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(peer);
        let mut held: Vec<_> = (0..4).map(|_| shares.take(one, 1).unwrap()).collect();
        assert!(shares.take(one, 1).is_none() && shares.take(other, 5).is_none());
        let others = shares.take(other, 4).unwrap();
        held.pop();
        assert!(shares.take(one, 2).is_none() && shares.take(one, 1).is_some());
        let mut both = shares.take(peer("192.0.2.3"), 1).unwrap();
        both.merge(shares.take(peer("192.0.2.3"), 2).unwrap());
        assert!(shares.take(peer("192.0.2.3"), 2).is_none());
        drop((held, others, both));
        assert!(shares.taken.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_proxy_on_this_machine_may_take_everything_unless_it_is_said_otherwise() {
        for proxy in ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"].map(peer) {
            assert_eq!(Share::from(None).of(16, proxy), 16);
            assert_eq!(Share::from(Some(50)).of(16, proxy), 8);
        }
        assert_eq!(Share::from(Some(100)).of(16, peer("192.0.2.1")), 16);
        assert_eq!(Share::Usual.of(2, peer("192.0.2.1")), 1, "nobody is shut out");
    }

    #[test]
    fn whoever_has_many_addresses_of_one_network_is_one() {
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
    }
}
