//! An artifact that comes in, within size, time, space and traffic.

use crate::{api::State, failure::Failure, telemetry, traffic::LEAST};
use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    http::{header, StatusCode},
    response::{IntoResponse as _, Response},
    Json,
};
use futures::StreamExt as _;
use joule_artifacts::{Hash, Incoming};
use joule_listen::Peer;
use std::{sync::Arc, time::Duration};
use tokio::time::{timeout, timeout_at, Instant};

/// How long the rest of a refused body is read: who still sends does not hear why it was refused, once the connection is closed.
const LINGER: Duration = Duration::from_secs(5);

/// 201 with its hash, or 200 if it was here already; under `expected` nothing else is stored.
pub async fn receive(state: &Arc<State>, peer: Peer, expected: Option<Hash>, body: Body) -> Result<Response, Failure> {
    let length = body.size_hint().lower();
    let mut pieces = body.into_data_stream();
    let stored = match length > state.max_artifact {
        true => Err(Failure::TooLarge(state.max_artifact)),
        false => store(state, peer, expected, &mut pieces).await,
    };
    match stored {
        Ok((hash, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            let place = [(header::LOCATION, format!("/v1/artifacts/{hash}"))];
            Ok((status, place, Json(serde_json::json!({ "hash": hash }))).into_response())
        }
        Err(failure) => {
            if !matches!(failure, Failure::TooSlow(_) | Failure::BrokeOff(_)) {
                tokio::spawn(timeout(LINGER, async move { while pieces.next().await.is_some() {} }));
            }
            Err(failure)
        }
    }
}

async fn store(
    state: &Arc<State>,
    peer: Peer,
    expected: Option<Hash>,
    pieces: &mut BodyDataStream,
) -> Result<(Hash, bool), Failure> {
    let mut incoming = state.store.receive();
    let mut room = state.space.room();
    state.taken_in.take(peer, LEAST)?;
    room.grow(0)?;
    let (began, mut length) = (Instant::now(), 0);
    loop {
        let patience = state.idle + Duration::from_secs(length / state.min_rate);
        let piece = timeout_at(began + patience, pieces.next()).await.map_err(|_| Failure::TooSlow(state.min_rate))?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| Failure::BrokeOff(error.to_string()))?;
        let before = length;
        length += piece.len() as u64;
        if length > state.max_artifact {
            return Err(Failure::TooLarge(state.max_artifact));
        }
        state.taken_in.take(peer, length.saturating_sub(before.max(LEAST)))?;
        room.grow(length)?;
        incoming.write(&piece).await?;
        metrics::counter!(telemetry::RECEIVED).increment(piece.len() as u64);
    }
    let hash = incoming.hash();
    if let Some(expected) = expected.filter(|expected| *expected != hash) {
        return Err(Failure::OtherHash { expected, actual: hash });
    }
    // To its end, whether or not somebody still waits for it: what is stored is counted.
    let state = state.clone();
    let kept = tokio::spawn(async move { keep(&state, incoming, hash, room, length).await });
    kept.await.unwrap_or_else(|error| Err(Failure::BrokeOff(error.to_string()))).map(|is_new| (hash, is_new))
}

async fn keep(
    state: &State,
    incoming: Incoming,
    hash: Hash,
    room: crate::space::Room,
    length: u64,
) -> Result<bool, Failure> {
    let before = state.store.size(hash).await?;
    incoming.keep().await?;
    if before.is_none() {
        room.keep(length);
    }
    Ok(before.is_none())
}
