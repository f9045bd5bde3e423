//! A model to sell: an OpenAI-compatible server whose model is the repository's network that reads handwritten digits,
//! run in the sandbox that jobs run in. `joule-gateway upstream`.

mod digits;
mod picture;

use crate::openai::error_body;
use axum::{
    body::Bytes,
    extract::State,
    http::{header, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
    Json, Router,
};
use digits::Digits;
use picture::Picture;
use serde_json::{json, Value};
use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;

/// What it calls itself.
pub const MODEL: &str = "digits";

/// A running one; ends with the future of `run`.
pub struct Upstream {
    listener: TcpListener,
    digits: Arc<Digits>,
}

impl Upstream {
    /// `module` is `workloads/digits/digits.wasm`.
    pub async fn bind(listen: SocketAddr, module: &Path) -> anyhow::Result<Self> {
        let digits = Arc::new(Digits::load(module).await?);
        Ok(Self { listener: joule_listen::bind(listen, "--listen").await?, digits })
    }

    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub async fn run(self) -> std::io::Result<()> {
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route(
                "/v1/models",
                get(async || Json(json!({"object": "list", "data": [{"id": MODEL, "object": "model"}]}))),
            )
            .with_state(self.digits);
        axum::serve(self.listener, router).await
    }
}

/// Answers with the digit in the last message: a picture in line, or one drawn in characters.
async fn chat(State(digits): State<Arc<Digits>>, body: Bytes) -> Response {
    let bad = |message: &str, code: &str| {
        (StatusCode::BAD_REQUEST, Json(error_body(message, "invalid_request_error", code, None))).into_response()
    };
    let Ok(request) = serde_json::from_slice::<Value>(&body) else { return bad("the body is not JSON", "bad_json") };
    if request["model"] != MODEL {
        return bad("there is only the model \"digits\"", "model_not_found");
    }
    let Some(message) = request["messages"].as_array().and_then(|messages| messages.last()) else {
        return bad("messages are missing", "bad_messages");
    };
    let picture = match Picture::find(&message["content"]) {
        Ok(picture) => picture,
        Err(error) => return bad(&error.to_string(), "bad_picture"),
    };
    let text = match digits.read(&picture).await {
        Ok(seen) => seen.to_string(),
        Err(error) => {
            let body = error_body(&error.to_string(), "server_error", "network", None);
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response();
        }
    };
    let answer = Answer::new(&request, &text);
    if request["stream"] == true {
        let body = answer.events(request["stream_options"]["include_usage"] == true);
        return ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response();
    }
    Json(answer.whole()).into_response()
}

/// One answer in the API's words. A token is a word with the space behind it; the one that ends the answer counts too.
struct Answer {
    id: String,
    created: u64,
    tokens: Vec<String>,
    prompt_tokens: usize,
    cut: bool,
}

impl Answer {
    fn new(request: &Value, text: &str) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let most = ["max_tokens", "max_completion_tokens"].iter().filter_map(|field| request[*field].as_u64()).max();
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let mut tokens: Vec<_> = text.split_inclusive(' ').map(str::to_owned).collect();
        let cut = tokens.len() >= most;
        tokens.truncate(most);
        let prompt_tokens = joule_x402::text_bytes(&request["messages"]).div_ceil(4);
        Self {
            id: format!("chatcmpl-{created}"),
            created,
            tokens,
            prompt_tokens: usize::try_from(prompt_tokens).unwrap_or(usize::MAX),
            cut,
        }
    }

    fn usage(&self) -> Value {
        let completion = self.tokens.len() + usize::from(!self.cut);
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        })
    }

    fn finish(&self) -> &'static str {
        if self.cut {
            "length"
        } else {
            "stop"
        }
    }

    fn whole(&self) -> Value {
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": MODEL,
            "choices": [{
                "index": 0, "finish_reason": self.finish(),
                "message": { "role": "assistant", "content": self.tokens.concat() },
            }],
            "usage": self.usage(),
        })
    }

    fn events(&self, with_usage: bool) -> String {
        let chunk = |choices: Value, usage: Value| {
            let mut chunk = json!({
                "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": MODEL, "choices": choices,
            });
            if with_usage {
                chunk["usage"] = usage;
            }
            format!("data: {chunk}\n\n")
        };
        let delta = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        let mut events = chunk(delta(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null);
        for token in &self.tokens {
            events += &chunk(delta(json!({ "content": token }), Value::Null), Value::Null);
        }
        events += &chunk(delta(json!({}), self.finish().into()), Value::Null);
        if with_usage {
            events += &chunk(json!([]), self.usage());
        }
        events + "data: [DONE]\n\n"
    }
}
