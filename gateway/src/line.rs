//! The request log: one line for each request, once it is over, under the id that its client was told.

use axum::{
    body::{to_bytes, Body},
    http::{header, HeaderValue, StatusCode},
    response::Response,
};
use joule_sdk::Pubkey;
use serde_json::Value;
use std::{
    fmt,
    future::Future,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The header that a client learns the id from.
pub const HEADER: &str = "x-request-id";
/// Bytes of an error's body, into which the id is put.
const MOST: usize = 64 << 10;

tokio::task_local! {
    static CURRENT: Arc<Line>;
}

/// Unlike that of any other request, of this process or of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// Milliseconds since 1970 when the process began.
    process: u64,
    number: u64,
}

impl Id {
    fn new() -> Self {
        static PROCESS: LazyLock<u64> =
            LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64));
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self { process: *PROCESS, number: NUMBER.fetch_add(1, Ordering::Relaxed) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.process, self.number)
    }
}

/// What is known of a request; written into the log when the last who knows it lets go, which for a stream is at its end.
pub struct Line {
    id: Id,
    began: Instant,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    model: String,
    status: u16,
    outcome: &'static str,
    payer: Option<Pubkey>,
    channel: Option<Pubkey>,
    tokens: Option<u64>,
    amount: Option<String>,
}

impl Line {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { id: Id::new(), began: Instant::now(), known: Mutex::default() })
    }

    /// The one of the request that this task serves.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Serves a request, whose line is `current` meanwhile.
    pub async fn around<T>(self: Arc<Self>, serve: impl Future<Output = T>) -> T {
        CURRENT.scope(self, serve).await
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn paid_by(&self, payer: Pubkey, channel: Pubkey) {
        let mut known = self.known();
        (known.payer, known.channel) = (Some(payer), Some(channel));
    }

    pub fn billed(&self, tokens: u64, amount: String) {
        let mut known = self.known();
        (known.tokens, known.amount) = (Some(tokens), Some(amount));
    }

    pub fn answered(&self, model: &str, status: StatusCode, outcome: &'static str) {
        let mut known = self.known();
        model.clone_into(&mut known.model);
        (known.status, known.outcome) = (status.as_u16(), outcome);
    }

    /// Tells the client the id: in a header, and in an error's body.
    pub async fn told(&self, response: Response) -> Response {
        let mut response = if response.status().is_success() { response } else { self.named(response).await };
        if let Ok(id) = HeaderValue::from_str(&self.id.to_string()) {
            response.headers_mut().insert(HEADER, id);
        }
        response
    }

    async fn named(&self, response: Response) -> Response {
        let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
        if !is_json {
            return response;
        }
        let (mut head, body) = response.into_parts();
        let Ok(bytes) = to_bytes(body, MOST).await else { return Response::from_parts(head, Body::empty()) };
        let mut json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let Some(error) = json.get_mut("error").and_then(Value::as_object_mut) else {
            return Response::from_parts(head, bytes.into());
        };
        error.insert("request_id".into(), self.id.to_string().into());
        head.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(head, json.to_string().into())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let known = self.known.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Known { model, status, outcome, payer, channel, tokens, amount } = known;
        let [payer, channel] = [payer, channel].map(|key| key.map(|key| key.to_string()));
        tracing::info!(
            id = %self.id, payer, channel, model = *model, status = *status, outcome = *outcome, tokens = *tokens,
            amount = *amount, ms = self.began.elapsed().as_millis() as u64, "request"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{response::IntoResponse as _, Json};

    async fn body(response: Response) -> Value {
        serde_json::from_slice(&to_bytes(response.into_body(), MOST).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn an_error_has_the_id_in_its_header_and_in_its_body_and_an_answer_is_left_alone() {
        let line = Line::new();
        let error = (StatusCode::BAD_GATEWAY, Json(serde_json::json!({ "error": { "message": "no" } })));
        let told = line.told(error.into_response()).await;
        let id = told.headers()[HEADER].to_str().unwrap().to_owned();
        assert_eq!(body(told).await, serde_json::json!({ "error": { "message": "no", "request_id": id } }));
        let answer = Json(serde_json::json!({ "error": {} })).into_response();
        assert_eq!(body(line.told(answer).await).await, serde_json::json!({ "error": {} }));
        assert_ne!(Line::new().id, line.id);
        let line = line.clone();
        assert!(line.clone().around(async { Line::current().is_some() }).await && Line::current().is_none());
    }
}
