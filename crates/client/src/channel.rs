//! What the chain says of a channel.

use joule_units::{Amount, UnixTime};
use joule_voucher::{Context, Domain, Hash, Key, Prices};

/// As much of it as a session goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    pub address: Key,
    /// The billing program.
    pub program: Key,
    pub genesis: Hash,
    /// The provider's key, which signs receipts.
    pub authority: Key,
    /// Of the channel's price list.
    pub prices: Prices,
    /// The most that vouchers may ever pay: what is reserved, and what the session may spend, whichever is less.
    pub most: Amount,
    pub session_expires_at: UnixTime,
    /// Receipts that the voucher pays for which was settled last.
    pub settled: u64,
}

impl Channel {
    /// What its messages of one kind begin with.
    pub fn context(&self, domain: Domain) -> Context {
        Context::of(domain, &self.genesis, &self.program, &self.address)
    }
}
