//! One channel's account: what may be asked for, what is owed, what the next voucher says. No clock, no network, no disk, and
//! no key.
//!
//! Requests overlap, and their receipts come in any order. A voucher pays for receipts without a gap from the first one on; a
//! receipt that came early waits until those before it are there.

use crate::{
    check::Rules,
    kept::{Account, Changes, Kept},
    missed::{Missed, Waits},
    Answer, Caught, Channel, Corrupt, Objection,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{Domain, Format as _, Hash, Order, Receipt, Verifier, Voucher};
use joule_x402::Signed;
use std::collections::BTreeMap;

/// How far the payer wants to go, beside what the channel allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most that all receipts of the channel may come to, in base units.
    pub budget: Amount,
    /// Requests that may be under way or unpaid at once.
    pub window: u64,
    /// Seconds that a voucher must still be good for, or the provider does not take it.
    pub margin: i64,
}

/// Why nothing can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    #[error("other requests have to end first")]
    Wait,
    #[error("{billed} are spent, and the next request may cost {most}: that is above the budget of {budget}")]
    Budget { billed: u64, most: u64, budget: u64 },
    #[error("{billed} are spent, and the next request may cost {most}: that is above the {allowed} of the channel and its session")]
    Channel { billed: u64, most: u64, allowed: u64 },
    #[error("the session ends at {0}, too soon for the provider to settle")]
    SessionEnds(i64),
    #[error("{0} answers in a row never came and had to be paid: nothing more is asked for through this channel")]
    Missed(u64),
    #[error("the provider was caught: {0}")]
    Caught(String),
}

/// What is to be signed, once what the session has noted is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    pub order: Order,
    /// `None` before the first receipt.
    pub voucher: Option<Voucher>,
}

/// An order without a receipt.
#[derive(Debug, Clone, Copy)]
struct Begun {
    order: Order,
    waits: Waits,
}

impl Begun {
    fn is_lost(&self) -> bool {
        self.waits != Waits::Here
    }
}

#[derive(Debug)]
pub struct Session {
    channel: Channel,
    limits: Limits,
    rules: Rules,
    account: Account,
    voucher: Option<Voucher>,
    next_nonce: u64,
    begun: BTreeMap<u64, Begun>,
    /// By number: receipts that were checked and wait for those before them.
    early: BTreeMap<u64, (u64, Signed<Receipt>)>,
    /// The most that `begun` may cost, and what `early` does.
    at_stake: Amount,
    caught: Option<Caught>,
    missed: Missed,
    changes: Changes,
}

impl Session {
    /// From what was kept; nothing, for a channel that was never used.
    pub fn new(channel: Channel, limits: Limits, kept: &Kept) -> Result<Self, Corrupt> {
        let account = kept.replay(channel.settled)?;
        let waits = |nonce| if kept.given_up.contains(nonce) { Waits::GivenUp } else { Waits::Killed };
        let begun: BTreeMap<_, _> =
            kept.orders.iter().map(|(nonce, order)| (*nonce, Begun { order: *order, waits: waits(nonce) })).collect();
        let at_stake = begun.values().map(|begun| begun.order.max_amount.get().get()).fold(0, u64::saturating_add);
        Ok(Self {
            rules: Rules {
                context: channel.context(Domain::Receipt),
                provider: Verifier::new(&channel.authority).ok_or(Corrupt::Authority)?,
                prices: channel.prices,
            },
            channel,
            limits,
            account,
            voucher: kept.voucher,
            next_nonce: kept.next_nonce,
            begun,
            early: BTreeMap::new(),
            at_stake: Amount::new(at_stake),
            caught: kept.caught.clone(),
            missed: Missed::new(kept.missed),
            changes: Changes::default(),
        })
    }

    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The sum of all receipts that are paid for or will be with the next voucher.
    pub fn billed(&self) -> Amount {
        self.account.billed
    }

    /// How many those are.
    pub fn receipts(&self) -> u64 {
        self.account.frontier.size()
    }

    pub fn caught(&self) -> Option<&Caught> {
        self.caught.as_ref()
    }

    /// Orders whose answers somebody waits for.
    pub fn under_way(&self) -> usize {
        self.begun.values().filter(|begun| !begun.is_lost()).count()
    }

    /// Orders of which nobody knows what became.
    pub fn gaps(&self) -> usize {
        self.begun.values().filter(|begun| begun.is_lost()).count()
    }

    /// Answers that did not come since one last did, in whatever process, and that are paid or will be.
    pub fn missed(&self) -> u64 {
        self.missed.in_a_row()
    }

    /// What must be on disk before any draft that was given out until now is signed.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Asks for one more request, whose body has this hash and which costs at most `most`.
    pub fn begin(
        &mut self,
        request_hash: &Hash,
        most: Amount,
        now: UnixTime,
        expires_at: UnixTime,
    ) -> Result<Draft, Stop> {
        self.admit(most, now)?;
        let nonce = self.next_nonce;
        let order = Order {
            context: self.channel.context(Domain::Order),
            nonce: nonce.into(),
            request_hash: *request_hash,
            max_amount: most.into(),
            expires_at: expires_at.into(),
        };
        self.next_nonce += 1;
        self.changes.next_nonce = self.next_nonce;
        self.changes.begun.push(order);
        self.begun.insert(nonce, Begun { order, waits: Waits::Here });
        self.at_stake = plus(self.at_stake, most);
        Ok(Draft { order, voucher: self.voucher() })
    }

    fn admit(&self, most: Amount, now: UnixTime) -> Result<(), Stop> {
        if let Some(caught) = &self.caught {
            return Err(Stop::Caught(caught.why.clone()));
        }
        let ends = self.channel.session_expires_at;
        if ends.get() < now.get().saturating_add(self.limits.margin) {
            return Err(Stop::SessionEnds(ends.get()));
        }
        let window = self.limits.window.max(1);
        let (missed, missable) = (self.missed.in_a_row(), Missed::most(window));
        if missed >= missable {
            return Err(Stop::Missed(missed));
        }
        let (begun, early) = (self.begun.len() as u64, self.early.len() as u64);
        // Those that may be missed yet are counted too, so that no more than these can be paid in a row.
        if begun + early >= window || begun + missed >= window.max(missable) {
            return Err(Stop::Wait);
        }
        let (billed, allowed, budget) = (self.account.billed.get(), self.channel.most, self.limits.budget);
        let total = plus(plus(self.account.billed, self.at_stake), most);
        if total <= allowed.min(budget) {
            return Ok(());
        }
        if !self.at_stake.is_zero() {
            // What is under way may cost less than its orders allow.
            return Err(Stop::Wait);
        }
        let most = most.get();
        Err(match budget <= allowed {
            true => Stop::Budget { billed, most, budget: budget.get() },
            false => Stop::Channel { billed, most, allowed: allowed.get() },
        })
    }

    /// The same order once more, with what is the newest voucher now. `None` when it is over, or lost.
    pub fn again(&mut self, nonce: u64) -> Option<Draft> {
        let order = self.begun.get(&nonce).filter(|begun| !begun.is_lost())?.order;
        Some(Draft { order, voucher: self.voucher() })
    }

    /// For all receipts without a gap. One number always says the same: it is written once, and repeated until the next.
    pub fn voucher(&mut self) -> Option<Voucher> {
        let sequence = self.account.frontier.size();
        if sequence > self.voucher.map_or(0, |voucher| voucher.sequence.get()) {
            self.voucher = Some(Voucher {
                context: self.channel.context(Domain::Voucher),
                sequence: sequence.into(),
                cumulative: self.account.billed.into(),
                units: self.account.used.units().into(),
                expires_at: self.channel.session_expires_at.into(),
                usage_root: self.account.frontier.root(),
            });
            self.changes.voucher = self.voucher;
        }
        self.voucher
    }

    /// The provider has said that it does not serve this order.
    pub fn release(&mut self, nonce: u64) {
        if let Some(begun) = self.begun.remove(&nonce) {
            self.at_stake = minus(self.at_stake, begun.order.max_amount.get());
            self.changes.released.push(nonce);
        }
    }

    /// Nobody waits any longer, and nobody knows what became of an order; its receipt may turn up.
    pub fn lose(&mut self, nonce: u64) {
        if let Some(begun) = self.begun.get_mut(&nonce).filter(|begun| !begun.is_lost()) {
            begun.waits = Waits::GivenUp;
            self.changes.given_up.push(nonce);
        }
    }

    /// Until when orders without a receipt may still be served.
    pub fn gaps_until(&self) -> Option<UnixTime> {
        self.begun.values().filter(|begun| begun.is_lost()).map(|begun| begun.order.expires_at.get()).max()
    }

    /// Takes the receipt for an order into the account, if it is right. Otherwise nothing is owed for it, and the session ends.
    pub fn accept(&mut self, nonce: u64, signed: &Signed<Receipt>, answer: &Answer<'_>) -> Result<(), Objection> {
        let Some(Begun { order, waits }) = self.begun.get(&nonce).copied() else { return Err(Objection::Unknown) };
        let checked = self.rules.check(signed, &order, answer).and_then(|()| self.check_number(signed));
        if let Err(objection) = checked {
            self.catch(Caught::new(order, *signed, &objection));
            self.lose(nonce);
            return Err(objection);
        }
        self.enter(nonce, &order, signed);
        self.changes.missed = self.missed.count(answer, waits).or(self.changes.missed);
        Ok(())
    }

    /// There cannot be more receipts than orders.
    fn check_number(&self, signed: &Signed<Receipt>) -> Result<(), Objection> {
        let (got, size) = (signed.message.sequence.get(), self.account.frontier.size());
        let (first, last) = (size + 1, size + (self.begun.len() + self.early.len()) as u64);
        match (first..=last).contains(&got) && !self.early.contains_key(&got) {
            true => Ok(()),
            false => Err(Objection::Sequence { got, first, last }),
        }
    }

    fn enter(&mut self, nonce: u64, order: &Order, signed: &Signed<Receipt>) {
        self.begun.remove(&nonce);
        self.at_stake = plus(minus(self.at_stake, order.max_amount.get()), signed.message.amount.get());
        self.early.insert(signed.message.sequence.get(), (nonce, *signed));
        while let Some((nonce, signed)) = self.early.remove(&(self.account.frontier.size() + 1)) {
            self.at_stake = minus(self.at_stake, signed.message.amount.get());
            self.account.take(&signed.message);
            self.changes.receipts.push((nonce, signed));
        }
    }

    fn catch(&mut self, caught: Caught) {
        if self.caught.is_none() {
            self.changes.caught = Some(caught.clone());
            self.caught = Some(caught);
        }
    }

    /// Takes receipts for orders whose answers were lost, out of all that the provider says are unpaid. Only while nothing is
    /// under way: a receipt says which body it is for, and two orders may have the same.
    pub fn recover(&mut self, unpaid: &[Signed<Receipt>]) -> Result<(), Objection> {
        if self.under_way() > 0 {
            return Ok(());
        }
        for signed in unpaid {
            let (receipt, number) = (&signed.message, signed.message.sequence.get());
            // Whoever was caught may show another receipt now for the one it was caught with: too late.
            let is_late = self.caught.as_ref().is_some_and(|caught| number >= caught.receipt.message.sequence.get());
            if number <= self.account.frontier.size() || self.early.contains_key(&number) || is_late {
                continue;
            }
            let fits = |begun: &&Begun| begun.order.request_hash == receipt.request_hash;
            // The one that allows least of those that allow enough.
            let enough = |begun: &&Begun| begun.order.max_amount.get() >= receipt.amount.get();
            let order =
                self.begun.values().filter(fits).filter(enough).min_by_key(|begun| begun.order.max_amount.get());
            match order.or_else(|| self.begun.values().find(fits)).map(|begun| begun.order) {
                Some(order) => {
                    self.accept(order.nonce.get(), signed, &Answer::Lost)?;
                    self.prolong(&order);
                }
                None => {
                    self.catch(Caught::new(Order::default(), *signed, &Objection::Unknown));
                    return Err(Objection::Unknown);
                }
            }
        }
        Ok(())
    }

    /// A receipt was taken for this order; it may have been for another one with the same body. Those that are left stand for
    /// whichever it was not, and so live as long as any of them. They are never signed again.
    fn prolong(&mut self, taken: &Order) {
        for Begun { order, .. } in self.begun.values_mut() {
            let is_longer = taken.expires_at.get() > order.expires_at.get();
            if order.request_hash == taken.request_hash && is_longer {
                order.expires_at = taken.expires_at;
                self.changes.begun.push(*order);
            }
        }
    }

    /// Gives up lost orders that expired before `now`, once the provider has said that none is being served: they cannot begin
    /// any more, and `recover` has taken those that had.
    pub fn forget(&mut self, now: UnixTime) {
        // The order that somebody was caught with is a part of the proof.
        let proves = self.caught.as_ref().map(|caught| caught.order.nonce);
        let over =
            |begun: &&Begun| begun.is_lost() && begun.order.expires_at.get() < now && proves != Some(begun.order.nonce);
        let over: Vec<_> = self.begun.values().filter(over).map(|begun| begun.order.nonce.get()).collect();
        over.into_iter().for_each(|nonce| self.release(nonce));
    }

    /// The receipt that [`Self::concede`] would pay for: one that asked for too much, though no more than its order allowed, and
    /// that comes next.
    pub fn concession(&self) -> Option<Signed<Receipt>> {
        self.conceding().map(|(_, signed)| signed)
    }

    fn conceding(&self) -> Option<(Order, Signed<Receipt>)> {
        let Caught { order, receipt: signed, .. } = self.caught.as_ref()?;
        let (receipt, nonce) = (&signed.message, order.nonce.get());
        let is_next = receipt.sequence.get() == self.account.frontier.size() + 1;
        let is_bounded = receipt.amount.get() <= order.max_amount.get() && self.begun.contains_key(&nonce);
        let is_signed = receipt.context == self.rules.context
            && self.rules.provider.verify(receipt.as_bytes(), &signed.signature).is_ok();
        let is_proof = is_next && is_bounded && is_signed && receipt.overcharges(&self.channel.prices);
        is_proof.then_some((*order, *signed))
    }

    /// Pays for the receipt that asked for too much, so that it can be proven on chain: a proof is about what was paid for. Costs
    /// no more than its order allowed. Returns its number, or `None` when there is no such receipt, or those before it are
    /// missing.
    pub fn concede(&mut self) -> Option<u64> {
        let (order, signed) = self.conceding()?;
        self.enter(order.nonce.get(), &order, &signed);
        Some(signed.message.sequence.get())
    }
}

fn plus(a: Amount, b: Amount) -> Amount {
    // A sum that no number holds is above every limit.
    a.checked_add(b).unwrap_or(Amount::new(u64::MAX))
}

fn minus(a: Amount, b: Amount) -> Amount {
    a.checked_sub(b).unwrap_or_default()
}
