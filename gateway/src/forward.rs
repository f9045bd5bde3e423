//! To the upstreams and back.

use crate::{
    alive::{self, Alive, Listed},
    config::{Config, Model, Timeouts},
    openai::{Endpoint, Request},
    reply::Failure,
};
use axum::{body::Bytes, http::HeaderValue};
use reqwest::{header, Client, Response, StatusCode};
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
        let client = alive::client(&config.timeouts)?;
        let mut keys = HashMap::new();
        for model in &config.models {
            keys.extend(alive::bearer(model)?.map(|key| (model.name.clone(), key)));
        }
        Ok(Self { client, timeouts: config.timeouts, answer_bytes: config.limits.answer, keys })
    }

    /// Sends a request and waits for the answer's head. Nothing of the client's headers is passed on.
    pub async fn send(&self, model: &Model, request: &Request, alive: &Alive) -> Result<Answer, Failure> {
        let url = url(model, request.endpoint);
        let body = request.for_upstream(model);
        let mut call = self.client.post(url).header(header::CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = self.keys.get(&model.name) {
            call = call.header(header::AUTHORIZATION, key);
        }
        let sent_at = Instant::now();
        match timeout(self.timeouts.first_byte, call.send()).await {
            Err(_) => {
                alive.is_silent(&model.name, "it has not answered in time");
                Err(Failure::UpstreamTimeout)
            }
            Ok(Err(error)) => {
                alive.is_silent(&model.name, &joule_sdk::refusal::last_cause(&error));
                Err(Failure::Unreachable)
            }
            Ok(Ok(response)) => {
                if !response.status().is_server_error() {
                    alive.answers(&model.name);
                }
                Ok(Answer { response, sent_at, deadline: sent_at + self.timeouts.total, idle: self.timeouts.idle })
            }
        }
    }

    /// What the upstream says of its models.
    pub async fn list(&self, model: &Model) -> Result<Listed, String> {
        alive::list(&self.client, model, self.keys.get(&model.name).map(String::as_str)).await
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
