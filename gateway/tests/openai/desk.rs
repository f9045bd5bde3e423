//! Stands between a library that knows nothing of payments and the gateway: pays for each request, checks the receipt, and hands the
//! answer on, byte for byte, in pieces of one size.

use crate::{
    forms,
    support::{Client, Upstream, World},
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    Router,
};
use joule_units::{Amount, UnixTime};
use joule_x402::encode;
use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};
use tokio::sync::Mutex;

pub struct Desk {
    pub url: String,
    size: Arc<AtomicUsize>,
    paid: Arc<AtomicUsize>,
    _world: World,
}

#[derive(Clone)]
struct Behind {
    client: Arc<Mutex<Client>>,
    size: Arc<AtomicUsize>,
    paid: Arc<AtomicUsize>,
}

impl Desk {
    pub async fn open() -> Self {
        let upstream = Upstream::answers(forms::answer).await;
        let world = World::start(&upstream.url).await;
        let (size, paid) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::<AtomicUsize>::default());
        let client = Arc::new(Mutex::new(world.client(10)));
        let behind = Behind { client, size: size.clone(), paid: paid.clone() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(behind);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, size, paid, _world: world }
    }

    pub fn cut_into(&self, bytes: usize) {
        self.size.store(bytes, Ordering::SeqCst);
    }

    /// Answers that came with a receipt that was right.
    pub fn paid(&self) -> usize {
        self.paid.load(Ordering::SeqCst)
    }
}

async fn pass(State(behind): State<Behind>, method: Method, uri: Uri, body: Bytes) -> Response {
    assert_eq!(method, Method::POST, "{uri}");
    // One after the other, as a payer does who is new.
    let mut client = behind.client.lock().await;
    let end = UnixTime::new(crate::support::now() + 60);
    let payment = client.session.order(&body, Amount::new(20_000), end);
    let reply = client.post(uri.path(), Some(&encode(&payment)), body).await;
    assert!(reply.whole, "{}", reply.text());
    if reply.settlement().is_some_and(|(settlement, _)| settlement.success) {
        client.accept(&payment, &reply);
        behind.paid.fetch_add(1, Ordering::SeqCst);
    }
    let size = behind.size.load(Ordering::SeqCst).min(reply.body.len().max(1));
    let pieces: Vec<_> =
        reply.body.chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", reply.headers["content-type"].clone());
    let status = StatusCode::from_u16(reply.status).unwrap();
    (status, headers, Body::from_stream(tokio_stream::iter(pieces))).into_response()
}
