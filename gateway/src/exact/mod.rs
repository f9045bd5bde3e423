//! x402's standard scheme `exact`: one transaction, which the client has signed, pays for one request, and no channel is needed.
//!
//! `verify` has the rules of a transaction, `pay` leads a request up to its hold, `charge` brings the money in, and from there on
//! it is billed like any other: to the house channel (`house`), whose payer is the gateway itself. So the programs divide what
//! came in this way among all who share.

mod charge;
mod failures;
mod guard;
mod house;
mod pay;
mod purse;
mod refusal;
mod under_way;
mod verify;

pub use charge::{Cashier, Charge};
pub use house::{fill, houses, House};
pub use pay::paid;
pub use purse::Purse;
pub use refusal::Refusal;

use crate::{
    account::Account, admit, config, gateway::Gateway, lookups::Lookups, openai::Request, quote, reply::Failure,
    telemetry,
};
use failures::Failures;
use futures::FutureExt as _;
use joule_sdk::Pubkey;
use joule_units::Amount;
use joule_voucher::{Prices, Usage};
use joule_x402::{
    exact::{Extra, Requirements, SCHEME},
    Base58,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use under_way::UnderWay;

/// What is needed to be paid so. A gateway that is not paid so has none.
pub struct Exact {
    tills: Vec<Till>,
    cashier: Arc<dyn Cashier>,
    purses: Lookups<Purse>,
    under_way: Arc<UnderWay>,
    failures: Arc<Failures>,
    /// When a payment was last taken that could not be written down.
    unbilled: Mutex<Option<Instant>>,
}

/// For how long nothing is taken after that: what is written before a payment is smaller than what is written after it, so
/// that a disk may have room for the one and not for the other.
const PAUSE: Duration = Duration::from_secs(60);

/// A house channel and its account.
pub struct Till {
    pub house: House,
    pub account: Arc<Account>,
}

/// A request as it is sold: all that it may use, at the price of all that.
#[derive(Debug, Clone, Copy)]
struct Sale {
    bought: Usage,
    amount: Amount,
    prices: Prices,
}

impl Exact {
    pub fn tills(&self) -> &[Till] {
        &self.tills
    }

    /// A payment was taken, and its receipt is not on disk.
    pub fn unbilled(&self) {
        *self.unbilled.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn pause(&self) -> Option<Failure> {
        let unbilled = *self.unbilled.lock().unwrap_or_else(PoisonError::into_inner);
        if unbilled.is_some_and(|at| at.elapsed() < PAUSE) {
            return Some(Failure::Ledger);
        }
        (!self.failures.is_another_borne(false)).then_some(Failure::Paused)
    }
}

impl Till {
    /// Base units that its channel can still carry.
    pub fn room(&self) -> u64 {
        let (channel, book) = (self.account.channel(), self.account.book());
        book.room(&channel)
    }
}

impl Gateway {
    /// Sells by `exact` from here on, through these channels.
    pub async fn sell_exact(self: &Arc<Self>, houses: Vec<House>, cashier: Arc<dyn Cashier>) -> anyhow::Result<()> {
        let mut tills = Vec::new();
        for house in houses {
            let account = self.account(&house.channel).await?;
            let account = account.ok_or_else(|| anyhow::anyhow!("there is no house channel {}", house.channel))?;
            tills.push(Till { house, account });
        }
        let asked = cashier.clone();
        let ask = move |of: Vec<Pubkey>| {
            let cashier = asked.clone();
            async move { cashier.purses(&of).await }.boxed()
        };
        let purses = Lookups::start(Box::new(ask), self.config.limits.lookups_per_second);
        let failures = Arc::new(Failures::new(self.config.exact.failed_per_hour));
        let exact = Exact { tills, cashier, purses, under_way: Arc::default(), failures, unbilled: Mutex::default() };
        anyhow::ensure!(self.exact.set(exact).is_ok(), "house channels are set once");
        Ok(())
    }

    fn sale(&self, till: &Till, model: &config::Model, request: &Request) -> Option<Sale> {
        let prices = self.shop.prices(model, &till.account.channel()).ok()?.prices;
        let bought = quote::usage(request, model, self.config.timeouts.total).ok()?;
        let amount = prices.amount(&bought).filter(|amount| !amount.is_zero())?;
        Some(Sale { bought, amount, prices })
    }

    /// How this request can be paid by `exact` now, if it can.
    pub fn exact_terms(&self, model: &config::Model, request: &Request) -> Option<Requirements> {
        let exact = self.exact.get().filter(|exact| exact.pause().is_none())?;
        let (till, sale) = exact.tills.iter().find_map(|till| Some((till, self.sale(till, model, request)?)))?;
        let room = till.room();
        metrics::gauge!(telemetry::EXACT_ROOM, "model" => model.name.clone()).set(room as f64);
        let (channel, last) = (till.account.channel(), *till.account.book().last());
        let serves = admit::serves(&channel, &last, &self.house_risk(), self.clock.now()).is_ok();
        let gateway = Base58(self.shop.seller.authority.to_bytes());
        (serves && sale.amount.get() <= room).then(|| Requirements {
            scheme: SCHEME.into(),
            network: self.shop.network.clone(),
            amount: sale.amount,
            asset: Base58(till.house.mint.to_bytes()),
            pay_to: gateway,
            max_timeout_seconds: self.config.timeouts.whole_seconds(),
            extra: Extra { fee_payer: gateway },
        })
    }

    /// The house owes itself, and pays with every receipt: only what its channel holds, and for how long, is a limit.
    pub fn house_risk(&self) -> config::Risk {
        config::Risk { window: usize::MAX, unpaid: u64::MAX, unsettled: u64::MAX, min_grace: 0, ..self.config.risk }
    }
}
