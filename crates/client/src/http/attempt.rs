//! One try of an order, and what came of it.

use super::{Answered, Buyer, Failed, MOST_ANSWER, MOST_OTHER};
use crate::{
    body::{self, BadBody},
    Answer, Asked, Counted, Stream,
};
use bytes::Bytes;
use joule_voucher::{hashv, Receipt};
use joule_x402::{
    decode, encode, PaymentPayload, PaymentRequired, Requirements, Settlement, Signed, Terms, PAYMENT_REQUIRED,
    PAYMENT_RESPONSE, PAYMENT_SIGNATURE, SCHEME, VERSION,
};
use reqwest::{header, Response, StatusCode};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The first pause before a request is sent again, and the longest; each is twice as long as the last.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An order that is out.
pub(super) struct Asking {
    pub asked: Asked,
    pub since: Instant,
    /// Sent once.
    pub is_first: bool,
    /// What became of the last try, nobody knows.
    pub is_lost: bool,
}

impl Asking {
    pub fn new(asked: Asked) -> Self {
        Self { asked, since: Instant::now(), is_first: true, is_lost: false }
    }
}

/// What came of one try.
pub(super) enum Try {
    Answered(Answered),
    /// The same order again, after a pause: nobody knows what became of it.
    Again(Duration),
    /// The same, and it was not served.
    Later(Duration),
    /// The order is over and cost nothing; a new one may do.
    Anew,
    Failed(Failed),
}
impl Buyer {
    pub(super) async fn attempt(
        &self,
        nonce: u64,
        order: &Asking,
        payment: &PaymentPayload,
        body: &Bytes,
        said: &mut impl FnMut(&str),
    ) -> Try {
        let mut counted = Counted::new(&order.asked);
        let sent_at = Instant::now();
        let request = self.http.post(self.endpoint.clone()).header(header::CONTENT_TYPE, "application/json");
        let sent = request.header(PAYMENT_SIGNATURE, encode(payment)).body(body.clone()).send().await;
        let Ok(response) = sent else { return Try::Again(PAUSE) };
        match response.status() {
            StatusCode::OK if is_stream(&response) => self.stream(nonce, response, counted, sent_at, said).await,
            StatusCode::OK => {
                let settlement = settlement(&response);
                let bytes = match body::whole(response, MOST_ANSWER).await {
                    Ok(bytes) => bytes,
                    Err(BadBody::Broken(_)) => return Try::Again(PAUSE),
                    Err(source) => return self.too_long(nonce, source),
                };
                let took = sent_at.elapsed();
                counted.took(took);
                if let Ok(json) = serde_json::from_slice(&bytes) {
                    counted.add(&json);
                }
                let Some(signed) = settlement.as_ref().and_then(receipt_of) else { return self.no_receipt(nonce) };
                let answer = Answer::Whole { hash: &hashv(&[&bytes]), counted: &counted };
                self.take(nonce, &signed, &answer, Some(bytes), took)
            }
            StatusCode::PAYMENT_REQUIRED => self.refused(nonce, order, response).await,
            StatusCode::CONFLICT => self.conflict(nonce, order, &response),
            status if is_passing(status) => Try::Again(retry_after(&response)),
            status => {
                // What a model says of the request itself; nobody is billed for it.
                self.wallet.release(nonce);
                let body = body::text(response, MOST_OTHER).await;
                Try::Failed(Failed::Model { status: status.as_u16(), body })
            }
        }
    }

    async fn stream(
        &self,
        nonce: u64,
        mut response: Response,
        counted: Counted,
        sent_at: Instant,
        said: &mut impl FnMut(&str),
    ) -> Try {
        let (mut stream, mut all) = (Stream::new(counted), Vec::new());
        while let Ok(Some(bytes)) = response.chunk().await {
            if all.len() + bytes.len() > MOST_ANSWER {
                return self.too_long(nonce, BadBody::Bytes(MOST_ANSWER));
            }
            all.extend_from_slice(&bytes);
            stream.push(&bytes).iter().for_each(|event| said(event));
        }
        let took = sent_at.elapsed();
        // Cut off before its receipt: asking again brings it.
        let Some((settlement, hash, mut counted)) = stream.end() else { return Try::Again(PAUSE) };
        let Some(signed) = receipt_of(&settlement) else { return self.no_receipt(nonce) };
        counted.took(took);
        let answer = Answer::Whole { hash: &hash, counted: &counted };
        self.take(nonce, &signed, &answer, Some(all.into()), took)
    }

    fn take(
        &self,
        nonce: u64,
        signed: &Signed<Receipt>,
        answer: &Answer<'_>,
        body: Option<Bytes>,
        took: Duration,
    ) -> Try {
        match self.wallet.accept(nonce, signed, answer) {
            Ok(()) => Try::Answered(Answered { body, receipt: signed.message, took }),
            Err(objection) => Try::Failed(objection.into()),
        }
    }

    /// An answer that has no end is not waited for; what it costs may turn up.
    fn too_long(&self, nonce: u64, source: BadBody) -> Try {
        self.wallet.miss(nonce);
        Try::Failed(Failed::BadBody { url: self.endpoint.clone(), source })
    }

    /// An answer without a receipt costs nothing; but there is nothing to hold the provider to.
    fn no_receipt(&self, nonce: u64) -> Try {
        self.wallet.lose(nonce);
        Try::Failed(Failed::Refused { code: "no_receipt".into(), message: "the answer came without a receipt".into() })
    }

    async fn refused(&self, nonce: u64, order: &Asking, response: Response) -> Try {
        let terms = requirements(&response, self.wallet.network());
        let code = settlement(&response).and_then(|settlement| settlement.error_reason).unwrap_or_default();
        match code.as_str() {
            "order_too_small" => {
                let Ok(terms) = terms else { return Try::Later(PAUSE) };
                self.wallet.release(nonce);
                let most = self.most(&order.asked);
                if terms.amount > most {
                    let (asked, most) = (terms.amount.get(), most.get());
                    let message = format!(
                        "it wants an order for {asked}; by its prices and what you allow, the request costs at most {most}"
                    );
                    return Try::Failed(Failed::Refused { code: "too_dear".into(), message });
                }
                self.quote.fetch_max(terms.amount.get(), Ordering::Relaxed);
                Try::Anew
            }
            "order_expired" | "old_nonce" => {
                self.wallet.release(nonce);
                Try::Anew
            }
            // It passes when what is under way has ended, or the provider has settled.
            "window_full" | "unpaid" | "risk" | "unsettled" => Try::Later(PAUSE),
            _ => {
                self.wallet.release(nonce);
                let (said, message) = complaint(response).await;
                Try::Failed(Failed::Refused { code: if code.is_empty() { said } else { code }, message })
            }
        }
    }

    /// The provider knows this order.
    fn conflict(&self, nonce: u64, order: &Asking, response: &Response) -> Try {
        let settlement = settlement(response);
        if let Some(signed) = settlement.as_ref().and_then(receipt_of) {
            let (mut counted, took) = (Counted::new(&order.asked), order.since.elapsed());
            counted.took(took);
            let answer = if order.is_first { Answer::Withheld } else { Answer::Missed(&counted) };
            return self.take(nonce, &signed, &answer, None, took);
        }
        match settlement.and_then(|settlement| settlement.error_reason).as_deref() {
            Some("order_broken") => {
                self.wallet.release(nonce);
                Try::Anew
            }
            _ => Try::Again(PAUSE),
        }
    }
}

/// The terms of a 402 that this program can keep to.
pub(super) fn requirements(response: &Response, network: &str) -> Result<Requirements, Failed> {
    let bad = |why: &dyn std::fmt::Display| Failed::Terms(why.to_string());
    let header =
        response.headers().get(PAYMENT_REQUIRED).ok_or_else(|| bad(&"the answer has no payment-required header"))?;
    let required: PaymentRequired = decode(header.as_bytes()).map_err(|error| bad(&error))?;
    let ours = required.accepts.iter().filter_map(Terms::channel).find(|terms| terms.network == network);
    let found = ours.filter(|_| required.x402_version == VERSION).cloned();
    found.ok_or_else(|| bad(&format!("it does not sell by {SCHEME} on {network}")))
}

fn settlement(response: &Response) -> Option<Settlement> {
    decode(response.headers().get(PAYMENT_RESPONSE)?.as_bytes()).ok()
}

fn receipt_of(settlement: &Settlement) -> Option<Signed<Receipt>> {
    settlement.extra.as_ref().filter(|_| settlement.success).map(|extra| extra.receipt)
}

/// The code and message of an OpenAI error.
pub(super) async fn complaint(response: Response) -> (String, String) {
    let status = response.status();
    let text = body::text(response, MOST_OTHER).await;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let field = |name: &str| json["error"][name].as_str().map(str::to_owned);
    (field("code").unwrap_or_else(|| status.to_string()), field("message").unwrap_or(text))
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// It may be better in a moment; the order is as good as before.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error()
}

pub(super) fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(PAUSE, Duration::from_secs).min(LONGEST_PAUSE)
}
