//! Distributions: what `Distributed` events say.

use super::{
    record::{noun, record},
    EventRow,
};
use crate::types::{Address, EventKey};
use anchor_lang::prelude::PodU64;
use joule_api::{Commitment, Distribution, PaidOut};
use joule_billing::{
    constants::{MAX_SHARES, PROTOCOL, PROVIDER},
    event::Distributed,
};
use sha2::{Digest, Sha256};

/// When it happened, in Unix seconds: the event does not say, but its block does; 0 where the node did not know that.
pub fn time(event: &EventRow) -> i64 {
    event.block_time.unwrap_or_default()
}

/// `parties`: payer, provider and model of the channel, as far as they are known.
pub fn from_event(event: &EventRow, e: &Distributed, parties: [Option<String>; 3]) -> Divided {
    let distribution = Distribution {
        signature: event.key.signature.to_string(),
        instruction: event.key.instruction,
        inner: event.key.inner,
        channel: Address::from(&e.channel).to_string(),
        settled: e.settled.get(),
        accrued: e.accrued.get(),
        collected: e.collected.get(),
        paid: paid(&e.paid),
        returned: e.returned.get(),
        at: time(event),
        slot: event.slot,
        commitment: Commitment::Confirmed,
    };
    Divided::of(place(&event.key).to_string(), distribution, parties)
}

/// By whom it went to, from the places of the parties.
pub fn paid(parts: &[PodU64; MAX_SHARES + 2]) -> PaidOut {
    PaidOut { shares: sum(&parts[..MAX_SHARES]), fee: parts[PROTOCOL].get(), provider: parts[PROVIDER].get() }
}

fn sum(parts: &[PodU64]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.get()))
}

/// Its place in lists, for ever, among those of one second: what nobody can choose.
pub fn place(key: &EventKey) -> Address {
    Address(Sha256::digest(format!("{} {} {}", key.signature, key.instruction, key.inner)).into())
}

/// A distribution, with the parties of its channel, which the event does not name: unknown until the channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divided {
    /// See [`place`].
    pub address: String,
    pub channel: String,
    pub payer: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub signature: String,
    pub instruction: u32,
    pub inner: u32,
    pub settled: u64,
    pub accrued: u64,
    pub collected: u64,
    pub paid: PaidOut,
    pub returned: u64,
    pub at: i64,
    pub slot: u64,
    pub commitment: Commitment,
}

impl Divided {
    /// Payer, provider and model of its channel, as far as they are known.
    pub fn of(address: String, of: Distribution, [payer, provider, model]: [Option<String>; 3]) -> Self {
        let Distribution { signature, instruction, inner, channel, settled, accrued, collected, paid, .. } = of;
        let Distribution { returned, at, slot, commitment, .. } = of;
        Self {
            address,
            channel,
            payer,
            provider,
            model,
            signature,
            instruction,
            inner,
            settled,
            accrued,
            collected,
            paid,
            returned,
            at,
            slot,
            commitment,
        }
    }
}

impl From<Divided> for Distribution {
    fn from(of: Divided) -> Self {
        let Divided { channel, signature, instruction, inner, settled, accrued, collected, paid, .. } = of;
        let Divided { returned, at, slot, commitment, .. } = of;
        Self {
            signature,
            instruction,
            inner,
            channel,
            settled,
            accrued,
            collected,
            paid,
            returned,
            at,
            slot,
            commitment,
        }
    }
}

record! {
    Divided {
        address: Address,
        channel: Address,
        payer: Maybe<Address>,
        provider: Maybe<Address>,
        model: Maybe<Address>,
        signature: Signature,
        instruction: Number<u32>,
        inner: Number<u32>,
        settled: Amount,
        accrued: Amount,
        collected: Amount,
        returned: Amount,
        at: Time,
        slot: Count,
    }
    parts { paid: PaidOut }
    rest { commitment: Commitment::Confirmed }
}

noun!(Divided as Distribution in "distributions", at, Newest);
