//! A model that says exactly what a test has it say.

use super::Upstream;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{json, Value};
use std::{sync::Arc, time::Duration};
use tokio_stream::StreamExt as _;

/// What comes after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Close,
    Hang,
    Die,
}

#[derive(Debug, Clone)]
pub struct Script {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub pieces: Vec<Bytes>,
    pub end: End,
}

impl Script {
    pub fn json(body: &Value) -> Self {
        Self::plain(200, body.to_string())
    }

    pub fn plain(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", vec![body.into()])
    }

    /// Its events, each by itself.
    pub fn stream<T: Into<Bytes>>(events: impl IntoIterator<Item = T>) -> Self {
        Self::new(200, "text/event-stream", events.into_iter().map(Into::into).collect())
    }

    fn new(status: u16, kind: &str, pieces: Vec<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], pieces, end: End::Close }
    }

    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(before, _)| *before != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn then(self, end: End) -> Self {
        Self { end, ..self }
    }

    fn response(self) -> Response {
        let headers = self.headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header's value"))
        });
        let headers: HeaderMap = headers.collect();
        let pieces = tokio_stream::iter(self.pieces).then(|piece| async move {
            // Each arrives by itself.
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, std::io::Error>(piece)
        });
        let end = tokio_stream::once(self.end).then(|end| async move {
            match end {
                End::Close => Ok(Bytes::new()),
                End::Hang => std::future::pending().await,
                End::Die => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Err(std::io::Error::other("dead"))
                }
            }
        });
        let status = StatusCode::from_u16(self.status).expect("a status");
        (status, headers, Body::from_stream(pieces.chain(end))).into_response()
    }
}

impl Upstream {
    /// Says the same to everybody, under every path.
    pub async fn says(script: Script) -> Self {
        Self::answers(move |_| script.clone()).await
    }

    pub async fn answers(script: impl Fn(&Value) -> Script + Send + Sync + 'static) -> Self {
        Self::serving(Arc::new(move |request: Value| Box::pin(std::future::ready(script(&request).response())))).await
    }
}

/// A word, as one event of a stream.
pub fn word(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    )
}

/// The event that many servers begin with: no word yet.
pub fn role() -> String {
    let delta = json!({"role": "assistant", "content": ""});
    format!("data: {}\n\n", json!({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

pub fn finish() -> String {
    format!("data: {}\n\n", json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
}

pub const DONE: &str = "data: [DONE]\n\n";
