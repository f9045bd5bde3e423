//! The OpenAI API's requests, as far as their price depends on them, and its errors.

use crate::{config::Model, fields};
use axum::body::Bytes;
use joule_x402::text_bytes;
use serde_json::{json, Map, Value};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Chat,
    Completions,
    Embeddings,
    Images,
}

impl Endpoint {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Completions, Self::Embeddings, Self::Images];

    /// After `/v1`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::Images => "/images/generations",
        }
    }
}

/// Why a body is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("the body is not a JSON object: {0}")]
    NotJson(String),
    #[error("{0:?} is missing or has the wrong type")]
    Field(&'static str),
    #[error("this model does not take {0:?}: leave it out")]
    Unknown(String),
}

impl BadRequest {
    /// The field that it is about.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::NotJson(_) => None,
            Self::Field(field) => Some(field),
            Self::Unknown(field) => Some(field),
        }
    }
}

/// A request that was read. What the upstream gets is written from what was read here, so that it cannot see another one.
#[derive(Debug, Clone)]
pub struct Request {
    pub endpoint: Endpoint,
    pub model: String,
    pub stream: bool,
    /// Whether the client asked for the usage of a stream.
    pub include_usage: bool,
    /// Answers asked for.
    pub choices: u64,
    /// Tokens of one answer; `None` when the client leaves it open.
    pub max_output_tokens: Option<u64>,
    /// Whether every answer begins with the prompt.
    pub echo: bool,
    /// Bytes of the body.
    pub bytes: u64,
    /// Bytes of its text.
    pub text_bytes: u64,
    /// Names of fields that are not read here.
    others: Vec<String>,
    /// As it came; what was read of it may take many times as much room.
    body: Bytes,
}

fn object(body: &[u8]) -> Result<Map<String, Value>, BadRequest> {
    serde_json::from_slice(body).map_err(|error| BadRequest::NotJson(error.to_string()))
}

impl Request {
    pub fn read(endpoint: Endpoint, bytes: Bytes) -> Result<Self, BadRequest> {
        let body = object(&bytes)?;
        let number = |field: &'static str, least: u64| match body.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().filter(|number| *number >= least).map(Some).ok_or(BadRequest::Field(field)),
        };
        let flag = |value: Option<&Value>, field| match value {
            None | Some(Value::Null) => Ok(false),
            Some(value) => value.as_bool().ok_or(BadRequest::Field(field)),
        };
        let streams = matches!(endpoint, Endpoint::Chat | Endpoint::Completions);
        let prompts = match (endpoint, body.get("prompt")) {
            // A list of numbers is one prompt, in tokens.
            (Endpoint::Completions, Some(Value::Array(list))) if !list.iter().all(Value::is_number) => {
                list.len() as u64
            }
            _ => 1,
        };
        let model = body.get("model").and_then(Value::as_str).ok_or(BadRequest::Field("model"))?.to_owned();
        let stream = flag(body.get("stream"), "stream")?;
        if stream && !streams {
            return Err(BadRequest::Field("stream"));
        }
        let options = body.get("stream_options").filter(|options| !options.is_null());
        let include_usage = flag(options.and_then(|options| options.get("include_usage")), "stream_options")?;
        let choices = number("n", 1)?.unwrap_or(1).max(number("best_of", 1)?.unwrap_or(1)).saturating_mul(prompts);
        // A prompt can be weighed without an answer.
        let least = u64::from(endpoint != Endpoint::Completions);
        let most = (number("max_tokens", least)?, number("max_completion_tokens", 1)?);
        let text_bytes = ["messages", "prompt", "suffix", "input", "tools", "functions"]
            .iter()
            .filter_map(|field| body.get(*field))
            .map(text_bytes)
            .sum();
        Ok(Self {
            endpoint,
            model,
            stream,
            include_usage,
            choices,
            max_output_tokens: most.0.into_iter().chain(most.1).max(),
            echo: endpoint == Endpoint::Completions && flag(body.get("echo"), "echo")?,
            bytes: bytes.len() as u64,
            text_bytes,
            others: fields::others(&body),
            body: bytes,
        })
    }

    /// Whether the model takes every field.
    pub fn check(&self, model: &Model) -> Result<(), BadRequest> {
        match self.others.iter().find(|field| !fields::is_taken(field, &model.fields)) {
            Some(field) => Err(BadRequest::Unknown(field.clone())),
            None => Ok(()),
        }
    }

    /// The body for the upstream: what the client sent, under the upstream's own name for the model, and what the settings add.
    pub fn for_upstream(&self, model: &Model) -> Vec<u8> {
        let mut body = object(&self.body).unwrap_or_default();
        body.retain(|field, value| !value.is_null() && fields::is_taken(field, &model.fields));
        body.insert("model".into(), model.upstream_name().into());
        let limits = matches!(self.endpoint, Endpoint::Chat | Endpoint::Completions);
        if let Some(name) = model.add_limit.field().filter(|_| limits && self.max_output_tokens.is_none()) {
            body.insert(name.into(), model.max_output_tokens.into());
        }
        if self.stream && model.add_usage {
            let options = body.entry("stream_options").or_insert_with(|| json!({}));
            if !options.is_object() {
                *options = json!({});
            }
            options["include_usage"] = true.into();
        }
        Value::Object(body).to_string().into_bytes()
    }
}

/// The API's error object; `field` is the one that it is about.
pub fn error_body(message: &str, kind: &str, code: &str, field: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": field, "code": code } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(endpoint: Endpoint, body: Value) -> Result<Request, BadRequest> {
        Request::read(endpoint, body.to_string().into())
    }

    #[test]
    fn answers_are_counted_however_they_are_asked_for() {
        let of = |endpoint, body| read(endpoint, body).unwrap().choices;
        assert_eq!(of(Endpoint::Chat, json!({"model": "m"})), 1);
        assert_eq!(of(Endpoint::Chat, json!({"model": "m", "n": 3})), 3);
        assert_eq!(of(Endpoint::Completions, json!({"model": "m", "n": 2, "best_of": 5})), 5);
        assert_eq!(of(Endpoint::Completions, json!({"model": "m", "n": 2, "prompt": ["a", "b", "c"]})), 6);
        assert_eq!(of(Endpoint::Completions, json!({"model": "m", "prompt": [1, 2, 3]})), 1);
        assert_eq!(of(Endpoint::Images, json!({"model": "m", "n": 2})), 2);
    }

    #[test]
    fn what_is_malformed_is_named() {
        assert!(matches!(Request::read(Endpoint::Chat, "{\"model\":".into()), Err(BadRequest::NotJson(_))));
        assert!(matches!(Request::read(Endpoint::Chat, "[]".into()), Err(BadRequest::NotJson(_))));
        assert_eq!(read(Endpoint::Chat, json!({})).unwrap_err(), BadRequest::Field("model"));
        assert_eq!(read(Endpoint::Chat, json!({"model": "m", "n": 0})).unwrap_err(), BadRequest::Field("n"));
        assert_eq!(read(Endpoint::Chat, json!({"model": "m", "n": -1})).unwrap_err(), BadRequest::Field("n"));
        assert_eq!(
            read(Endpoint::Chat, json!({"model": "m", "max_tokens": 1.5})).unwrap_err(),
            BadRequest::Field("max_tokens")
        );
        assert_eq!(
            read(Endpoint::Embeddings, json!({"model": "m", "stream": true})).unwrap_err(),
            BadRequest::Field("stream")
        );
        let deep = "[".repeat(100_000);
        assert!(matches!(Request::read(Endpoint::Chat, deep.into()), Err(BadRequest::NotJson(_))));
    }

    fn model(more: &str) -> Model {
        toml::from_str(&format!(
            "name = 'm'\nmodel = '11111111111111111111111111111111'\nprices = ['11111111111111111111111111111111']\n\
             upstream = 'http://127.0.0.1:1/v1'\nupstream_name = 'inner'\nmax_output_tokens = 77\n{more}"
        ))
        .unwrap()
    }

    fn sent(body: Value, more: &str) -> Value {
        let request = read(Endpoint::Chat, body).unwrap();
        serde_json::from_slice(&request.for_upstream(&model(more))).unwrap()
    }

    #[test]
    fn the_upstream_sees_the_request_that_was_priced() {
        // Of two fields with one name the last is read, and only that one is passed on.
        let request =
            Request::read(Endpoint::Chat, r#"{"model":"cheap","model":"dear","max_tokens":5}"#.into()).unwrap();
        assert_eq!(request.model, "dear");
        let sent: Value = serde_json::from_slice(&request.for_upstream(&model(""))).unwrap();
        assert_eq!(sent, json!({"model": "inner", "max_tokens": 5}));
    }

    #[test]
    fn what_the_client_sent_is_sent_and_nothing_is_added_to_it() {
        let limited = json!({"model": "m", "max_completion_tokens": 5});
        assert_eq!(sent(limited, ""), json!({"model": "inner", "max_completion_tokens": 5}));
        let plain = "add_usage = false\nadd_limit = 'none'";
        assert_eq!(sent(json!({"model": "m", "stream": true}), plain), json!({"model": "inner", "stream": true}));
    }

    #[test]
    fn what_is_added_is_a_setting_of_the_upstream() {
        let open = || json!({"model": "m", "stream": true, "max_tokens": null});
        let usage = json!({"include_usage": true});
        assert_eq!(
            sent(open(), ""),
            json!({"model": "inner", "stream": true, "max_tokens": 77, "stream_options": usage})
        );
        assert_eq!(
            sent(open(), "add_limit = 'max_completion_tokens'\nadd_usage = false"),
            json!({"model": "inner", "stream": true, "max_completion_tokens": 77})
        );
        let vectors = read(Endpoint::Embeddings, json!({"model": "m", "input": "a"})).unwrap();
        let vectors: Value = serde_json::from_slice(&vectors.for_upstream(&model(""))).unwrap();
        assert_eq!(vectors, json!({"model": "inner", "input": "a"}));
    }

    #[test]
    fn fields_of_an_upstream_are_taken_when_the_settings_name_them() {
        let request = read(Endpoint::Chat, json!({"model": "m", "top_k": 5})).unwrap();
        assert_eq!(request.check(&model("")), Err(BadRequest::Unknown("top_k".into())));
        assert_eq!(request.check(&model("fields = ['top_k']")), Ok(()));
        assert_eq!(sent(json!({"model": "m", "top_k": 5}), "fields = ['top_k']\nadd_limit = 'none'")["top_k"], 5);
        let request = read(Endpoint::Chat, json!({"model": "m", "temperature": 0})).unwrap();
        assert!(request.check(&model("fields = ['top_k']")).is_err(), "the list is the whole list");
    }

    #[test]
    fn a_prompt_is_weighed_without_an_answer() {
        let body = json!({"model": "m", "prompt": "a", "max_tokens": 0, "echo": true});
        let request = read(Endpoint::Completions, body).unwrap();
        assert_eq!((request.max_output_tokens, request.echo), (Some(0), true));
        let chat = read(Endpoint::Chat, json!({"model": "m", "max_tokens": 0}));
        assert_eq!(chat.unwrap_err(), BadRequest::Field("max_tokens"));
    }
}
