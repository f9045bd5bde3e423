//! Between the indexer and its RPC node: counts what is asked, and answers as other nodes do.

use axum::{extract::State, Json, Router};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpSocket;

/// Of the method, what is asked, and the answer, which it may change.
type Change = Box<dyn Fn(&str, &Value, &mut Value) + Send>;

pub struct Node {
    /// Such as `http://127.0.0.1:41234`.
    pub url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    real: String,
    http: reqwest::Client,
    change: Mutex<Change>,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl Node {
    pub async fn before(real: &str) -> Self {
        Self::before_on(real, nobody())
    }

    /// At the address of this socket.
    pub fn before_on(real: &str, socket: TcpSocket) -> Self {
        let shared = Arc::new(Shared {
            real: real.to_owned(),
            http: reqwest::Client::new(),
            change: Mutex::new(Box::new(|_, _, _| {})),
            calls: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(shared.clone());
        let listener = socket.listen(1_024).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, shared, task }
    }

    /// From now on.
    pub fn answers(&self, change: impl Fn(&str, &Value, &mut Value) + Send + 'static) {
        *self.shared.change.lock().unwrap() = Box::new(change);
    }

    /// How often which method was called.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.shared.calls.lock().unwrap().clone()
    }
}

/// An address where nobody listens, and nobody else can.
pub fn nobody() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer that is an error.
pub fn error(code: i64, message: &str) -> Value {
    serde_json::json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": code, "message": message } })
}

async fn pass(State(shared): State<Arc<Shared>>, Json(asked): Json<Value>) -> Json<Value> {
    let method = asked["method"].as_str().unwrap().to_owned();
    *shared.calls.lock().unwrap().entry(method.clone()).or_default() += 1;
    let answer = shared.http.post(&shared.real).json(&asked).send().await.unwrap();
    let mut answer: Value = answer.json().await.unwrap();
    (shared.change.lock().unwrap())(&method, &asked["params"], &mut answer);
    answer["id"] = asked["id"].clone();
    Json(answer)
}
