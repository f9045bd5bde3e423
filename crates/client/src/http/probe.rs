//! Asking whether a request would be served, before any money is put aside for it.

use super::{attempt::complaint_of, Buyer, Failed, MOST_OTHER};
use crate::body;
use bytes::Bytes;
use reqwest::{header, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// What a gateway says of a request that it has tried at its model.
#[derive(Deserialize)]
struct Found {
    serves: bool,
    /// Of the answer that the request would get.
    #[serde(default)]
    status: u16,
    #[serde(default)]
    error: Value,
}

impl Buyer {
    /// Has `endpoint` try `body` at its model, for nothing, and without an answer: an error is what the request would end with.
    /// `false` when the provider does not say.
    pub async fn probe(
        http: &reqwest::Client,
        endpoint: &Url,
        body: Bytes,
        patience: Duration,
    ) -> Result<bool, Failed> {
        let mut url = endpoint.clone();
        let Some(path) = endpoint.path().strip_prefix("/v1/") else { return Ok(false) };
        url.set_path(&format!("/joule/v1/probe/{path}"));
        let call = http.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body);
        let response = match call.timeout(patience).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Err(Failed::Unreachable { url, source: error }),
            Err(_) => return Ok(false),
        };
        if response.status() != StatusCode::OK {
            return Ok(false);
        }
        let Ok(Found { serves, status, error }) = body::json(response, MOST_OTHER).await else { return Ok(false) };
        match status {
            _ if serves => Ok(true),
            400..=499 => Err(Failed::Model { status, body: error.to_string() }),
            _ => Err(Failed::Unavailable(complaint_of(&error, status, ""))),
        }
    }
}
