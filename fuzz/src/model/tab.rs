//! Channels: what was promised on one, and who gets it.

use crate::check::Violation;
use joule_sdk::{
    billing::{
        constants::{PROTOCOL, PROVIDER},
        state::{Channel, Verdict},
    },
    registry::state::PriceList,
    Pubkey,
};

/// How long a bill can be disputed, in seconds.
const DISPUTE_PERIOD: i64 = 3 * 24 * 60 * 60;
/// Shares of a price list, protocol, provider.
pub const PARTIES: usize = 8;

/// A channel that has not been closed. Amounts in base units.
#[derive(Clone, Copy)]
pub struct Tab {
    pub address: Pubkey,
    /// The account, as it must be to the byte.
    pub channel: Channel,
    /// What was ever reserved for it.
    pub reserved: u128,
    /// The treasury's part of what a lost dispute took out of the bond.
    pub fine: u128,
    /// What each party has received.
    pub paid: [u128; PARTIES],
    /// What the provider lost, and the payer has back.
    pub returned: u128,
    /// What nobody spent, and the payer has back.
    pub released: u128,
    /// From when on nothing more can be settled, in Unix seconds, once somebody has ended it.
    pub closed_at: Option<i64>,
}

/// What a signed message promises.
#[derive(Clone, Copy)]
pub struct Promise {
    pub sequence: u64,
    pub cumulative: u64,
    pub expires_at: i64,
}

impl Tab {
    pub fn earned(&self) -> u64 {
        self.channel.settled.get() + self.channel.accrued.get()
    }

    pub fn is_closed(&self, now: i64) -> bool {
        self.closed_at.is_some_and(|at| now >= at)
    }

    /// The moment it closed at, if that is over.
    pub fn end(&self, now: i64) -> Option<i64> {
        self.closed_at.filter(|at| now >= *at)
    }

    pub fn close_at(&mut self, moment: i64) {
        self.closed_at = Some(moment);
        self.channel.closes_at = moment.into();
    }

    pub fn hold(&mut self, amount: u64) {
        self.channel.held = (self.channel.held.get() + amount).into();
    }

    pub fn let_go(&mut self, amount: u64) -> Result<(), Violation> {
        let left = self.channel.held.get().checked_sub(amount);
        self.channel.held = left.ok_or_else(|| Violation::new("a channel gives more than it holds"))?.into();
        Ok(())
    }

    /// The promise is newer, within what channel and session may spend, and in time.
    pub fn settle(&mut self, promise: &Promise, now: i64) -> Result<(), Violation> {
        let (session, channel) = (self.channel.session, &mut self.channel);
        Violation::unless(promise.cumulative > channel.settled.get(), "an old voucher was settled")?;
        let most = channel.cap.get().min(session.limit.get());
        Violation::unless(promise.cumulative <= most, "a voucher was settled that spends more than it may")?;
        let is_timely = now <= promise.expires_at && promise.expires_at <= session.expires_at.get();
        Violation::unless(is_timely, "a voucher was settled that had expired, or outlives its session")?;
        Violation::unless(self.closed_at.is_none_or(|at| now < at), "a voucher was settled on a closed channel")?;
        channel.settled = promise.cumulative.into();
        channel.sequence = promise.sequence.into();
        Ok(())
    }

    /// Basis points of everybody but the provider.
    pub fn others(&self) -> u128 {
        self.channel.share_bps.get() as u128 + self.channel.fee_bps.get() as u128
    }

    /// What the provider is due of the first `earned` units.
    pub fn of_provider(&self, earned: u64) -> u128 {
        let earned = earned as u128;
        earned - earned * self.others() / 10_000
    }

    /// Basis points of everybody in the order of `owed`; the provider, who has the rest, with none.
    pub fn bps(&self, list: &PriceList) -> [u16; PARTIES] {
        let mut bps = [0; PARTIES];
        bps.iter_mut().zip(list.parties()).for_each(|(bps, share)| *bps = share.bps.get());
        bps[PROTOCOL] = self.channel.fee_bps.get();
        bps
    }

    /// Up to how much of what is earned the provider can have its part now.
    pub fn collectable(&self, now: i64) -> u64 {
        let channel = &self.channel;
        let is_undisputed = self.closed_at.is_some_and(|at| now >= at + DISPUTE_PERIOD);
        match channel.backing_bps.get() == 0 || is_undisputed || self.has_lost(Verdict::AgainstProvider) {
            true => self.earned(),
            false => channel.backed.get().max(channel.collected.get()),
        }
    }

    /// Whether one of the two was proven wrong.
    pub fn has_lost(&self, verdict: Verdict) -> bool {
        self.channel.disputed & verdict as u8 != 0
    }

    /// Whether the provider's claim can still be slashed for what the channel shows.
    pub fn is_evidence(&self, now: i64) -> bool {
        now < self.channel.claimed_until.get() && !self.has_lost(Verdict::AgainstProvider)
    }

    /// What a party with a share of `bps` is due in all of what was divided, paid or not.
    pub fn due(&self, party: usize, bps: u16) -> u128 {
        match party {
            PROVIDER => self.of_provider(self.channel.collected.get()),
            PROTOCOL => self.channel.paid.get() as u128 * bps as u128 / 10_000 + self.fine,
            _ => self.channel.paid.get() as u128 * bps as u128 / 10_000,
        }
    }

    /// What everybody has received or lost, and is owed.
    pub fn received(&self, party: usize) -> u128 {
        let returned = if party == PROVIDER { self.returned } else { 0 };
        self.paid[party] + returned + self.channel.owed[party].get() as u128
    }

    pub fn owes(&self) -> bool {
        self.channel.owed.iter().any(|owed| owed.get() > 0)
    }

    /// Whether nobody can be due anything any more.
    pub fn is_final(&self) -> bool {
        let is_divided = [self.channel.paid, self.channel.collected].iter().all(|to| to.get() == self.earned());
        is_divided && !self.owes() && self.channel.has_plan == 0
    }
}
