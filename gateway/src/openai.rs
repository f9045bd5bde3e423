//! The OpenAI API's requests, as far as their price depends on them, and its errors.

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
}

/// A request that was read. What the upstream gets is written from this, so that it cannot see another one.
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
    /// Bytes of the body.
    pub bytes: u64,
    /// Bytes of its text.
    pub text_bytes: u64,
    body: Map<String, Value>,
}

impl Request {
    pub fn read(endpoint: Endpoint, bytes: &[u8]) -> Result<Self, BadRequest> {
        let body: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| BadRequest::NotJson(error.to_string()))?;
        let number = |field: &'static str| match body.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().filter(|number| *number > 0).map(Some).ok_or(BadRequest::Field(field)),
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
        let choices = number("n")?.unwrap_or(1).max(number("best_of")?.unwrap_or(1)).saturating_mul(prompts);
        let most = (number("max_tokens")?, number("max_completion_tokens")?);
        let text_bytes = ["messages", "prompt", "input", "tools", "functions"]
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
            bytes: bytes.len() as u64,
            text_bytes,
            body,
        })
    }

    /// The body for the upstream: its own name for the model, the limit that was priced under whichever name it is read, and
    /// usage at the end of a stream.
    pub fn for_upstream(&self, model: &str, max_output_tokens: u64) -> Vec<u8> {
        let mut body = self.body.clone();
        body.insert("model".into(), model.into());
        if matches!(self.endpoint, Endpoint::Chat | Endpoint::Completions) {
            let most = self.max_output_tokens.unwrap_or(max_output_tokens);
            for name in ["max_tokens", "max_completion_tokens"] {
                if name == "max_tokens" || body.contains_key(name) {
                    body.insert(name.into(), most.into());
                }
            }
        }
        if self.stream {
            let options = body.entry("stream_options").or_insert_with(|| json!({}));
            if !options.is_object() {
                *options = json!({});
            }
            options["include_usage"] = true.into();
        }
        Value::Object(body).to_string().into_bytes()
    }
}

/// The API's error object.
pub fn error_body(message: &str, kind: &str, code: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(endpoint: Endpoint, body: Value) -> Result<Request, BadRequest> {
        Request::read(endpoint, body.to_string().as_bytes())
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
        assert!(matches!(Request::read(Endpoint::Chat, b"{\"model\":"), Err(BadRequest::NotJson(_))));
        assert!(matches!(Request::read(Endpoint::Chat, b"[]"), Err(BadRequest::NotJson(_))));
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
        assert!(matches!(Request::read(Endpoint::Chat, deep.as_bytes()), Err(BadRequest::NotJson(_))));
    }

    #[test]
    fn the_upstream_sees_the_request_that_was_priced() {
        // Of two fields with one name the last is read, and only that one is passed on.
        let request = Request::read(Endpoint::Chat, br#"{"model":"cheap","model":"dear","stream":true}"#).unwrap();
        assert_eq!(request.model, "dear");
        let sent: Value = serde_json::from_slice(&request.for_upstream("inner", 77)).unwrap();
        assert_eq!(
            sent,
            json!({"model": "inner", "stream": true, "max_tokens": 77, "stream_options": {"include_usage": true}})
        );
    }
}
