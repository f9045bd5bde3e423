//! Between a client and a gateway: sees every payment, and can ask for more than the gateway does, with the provider's own key.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    Router,
};
use joule_units::Amount;
use joule_voucher::{sign, Format as _, SigningKey};
use joule_x402::{decode, encode, PaymentPayload, Settlement, PAYMENT_RESPONSE, PAYMENT_SIGNATURE};
use std::sync::{
    atomic::{AtomicBool, Ordering},
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
    greedy: AtomicBool,
}

impl Middleman {
    /// `key` is the provider's.
    pub async fn before(gateway: &str, key: SigningKey) -> Self {
        let seen = Arc::new(Seen {
            gateway: gateway.to_owned(),
            http: reqwest::Client::new(),
            key,
            payments: Mutex::default(),
            greedy: AtomicBool::new(false),
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
        self.seen.greedy.store(true, Ordering::Relaxed);
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
    let mut call = seen.http.request(parts.method, format!("{}{}", seen.gateway, parts.uri)).body(body);
    if let Some(payment) = payment {
        call = call.header(PAYMENT_SIGNATURE, payment);
    }
    let answer = call.send().await.expect("an answer");
    let status = answer.status();
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers() {
        if name.as_str().starts_with("payment-") || name == "content-type" {
            headers.insert(name.clone(), value.clone());
        }
    }
    if let Some(header) = headers.get_mut(PAYMENT_RESPONSE).filter(|_| seen.greedy.load(Ordering::Relaxed)) {
        let mut settlement: Settlement = decode(header.as_bytes()).expect("a settlement");
        if let Some(extra) = &mut settlement.extra {
            let receipt = &mut extra.receipt;
            let asked = receipt.message.amount.get().get() + 1;
            receipt.message.amount = Amount::new(asked).into();
            receipt.signature = sign(&seen.key, receipt.message.as_bytes());
            *header = encode(&settlement).parse().expect("base64 is a header's value");
        }
    }
    (status, headers, answer.bytes().await.expect("a body")).into_response()
}
