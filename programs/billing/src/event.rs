//! What happened to deposits, channels and plans, in the past tense. Amounts in base units of the mint, times in Unix seconds.
//!
//! Settling has no event: the channel shows it.

use crate::state::{Channel, Payer};
use anchor_lang::prelude::*;

#[event(bytemuck)]
pub struct ClusterInitialized {
    pub genesis_hash: [u8; 32],
}

#[event(bytemuck)]
pub struct PayerCreated {
    pub payer: Address,
    pub owner: Address,
    pub mint: Address,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct Deposited {
    pub payer: Address,
    pub from: Address,
    /// What arrived.
    pub amount: PodU64,
    pub balance: PodU64,
    pub reserved: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct Reclaimed {
    pub payer: Address,
    pub destination: Address,
    pub amount: PodU64,
    pub balance: PodU64,
    pub reserved: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct ChannelOpened {
    pub channel: Address,
    pub payer: Address,
    pub owner: Address,
    pub provider: Address,
    pub authority: Address,
    pub model: Address,
    pub prices: Address,
    pub mint: Address,
    pub signer: Address,
    pub number: PodU64,
    pub cap: PodU64,
    pub limit: PodU64,
    pub session_expires_at: PodI64,
    pub at: PodI64,
    pub grace: PodU32,
    pub fee_bps: PodU16,
    pub share_bps: PodU16,
    pub backing_bps: PodU16,
}

#[event(bytemuck)]
pub struct ChannelToppedUp {
    pub channel: Address,
    pub added: PodU64,
    pub cap: PodU64,
    pub at: PodI64,
}

/// A session holds now, or will.
#[event(bytemuck)]
pub struct SessionSet {
    pub channel: Address,
    pub signer: Address,
    pub limit: PodU64,
    pub expires_at: PodI64,
    /// From when it holds: `at`, or later when it is staged.
    pub holds_at: PodI64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct Backed {
    pub channel: Address,
    pub provider: Address,
    /// Added to the claim on the provider's bond.
    pub locked: PodU64,
    /// How much of what is earned is backed now.
    pub backed: PodU64,
    /// How long the claim holds.
    pub until: PodI64,
    pub at: PodI64,
}

/// What a channel has earned was divided, and paid where it could be. The channel shows the rest.
#[event(bytemuck)]
pub struct Distributed {
    pub channel: Address,
    /// By vouchers, from the channel's beginning.
    pub settled: PodU64,
    /// By plans, from the channel's beginning.
    pub accrued: PodU64,
    /// How much of both the provider's share was computed on.
    pub collected: PodU64,
    /// What went back to the payer because the provider has lost a dispute.
    pub returned: PodU64,
    /// What was paid now: shares of the price list, protocol, provider.
    pub paid: [PodU64; 8],
}

#[event(bytemuck)]
pub struct OwedClaimed {
    pub channel: Address,
    pub owner: Address,
    pub destination: Address,
    pub amount: PodU64,
    pub at: PodI64,
    /// Whose it was: a place in `Channel::owed`.
    pub party: u8,
}

#[event(bytemuck)]
pub struct CloseRequested {
    pub channel: Address,
    pub by: Address,
    pub closes_at: PodI64,
    pub at: PodI64,
}

/// A closed channel gave back what it had not spent.
#[event(bytemuck)]
pub struct ChannelClosed {
    pub channel: Address,
    pub payer: Address,
    /// Free in the deposit again.
    pub released: PodU64,
    pub settled: PodU64,
    pub accrued: PodU64,
    pub at: PodI64,
    /// 1 when the account is closed: everybody is paid, and nobody can be convicted by it any more.
    pub closed: u8,
}

#[event(bytemuck)]
pub struct PlanStarted {
    pub plan: Address,
    pub channel: Address,
    pub payer: Address,
    pub rate: PodU64,
    pub lockup: PodU64,
    pub at: PodI64,
    pub period: PodU32,
}

#[event(bytemuck)]
pub struct PlanPaused {
    pub plan: Address,
    pub channel: Address,
    /// What it had made since it was last settled.
    pub amount: PodU64,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct PlanResumed {
    pub plan: Address,
    pub channel: Address,
    pub at: PodI64,
}

#[event(bytemuck)]
pub struct PlanTerminated {
    pub plan: Address,
    pub channel: Address,
    pub by: Address,
    /// What it had made since it was last settled.
    pub amount: PodU64,
    /// When its notice ends; 0 when there is none.
    pub ends_at: PodI64,
    pub at: PodI64,
    /// 1 when it is closed at once.
    pub closed: u8,
}

#[event(bytemuck)]
pub struct PlanSettled {
    pub plan: Address,
    pub channel: Address,
    /// What it had made since it was last settled.
    pub amount: PodU64,
    pub settled_until: PodI64,
    pub at: PodI64,
    /// 1 when it had ended and is closed.
    pub closed: u8,
}

/// Somebody was proven wrong about a bill.
#[event(bytemuck)]
pub struct BillDisputed {
    pub channel: Address,
    pub payer: Address,
    pub provider: Address,
    /// What came out of the provider's bond; payer and treasury share it.
    pub slashed: PodU64,
    /// What the provider had not been paid yet, and the payer has back.
    pub returned: PodU64,
    /// What the payer lost: it counts as settled.
    pub forfeited: PodU64,
    pub at: PodI64,
    /// The `Verdict` that was reached now.
    pub verdict: u8,
}

impl Deposited {
    #[inline(always)]
    pub(crate) fn of(payer: &Account<Payer>, from: &Address, amount: u64, at: i64) -> Self {
        Self {
            payer: *payer.address(),
            from: *from,
            amount: amount.into(),
            balance: payer.balance,
            reserved: payer.reserved,
            at: at.into(),
        }
    }
}

impl ChannelOpened {
    #[inline(always)]
    pub(crate) fn of(channel: &Account<Channel>) -> Self {
        Self {
            channel: *channel.address(),
            payer: channel.payer,
            owner: channel.owner,
            provider: channel.provider,
            authority: channel.authority,
            model: channel.model,
            prices: channel.prices,
            mint: channel.mint,
            signer: channel.session.signer,
            number: channel.number,
            cap: channel.cap,
            limit: channel.session.limit,
            session_expires_at: channel.session.expires_at,
            at: channel.opened_at,
            grace: channel.grace,
            fee_bps: channel.fee_bps,
            share_bps: channel.share_bps,
            backing_bps: channel.backing_bps,
        }
    }
}

impl SessionSet {
    /// The newest session: the staged one, if there is one.
    #[inline(always)]
    pub(crate) fn of(channel: &Account<Channel>, holds_at: i64, at: i64) -> Self {
        let is_staged = channel.staged_at.get() != 0;
        let session = if is_staged { &channel.staged } else { &channel.session };
        Self {
            channel: *channel.address(),
            signer: session.signer,
            limit: session.limit,
            expires_at: session.expires_at,
            holds_at: holds_at.into(),
            at: at.into(),
        }
    }
}

joule_events::any_event!(
    ClusterInitialized,
    PayerCreated,
    Deposited,
    Reclaimed,
    ChannelOpened,
    ChannelToppedUp,
    SessionSet,
    Backed,
    Distributed,
    OwedClaimed,
    CloseRequested,
    ChannelClosed,
    PlanStarted,
    PlanPaused,
    PlanResumed,
    PlanTerminated,
    PlanSettled,
    BillDisputed,
);
