//! An artifact that goes out: nobody gets all of one that hashes to something else.

use crate::{api::State, failure::Failure, telemetry, traffic::LEAST};
use axum::{
    body::{Body, Bytes},
    http::header::{self, HeaderName},
    response::{IntoResponse as _, Response},
};
use futures::{stream, stream::BoxStream, StreamExt as _, TryStreamExt as _};
use joule_artifacts::{Hash, Lying};
use joule_listen::Peer;
use sha2::{Digest as _, Sha256};

pub async fn give(state: &State, peer: Peer, hash: Hash) -> Result<Response, Failure> {
    state.given_out.take(peer, LEAST)?;
    let Lying { size, pieces } = state.store.look(hash).await?;
    state.given_out.take(peer, size.saturating_sub(LEAST))?;
    let mut pieces = checked(pieces.map_err(Failure::from).boxed(), hash);
    // What is short is known to be damaged before anything is said.
    let first = pieces.try_next().await?;
    let pieces = stream::iter(first.map(Ok)).chain(pieces).inspect_ok(|piece: &Bytes| {
        metrics::counter!(telemetry::SENT).increment(piece.len() as u64);
    });
    Ok((described(size), Body::from_stream(pieces)).into_response())
}

/// What [`give`] says before the bytes.
pub async fn tell(state: &State, peer: Peer, hash: Hash) -> Result<Response, Failure> {
    state.given_out.take(peer, LEAST)?;
    let size = state.store.size(hash).await?.ok_or(Failure::NotFound(hash))?;
    Ok((described(size), Body::empty()).into_response())
}

/// Strangers have written it: no browser shall take it for a page of this site.
fn described(size: u64) -> [(HeaderName, String); 6] {
    [
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
    ]
}

type Pieces = BoxStream<'static, Result<Bytes, Failure>>;

/// Each piece once the next has come, and the last once all of them hash to `hash`.
fn checked(pieces: Pieces, hash: Hash) -> Pieces {
    let begin = (pieces, Sha256::new(), None::<Bytes>);
    stream::try_unfold(begin, move |(mut pieces, mut hasher, mut held)| async move {
        loop {
            match pieces.try_next().await? {
                Some(piece) => {
                    hasher.update(&piece);
                    if let Some(before) = held.replace(piece) {
                        return Ok(Some((before, (pieces, hasher, held))));
                    }
                }
                None if Hash::from_bytes(hasher.clone().finalize().into()) == hash => {
                    return Ok(held.take().map(|last| (last, (stream::empty().boxed(), hasher, None))));
                }
                None => return Err(Failure::Damaged(hash)),
            }
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(pieces: &[&'static str], hash: Hash) -> (String, bool) {
        let pieces = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from(*piece))).collect::<Vec<_>>()).boxed();
        let (mut said, mut pieces) = (String::new(), checked(pieces, hash));
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => said.push_str(std::str::from_utf8(&piece).unwrap()),
                Err(_) => return (said, false),
            }
        }
        (said, true)
    }

    #[tokio::test]
    async fn the_last_piece_waits_for_the_hash() {
        let hash = Hash::of(b"one two");
        assert_eq!(all(&["one", " two"], hash).await, ("one two".into(), true));
        assert_eq!(all(&["one", " three"], hash).await, ("one".into(), false));
        assert_eq!(all(&["one two"], hash).await, ("one two".into(), true));
        assert_eq!(all(&["two"], hash).await, (String::new(), false));
        assert_eq!(all(&[], Hash::of(b"")).await, (String::new(), true));
        assert_eq!(all(&[], hash).await, (String::new(), false));
    }
}
