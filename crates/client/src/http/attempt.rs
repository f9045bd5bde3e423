//! One try of an order, and what came of it.

use super::{Answered, Buyer, Failed, Said, MOST_ANSWER, MOST_OTHER};
use crate::{
    body::{self, BadBody},
    shown,
    stream::is_error,
    Answer, Asked, Counted, Stream,
};
use bytes::Bytes;
use joule_voucher::{hashv, Hash, Receipt};
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
/// The longest that a provider may say is waited; who is to come later is told so.
const MOST_WAITED: Duration = Duration::from_secs(10);

/// An order that is out.
pub(super) struct Asking {
    pub asked: Asked,
    pub since: Instant,
    /// Sent once.
    pub is_first: bool,
}

impl Asking {
    pub fn new(asked: Asked) -> Self {
        Self { asked, since: Instant::now(), is_first: true }
    }
}

/// What came of one try.
pub(super) enum Try {
    Answered(Answered),
    /// The same order again, after a pause.
    Again(Duration, Why),
    /// The order is over and cost nothing; a new one may do.
    Anew,
    Failed(Failed),
}

/// Why a try came to nothing, and another may come to something.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// The provider says so, and that it has served nothing.
    Said(Said),
    /// Nobody knows what became of it.
    Broke(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said(said) => write!(to, "the provider says: {said}"),
            Self::Broke(what) => to.write_str(what),
        }
    }
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
        let response = match sent {
            Ok(response) => response,
            Err(error) => return Try::Again(PAUSE, Why::Broke(in_full(&error))),
        };
        match response.status() {
            StatusCode::OK if is_stream(&response) => self.stream(nonce, response, counted, sent_at, said).await,
            StatusCode::OK => {
                let settlement = settlement(&response);
                let bytes = match body::whole(response, MOST_ANSWER).await {
                    Ok(bytes) => bytes,
                    Err(broken @ BadBody::Broken(_)) => return Try::Again(PAUSE, Why::Broke(broken.to_string())),
                    Err(source) => return self.too_long(nonce, source),
                };
                let took = sent_at.elapsed();
                counted.took(took);
                let json = serde_json::from_slice(&bytes).ok();
                let is_whole = json.as_ref().is_some_and(|json| !is_error(json));
                json.iter().for_each(|json| counted.add(json));
                let Some(signed) = settlement.as_ref().and_then(receipt_of) else {
                    return self.no_receipt(nonce, json.filter(is_error).map(|json| json.to_string()));
                };
                let (hash, counted) = (&hashv(&[&bytes]), &counted);
                self.take(nonce, &signed, &answer(is_whole, hash, counted), Some(bytes), took)
            }
            StatusCode::PAYMENT_REQUIRED => self.refused(nonce, order, response).await,
            StatusCode::CONFLICT => self.conflict(nonce, order, &response),
            status if is_passing(status) => match waits(response).await {
                Ok((wait, said)) => Try::Again(wait, Why::Said(said)),
                Err(failed) => Try::Failed(failed),
            },
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
        let is_whole = stream.is_done();
        let Some((settlement, hash, mut counted)) = stream.end() else {
            // Cut off before its receipt: asking again brings it.
            return Try::Again(PAUSE, Why::Broke("the answer broke off before its receipt".into()));
        };
        let Some(signed) = receipt_of(&settlement) else { return self.no_receipt(nonce, None) };
        counted.took(took);
        self.take(nonce, &signed, &answer(is_whole, &hash, &counted), Some(all.into()), took)
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
            Ok(()) => {
                let is_whole = matches!(answer, Answer::Whole { .. });
                Try::Answered(Answered { body, is_whole, receipt: signed.message, took })
            }
            Err(objection) => Try::Failed(objection.into()),
        }
    }

    /// An answer that has no end is not waited for; what it costs may turn up.
    fn too_long(&self, nonce: u64, source: BadBody) -> Try {
        self.wallet.lose(nonce);
        Try::Failed(Failed::BadBody { url: self.endpoint.clone(), source })
    }

    /// An answer without a receipt costs nothing; but there is nothing to hold the provider to. `error` is what came instead of
    /// an answer, if that did.
    fn no_receipt(&self, nonce: u64, error: Option<String>) -> Try {
        self.wallet.lose(nonce);
        let message = "the answer came without a receipt".to_owned();
        Try::Failed(match error {
            Some(body) => Failed::Model { status: 200, body },
            None => Failed::Refused(Said { code: "no_receipt".into(), message }),
        })
    }

    async fn refused(&self, nonce: u64, order: &Asking, response: Response) -> Try {
        let terms = requirements(&response, self.wallet.network());
        let code = settlement(&response).and_then(|settlement| settlement.error_reason).unwrap_or_default();
        match code.as_str() {
            "order_too_small" => {
                let terms = match terms {
                    Ok(terms) => terms,
                    Err(error) => return Try::Again(PAUSE, Why::Broke(error.to_string())),
                };
                self.wallet.release(nonce);
                let most = self.most(&order.asked);
                if terms.amount > most {
                    let (asked, most) = (terms.amount.get(), most.get());
                    let message = format!(
                        "it wants an order for {asked}; by its prices and what you allow, the request costs at most {most}"
                    );
                    return Try::Failed(Failed::Refused(Said { code: "too_dear".into(), message }));
                }
                self.quote.fetch_max(terms.amount.get(), Ordering::Relaxed);
                Try::Anew
            }
            "order_expired" | "old_nonce" => {
                self.wallet.release(nonce);
                Try::Anew
            }
            // It passes when what is under way has ended, or the provider has settled.
            "window_full" | "unpaid" | "risk" | "unsettled" => Try::Again(PAUSE, Why::Said(complaint(response).await)),
            _ => {
                self.wallet.release(nonce);
                let said = complaint(response).await;
                Try::Failed(Failed::Refused(Said { code: if code.is_empty() { said.code } else { code }, ..said }))
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
            _ => Try::Again(PAUSE, Why::Broke("the provider is still serving it".into())),
        }
    }
}

fn answer<'a>(is_whole: bool, hash: &'a Hash, counted: &'a Counted) -> Answer<'a> {
    match is_whole {
        true => Answer::Whole { hash, counted },
        false => Answer::Part { hash, counted },
    }
}

/// An error and what it comes from.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
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
pub(super) async fn complaint(response: Response) -> Said {
    let status = response.status();
    let text = body::text(response, MOST_OTHER).await;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    complaint_of(&json["error"], status.as_u16(), &text)
}

/// The same of the error itself; `text` is what is said where it has no message.
pub(super) fn complaint_of(error: &serde_json::Value, status: u16, text: &str) -> Said {
    let field = |name: &str| error[name].as_str();
    let code = field("code").map_or_else(|| status.to_string(), shown::line);
    Said { code, message: shown::line(field("message").unwrap_or(text)) }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// It may be better in a moment; the order is as good as before.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error()
}

/// How long to wait before it is asked again, and why; an error if that is too long.
pub(super) async fn waits(response: Response) -> Result<(Duration, Said), Failed> {
    let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = seconds.map_or(PAUSE, Duration::from_secs);
    let said = complaint(response).await;
    match wait <= MOST_WAITED {
        true => Ok((wait, said)),
        false => {
            let message = format!("{}; try again in {} seconds", said.message, wait.as_secs());
            Err(Failed::Unavailable(Said { message, ..said }))
        }
    }
}
