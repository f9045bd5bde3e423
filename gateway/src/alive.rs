//! Whether the upstreams answer: from the requests that go there, and where none go, from looking.

use crate::{
    config::{Config, Model, Timeouts},
    gateway::Gateway,
    telemetry,
};
use anyhow::Context as _;
use reqwest::{header, redirect, Client, StatusCode};
use serde::Deserialize;
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{timeout, Instant};

/// How often an upstream is looked at that no request has gone to.
const EVERY: Duration = Duration::from_secs(15);
/// How long it may take to list its models.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of such a list that are read.
const MOST: usize = 1 << 20;

/// What an upstream says of its models.
#[derive(Debug, PartialEq, Eq)]
pub enum Listed {
    Models(Vec<String>),
    /// It answers, and has no such list.
    Unlisted(StatusCode),
}

/// A client for upstreams.
pub fn client(timeouts: &Timeouts) -> anyhow::Result<Client> {
    Client::builder()
        .connect_timeout(timeouts.connect)
        // What goes through is counted and hashed as the client gets it.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .context("the client for upstreams")
}

/// What an upstream's key goes as, where it has one.
pub fn bearer(model: &Model) -> anyhow::Result<Option<String>> {
    let Some(file) = &model.key_file else { return Ok(None) };
    let key = std::fs::read_to_string(file)
        .with_context(|| format!("model {:?}: cannot read key_file {}", model.name, file.display()))?;
    Ok(Some(format!("Bearer {}", key.trim())))
}

/// Asks an upstream for its models; an error says in words why there is no answer.
pub async fn list(client: &Client, model: &Model, bearer: Option<&str>) -> Result<Listed, String> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let url = format!("{}/models", model.upstream.as_str().trim_end_matches('/'));
    let mut call = client.get(url);
    if let Some(key) = bearer {
        call = call.header(header::AUTHORIZATION, key);
    }
    let asked = async {
        let mut response = call.send().await.map_err(|error| joule_sdk::refusal::last_cause(&error))?;
        let status = response.status();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(format!("it refuses the key ({status})")),
            _ if status.is_server_error() => return Err(format!("it fails with {status}")),
            _ if !status.is_success() => return Ok(Listed::Unlisted(status)),
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| joule_sdk::refusal::last_cause(&error))? {
            body.extend_from_slice(&piece);
            if body.len() > MOST {
                return Ok(Listed::Unlisted(status));
            }
        }
        Ok(serde_json::from_slice::<List>(&body).map_or(Listed::Unlisted(status), |list| {
            Listed::Models(list.data.into_iter().map(|entry| entry.id).collect())
        }))
    };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(format!("it has not answered within {PATIENCE:?}")))
}

/// Of every model's upstream, by the model's name.
#[derive(Debug, Default)]
pub struct Alive(Mutex<BTreeMap<String, State>>);

#[derive(Debug, Default)]
struct State {
    /// When it last answered.
    answered: Option<Instant>,
    /// Since when it does not, and why.
    dead: Option<(Instant, String)>,
}

impl Alive {
    /// Taken for alive until somebody has looked.
    pub fn new(config: &Config) -> Self {
        for model in &config.models {
            metrics::gauge!(telemetry::UPSTREAM_UP, "model" => model.name.clone()).set(1.0);
        }
        Self(Mutex::new(config.models.iter().map(|model| (model.name.clone(), State::default())).collect()))
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn answers(&self, model: &str) {
        let mut states = self.states();
        let Some(state) = states.get_mut(model) else { return };
        state.answered = Some(Instant::now());
        if let Some((since, _)) = state.dead.take() {
            tracing::info!(model, seconds = since.elapsed().as_secs(), "the upstream answers again");
            metrics::gauge!(telemetry::UPSTREAM_UP, "model" => model.to_owned()).set(1.0);
        }
    }

    pub fn is_silent(&self, model: &str, reason: &str) {
        let mut states = self.states();
        let Some(state) = states.get_mut(model) else { return };
        if state.dead.is_none() {
            tracing::warn!(model, reason, "the upstream does not answer");
            metrics::gauge!(telemetry::UPSTREAM_UP, "model" => model.to_owned()).set(0.0);
        }
        let since = state.dead.take().map_or_else(Instant::now, |(since, _)| since);
        state.dead = Some((since, reason.to_owned()));
    }

    /// Whether no upstream at all answers.
    pub fn is_none_left(&self) -> bool {
        self.states().values().all(|state| state.dead.is_some())
    }

    /// For `/healthz`.
    pub fn report(&self) -> Value {
        let of = |(model, state): (&String, &State)| match &state.dead {
            None => json!({ "model": model, "ok": true }),
            Some((since, reason)) => {
                json!({ "model": model, "ok": false, "reason": reason, "seconds": since.elapsed().as_secs() })
            }
        };
        self.states().iter().map(of).collect()
    }

    /// Those that have not answered lately.
    fn unseen(&self) -> Vec<String> {
        let is_unseen = |state: &State| state.answered.is_none_or(|at| at.elapsed() >= EVERY);
        self.states().iter().filter(|(_, state)| is_unseen(state)).map(|(model, _)| model.clone()).collect()
    }
}

/// Looks at the upstreams again and again, until the gateway stops.
pub async fn watch(gateway: Arc<Gateway>) {
    loop {
        look(&gateway).await;
        tokio::select! {
            () = gateway.stopping.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Asks every upstream that has not answered lately.
pub async fn look(gateway: &Gateway) {
    let unseen = gateway.alive.unseen();
    for model in gateway.config.models.iter().filter(|model| unseen.contains(&model.name)) {
        match gateway.upstreams.list(model).await {
            Ok(_) => gateway.alive.answers(&model.name),
            Err(reason) => gateway.alive.is_silent(&model.name, &reason),
        }
    }
}
