//! A client that pays, and looks at what it gets.

use super::now;
use joule_units::{Amount, UnixTime};
use joule_voucher::hashv;
use joule_x402::{
    decode, encode, PaymentPayload, Session, Settlement, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, RECEIPT_COMMENT,
};
use serde_json::Value;

pub struct Client {
    pub(super) url: String,
    pub(super) http: reqwest::Client,
    pub session: Session,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The receipt, and the hash of what it is for.
    pub fn settlement(&self) -> Option<(Settlement, [u8; 32])> {
        if let Some(header) = self.headers.get(PAYMENT_RESPONSE) {
            return Some((decode(header.as_bytes()).unwrap(), hashv(&[&self.body])));
        }
        let text = self.text();
        let at = text.find(RECEIPT_COMMENT)?;
        let line = text[at + RECEIPT_COMMENT.len()..].lines().next()?;
        Some((decode(line.as_bytes()).unwrap(), hashv(&[&self.body[..at]])))
    }
}

impl Client {
    pub fn pay(&mut self, body: &Value) -> PaymentPayload {
        self.session.order(body.to_string().as_bytes(), Amount::new(20_000), UnixTime::new(now() + 60))
    }

    pub async fn send(&self, payment: &PaymentPayload, body: &Value) -> Reply {
        self.post("/v1/chat/completions", Some(&encode(payment)), body.to_string()).await
    }

    pub async fn post(&self, path: &str, payment: Option<&str>, body: impl Into<reqwest::Body>) -> Reply {
        let mut call = self.http.post(format!("{}{path}", self.url)).body(body);
        if let Some(payment) = payment {
            call = call.header(PAYMENT_SIGNATURE, payment);
        }
        let mut response = call.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let (mut body, mut whole) = (Vec::new(), true);
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break,
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        Reply { status, headers, body, whole }
    }

    /// One request, paid for what came before, checked and accepted.
    pub async fn ask(&mut self, body: &Value) -> (Reply, u64) {
        let payment = self.pay(body);
        let reply = self.send(&payment, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let amount = self.accept(&payment, &reply);
        (reply, amount)
    }

    pub fn accept(&mut self, payment: &PaymentPayload, reply: &Reply) -> u64 {
        let (settlement, hash) = reply.settlement().expect("a receipt");
        let order = payment.payload.order.expect("an order").message;
        let receipt = self.session.accept(&order, &hash, &settlement).expect("a receipt that is right");
        receipt.amount.get().get()
    }

    /// Begins a stream, and reads some of it.
    pub async fn begin(&self, payment: &PaymentPayload, body: &Value, bytes: usize) -> (u16, Vec<u8>) {
        let call =
            self.http.post(format!("{}/v1/chat/completions", self.url)).header(PAYMENT_SIGNATURE, encode(payment));
        let mut response = call.body(body.to_string()).send().await.unwrap();
        let mut read = Vec::new();
        while read.len() < bytes {
            match response.chunk().await.unwrap() {
                Some(piece) => read.extend_from_slice(&piece),
                None => break,
            }
        }
        (response.status().as_u16(), read)
    }
}
