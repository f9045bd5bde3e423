//! A model with a fault.

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
    Router,
};
use futures::future::BoxFuture;
use serde_json::{json, Value};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;

/// What an upstream does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Says nothing at all.
    Hang,
    /// Falls silent in the middle of a stream.
    HangMidStream,
    /// Closes the connection in the middle.
    DieMidStream,
    /// Says that it used more than it can have.
    Lie,
    /// Sends no usage.
    Silent,
    /// Answers with something else than JSON.
    Nonsense,
    /// Answers without end.
    Endless,
    /// The same, and a lot of it.
    Flood,
    /// An answer longer than anybody wants.
    Huge,
    /// 500.
    Fail,
    /// 400, as for a request that the model does not like.
    Refuse,
    /// A word every 30 ms.
    Slow,
}

pub const WORDS: [&str; 4] = ["The ", "digit ", "is ", "seven"];

/// An OpenAI-compatible server with a fault; remembers what it was asked.
pub struct Upstream {
    pub url: String,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Upstream {
    pub async fn start(fault: Fault) -> Self {
        Self::serving(Arc::new(move |request: Value| Box::pin(answer(fault, request)))).await
    }

    pub(super) async fn serving(answer: Arc<dyn Fn(Value) -> BoxFuture<'static, Response> + Send + Sync>) -> Self {
        let seen = Arc::<Mutex<Vec<Value>>>::default();
        let all = seen.clone();
        let router = Router::new().fallback(async move |body: Bytes| {
            let request: Value = serde_json::from_slice(&body).expect("the gateway sends JSON");
            all.lock().unwrap().push(request.clone());
            answer(request).await
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}/v1"), seen }
    }

    pub fn times_asked(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// What it was asked last.
    pub fn last(&self) -> Value {
        self.seen.lock().unwrap().last().cloned().expect("it was asked")
    }
}

fn event(choices: Value, usage: Value) -> Bytes {
    format!("data: {}\n\n", json!({"choices": choices, "usage": usage})).into()
}

pub(super) async fn answer(fault: Fault, request: Value) -> Response {
    let usage = match fault {
        Fault::Lie => json!({"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}),
        Fault::Silent => Value::Null,
        _ => json!({"prompt_tokens": 10, "completion_tokens": 4}),
    };
    match fault {
        Fault::Hang => std::future::pending::<()>().await,
        Fault::Nonsense => return "so many words".into_response(),
        Fault::Huge => return "x".repeat(1 << 20).into_response(),
        Fault::Fail => return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Refuse => return (axum::http::StatusCode::BAD_REQUEST, "{\"error\":{\"code\":\"no\"}}").into_response(),
        _ => {}
    }
    if request["stream"] != true {
        let message = json!({"role": "assistant", "content": WORDS.concat()});
        return axum::Json(json!({"choices": [{"index": 0, "message": message}], "usage": usage})).into_response();
    }
    let delta = |word: &str| event(json!([{"index": 0, "delta": {"content": word}}]), Value::Null);
    let mut events: Vec<_> = WORDS.iter().map(|word| delta(word)).collect();
    match fault {
        Fault::DieMidStream | Fault::HangMidStream => events.truncate(2),
        Fault::Endless => events = vec![delta("on and "); 100_000],
        Fault::Flood => events = vec![delta(&"on and ".repeat(5_000)); 100_000],
        _ => {
            events.push(event(json!([]), usage));
            events.push("data: [DONE]\n\n".into());
        }
    }
    let pace = match fault {
        Fault::Slow => Duration::from_millis(30),
        Fault::Endless | Fault::Flood => Duration::from_millis(1),
        _ => Duration::ZERO,
    };
    let stream = tokio_stream::iter(events).then(move |event| async move {
        tokio::time::sleep(pace).await;
        Ok::<_, std::io::Error>(event)
    });
    let end = tokio_stream::once(()).then(move |()| async move {
        match fault {
            Fault::HangMidStream => std::future::pending().await,
            Fault::DieMidStream => {
                // What was sent before is on its way.
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(std::io::Error::other("dead"))
            }
            _ => Ok(Bytes::new()),
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(stream.chain(end))).into_response()
}
