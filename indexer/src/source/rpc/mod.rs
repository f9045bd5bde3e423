//! History by JSON-RPC: snapshots of our programs' accounts, and the transactions of slots that the stream did not bring.
//!
//! [`history`] fills gaps, of a few blocks with [`block`], [`ledger`] says whether the node has every block for it, [`transaction`] reads, [`accounts`] are what is
//! true now.

mod accounts;
mod block;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzzed;
mod history;
mod ledger;
mod transaction;

use crate::telemetry;
use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    request::{RpcError, RpcRequest},
};
use std::time::Duration;

/// Questions that are asked at a time.
const PARALLEL: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON-RPC node that serves the same cluster as the stream.
pub struct Rpc {
    client: RpcClient,
    /// Go on after a gap whose history the node does not have, leaving its events out.
    accept_gap: bool,
}

impl Rpc {
    pub fn new(url: String, accept_gap: bool) -> Self {
        Self { client: RpcClient::new_with_timeout(url, TIMEOUT), accept_gap }
    }

    async fn call<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> anyhow::Result<T> {
        self.ask(request, params).await.with_context(|| format!("{request} at {} failed; check --rpc", self.url()))
    }

    /// Every question goes through here, so that all are counted.
    async fn ask<T: DeserializeOwned>(&self, request: RpcRequest, params: Value) -> Result<T, ClientError> {
        metrics::counter!(telemetry::RPC_CALLS, "method" => request.to_string()).increment(1);
        // There from the first call on, so that the first error is seen as a rise.
        let errors = metrics::counter!(telemetry::RPC_ERRORS, "method" => request.to_string());
        errors.increment(0);
        self.client.send(request, params).await.inspect_err(|_| errors.increment(1))
    }

    fn url(&self) -> String {
        self.client.url()
    }
}

/// The JSON-RPC code of an answer that is an error.
fn response_code(error: &ClientError) -> Option<i64> {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => Some(*code),
        _ => None,
    }
}
