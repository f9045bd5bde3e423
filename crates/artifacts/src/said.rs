//! What an artifact service says that is no artifact: a refusal is read to its end by whoever asks, and so must have one.

use async_trait::async_trait;
use bytes::BytesMut;
use futures::TryStreamExt as _;
use object_store::{
    client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector},
    ClientOptions,
};
use std::time::Duration;
use tokio::time::timeout;

/// So many bytes of it are read, and for so long.
const MOST: usize = 64 << 10;
const LISTEN: Duration = Duration::from_secs(10);

/// The usual client, which listens no longer.
#[derive(Debug)]
pub struct Bounded;

impl HttpConnector for Bounded {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Within(ReqwestConnector::default().connect(options)?)))
    }
}

#[derive(Debug)]
struct Within(HttpClient);

#[async_trait]
impl HttpService for Within {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = self.0.execute(request).await?.into_parts();
        if parts.status.is_success() {
            return Ok(HttpResponse::from_parts(parts, body));
        }
        let (mut pieces, mut said) = (body.bytes_stream(), BytesMut::new());
        let listen = async {
            while said.len() < MOST {
                let Ok(Some(piece)) = pieces.try_next().await else { break };
                said.extend_from_slice(&piece);
            }
        };
        // The status says enough.
        let _ = timeout(LISTEN, listen).await;
        said.truncate(MOST);
        Ok(HttpResponse::from_parts(parts, String::from_utf8_lossy(&said).into_owned().into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::{ArtifactError, ArtifactStore, Hash};
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    /// More than systems hold for those who do not read.
    const MUCH: usize = 64 << 20;

    // The connection has to be let go of while its server is waited for.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_without_end_is_a_refusal() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 1000000000\r\n\r\n").unwrap();
            let mut sent = 0;
            while sent < MUCH && stream.write_all(&[0xff; 1 << 16]).is_ok() {
                sent += 1 << 16;
            }
            sent
        });
        let error = ArtifactStore::open(&place).unwrap().get(Hash::of(b"x"), 10).await.unwrap_err();
        assert!(matches!(error, ArtifactError::NotFound { .. }), "{error}");
        assert!(server.join().unwrap() < MUCH, "nobody listens to all of it");
    }
}
