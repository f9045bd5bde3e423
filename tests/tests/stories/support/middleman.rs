//! Between a client and a gateway: sees every payment, and can ask for more than the gateway does, with the provider's own key.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    Router,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{sign, Format as _, Receipt, SigningKey};
use joule_x402::{decode, encode, PaymentPayload, Settlement, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};
use std::sync::{
    atomic::{AtomicBool, AtomicUsize, Ordering},
    Arc, Mutex,
};

pub struct Middleman {
    /// Such as `http://127.0.0.1:41234`.
    pub url: String,
    seen: Arc<Seen>,
    task: tokio::task::JoinHandle<()>,
}

struct Seen {
    gateway: String,
    http: reqwest::Client,
    key: SigningKey,
    payments: Mutex<Vec<PaymentPayload>>,
    /// What becomes of every receipt.
    change: Mutex<Option<fn(&mut Receipt)>>,
    silent: AtomicBool,
    /// Answers that stay away.
    withheld: AtomicUsize,
    lossy: AtomicBool,
}

impl Middleman {
    /// `key` is the provider's.
    pub async fn before(gateway: &str, key: SigningKey) -> Self {
        let seen = Arc::new(Seen {
            gateway: gateway.to_owned(),
            http: reqwest::Client::new(),
            key,
            payments: Mutex::default(),
            change: Mutex::default(),
            silent: AtomicBool::new(false),
            withheld: AtomicUsize::new(0),
            lossy: AtomicBool::new(false),
        });
        let router = Router::new().fallback(pass).with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, seen, task }
    }

    /// Every payment that was sent, in its order.
    pub fn payments(&self) -> Vec<PaymentPayload> {
        self.seen.payments.lock().expect("nobody panicked").clone()
    }

    /// From now on every receipt asks for one unit too much.
    pub fn be_greedy(&self) {
        self.change(|receipt| receipt.amount = Amount::new(receipt.amount.get().get() + 1).into());
    }

    /// From now on every receipt has the number of the one before. It is of another second, or it could be the same receipt.
    pub fn be_forgetful(&self) {
        self.change(|receipt| {
            receipt.sequence = (receipt.sequence.get() - 1).into();
            receipt.at = UnixTime::new(receipt.at.get().get() + 1).into();
        });
    }

    /// Whether answers stay away from now on.
    pub fn be_silent(&self, silent: bool) {
        self.seen.silent.store(silent, Ordering::Relaxed);
    }

    /// Answers that have stayed away so far.
    pub fn withheld(&self) -> usize {
        self.seen.withheld.load(Ordering::Relaxed)
    }

    /// Whether paid answers break off on their way from now on.
    pub fn be_lossy(&self, lossy: bool) {
        self.seen.lossy.store(lossy, Ordering::Relaxed);
    }

    fn change(&self, change: fn(&mut Receipt)) {
        *self.seen.change.lock().expect("nobody panicked") = Some(change);
    }
}

impl Drop for Middleman {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(seen): State<Arc<Seen>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let payment = parts.headers.get(PAYMENT_SIGNATURE);
    if let Some(payment) = payment {
        let payment = decode(payment.as_bytes()).expect("a payment");
        seen.payments.lock().expect("nobody panicked").push(payment);
    }
    let is_request = parts.uri.path().starts_with("/v1/");
    let mut call = seen.http.request(parts.method, format!("{}{}", seen.gateway, parts.uri)).body(body);
    if let Some(payment) = payment {
        call = call.header(PAYMENT_SIGNATURE, payment);
    }
    let answer = call.send().await.expect("an answer");
    if seen.silent.load(Ordering::Relaxed) {
        seen.withheld.fetch_add(1, Ordering::Relaxed);
        return std::future::pending().await;
    }
    let status = answer.status();
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers() {
        if name.as_str().starts_with("payment-") || name == "content-type" {
            headers.insert(name.clone(), value.clone());
        }
    }
    let change = *seen.change.lock().expect("nobody panicked");
    if let Some((header, change)) = headers.get_mut(PAYMENT_RESPONSE).zip(change) {
        let mut settlement: Settlement = decode(header.as_bytes()).expect("a settlement");
        if let Some(extra) = &mut settlement.extra {
            let receipt = &mut extra.receipt;
            change(&mut receipt.message);
            receipt.signature = sign(&seen.key, receipt.message.as_bytes());
            *header = encode(&settlement).parse().expect("base64 is a header's value");
        }
    }
    if is_request && payment.is_some() && status.is_success() && seen.lossy.load(Ordering::Relaxed) {
        let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("broken")) });
        return (status, headers, axum::body::Body::from_stream(broken)).into_response();
    }
    (status, headers, answer.bytes().await.expect("a body")).into_response()
}
