//! A request that comes with a transaction: found good, tried, and let into the house channel's account.

use super::{
    refusal::Refusal,
    verify::{Payment, Rules},
    Sale, Till,
};
use crate::{
    admit::Asked,
    answer::{self, Question},
    bodies::Held,
    config::Model,
    crash,
    gateway::Gateway,
    hold::Hold,
    openai::Request,
    reply::Failure,
    serve::{place, Unserved},
    tab::Part,
};
use axum::response::Response;
use joule_units::UnixTime;
use joule_voucher::{hashv, sign, Hash, Order};
use joule_x402::exact::Payload;
use std::sync::Arc;

/// Nothing is sent before the upstream has answered, and nothing is given before the chain has confirmed.
pub async fn paid(
    gateway: &Arc<Gateway>,
    model: &Model,
    request: &Request,
    payload: &Payload,
    mut body: Held,
) -> Result<(Response, &'static str), Unserved> {
    let exact = gateway.exact.get().ok_or_else(not_sold)?;
    let sold = |till| Some((till, gateway.sale(till, model, request)?));
    let (till, sale) = exact.tills.iter().find_map(sold).ok_or_else(not_sold)?;
    let payment = Payment::verify(&payload.transaction, &rules(gateway, till, &sale)).map_err(refused)?;
    gateway.rates.payer(&payment.authority).map_err(Failure::TooFast)?;
    if let Some(failure) = exact.pause() {
        return Err(failure.into());
    }
    if payment.is_guarded && !exact.failures.is_another_borne(true) {
        return Err(refused(Refusal::GuardsPaused));
    }
    if sale.amount.get() > till.room() {
        return Err(Failure::NoRoom.into());
    }
    let (wanted, house) = (sale.amount, &till.house);
    let purse = exact.purses.find(&payment.source).await?;
    let purse = purse.ok_or_else(|| refused(Refusal::Funds { has: 0, wanted: wanted.get() }))?;
    purse.pays(&house.token_program, &house.mint, &payment.authority, wanted).map_err(refused)?;
    // What follows asks the chain about this one alone, for someone who has not paid yet.
    gateway.rates.payment().map_err(Failure::TooFast)?;
    let mut signed = payment.transaction.clone();
    signed.signatures[0] = sign(&gateway.key, &signed.message.serialize()).into();
    let confirm = gateway.config.exact.confirm;
    let charge = exact.charge(signed, payment.authority, sale.bought, confirm).map_err(refused)?;
    charge.foresee(&payment.transaction).await?;
    let place = place(gateway).await?;
    let order = let_in(gateway, till, &sale, hashv(&[&body.bytes]))?;
    body.is_paid();
    let hold = Hold::new(gateway.clone(), till.account.clone(), order, sale.prices, model.name.clone(), None);
    crash::point(crash::Point::AfterAdmission);
    answer::give(gateway, Question { model, request, most: sale.bought }, hold.charged(charge), place).await
}

fn rules(gateway: &Gateway, till: &Till, sale: &Sale) -> Rules {
    let house = &till.house;
    Rules {
        fee_payer: gateway.shop.seller.authority,
        mint: house.mint,
        token_program: house.token_program,
        decimals: house.decimals,
        destination: house.destination,
        amount: sale.amount,
        max_unit_price: gateway.config.exact.max_unit_price,
        max_unit_limit: gateway.config.exact.max_unit_limit,
    }
}

/// Under the next number of the house channel, as if the house had ordered it.
fn let_in(gateway: &Gateway, till: &Till, sale: &Sale, request_hash: Hash) -> Result<Order, Failure> {
    let (contexts, channel, now) = (&till.account.contexts, till.account.channel(), gateway.clock.now());
    let mut book = till.account.book();
    let order = Order {
        context: contexts.order,
        nonce: book.next_nonce().into(),
        request_hash,
        max_amount: sale.amount.into(),
        expires_at: UnixTime::new(now.get().saturating_add(gateway.config.risk.order_life)).into(),
    };
    let asked = Asked { order: &order, request_hash, quote: sale.amount };
    book.admit(&asked, &channel, contexts, &Part::default(), &gateway.house_risk(), now).map_err(|refusal| {
        tracing::warn!(channel = %channel.address, %refusal, "the house channel cannot carry a request");
        Failure::NoRoom
    })?;
    Ok(order)
}

fn refused(refusal: Refusal) -> Unserved {
    Unserved::Refused(refusal.into(), None)
}

fn not_sold() -> Unserved {
    refused(Refusal::NotSold)
}
