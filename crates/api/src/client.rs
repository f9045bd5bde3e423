//! A client of the indexer's API.

use crate::{
    Account, Bid, BondWithClaims, Case, Channel, ChannelWithPlan, Distribution, ErrorBody, Health, Job, Model,
    ModelWithLineage, OpenJob, Page, Payer, Plan, PriceList, Provider, RefusedJob, RevenueReport, Totals,
};
use reqwest::Response;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long an answer may take, whatever it says.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer: several times the longest page there is.
const MOST_ANSWER: usize = 16 << 20;
/// Bytes of a refusal.
const MOST_REFUSAL: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("the indexer at {url} does not answer: {source}")]
    Unreachable { url: String, source: reqwest::Error },
    #[error("the indexer refused ({status}): {message}")]
    Refused { status: u16, code: String, message: String },
    #[error("the indexer at {url} answered something else than expected: {source}")]
    Malformed { url: String, source: serde_json::Error },
    #[error("the indexer at {url} answers with more than {most} bytes, which no honest one does")]
    TooLong { url: String, most: usize },
}

impl ApiError {
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

/// Talks to one indexer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    /// `base` is such as `http://127.0.0.1:7700`.
    pub fn new(base: impl Into<String>) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap_or_default();
        Self { base: base.into().trim_end_matches('/').to_owned(), http }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ApiError> {
        let url = format!("{}{path}", self.base);
        let unreachable = |source| ApiError::Unreachable { url: url.clone(), source };
        let answer = self.http.get(&url).query(query).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() || path == "/healthz" {
            return read(answer, &url, MOST_ANSWER).await;
        }
        let body: ErrorBody = read(answer, &url, MOST_REFUSAL).await?;
        Err(ApiError::Refused { status: status.as_u16(), code: body.code, message: body.message })
    }

    pub async fn health(&self) -> Result<Health, ApiError> {
        self.get("/healthz", &[]).await
    }

    pub async fn totals(&self) -> Result<Totals, ApiError> {
        self.get("/v1/totals", &[]).await
    }

    pub async fn job(&self, address: &str) -> Result<Job, ApiError> {
        self.get(&format!("/v1/jobs/{address}"), &[]).await
    }

    /// `filter` holds any of `status`, `client`, `provider`, `mint`, `limit`, `cursor`.
    pub async fn jobs(&self, filter: &[(&str, String)]) -> Result<Page<Job>, ApiError> {
        self.get("/v1/jobs", filter).await
    }

    /// The bids on a job that still bind, the cheapest first.
    pub async fn bids(&self, job: &str) -> Result<Vec<Bid>, ApiError> {
        self.get(&format!("/v1/jobs/{job}/bids"), &[]).await
    }

    /// `filter` holds any of `status`, `limit`, `cursor`.
    pub async fn disputes(&self, filter: &[(&str, String)]) -> Result<Page<Case>, ApiError> {
        self.get("/v1/disputes", filter).await
    }

    /// The dispute about a job.
    pub async fn dispute(&self, job: &str) -> Result<Case, ApiError> {
        self.get(&format!("/v1/disputes/{job}"), &[]).await
    }

    /// Everything that `owner` answers with, one bond a token.
    pub async fn bonds(&self, owner: &str) -> Result<Vec<BondWithClaims>, ApiError> {
        self.get(&format!("/v1/bonds/{owner}"), &[]).await
    }

    pub async fn provider(&self, address: &str) -> Result<Provider, ApiError> {
        self.get(&format!("/v1/providers/{address}"), &[]).await
    }

    /// `filter` holds any of `status`, `limit`, `cursor`.
    pub async fn providers(&self, filter: &[(&str, String)]) -> Result<Page<Provider>, ApiError> {
        self.get("/v1/providers", filter).await
    }

    pub async fn open_jobs(&self, provider: &str, limit: u32) -> Result<Vec<OpenJob>, ApiError> {
        self.get(&format!("/v1/providers/{provider}/open-jobs"), &[("limit", limit.to_string())]).await
    }

    /// The open jobs that a provider cannot have, each with the reasons.
    pub async fn refused_jobs(&self, provider: &str, limit: u32) -> Result<Vec<RefusedJob>, ApiError> {
        self.get(&format!("/v1/providers/{provider}/refused-jobs"), &[("limit", limit.to_string())]).await
    }

    /// A model, what it derives from, and its newest price list.
    pub async fn model(&self, address: &str) -> Result<ModelWithLineage, ApiError> {
        self.get(&format!("/v1/models/{address}"), &[]).await
    }

    /// `filter` holds any of `status`, `creator`, `base`, `limit`, `cursor`.
    pub async fn models(&self, filter: &[(&str, String)]) -> Result<Page<Model>, ApiError> {
        self.get("/v1/models", filter).await
    }

    /// A model's price lists, the newest first. `filter` holds any of `before`, `limit`.
    pub async fn prices(&self, model: &str, filter: &[(&str, String)]) -> Result<Vec<PriceList>, ApiError> {
        self.get(&format!("/v1/models/{model}/prices"), filter).await
    }

    /// Somebody's deposit in one token.
    pub async fn payer(&self, address: &str) -> Result<Payer, ApiError> {
        self.get(&format!("/v1/payers/{address}"), &[]).await
    }

    /// A channel, its newest plan, and its newest distributions.
    pub async fn channel(&self, address: &str) -> Result<ChannelWithPlan, ApiError> {
        self.get(&format!("/v1/channels/{address}"), &[]).await
    }

    /// `filter` holds any of `payer`, `provider`, `model`, `status`, `limit`, `cursor`.
    pub async fn channels(&self, filter: &[(&str, String)]) -> Result<Page<Channel>, ApiError> {
        self.get("/v1/channels", filter).await
    }

    /// `filter` holds any of `payer`, `channel`, `status`, `limit`, `cursor`.
    pub async fn plans(&self, filter: &[(&str, String)]) -> Result<Page<Plan>, ApiError> {
        self.get("/v1/plans", filter).await
    }

    /// `filter` holds any of `channel`, `payer`, `provider`, `model`, `limit`, `cursor`.
    pub async fn distributions(&self, filter: &[(&str, String)]) -> Result<Page<Distribution>, ApiError> {
        self.get("/v1/distributions", filter).await
    }

    /// `filter` holds `by`, and any of `from`, `to`, `mint`, `limit`.
    pub async fn revenue(&self, filter: &[(&str, String)]) -> Result<RevenueReport, ApiError> {
        self.get("/v1/revenue", filter).await
    }

    pub async fn account(&self, address: &str) -> Result<Account, ApiError> {
        self.get(&format!("/v1/accounts/{address}"), &[]).await
    }
}

/// Reads an answer to its end, if that comes within `most` bytes: an indexer may be anybody's.
async fn read<T: DeserializeOwned>(mut answer: Response, url: &str, most: usize) -> Result<T, ApiError> {
    let mut bytes = Vec::new();
    loop {
        let piece = answer.chunk().await.map_err(|source| ApiError::Unreachable { url: url.to_owned(), source })?;
        let Some(piece) = piece else { break };
        if bytes.len() + piece.len() > most {
            return Err(ApiError::TooLong { url: url.to_owned(), most });
        }
        bytes.extend_from_slice(&piece);
    }
    serde_json::from_slice(&bytes).map_err(|source| ApiError::Malformed { url: url.to_owned(), source })
}
