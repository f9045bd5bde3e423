//! What is sold: a model, its prices, and the server that answers.

use crate::fields;
use joule_sdk::Pubkey;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// One that is sold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What clients ask for.
    pub name: String,
    /// Address of the registry's `Model`.
    #[serde(with = "super::address")]
    pub model: Pubkey,
    /// Addresses of its `PriceList`s that are taken; the first is offered.
    #[serde(with = "super::addresses")]
    pub prices: Vec<Pubkey>,
    /// An OpenAI-compatible server, with its path up to `/v1`.
    pub upstream: Url,
    /// What the upstream calls it, if not the same.
    pub upstream_name: Option<String>,
    /// A file with the upstream's API key.
    pub key_file: Option<PathBuf>,
    /// Of one answer: the most that a client may ask for, and what it gets when it does not say.
    #[serde(default = "default_output")]
    pub max_output_tokens: u64,
    /// Of one request.
    #[serde(default = "default_images")]
    pub max_images: u64,
    /// Bytes of text that count as a token where the upstream does not say.
    #[serde(default = "default_token")]
    pub bytes_per_token: u64,
    /// Fields of a request that go on to the upstream, beside those that its price is made from.
    #[serde(default = "default_fields")]
    pub fields: Vec<String>,
    /// What is added to a request that does not limit its answer.
    #[serde(default)]
    pub add_limit: AddLimit,
    /// Whether every stream asks for its usage.
    #[serde(default = "default_usage")]
    pub add_usage: bool,
}

/// Under which name `max_output_tokens` goes to an upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddLimit {
    #[default]
    MaxTokens,
    MaxCompletionTokens,
    None,
}

impl AddLimit {
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::MaxTokens => Some("max_tokens"),
            Self::MaxCompletionTokens => Some("max_completion_tokens"),
            Self::None => None,
        }
    }
}

impl Model {
    /// What the upstream calls it.
    pub fn upstream_name(&self) -> &str {
        self.upstream_name.as_deref().unwrap_or(&self.name)
    }
}

fn default_output() -> u64 {
    1_024
}

fn default_images() -> u64 {
    4
}

fn default_token() -> u64 {
    4
}

fn default_fields() -> Vec<String> {
    fields::USUAL.map(str::to_owned).into()
}

fn default_usage() -> bool {
    true
}
