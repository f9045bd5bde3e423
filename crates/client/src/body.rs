//! What a server sends, as long as it stays within bounds.

use bytes::Bytes;
use reqwest::Response;
use serde::de::DeserializeOwned;

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadBody {
    #[error("the answer is longer than {0} bytes")]
    Bytes(usize),
    #[error("the answer broke off: {0}")]
    Broken(#[from] reqwest::Error),
    #[error("the answer is not what it should be: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// All of it, if that is not more than `most` bytes.
pub async fn whole(mut response: Response, most: usize) -> Result<Bytes, BadBody> {
    let mut all = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if all.len() + piece.len() > most {
            return Err(BadBody::Bytes(most));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}

pub async fn json<T: DeserializeOwned>(response: Response, most: usize) -> Result<T, BadBody> {
    Ok(serde_json::from_slice(&whole(response, most).await?)?)
}

/// What can be shown of it.
pub async fn text(response: Response, most: usize) -> String {
    whole(response, most)
        .await
        .map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}
