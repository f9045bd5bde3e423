//! To the upstreams and back.

use crate::{
    config::{Config, Model, Timeouts},
    openai::{Endpoint, Request},
    reply::Failure,
};
use anyhow::Context as _;
use axum::{body::Bytes, http::HeaderValue};
use reqwest::{header, redirect, Client, Response, StatusCode};
use std::{collections::HashMap, time::Duration};
use tokio::time::{timeout, timeout_at, Instant};

/// One client for all of them, and their keys.
pub struct Upstreams {
    client: Client,
    timeouts: Timeouts,
    answer_bytes: usize,
    /// By the model's name.
    keys: HashMap<String, String>,
}

/// An answer whose head has come.
pub struct Answer {
    response: Response,
    pub sent_at: Instant,
    /// For all of it.
    pub deadline: Instant,
    idle: Duration,
}

impl Upstreams {
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let client = Client::builder()
            .connect_timeout(Duration::from_millis(config.timeouts.connect_ms))
            // What goes through is counted and hashed as the client gets it.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the client for upstreams")?;
        let mut keys = HashMap::new();
        for model in &config.models {
            if let Some(file) = &model.key_file {
                let key = std::fs::read_to_string(file)
                    .with_context(|| format!("model {:?}: cannot read key_file {}", model.name, file.display()))?;
                keys.insert(model.name.clone(), format!("Bearer {}", key.trim()));
            }
        }
        Ok(Self { client, timeouts: config.timeouts, answer_bytes: config.limits.answer_bytes, keys })
    }

    /// Sends a request and waits for the answer's head. Nothing of the client's headers is passed on.
    pub async fn send(&self, model: &Model, request: &Request) -> Result<Answer, Failure> {
        let url = url(model, request.endpoint);
        let body = request.for_upstream(model);
        let mut call = self.client.post(url).header(header::CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = self.keys.get(&model.name) {
            call = call.header(header::AUTHORIZATION, key);
        }
        let sent_at = Instant::now();
        match timeout(self.timeouts.first_byte(), call.send()).await {
            Err(_) => Err(Failure::UpstreamTimeout),
            Ok(Err(error)) => {
                tracing::warn!(model = %model.name, %error, "the upstream cannot be reached");
                Err(Failure::Unreachable)
            }
            Ok(Ok(response)) => {
                Ok(Answer { response, sent_at, deadline: sent_at + self.timeouts.total(), idle: self.timeouts.idle() })
            }
        }
    }

    /// The rest of an answer as a whole.
    pub async fn collect(&self, mut answer: Answer) -> Result<Bytes, Failure> {
        let mut whole = Vec::new();
        while let Some(piece) = answer.piece().await? {
            if whole.len() + piece.len() > self.answer_bytes {
                return Err(Failure::UpstreamTooLarge(self.answer_bytes));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Whether it says that it is JSON, as an error does that comes in the place of a stream.
    pub fn is_json(&self) -> bool {
        let kind = self.response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"))
    }

    pub fn retry_after(&self) -> Option<HeaderValue> {
        self.response.headers().get(header::RETRY_AFTER).cloned()
    }

    /// What comes next; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let until = self.deadline.min(Instant::now() + self.idle);
        match timeout_at(until, self.response.chunk()).await {
            Err(_) => Err(Failure::UpstreamTimeout),
            Ok(Err(_)) => Err(Failure::UpstreamBroke),
            Ok(Ok(piece)) => Ok(piece),
        }
    }
}

fn url(model: &Model, endpoint: Endpoint) -> String {
    format!("{}{}", model.upstream.as_str().trim_end_matches('/'), endpoint.path())
}
