//! Whether a request is served: an order, a voucher, a channel and its account, and the rules between them. No clock, no
//! network, no disk.

use crate::{
    channel::{Channel, Contexts},
    config::Risk,
    refusal::Refusal,
    tab::Part,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{Format as _, Hash, Order, Receipt, Usage, Voucher};
use joule_x402::Signed;

/// Where a channel's account stood after one of its receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// The receipt's.
    pub sequence: u64,
    /// The sum of all receipts up to it.
    pub billed: Amount,
    /// All their usage.
    pub used: Usage,
    /// The root of the tree over them.
    pub root: Hash,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Serving,
    /// The gateway stopped in the middle.
    Broken,
    Served(Box<Signed<Receipt>>),
}

/// A channel's account as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The newest voucher.
    pub voucher: Option<&'a Signed<Voucher>>,
    /// The receipts that it does not pay for, the oldest first.
    pub unpaid: &'a [Line],
    /// The last receipt.
    pub last: &'a Line,
    /// The most that requests may cost which are being served.
    pub at_stake: Amount,
    /// Lower nonces are forgotten, and not taken again.
    pub floor: u64,
    /// What became of this order's nonce.
    pub fate: Option<&'a Fate>,
}

/// What a good voucher is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credit {
    /// It is the newest, or was passed by a newer one on its way.
    Nothing,
    /// It pays for what was not paid before.
    Advances,
}

impl Standing<'_> {
    fn paid(&self) -> (u64, Amount) {
        self.voucher
            .map_or((0, Amount::default()), |signed| (signed.message.sequence.get(), signed.message.cumulative.get()))
    }
}

/// Whether the channel can be served at all. `model` and `prices` were compared before.
pub fn serves(channel: &Channel, last: &Line, risk: &Risk, now: UnixTime) -> Result<(), Refusal> {
    // A number that was given once and is given again is proof of fraud: whoever has lost receipts gives no more.
    if channel.sequence > last.sequence {
        return Err(Refusal::Ahead { settled: channel.sequence, issued: last.sequence });
    }
    if channel.opened_at.get() < risk.channels_from && last.sequence == 0 {
        return Err(Refusal::TooOld { opened_at: channel.opened_at.get(), from: risk.channels_from });
    }
    if channel.backing_bps > risk.max_backing_bps {
        return Err(Refusal::Backing { asked: channel.backing_bps, most: risk.max_backing_bps });
    }
    if channel.closes_at != UnixTime::default() {
        return Err(Refusal::Closing);
    }
    if channel.grace < risk.min_grace {
        return Err(Refusal::ShortGrace { grace: channel.grace, wanted: risk.min_grace });
    }
    let expires_at = channel.good_until().get();
    if expires_at < now.get().saturating_add(risk.settle_margin) {
        return Err(Refusal::SessionEnds { expires_at });
    }
    Ok(())
}

/// What a voucher is worth whose signature is good: it must say exactly what the receipts up to it come to.
pub fn credit(
    signed: &Signed<Voucher>,
    channel: &Channel,
    contexts: &Contexts,
    standing: &Standing<'_>,
    risk: &Risk,
    now: UnixTime,
) -> Result<Credit, Refusal> {
    let voucher = &signed.message;
    let (sequence, cumulative, expires_at) =
        (voucher.sequence.get(), voucher.cumulative.get(), voucher.expires_at.get());
    if voucher.context != contexts.voucher {
        return Err(Refusal::VoucherContext);
    }
    let (paid, _) = standing.paid();
    if sequence == paid {
        // Vouchers are signed once: who signs two for one sequence can lose what is left of the channel for it.
        let same = standing.voucher.is_some_and(|newest| newest.message.as_bytes() == voucher.as_bytes());
        return if same { Ok(Credit::Nothing) } else { Err(Refusal::VoucherConflict) };
    }
    if sequence < paid {
        return Ok(Credit::Nothing);
    }
    let line = standing.unpaid.iter().find(|line| line.sequence == sequence);
    let line = line.ok_or(Refusal::VoucherAhead { claimed: sequence, issued: standing.last.sequence })?;
    if cumulative != line.billed {
        return Err(Refusal::VoucherSum { claimed: cumulative.get(), billed: line.billed.get() });
    }
    if voucher.units.get() != line.used.units() {
        return Err(Refusal::VoucherUnits { claimed: voucher.units.get(), used: line.used.units() });
    }
    if voucher.usage_root != line.root {
        return Err(Refusal::VoucherRoot);
    }
    if cumulative > channel.most() {
        return Err(Refusal::VoucherAboveLimit { claimed: cumulative.get(), most: channel.most().get() });
    }
    if expires_at > channel.session_expires_at {
        return Err(Refusal::VoucherOutlives);
    }
    // Else each could be so short that it has to be settled at once, by itself.
    let least = channel.session_expires_at.get().min(now.get().saturating_add(risk.voucher_life));
    if expires_at.get() < least.max(now.get().saturating_add(risk.settle_margin)) {
        return Err(Refusal::VoucherExpires { expires_at: expires_at.get() });
    }
    Ok(Credit::Advances)
}

/// Whether an order is one of this channel, and of this moment.
pub fn timely(order: &Order, contexts: &Contexts, risk: &Risk, now: UnixTime) -> Result<(), Refusal> {
    let expires_at = order.expires_at.get();
    if order.context != contexts.order {
        return Err(Refusal::OrderContext);
    }
    if expires_at < now {
        return Err(Refusal::OrderExpired { expires_at: expires_at.get() });
    }
    if expires_at.get() > now.get().saturating_add(risk.order_life) {
        return Err(Refusal::OrderTooLong { expires_at: expires_at.get(), most: risk.order_life });
    }
    Ok(())
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub order: &'a Order,
    /// sha256 of the body that came.
    pub request_hash: Hash,
    /// The most that it may cost.
    pub quote: Amount,
}

/// Whether an order whose signature is good is served now, after the voucher with it was counted. `owner` is all of the owner's
/// channels together.
pub fn admit(
    asked: &Asked<'_>,
    channel: &Channel,
    contexts: &Contexts,
    standing: &Standing<'_>,
    owner: &Part,
    risk: &Risk,
    now: UnixTime,
) -> Result<(), Refusal> {
    let Asked { order, request_hash, quote } = asked;
    let allowed = order.max_amount.get();
    if order.context != contexts.order {
        return Err(Refusal::OrderContext);
    }
    if order.request_hash != *request_hash {
        return Err(Refusal::OrderRequest);
    }
    match standing.fate {
        None => {}
        Some(Fate::Serving) => return Err(Refusal::Serving),
        Some(Fate::Broken) => return Err(Refusal::Broken),
        Some(Fate::Served(receipt)) => return Err(Refusal::Served(receipt.clone())),
    }
    if order.nonce.get() < standing.floor {
        return Err(Refusal::OldNonce { nonce: order.nonce.get(), floor: standing.floor });
    }
    timely(order, contexts, risk, now)?;
    serves(channel, standing.last, risk, now)?;
    if allowed < *quote {
        return Err(Refusal::OrderTooSmall { allowed: allowed.get(), wanted: quote.get() });
    }
    within(allowed, channel, standing, risk)?;
    trusted(allowed, standing, owner, risk)
}

/// Whether the owner is trusted with one more request of at most `most`: with one at a time always, with more as far as it has paid
/// for as much.
fn trusted(most: Amount, standing: &Standing<'_>, owner: &Part, risk: &Risk) -> Result<(), Refusal> {
    let Part { unpaid, serving, paid, .. } = *owner;
    // Sums that no number holds are above every limit.
    let owed = owner.owed.get().saturating_add(most.get());
    let (window, open) = (risk.window as u64, unpaid.saturating_add(serving));
    if open > 0 && (open >= window || owed > paid.get()) {
        let (here, paid) = (standing.unpaid.len() as u64, paid.get());
        return Err(match (here, serving) {
            (0, 0) => Refusal::Owes { unpaid, paid },
            (0, _) => Refusal::Window { serving, unpaid, paid, window },
            _ => Refusal::Unpaid { unpaid, paid, window },
        });
    }
    match owed > risk.unpaid {
        true => Err(Refusal::Risk { owed, allowed: risk.unpaid }),
        false => Ok(()),
    }
}

/// Whether one more request of at most `most` fits into what the channel holds, and into what the gateway leaves unsettled.
fn within(most: Amount, channel: &Channel, standing: &Standing<'_>, risk: &Risk) -> Result<(), Refusal> {
    let sum = |a: Amount, b: Amount| a.checked_add(b).unwrap_or(Amount::new(u64::MAX));
    let total = sum(sum(standing.last.billed, standing.at_stake), most);
    if total > channel.most() {
        return Err(Refusal::Deposit { total: total.get(), most: channel.most().get() });
    }
    let unsettled = total.get().saturating_sub(channel.settled.get());
    if unsettled > risk.unsettled {
        return Err(Refusal::Unsettled { unsettled, allowed: risk.unsettled });
    }
    Ok(())
}
