//! For tests: billing as if it had been upgraded once. Before, plans had no notice, and so neither had their events.

use super::{Fact, State};
use anchor_lang::{
    bytemuck::{self, Pod, Zeroable},
    prelude::{Address as Key, PodI64, PodU64},
    Discriminator,
};
use joule_billing::{
    event::{AnyEvent, PlanStarted},
    state,
};

/// The first slot after it.
pub const UNTIL: u64 = 10;

pub const ACCOUNTS: &[super::layout::Reader] =
    &[|data| super::layout::read(data, "plan", |plan: Plan| State::Plan(plan.into()))];

#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct Plan {
    pub channel: Key,
    pub payer: Key,
    pub rate: PodU64,
    pub started_at: PodI64,
}

impl Discriminator for Plan {
    const DISCRIMINATOR: &'static [u8] = b"old plan";
}

impl From<Plan> for state::Plan {
    fn from(plan: Plan) -> Self {
        let Plan { channel, payer, rate, started_at } = plan;
        let status = state::PlanStatus::Running as u8;
        Self { channel, payer, rate, started_at, settled_until: started_at, status, ..Zeroable::zeroed() }
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[bytemuck(crate = "anchor_lang::bytemuck")]
#[repr(C)]
pub struct Started {
    pub plan: Key,
    pub channel: Key,
    pub payer: Key,
    pub rate: PodU64,
    pub at: PodI64,
}

impl Discriminator for Started {
    const DISCRIMINATOR: &'static [u8] = b"oldstart";
}

pub fn event(data: &[u8]) -> Option<Fact> {
    let body = data.strip_prefix(Started::DISCRIMINATOR)?;
    let Started { plan, channel, payer, rate, at } = bytemuck::try_pod_read_unaligned(body).ok()?;
    let event = PlanStarted { plan, channel, payer, rate, at, ..Zeroable::zeroed() };
    Some(Fact::Billing(AnyEvent::PlanStarted(event)))
}

/// As the program wrote it.
pub fn bytes<T: Discriminator + Pod>(value: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(value)].concat()
}
