//! What the chain says of a channel, as far as the gateway goes by it.

use joule_sdk::Pubkey;
use joule_units::{Amount, UnixTime};
use joule_voucher::{Context, Domain, Hash, Key};

/// Copied from the billing program's account; the chain decides, this follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    pub address: Pubkey,
    /// The billing program's `Payer`, which rates are counted by.
    pub payer: Pubkey,
    pub owner: Pubkey,
    /// The registry's `Provider`.
    pub provider: Pubkey,
    /// Who signs receipts.
    pub authority: Pubkey,
    pub model: Pubkey,
    /// The registry's `PriceList`.
    pub prices: Pubkey,
    pub mint: Pubkey,
    /// The session's key.
    pub signer: Key,
    /// The most that is reserved for it.
    pub cap: Amount,
    /// The most that the session may spend.
    pub limit: Amount,
    pub session_expires_at: UnixTime,
    /// From when another session can take its place; 0 when none is to.
    pub staged_at: UnixTime,
    /// By vouchers, on chain.
    pub settled: Amount,
    /// Of the voucher that was settled last.
    pub sequence: u64,
    pub opened_at: UnixTime,
    /// What the provider locks of its bond before it collects, in basis points of what is earned.
    pub backing_bps: u16,
    /// Seconds of notice before it closes.
    pub grace: u32,
    /// 0 while it is open.
    pub closes_at: UnixTime,
}

impl Channel {
    /// Until when vouchers of this session can be settled, as far as is known.
    pub fn good_until(&self) -> UnixTime {
        match [self.staged_at, self.closes_at].into_iter().filter(|at| *at != UnixTime::default()).min() {
            Some(at) => at.min(self.session_expires_at),
            None => self.session_expires_at,
        }
    }

    /// What a session may spend at most.
    pub fn most(&self) -> Amount {
        self.cap.min(self.limit)
    }
}

/// What the signatures of one channel begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contexts {
    pub voucher: Context,
    pub order: Context,
    pub receipt: Context,
}

/// Which cluster, and which program on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    pub genesis: Hash,
    /// The billing program.
    pub program: Pubkey,
}

impl Cluster {
    pub fn contexts(&self, channel: &Pubkey) -> Contexts {
        let of = |domain| Context::of(domain, &self.genesis, &self.program.to_bytes(), &channel.to_bytes());
        Contexts { voucher: of(Domain::Voucher), order: of(Domain::Order), receipt: of(Domain::Receipt) }
    }
}
