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
use joule_settings::Url;
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
    url: Url,
    /// Go on after a gap whose history the node does not have, leaving its events out.
    accept_gap: bool,
}

impl Rpc {
    pub fn new(url: impl Into<Url>, accept_gap: bool) -> Self {
        let url = url.into();
        Self { client: RpcClient::new_with_timeout(url.expose().to_owned(), TIMEOUT), url, accept_gap }
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
        self.client.send(request, params).await.inspect_err(|_| errors.increment(1)).map_err(without_url)
    }

    fn url(&self) -> &Url {
        &self.url
    }
}

/// Keys of rented nodes stand in addresses, which errors of HTTP name.
fn without_url(error: ClientError) -> ClientError {
    match *error.kind {
        ErrorKind::Reqwest(http) => {
            ClientError { request: error.request, kind: Box::new(ErrorKind::Reqwest(http.without_url())) }
        }
        kind => ClientError { request: error.request, kind: Box::new(kind) },
    }
}

/// The JSON-RPC code of an answer that is an error.
fn response_code(error: &ClientError) -> Option<i64> {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => Some(*code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::History as _;

    #[tokio::test]
    async fn an_error_names_the_node_and_not_its_key() {
        let error = Rpc::new("http://127.0.0.1:1/s3cret?api-key=s3cret", false).genesis().await.unwrap_err();
        for shown in [format!("{error:#}"), format!("{error:?}"), joule_settings::Causes(error.as_ref()).to_string()] {
            assert!(shown.contains("http://127.0.0.1:1/…") && !shown.contains("s3cret"), "{shown}");
        }
    }
}
